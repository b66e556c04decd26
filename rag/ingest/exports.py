"""Takes the articles out of the text of a LexisNexis, Factiva or ProQuest export."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from rag.ingest.document import Document
from rag.ingest.records import record_articles
from rag.schema import Article, Failure
from rag.text.calendar import parse_published

_DOCUMENTS = re.compile(
    r"^[ \t]*(?:\d{1,5} of \d{1,5} DOCUMENTS?|(?:Do[ck]ument|Documento) \d{1,5} (?:of|von|de|di|van) \d{1,5})[ \t]*$",
    re.M,
)
_FULL_TEXT = re.compile(r"Full text:\s*(?:[\w ]{1,40}:\s*)?")
_END = re.compile(r"^[ \t]*End of Document[ \t]*$", re.M)
_FACTIVA = re.compile(r"^[ \t]*(?:AN[ \t]+)?Document[ \t]+(?P<id>[A-Z]{3,}[A-Za-z0-9]{9,})[ \t]*$", re.M)
_KEY = re.compile(r"^(?P<key>[A-ZÄÖÜÉ][^\W\d_](?:[^\W\d_]|[ -]){1,23}):[ \t]*(?P<value>.*)$", re.S)
_HEADER = frozenset(
    "byline section length dateline highlight series edition author column source correction headline "  # noqa: SIM905
    "autor länge rubrik auteur longueur rubrique lengte sectie".split()
)
_AUTHORS = ("byline", "author", "autor", "auteur")
_FOOTER = re.compile(
    r"(?:LOAD-DATE|LANGUAGE|GRAPHIC|PUBLICATION-TYPE|SUBJECT|ORGANIZATION|COMPANY|PERSON|GEOGRAPHIC|COUNTRY|STATE|CITY|"
    r"JOURNAL-CODE|DOCUMENT-TYPE|INDUSTRY|TICKER|UPDATE|NOTES?|CORRECTION-DATE|URL|Load-Date|Language|Graphic|SPRACHE|"
    r"Subject|Publication (?:title|info|date)|Title|Location|Document type|ProQuest document ID):|"
    r"Copyright (?:\(c\)|©)? ?\d{4}|©.{0,60}\d{4}|All Rights Reserved|(?:Classification|Graphic|Notes)$|_{20}"
)
_DATE = re.compile(
    r"(?:[^\W\d_]{4,11},? )?"
    r"(?P<date>[A-Z][a-z]{2,8}\.? \d{1,2},? \d{4}|\d{1,2}\.?(?: de)? [^\W\d_]{3,10}(?: de)? \d{4})\b.{0,60}$"
)
_COUNT = re.compile(r"^[\d,.]+ words$")
_CODE = re.compile(
    r"^(?P<code>HD|BY|CR|WC|PD|ET|SN|SC|ED|PG|LA|CY|LP|TD|SE|CLM|CO|IN|NS|RE|IPC|IPD|PUB|AN|ART|VOL|CX|RF|DLN)"
    r"(?:[ \t]+|$)"
)
_AUTHOR = re.compile(r"(?:By |by |BY )?(?:[A-Z][\w.'’-]+ ){1,3}[A-Z][\w'’-]+(?:(?:,| and) (?:[A-Z][\w.'’-]+ ?){1,4})*")
_CLOCK = re.compile(r"^\d{1,2}:\d\d(?: [AP]M)?$")


def exported(text: str, document: Document) -> list[Article | Failure]:
    """The articles of an export with headline, outlet and date; none if the text is no export."""
    found = next((fields for split in _KINDS if (fields := list(split(text)))), [])
    return [
        item for n, fields in enumerate(found, 1) for item in record_articles(f"{document.origin}:document {n}", fields)
    ]


def _nexis(text: str) -> Iterator[dict[str, Any]]:
    """`1 of 2 DOCUMENTS`, then centred lines for outlet and date, the headline, fields, the text, more fields."""
    marks = list(_DOCUMENTS.finditer(text))
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    for mark, end in zip(marks, ends[: len(marks)], strict=True):
        yield _nexis_document(_blocks(text[mark.end() : end]))


def _nexis_document(blocks: Sequence[str]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    keys = [_field(block, fields) for block in blocks]
    if (at := next((i for i, block in enumerate(blocks) if _FULL_TEXT.match(block)), None)) is not None:
        return _proquest([_FULL_TEXT.sub("", blocks[at], count=1), *blocks[at + 1 :]], blocks[0], fields)
    dated = next((i for i, block in enumerate(blocks) if _dated(block)), None)
    top = [i for i, key in enumerate(keys) if key in _HEADER]
    first = 0 if dated is None else dated + 1
    head = [b for b in blocks[first : next((i for i in top if i >= first), first + 1)] if not _FOOTER.match(b)]
    opening = max(top, default=first + len(head) - 1) + 1 if top else first + len(head)
    body = [b for b, key in zip(blocks[opening:], keys[opening:], strict=True) if key not in _HEADER]
    return {
        "text": _body(body),
        "title": fields.get("headline") or " ".join(head) or None,
        "source": next((b for b in blocks[: dated or 0] if not _FOOTER.match(b)), None),
        "published": _dated(blocks[dated]) if dated is not None else None,
        "author": next((fields[key] for key in _AUTHORS if key in fields), None),
    }


def _proquest(body: Sequence[str], title: str, fields: dict[str, Any]) -> dict[str, Any]:
    """`Document 1 of 2`, the headline, fields before and behind `Full text:`."""
    return {
        "text": _body(list(filter(None, body))),
        "title": title,
        "source": fields.get("publication title"),
        "published": fields.get("publication date"),
        "author": fields.get("author"),
        "id": fields.get("proquest document id"),
    }


def _nexis_uni(text: str) -> Iterator[dict[str, Any]]:
    """Headline, outlet and date a line each, fields, a line `Body`, the text, `End of Document`."""
    parts = _END.split(text)
    for part in parts[:-1]:
        blocks = [line.strip() for line in part.split("\n") if line.strip()]
        start = next((i for i, line in enumerate(blocks) if line == "Body"), None)
        if start is None:
            continue
        fields: dict[str, Any] = {}
        for block in blocks[:start]:
            _field(block, fields)
        dated = next((i for i in range(start - 1, -1, -1) if _dated(blocks[i]) and not _KEY.match(blocks[i])), None)
        yield {
            "text": _body(blocks[start + 1 :]),
            "title": blocks[dated - 2] if dated is not None and dated > 1 else None,
            "source": blocks[dated - 1] if dated else None,
            "published": _dated(blocks[dated]) if dated is not None else None,
            "author": fields.get("byline"),
        }


def _factiva(text: str) -> Iterator[dict[str, Any]]:
    """A document up to its number, with fields of two letters or, in another layout, a line each."""
    start = 0
    for end in _FACTIVA.finditer(text):
        lines = [line.strip() for line in text[start : end.start()].split("\n")]
        coded = sum(bool(_CODE.match(line)) for line in lines) > 3
        yield {**(_coded(lines) if coded else _uncoded(lines)), "id": end["id"]}
        start = end.end()


def _coded(lines: Sequence[str]) -> dict[str, Any]:
    found: dict[str, list[str]] = {}
    code = ""
    for line in lines:
        mark = _CODE.match(line)
        code = mark["code"] if mark else code
        found.setdefault(code, []).append(line[mark.end() :] if mark else line)
    joined = {key: " ".join(" ".join(value).split()) for key, value in found.items()}
    return {
        "text": "\n\n".join(_paragraphs([*found.get("LP", []), "", *found.get("TD", [])])),
        "title": joined.get("HD"),
        "author": joined.get("BY"),
        "published": joined.get("PD"),
        "source": joined.get("SN"),
    }


def _uncoded(lines: Sequence[str]) -> dict[str, Any]:
    """Headline, author, `66 words`, date, time, outlet, its code, language and copyright a line each, then the text."""
    kept = [line for line in lines if not re.match(r"Page \d+ of \d+|© \d{4} Factiva", line)]
    count = next((i for i, line in enumerate(kept) if _COUNT.match(line)), None)
    if count is None:
        return {"text": "\n\n".join(_paragraphs(kept))}
    head = [line for line in kept[:count] if line]
    author = head.pop() if len(head) > 1 and _AUTHOR.fullmatch(head[-1]) else None
    rest = [(i, line) for i, line in enumerate(kept[count + 1 :], count + 1) if line and not _CLOCK.match(line)]
    rights = next((i for i, line in rest if line.startswith(("Copyright", "(c)", "©"))), None)
    last = rights if rights is not None else next((i for i, _ in rest[4:5]), count)
    return {
        "text": "\n\n".join(_paragraphs(kept[last + 1 :])),
        "title": head[-1] if head else None,
        "author": author,
        "published": rest[0][1] if rest else None,
        "source": rest[1][1] if len(rest) > 1 else None,
    }


_KINDS: tuple[Callable[[str], Iterator[dict[str, Any]]], ...] = (_nexis, _nexis_uni, _factiva)


def _field(block: str, fields: dict[str, Any]) -> str | None:
    """The key of a block such as `BYLINE: Ines Calder`, whose value is put into the fields."""
    found = _KEY.match(block)
    if not found:
        return None
    key = found["key"].lower()
    fields.setdefault(key, found["value"].strip())
    return key


def is_of_header(line: str) -> bool:
    """Whether a line of an export is a field, a date or a mark, and no part of a sentence."""
    key = _KEY.match(line)
    return bool(line in ("Body", "End of Document") or _dated(line) or _FOOTER.match(line)) or (
        key is not None and key["key"].lower() in _HEADER
    )


def _dated(block: str) -> str | None:
    found = _DATE.match(block)
    return found["date"] if found and parse_published(found["date"]) else None


def _body(blocks: Sequence[str]) -> str:
    end = next((i for i, block in enumerate(blocks) if i and _FOOTER.match(block)), len(blocks))
    while end > 1 and (field := _KEY.match(blocks[end - 1])) and field["key"].isupper():
        end -= 1
    return "\n\n".join(blocks[:end])


def _blocks(text: str) -> list[str]:
    """Its parts between blank lines, each on one line."""
    return [" ".join(block.split()) for block in re.split(r"\n[ \t]*\n", text) if block.strip()]


def _paragraphs(lines: Sequence[str]) -> list[str]:
    return _blocks("\n".join(lines))
