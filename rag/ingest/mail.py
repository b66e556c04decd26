"""Reads mail and newsletters, and web pages that a browser saved as mail: .eml, .mbox, .mhtml."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC
from email import message_from_bytes, policy
from email.message import EmailMessage, MIMEPart
from email.utils import parseaddr, parsedate_to_datetime
from functools import lru_cache
from typing import Any, NamedTuple, cast

from rag.errors import LoadError
from rag.ingest.document import MAX_FILE, Document, Loaded, lines, whole_body
from rag.ingest.html import html_text
from rag.ingest.metadata import from_fields
from rag.schema import Article, Failure, Published
from rag.text.calendar import parse_published
from rag.text.clean import clean, decode, one_line

_LEAST_PLAIN = 0.3
"""The share of the HTML part's text that the plain part needs to be read instead."""
# What the email package lets out on damaged mail.
_BROKEN = (ValueError, TypeError, AttributeError, LookupError, RecursionError, AssertionError)

_HEADER = re.compile(rb"^(?:content-[\w-]+|subject|from|date|message-id):[^\n]*(?:\n[ \t][^\n]*)*", re.I | re.M)
_LONGEST_HEADER = 20_000  # the time of the email package is the square of it
_FROM = re.compile(rb"From (?:\S*@|MAILER-DAEMON\b|[^\n]{0,99}\d\d:\d\d)")
_LINK = re.compile(r"[ \t]?[\[<(]\s*https?://[^\s\])>]+\s*[\])>]")
# Lines that newsletters put around their text.
_FURNITURE = re.compile(
    r"^[*| ]*(?:(?:unsubscribe|abmelden|abbestellen|se désabonner|se désinscrire|darse de baja|отписаться)\b|"
    r"(?:view|read|open) (?:online\b|(?:this|it|in)\b.{0,80}(?:web|browser|online|app))|(?:read|see) more\W*$|https?://\S+$|"
    r"(?:you can |want to )?(?:manage|update|change) (?:how you|your (?:e-?mail )?(?:preferences|subscription))|"
    r"(?:©|copyright\b).{0,6}\d{4}\b|"
    r"you(?: are|['’]re)? (?:received|receiving|getting) this|[-=_ ]{9,}$).{0,200}$",
    re.I | re.M,
)
_FORWARDED = re.compile(r"\s*(?:fwd?|wg|tr|rv|i|enc)\s*:", re.I)
_REPLY = re.compile(r"\s*(?:re|aw|sv|antw|rif|res?p?)\s*:", re.I)
# The header of a message within a message, and what parts it from the text above.
_INNER = re.compile(r"^(?:[*> ]{0,4}[^\W\d_][^\W\d_ -]{1,20}:\*? ?\S[^\n]{0,500}\n{1,2}){3,8}", re.M)
_QUOTES = "//*[contains(@class, 'gmail_quote') or self::blockquote[@type='cite']]"
_PARTING = re.compile(r"(?:^|\n)(?:[^\n]{0,80}[-_]{3,}|[^\n]{0,30}:)\s*\Z")
_INNER_FIELDS = {
    "from": "source",
    **dict.fromkeys(("von", "de", "da", "van", "från", "от"), "source"),
    **dict.fromkeys(("date", "sent", "datum", "gesendet", "envoyé", "fecha", "enviado", "data", "дата"), "published"),
    **dict.fromkeys(("subject", "betreff", "objet", "asunto", "oggetto", "onderwerp", "assunto", "тема"), "title"),
}
_LEFT_OUT = "is mail of which {} was left out; add that as a file of its own"
_SIGNATURE = re.compile(r"\n-- \n.{0,600}\Z", re.S)  # RFC 3676


class _Headers(policy.EmailPolicy):
    """Parses only the headers whose parts are asked for or are in a code: that takes half the time of a short mail."""

    def header_fetch_parse(self, name: str, value: str) -> Any:
        """The header; with the text as it is written where nothing has to be decoded."""
        if "=?" in value or not value.isascii() or name.lower().startswith("content-"):
            return _parsed(name, value)
        return "".join(value.splitlines())


# The package asks for the type of a message once for each part of it.
_parsed = lru_cache(maxsize=100)(policy.default.header_fetch_parse)
_POLICY = cast("policy.EmailPolicy[EmailMessage]", _Headers())


def read_mail(document: Document) -> Loaded:
    """The article of a message: its subject, its sender as the outlet, its text; and of each message attached to it."""
    yield from _messages_of(whole_body(document))


def read_mbox(document: Document) -> Loaded:
    """An article for each message of a mailbox, read as a stream; one without text is one Failure."""
    for number, body in enumerate(_messages(document), 1):
        try:
            yield from _messages_of(body)
        except LoadError as error:
            yield Failure(f"{document.origin}:message {number}", str(error))


def saved_page(document: Document) -> Document:
    """The HTML of a page that a browser saved with its pictures, and its address."""
    body = whole_body(document)
    try:
        message = message_from_bytes(body, policy=policy.default)
        part = message.get_body(preferencelist=("related", "html"))
        part = part.get_body(preferencelist=("html",)) if part is not None else None
        payload = part.get_payload(decode=True) if part is not None else None
        url = str(message.get("Snapshot-Content-Location") or "").strip() or None
    except _BROKEN as error:
        raise LoadError(f"is a broken saved page ({type(error).__name__}); save it as .html") from error
    if part is None or not isinstance(payload, bytes):
        raise LoadError("is a saved page without HTML; save it as .html")
    return replace(document, stream=io.BytesIO(payload), charset=part.get_content_charset(), url=url)


