"""Makes an Article from the fields that a source gives."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import chain
from math import isnan
from pathlib import PurePosixPath
from typing import Any, TypedDict, Unpack
from urllib.parse import unquote

from rag.errors import LoadError
from rag.ingest.declared import original
from rag.ingest.html import html_text, is_html, unescaped
from rag.schema import Article, Published
from rag.text.calendar import Stamp, date_in_name, parse_published, why_unread
from rag.text.clean import clean, content_digest, one_line

_LONGEST_ID = 300

# The names of each field in the order of preference, lower case, without `_`, `-` and spaces.
_NAMES = {
    "text": (
        *("text", "fulltext", "textcontent", "plaintext", "body", "bodytext", "maintext", "content", "contenttext"),
        *("contenthtml", "bodyhtml", "html", "fullcontent", "fullarticle", "article", "story", "transcript"),
        "document",
        *("inhalt", "texte", "contenu", "texto", "contenido", "testo", "tekst", "текст", "متن", "نص", "النص"),
    ),
    "summary": (
        *("description", "summary", "abstract", "excerpt", "leadparagraph", "snippet", "shortdescription"),
        *("highlights", "standfirst", "trailtext", "teaser", "subtitle", "abstractnote"),
    ),
    "title": (
        *("title", "headline", "name", "webtitle", "titel", "titre", "titulo", "título", "titolo", "заголовок"),
        *("عنوان", "العنوان", "سرلیک"),
    ),
    "published": (
        *("published", "publishedat", "publishedon", "datepublished", "publisheddate", "publishdate"),
        *("publicationdate", "pubdate", "webpublicationdate", "datepublish", "publishedtime", "firstpublished"),
        *("firstpublicationdate", "firstcreated", "datetime", "date", "timestamp", "issued"),
        *("createdat", "datecreated", "created", "createdutc"),
        *("seendate", "datum", "fecha", "дата", "تاریخ", "التاريخ", "نېټه", "ts"),
    ),
    "source": (
        *("source", "sourcename", "publisher", "outlet", "publication", "newspaper", "medianame", "sitename", "site"),
        *("publicationtitle", "sourcehostname", "sourcedomain", "domain", "hostname"),
        *("quelle", "fuente", "fonte", "источник", "منبع", "المصدر", "سرچینه"),
    ),
    "author": ("author", "authors", "byline", "creator", "by", "autor", "auteur", "autore", "from"),
    "url": ("url", "link", "permalink", "href", "weburl", "canonicalurl"),
    "id": ("id", "guid", "uuid", "storiesid"),
    "status": ("status",),
}
_PREFIX = re.compile(r"(?:article|story|post)(?=.)")
_INNER = (
    "name",
    "displayName",
    "title",
    "text",
    "rendered",
    "value",
    "main",
    "original",
    "$oid",
    "$date",
    "#text",
    "@value",
)
_INNER_TEXT = ("text", "rendered", "value", "#text", "@value", "bodyTextSummary", "paragraphs", "plain", "html")
# Objects in a record that hold fields of its article.
_WRAPPERS = (
    *("fields", "_source", "attributes", "blocks", "article", "content", "post", "data", "thread", "node", "row"),
    *("item", "record"),
)
# What pandas, Excel, R and databases write for nothing.
_NOTHING = frozenset(
    "nan -nan none null n/a na #n/a #na <na> nat undefined nil (null) [removed] \\n - -- —".split()  # noqa: SIM905
)
_LONG = 200  # characters of what may be a text under a name of its own
_CUT = re.compile(r"\s*(?:…|\.\.\.)?\s*\[\+\d+ chars\]\s*$")
_UNPUBLISHED = frozenset({"draft", "auto-draft", "pending", "trash"})  # as WordPress and Ghost have it
_SUMMARY = "has no text but a summary, which stands for it"
_WANTED = "text, body, content, article or story"

_BY = re.compile(r"by\s+(?=\S)", re.I)
_ADDRESS = re.compile(r"https?://", re.I)
_OTHER_SCHEME = re.compile(r"(?!https?://)[a-z][a-z0-9+.-]*:", re.I)
_FIRST_LINE = re.compile(r"(?:#{1,6}[ \t]+)?(?P<line>[^\n]{3,120})\n(?:={3,}[ \t]*\n)?[ \t]*\n(?P<body>.*\S)", re.S)
_DATELINE = re.compile(r"(?P<head>.*[a-z]{4}[.!?])\s+(?P<place>[A-Z][\w’'-]+(?: [A-Z][\w’'-]+){0,2})")
_NOT_A_HEADLINE = re.compile(r".*[:,;–—-]|https?://\S*|[^a-z]*|by .*", re.I)


class Fields(TypedDict, total=False):
    """What may be known of an article besides its text; `name` is a file name that may hold its date and title."""

    id: str | None
    title: str | None
    source: str | None
    published: Published | Stamp | None
    url: str | None
    author: str | None
    name: str


def article(text: str, **fields: Unpack[Fields]) -> Article:
    """An article from its text and whatever else is known of it; what is unknown stays None.

    Its id is the given one, else its URL, else the first 16 hex digits of its digest. The title is the given one, else
    a headline that opens the text, else the words of the file name, else the first words of the text. Raises LoadError
    if there is no text.
    """
    text = clean(text)
    if not text.strip():
        raise LoadError(f"has no text; wanted a field {_WANTED} with text in it")
    digest, url, name = content_digest(text), _url(fields.get("url")), fields.get("name", "")
    return Article(
        id=_id(fields.get("id") or url or digest[:16]),
        title=_line(fields.get("title")) or _title(text, name),
        text=text,
        sha256=digest,
        source=_line(fields.get("source")),
        published=_published(fields.get("published")) or date_in_name(name),
        url=url,
        author=_BY.sub("", _line(fields.get("author")) or "") or None,
    )


def from_record(record: Mapping[str, Any], name: str = "") -> Article:
    """An article from a record whose fields go by any of their common names; raises LoadError if it has no text.

    A summary replaces a missing text, unless another field looks like the text.
    """
    given = _by_name(flat(record))
    text = next((plain for value in _strings(given, "text") if (plain := _plain(value)).strip()), None)
    summary = next(_strings(given, "summary"), None)
    unnamed = [key for key, value in record.items() if _is_unnamed_text(key, value, summary or "")]
    if text is None and (summary is None or unnamed):
        seen = one_line(", ".join(str(key) for key, value in record.items() if value), 120) or "no fields"
        hint = f"; {one_line(', '.join(unnamed), 80)} looks like one: name it text" if unnamed else ""
        raise LoadError(f"has no text; saw {seen}; wanted {_WANTED}{hint}")
    found = _of_fields(_CUT.sub("", text or _plain(summary or "")), given, name)
    cut = text and _CUT.search(text)
    notes = ["is cut by its source"] if cut else [] if text else [_SUMMARY]
    notes += (f"was not published: its status is {s}" for s in _strings(given, "status") if s.lower() in _UNPUBLISHED)
    return replace(found, notes=(*found.notes, *notes))


def flat(record: Mapping[str, Any], *, levels: int = 2) -> dict[str, Any]:
    """A record with the fields of the objects in it that hold some, such as `fields` in those of the Guardian."""
    inner = (value for key in _WRAPPERS if levels and (value := record.get(key)) and isinstance(value, Mapping))
    return {**{k: v for fields in inner for k, v in flat(fields, levels=levels - 1).items()}, **record}


def from_fields(text: str, record: Mapping[str, Any], name: str = "") -> Article:
    """An article of this text, with the other fields from a record that names them in any of the common ways."""
    return _of_fields(text, _by_name(flat(record)), name)


def _of_fields(text: str, given: Mapping[str, Any], name: str) -> Article:
    published = next((p for p in map(_published, _values(given, "published")) if p), None)
    found = article(
        text,
        id=next(_strings(given, "id"), None),
        title=next(_strings(given, "title"), None),
        source=next((s for s in _strings(given, "source") if not _ADDRESS.match(s)), None),
        published=published,
        url=next(chain(_strings(given, "url"), filter(_ADDRESS.match, _strings(given, "source"))), None),
        author=next((a for a in _strings(given, "author") if not a.isdecimal()), None),
        name=name,
    )
    unread = None if published else next(_strings(given, "published"), None)
    return replace(found, notes=(*found.notes, _unread_date(unread, found))) if unread else found


def _unread_date(stamp: str, found: Article) -> str:
    """What was seen in the place of a date, and why it is none."""
    instead = f"dated {found.published} by its file name" if found.published else "left without a date"
    return f"has the date {one_line(stamp, 60)!r}, {why_unread(stamp)}; it is {instead}, wanted one such as 2021-07-07"


def is_field(name: str, field: str) -> bool:
    """Whether a column or key of that name holds the field: `text`, `title`, `published`, `source`, ..."""
    return _field_key(name) in _NAMES[field]


def has_text(record: Mapping[str, Any]) -> bool:
    """Whether any field of a record goes by a name of the text."""
    return any(is_field(key, "text") or is_field(key, "summary") for key in record)


def derived_id(article: Article) -> tuple[str, ...]:
    """The ids that an article without an id of its own has."""
    return (*([_id(article.url)] if article.url else ()), article.sha256[:16])


def is_derived_title(article: Article) -> bool:
    """Whether its title is made of its text, or of the name of its file."""
    # a place is a file, and behind a line break an id
    return article.title in (_title(article.text, ""), _words((article.place or "").partition("\n")[0]))


def headline(text: str) -> str | None:
    """The line that opens a text, if it is short, alone and no label; without the place of a dateline behind it."""
    found = _FIRST_LINE.match(text.lstrip()[:8000])
    line = one_line(found["line"]) if found else ""
    if found is None or _NOT_A_HEADLINE.fullmatch(line):
        return None
    dated = _DATELINE.fullmatch(line)
    if dated and re.search(rf"\b(?:in|at|from|to)\b(?: \w+){{0,2}} {re.escape(dated['place'])}\b", found["body"]):
        return dated["head"].removesuffix(".")
    return line


def _title(text: str, name: str) -> str:
    return headline(text) or _words(name) or one_line(text, 80)


def _by_name(record: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in record.items():
        if not _is_nothing(value):
            found.setdefault(_field_key(key), value)
    return found


def _is_nothing(value: Any) -> bool:
    """Whether a value is empty, or what programs write for a value that is not there, such as NaN."""
    if isinstance(value, str):
        return value.strip().lower() in _NOTHING or not value.strip()
    return value in (None, [], {}) or (isinstance(value, float) and isnan(value))


def _is_unnamed_text(key: str, value: Any, summary: str) -> bool:
    is_long = isinstance(value, str) and len(value) > max(_LONG, len(summary)) and " " in value
    return is_long and not any(is_field(key, field) for field in _NAMES)


def _plain(text: str) -> str:
    """A text of a record without HTML; references in it may be escaped twice."""
    return html_text(text) if is_html(text) else unescaped(unescaped(text))


@lru_cache(maxsize=1000)
def _field_key(name: object) -> str:
    """A name without what parts its words, and without `article` before them, as in `article_title`."""
    return _PREFIX.sub("", re.sub(r"[\W_]+", "", str(name)).lower(), count=1)


def _values(given: Mapping[str, Any], field: str) -> Iterator[Any]:
    inner = _INNER_TEXT if field == "text" else _INNER
    return (_inner(given[name], inner) for name in _named(tuple(given), field))


@lru_cache(maxsize=1000)
def _named(keys: tuple[str, ...], field: str) -> tuple[str, ...]:
    """Those of the keys that are names of the field, in the order of preference."""
    return tuple(name for name in _NAMES[field] if name in keys)


def _strings(given: Mapping[str, Any], field: str) -> Iterator[str]:
    joint, keys = ("\n\n", _INNER_TEXT) if field == "text" else (", ", _INNER)
    return (s for value in _values(given, field) if (s := _string(value, joint, keys)) and s.strip())


def _inner(value: Any, keys: Sequence[str] = _INNER) -> Any:
    """What an object such as `{"name": ...}` stands for."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, str) or not isinstance(value, Mapping):
        return value
    return next((value[key] for key in keys if isinstance(value.get(key), str | int | float | list)), None)


