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
from typing import Any, cast

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
_LINK = re.compile(r"[ \t]?[\[<(]\s*https?://[^\s\])>]+\s*[\])>]")
# Lines that newsletters put around their text.
_FURNITURE = re.compile(
    r"^(?:(?:unsubscribe|abmelden|abbestellen|se désabonner|se désinscrire|darse de baja|отписаться)\b|"
    r"(?:view|read) (?:this|it|in|online)\b.{0,80}(?:web|browser|online|app)|"
    r"manage (?:your )?(?:preferences|subscription)|(?:you are|you’re|you're) receiving this|[-= ]{9,}$).{0,200}$",
    re.I | re.M,
)
_SIGNATURE = re.compile(r"\n-- \n.{0,600}\Z", re.S)  # RFC 3676


class _Headers(policy.EmailPolicy):
    """Parses only the headers whose parts are asked for or are in a code: that takes half the time of a short mail."""

    def header_fetch_parse(self, name: str, value: str) -> Any:
        """The header; with the text as it is written where nothing has to be decoded."""
        if "=?" in value or not value.isascii() or name.lower().startswith("content-"):
            return super().header_fetch_parse(name, value)
        return "".join(value.splitlines())


_POLICY = cast("policy.EmailPolicy[EmailMessage]", _Headers())


def read_mail(document: Document) -> Loaded:
    """The article of a message: its subject, its sender as the outlet, its text; attachments are not read."""
    yield _message(whole_body(document))


def read_mbox(document: Document) -> Loaded:
    """An article for each message of a mailbox, read as a stream; one without text is one Failure."""
    for number, body in enumerate(_messages(document), 1):
        try:
            yield _message(body)
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
        if line.startswith(b"From ") and (not held or not held[-1].strip()):
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


def _message(body: bytes) -> Article:
    if any(len(header[0]) > _LONGEST_HEADER for header in _HEADER.finditer(body)):
        raise LoadError(f"is mail with a header of over {_LONGEST_HEADER:,} characters; save its text as .txt")
    try:
        message = message_from_bytes(body, policy=_POLICY)
        text, left = _text(message), _attachments(message)
        fields = _fields(message)
    except _BROKEN as error:
        raise LoadError(f"is broken mail ({type(error).__name__}); export it anew") from error
    text = re.sub(r"\n{3,}", "\n\n", _FURNITURE.sub("", _LINK.sub("", _SIGNATURE.sub("", text)))).strip()
    if not text.strip():
        raise LoadError("is mail without text; wanted a message with a text or HTML part")
    note = f"has attachments that were left out: {', '.join(left)}; add them as files" if left else None
    found = from_fields(text, fields)
    return replace(found, notes=(*found.notes, *([note] if note else ())))


def _fields(message: EmailMessage) -> dict[str, Any]:
    name, address = parseaddr(str(message.get("From", "")))
    return {
        "title": _header(message, "Subject"),
        "published": _date(_header(message, "Date") or ""),
        "source": name or address.rpartition("@")[2] or None,
        "id": (_header(message, "Message-ID") or "").strip("<> ") or None,
    }


def _date(stamp: str) -> Published | str:
    """What follows the standard is read here, which is faster; a time without a zone is one of UTC there."""
    try:
        moment = parsedate_to_datetime(stamp)
    except ValueError:
        return stamp
    return parse_published(moment if moment.tzinfo else moment.replace(tzinfo=UTC)) or stamp


def _header(message: EmailMessage, name: str) -> str | None:
    return str(message[name]) if message[name] else None


def _text(message: EmailMessage) -> str:
    """The plain part, unless the HTML part has much more text."""
    parts = [message.get_body(preferencelist=(kind,)) for kind in ("plain", "html")]
    texts = [_decoded(part) if part is not None else "" for part in parts]
    html = html_text(texts[1]) if texts[1] else ""
    return texts[0] if len(texts[0]) > _LEAST_PLAIN * len(html) else html


def _decoded(part: MIMEPart) -> str:
    payload = part.get_payload(decode=True)
    return clean(decode(payload, part.get_content_charset()).text) if isinstance(payload, bytes) and payload else ""


def _attachments(message: EmailMessage) -> list[str]:
    names = (part.get_filename() for part in message.walk() if part.get_content_disposition() == "attachment")
    return [one_line(name, 60) for name in names if name]