def _messages(document: Document) -> Iterator[bytes]:
    held: list[bytes] = []
    size = 0
    for line in lines(document):
        if _FROM.match(line) and (not held or not held[-1].strip()):
            if held:
                yield b"".join(held)
            held, size = [], 0
            continue
        size += len(line)
        if size > MAX_FILE:
            raise LoadError(f"has a message over {MAX_FILE // 10**6} MB; split it")
        held.append(line[1:] if line.startswith(b">From ") else line)
    if any(line.strip() for line in held):
        yield b"".join(held)


def _messages_of(body: bytes) -> Iterator[Article]:
    """The article of a message, and of each one that is attached to it; raises LoadError if none of them has text."""
    if any(len(header[0]) > _LONGEST_HEADER for header in _HEADER.finditer(body)):
        raise LoadError(f"is mail with a header of over {_LONGEST_HEADER:,} characters; save its text as .txt")
    try:
        message = message_from_bytes(body, policy=_POLICY)
        attached = [part for part in message.walk() if part.get_content_type() == "message/rfc822"]
        inner = [part.get_content() for part in attached if part.is_multipart()]
    except _BROKEN as error:
        raise LoadError(f"is broken mail ({type(error).__name__}); export it anew") from error
    if not inner:
        yield _message(message)
        return
    for part in (message, *inner):
        if _text(part).strip():
            yield _message(part)


def _message(message: EmailMessage) -> Article:
    try:
        found, left, fields = _unwrapped(message), _attachments(message), _fields(message)
    except _BROKEN as error:
        raise LoadError(f"is broken mail ({type(error).__name__}); export it anew") from error
    text = re.sub(r"\n{3,}", "\n\n", _FURNITURE.sub("", _LINK.sub("", _SIGNATURE.sub("", found.text)))).strip()
    if not text.strip():
        raise LoadError("is mail without text; wanted a message with a text or HTML part")
    notes = [_LEFT_OUT.format(found.left_out)] if found.left_out else []
    if left:
        notes.append(f"has attachments that were left out: {', '.join(left)}; add them as files")
    made = from_fields(text, {**fields, **found.fields})
    return replace(made, notes=(*made.notes, *notes))


class _Inner(NamedTuple):
    """A message in a message: its text, its fields, what is above it; and what of both is left out."""

    text: str
    fields: dict[str, str]
    before: str = ""
    left_out: str = ""


def _unwrapped(message: EmailMessage) -> _Inner:
    """The message that was forwarded, or a message without what it answers."""
    subject, text = _header(message, "Subject") or "", _text(message)
    inner = _inner(text)
    if inner and (_FORWARDED.match(subject) or not inner.before):
        return inner._replace(left_out="what stands above the forwarded message" if inner.before else "")
    if not (message["In-Reply-To"] or _REPLY.match(subject)):
        return _Inner(text, {})
    own = _unquoted(_text(message, _QUOTES))
    answered = _inner(own)
    own = answered.before if answered else own
    return _Inner(own, {}, left_out="what it answers" if own.split() != text.split() else "")


def _inner(text: str) -> _Inner | None:
    for found in _INNER.finditer(text):
        given = (line.strip("*> ").partition(":") for line in found[0].split("\n"))
        fields = {_INNER_FIELDS[k.lower()]: v.strip("* ") for k, _, v in given if k.lower() in _INNER_FIELDS}
        if fields.keys() >= {"source", "title"}:
            fields["source"] = _sender(fields["source"]) or fields["source"]
            return _Inner(text[found.end() :].strip(), fields, _PARTING.sub("", text[: found.start()]).strip())
    return None


def _unquoted(text: str) -> str:
    """A reply without the lines that it quotes, and the line that says whose they are."""
    kept: list[str] = []
    for line in text.split("\n"):
        if not line.startswith(">"):
            kept.append(line)
            continue
        while kept and not kept[-1].strip():
            kept.pop()
        if kept and kept[-1].endswith(":"):
            while kept and kept[-1].strip():
                kept.pop()
    return "\n".join(kept)


def _fields(message: EmailMessage) -> dict[str, Any]:
    return {
        "title": _header(message, "Subject"),
        "published": _date(_header(message, "Date") or ""),
        "source": _sender(str(message.get("From", ""))),
        "id": (_header(message, "Message-ID") or "").strip("<> ") or None,
    }


def _sender(given: str) -> str | None:
    name, address = parseaddr(given)
    return name or address.rpartition("@")[2] or None


def _date(stamp: str) -> Published | str:
    """What follows the standard is read here, which is faster; a time without a zone is one of UTC there."""
    try:
        moment = parsedate_to_datetime(stamp)
    except ValueError:
        return stamp
    return parse_published(moment if moment.tzinfo else moment.replace(tzinfo=UTC)) or stamp


def _header(message: EmailMessage, name: str) -> str | None:
    return str(message[name]) if message[name] else None


def _text(message: EmailMessage, without: str | None = None) -> str:
    """The plain part, unless the HTML part has much more text, which is read without the elements of an XPath."""
    parts = [message.get_body(preferencelist=(kind,)) for kind in ("plain", "html")]
    texts = [_decoded(part) if part is not None else "" for part in parts]
    html = html_text(texts[1], without) if texts[1] else ""
    return texts[0] if len(texts[0]) > _LEAST_PLAIN * len(html) else html


def _decoded(part: MIMEPart) -> str:
    payload = part.get_payload(decode=True)
    return clean(decode(payload, part.get_content_charset()).text) if isinstance(payload, bytes) and payload else ""


def _attachments(message: EmailMessage) -> list[str]:
    names = (part.get_filename() for part in message.walk() if part.get_content_disposition() == "attachment")
    return [one_line(name, 60) for name in names if name]