def _string(value: Any, joint: str, keys: Sequence[str]) -> str | None:
    match value:
        case str():
            return value
        case bool() | None:
            return None
        case int() | float():
            return f"{value}"
        case list():
            is_run = joint.isspace() and {str, dict} <= set(map(type, value))  # of words in bold and others
            return ("" if is_run else joint).join(s for v in value if isinstance(s := _inner(v, keys), str) and s)
        case _:
            return None


def _published(value: Any) -> Published | None:
    return value if isinstance(value, Published) else parse_published(value if isinstance(value, Stamp) else None)


def _line(value: str | None) -> str | None:
    return one_line(unescaped(value)) or None if value else None


def _url(value: str | None) -> str | None:
    url = original(clean(value or "").strip()) or ""
    return None if not url or len(url) > 2000 or _OTHER_SCHEME.match(url) or re.search(r"\s", url) else url


def _id(value: str) -> str:
    found = " ".join(clean(value).split())
    return found if 0 < len(found) <= _LONGEST_ID else hashlib.sha256(value.encode("utf-8", "replace")).hexdigest()[:16]


@lru_cache(maxsize=100)
def _words(name: str) -> str | None:
    """`tehran talks` of `2021-07-07-tehran-talks.txt`."""
    stem = re.sub(r"(?<!\d)\d{4}([-_.]?)\d\d\1\d\d(?!\d)", " ", PurePosixPath(unquote(name)).stem)
    words = one_line(re.sub(r"[-_+\s]+", " ", stem))
    return words if re.search(r"[^\W\d_]", words) else None


_FRONT_MATTER = re.compile(r"\s{0,8}---[ \t]*\n(?P<yaml>.{0,65536}?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.S)
_COLONED = re.compile(r"^([\w-]+:)[ \t]+(?![\"'\[{|>&*!])([^\n]*: [^\n]*)$", re.M)
"""A value of which YAML wants quotes because of its colon: "title: Halden count: what went wrong"."""
_PAIR = re.compile(r"[ \t]*(?P<key>[^\W\d_]{2,12})[ \t]*:[ \t]*(?P<value>\S[^\n]{0,500})(?:\n|\Z)")
_DATE_LINE = re.compile(
    r"\s{0,8}date[ \t:]+(?P<date>[^\n]{4,50}?)(?:[ \t]+[A-Za-z][A-Za-z ]{0,30}:|:)?[ \t]*(?:\n|\Z)", re.I
)
_SINGLE = ("title", "published", "source", "author", "url", "id")


@dataclass(frozen=True, slots=True)
class Headed:
    """A text without its header, and the fields of the header by the names that the file uses."""

    text: str
    fields: Mapping[str, Any] = field(default_factory=dict)


def headed(text: str) -> Headed:
    """Reads YAML front matter, a line such as ` date 2021-07-07 Strong points:`, or `Key: value` lines of known keys.

    A header that cannot be read is left in the text; front matter that is not YAML raises LoadError.
    """
    return _front_matter(text) or _date_line(text) or _pairs(text) or Headed(text)


def _front_matter(text: str) -> Headed | None:
    import yaml

    found = _FRONT_MATTER.match(text)
    if not found:
        return None
    try:
        try:
            fields = yaml.load(found["yaml"], Loader=yaml.BaseLoader)  # builds text only: no types, no objects
        except yaml.YAMLError:
            quoted = _COLONED.sub(lambda line: f"{line[1]} {json.dumps(line[2])}", found["yaml"])
            fields = yaml.load(quoted, Loader=yaml.BaseLoader)
    except (yaml.YAMLError, RecursionError) as error:
        seen = one_line(str(error), 120)
        raise LoadError(f"has front matter that is not YAML ({seen}); put its values in quotes") from None
    return Headed(_after(text, found), fields) if isinstance(fields, dict) else None


def _date_line(text: str) -> Headed | None:
    found = _DATE_LINE.match(text)
    readable = found and parse_published(found["date"])
    return Headed(_after(text, found), {"date": found["date"]}) if found and readable else None


def _pairs(text: str) -> Headed | None:
    fields: dict[str, str] = {}
    rest = text.lstrip()
    while (found := _PAIR.match(rest)) and _is_header(found["key"], found["value"]):
        fields[found["key"]] = found["value"].strip()
        rest = rest[found.end() :]
    return Headed(rest.lstrip("\n"), fields) if fields else None


def _is_header(key: str, value: str) -> bool:
    if is_field(key, "published"):
        return parse_published(value) is not None
    return any(is_field(key, name) for name in _SINGLE)


def _after(text: str, found: re.Match[str]) -> str:
    return text[found.end() :].lstrip("\n")
