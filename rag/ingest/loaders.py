"""Loads files, archives, folders, URLs and feeds as a stream of articles; feeds that are watched, again and again."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
import os
import re
import stat
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import urlsplit
from zlib import error as ZlibError  # noqa: N812

from rag.errors import BusyError, InputError, LoadError
from rag.files import write_private
from rag.ingest.document import MAX_FILE, Container, Document, Loaded
from rag.ingest.fetch import Response, Validators, fetch
from rag.ingest.formats import READERS, STREAMED, read_plain_text
from rag.ingest.identity import placed
from rag.ingest.isolated import read_isolated
from rag.ingest.records import noted, record_articles
from rag.schema import Article, Failure
from rag.store.tables import PART
from rag.text.clean import clean, decode, one_line, without_password

Origin: TypeAlias = str | Path
"""A path, an http or https URL, or `-` for the standard input."""

MAX_STREAMED_FILE = 2_000_000_000
_LARGE = 1_000_000  # bytes

_URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.I)
_EXTENSIONS = {
    **dict.fromkeys(("text/html", "application/xhtml+xml"), ".html"),
    **dict.fromkeys(("application/rss+xml", "application/atom+xml", "application/xml", "text/xml"), ".xml"),
    **dict.fromkeys(("application/json", "application/feed+json", "application/ld+json"), ".json"),
    **dict.fromkeys(("application/x-ndjson", "application/jsonl", "application/x-jsonlines"), ".jsonl"),
    **dict.fromkeys(("text/csv", "text/tab-separated-values"), ".csv"),
    "application/pdf": ".pdf",
    "text/markdown": ".md",
}
_SAVED_AS = {
    ".csv": (".xls", ".xlsx", ".xlsm", ".ods", ".numbers"),
    ".docx": (".doc", ".docm", ".pages", ".wpd"),
    ".eml": (".msg", ".pst"),
    ".epub": (".mobi", ".azw", ".azw3"),
    ".ris": (".bib", ".enw", ".nbib"),
    ".srt": (".ass", ".ssa", ".sbv", ".ttml", ".dfxp"),
    ".zip": (".rar", ".7z", ".tar", ".tgz", ".bz2", ".xz"),
}
_PROLOGUE = rb"(?>\s|<!--.*?-->|<\?[^>]*>)*+"
_SIGNS = {
    ".pdf": re.compile(rb"%PDF-"),
    ".xml": re.compile(_PROLOGUE + rb"<(?:rss|feed|rdf:RDF)\b", re.S),
    ".html": re.compile(_PROLOGUE + rb"<(?:!doctype\s+html|html)\b", re.S | re.I),
}


class LeftOut(NamedTuple):
    """A file in a folder that no format is known for."""

    path: str


@dataclass(frozen=True, slots=True)
class Listing:
    """What there is to load in a folder, or the one thing that is none, and the files that are left out."""

    places: tuple[str, ...]
    left_out: tuple[LeftOut, ...] = ()


@dataclass(slots=True)
class FileProgress:
    """How far a large file has been read: bytes and articles."""

    name: str = ""
    size: int = 0
    done: int = 0
    articles: int = 0

    @property
    def text(self) -> str:
        """In words; empty if no large file is being read."""
        if self.size < _LARGE:
            return ""
        return f"adding {self.name}: {self.done / 1e6:.1f} of {self.size / 1e6:.1f} MB, {self.articles:,} articles"

    def begin(self, name: str, size: int) -> None:
        """Starts a file."""
        self.name, self.size, self.done, self.articles = name, size, 0, 0

    def advance(self, done: int, articles: int) -> None:
        """Reports the bytes read so far, and the articles found since the last call."""
        self.done, self.articles = done, self.articles + articles


def expand(origins: Iterable[Origin]) -> list[str]:
    """What there is to load: each folder's files in the order of their paths, all else as given, none of it twice.

    A path that cannot be read stays in the list, so that `load` says why.
    """
    return list(dict.fromkeys(chain.from_iterable(listing(origin).places for origin in origins)))


def listing(origin: Origin) -> Listing:
    """The files of a folder in the order of their paths, or what is no folder as it is.

    Files of unknown extensions are left out. Hidden files and READMEs are no articles.
    """
    place = str(origin)
    if place == "-" or _URL.match(place) or not _folder(Path(place)):
        return Listing((place,))
    return _listed(Path(place))


def load(origin: Origin, *, allow_private: bool = False, reading: FileProgress | None = None) -> Loaded:
    """The articles of a file, folder, URL, feed or `-`, as they are read; each thing that fails is one Failure.

    Never raises for what it reads; `allow_private` admits URLs on private and loopback addresses. `reading` is kept at
    how far a file has been read.
    """
    place = str(origin)
    nothing = True
    try:
        for loaded in placed(_loaded(place, allow_private, reading or FileProgress()), _home(place)):
            nothing = False
            yield loaded
        if nothing:
            raise LoadError("holds no article; wanted at least one")
    except LoadError as error:
        yield Failure(_printable(place), one_line(str(error)))
    except OSError as error:
        seen = (error.strerror or str(error)).lower()
        yield Failure(_printable(place), f"cannot be read: {seen}; check the path and its permissions")


def _home(place: str) -> str:
    if place == "-" or _URL.match(place) or "\0" in place:
        return place
    # A name may have bytes that are no UTF-8.
    return os.path.realpath(place).encode("utf-8", "backslashreplace").decode()


def _loaded(place: str, allow_private: bool, reading: FileProgress) -> Loaded:
    if "\0" in place:
        raise LoadError("is no path: it holds a NUL character")
    if place == "-":
        return read_plain_text(Document("-", "", sys.stdin.buffer))
    if _URL.match(place):
        return read_response(place, fetch(place, allow_private=allow_private))
    path = Path(place)
    return _folder_files(path) if stat.S_ISDIR(path.stat().st_mode) else _file(path, reading)


def _folder_files(folder: Path) -> Loaded:
    next(folder.iterdir(), None)  # raises if it cannot be listed
    files = _listed(folder).places
    if files == (str(folder),):
        raise LoadError(f"holds nothing to load; wanted files named {_wanted()}")
    return chain.from_iterable(map(load, files))


def _file(path: Path, reading: FileProgress) -> Loaded:
    status, kind = path.stat(), suffix(path.name)
    if not _is_known(path):
        advice = next((f"save it as {to}" for to, kinds in _SAVED_AS.items() if kind in kinds), "convert or rename it")
        raise LoadError(f"has the extension {kind or 'of no format'!r}, wanted {_wanted()}; {advice}")
    if not stat.S_ISREG(status.st_mode):
        raise LoadError("is a device, pipe or socket, wanted a file; use - to read from a pipe")
    is_archive = path.suffix.lower() in ARCHIVES
    most = MAX_STREAMED_FILE if not is_archive and READERS[kind] in STREAMED else MAX_FILE
    if status.st_size > most:
        raise LoadError(f"has {status.st_size // 10**6} MB, wanted at most {most // 10**6}; split it")
    reading.begin(path.name, status.st_size)
    with path.open("rb") as stream:
        document = Document(_printable(str(path)), path.name, stream)
        for loaded in read_archive(document) if is_archive else read_isolated(kind, document):
            reading.advance(status.st_size if stream.closed else stream.tell(), not isinstance(loaded, Failure))
            yield loaded


def read_response(url: str, response: Response) -> Loaded:
    """The articles of what a server answered for a URL; raises LoadError for what is of no known format."""
    name = PurePosixPath(urlsplit(response.url).path).name
    document = Document(_printable(url), name, io.BytesIO(response.body), response.charset, response.url)
    return read_isolated(_extension(response, PurePosixPath(name).suffix.lower()), document)


def _extension(response: Response, named: str) -> str:
    """The format by what the body starts with, else by its content type, else by the address."""
    head = response.body[:4096].removeprefix(codecs.BOM_UTF8)
    signed = next((extension for extension, sign in _SIGNS.items() if sign.match(head)), None)
    found = signed or _EXTENSIONS.get(response.content_type) or (named if named in READERS else None)
    if found:
        return found
    if response.content_type.startswith("text/"):
        return ".txt"
    raise LoadError(
        f"is {one_line(response.content_type, 60) or 'of an unstated type'}; wanted HTML, a feed or {_wanted()}"
    )


def _listed(folder: Path) -> Listing:
    """Each folder once, so that links in a circle end; a folder that cannot be listed counts as a file."""
    found: list[str] = []
    others: list[str] = []
    seen, waiting = {_folder(folder)}, [folder]
    while waiting:
        here = waiting.pop()
        try:
            paths = sorted(path for path in here.iterdir() if not path.name.startswith("."))
        except OSError:
            found.append(str(here))
            continue
        for path in paths:
            key = _folder(path)
            if key is None and path.stem.lower() != "readme":
                (found if _is_known(path) else others).append(str(path))
            elif key is not None and key not in seen:
                seen.add(key)
                waiting.append(path)
    return Listing(tuple(sorted(found)) or (str(folder),), tuple(map(LeftOut, map(_printable, sorted(others)))))


def _folder(path: Path) -> tuple[int, int] | None:
    """Device and inode, which tell one folder from another, by whatever path; None if it is no folder."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return (status.st_dev, status.st_ino) if stat.S_ISDIR(status.st_mode) else None


def _is_known(path: Path) -> bool:
    return path.suffix.lower() == ".zip" or suffix(path.name) in READERS


def _wanted() -> str:
    return ", ".join(sorted([*READERS, *ARCHIVES]))


def _printable(place: str) -> str:
    return one_line(without_password(place).encode("utf-8", "replace").decode(), 1000)


_POSTS = "posts.csv"
ARCHIVES = (".zip", ".gz")
"""The extensions of archives, of which one in another is not read."""


def suffix(name: str) -> str:
    """The extension of a file name that its format goes by: that of `news.jsonl.gz` is `.jsonl`."""
    path = PurePosixPath(name.lower())
    return path.suffixes[-2] if path.suffix == ".gz" and len(path.suffixes) > 1 else path.suffix


def read_archive(document: Document) -> Loaded:
    """The articles of the files in an archive, bounded together; files of no known format are named in a note."""
    if document.name.lower().endswith(".gz"):
        return read_isolated(suffix(document.name), replace(document, stream=io.BytesIO(_unpacked(document))))
    return _zipped(document)


def _zipped(document: Document) -> Loaded:
    container = Container.opened(document)
    names = [n for n in container.names if not n.endswith("/") and not PurePosixPath(n).name.startswith(".")]
    names = [n for n in names if not n.startswith("__MACOSX/")]
    posts = _posts(container)
    known = posts or {n: {} for n in names if suffix(n) in READERS and not n.lower().endswith(ARCHIVES)}
    others = ", ".join(n for n in names if n not in known and PurePosixPath(n).name != _POSTS)
    note = f"is in an archive with files that were left out: {one_line(others, 200)}" if others else None
    for name, post in known.items():
        origin = f"{document.origin}:{one_line(name, 200)}"
        try:
            body = container.part(name) or b""
            part = Document(origin, PurePosixPath(name).name, io.BytesIO(body))
            fields = {**post, "text": decode(body).text} if post else {}
            read = record_articles(origin, fields) if post else read_isolated(suffix(name), part)
            for item in placed(read, f"{PART}{name}"):
                yield noted(item, note)
                note = None
        except LoadError as error:
            yield Failure(origin, str(error))


def _posts(container: Container) -> dict[str, dict[str, str]]:
    """Title and date of each post in an export of Substack, by the file of its text: they are in a table beside it."""
    found: dict[str, dict[str, str]] = {}
    csv.field_size_limit(MAX_FILE)
    for table in (PurePosixPath(name) for name in container.names if PurePosixPath(name).name == _POSTS):
        try:
            text = clean(decode(container.part(str(table)) or b"").text)
            rows = list(csv.DictReader(text.splitlines(keepends=True)))
        except (csv.Error, LoadError):  # it is no such table; whoever reads the file says what is wrong with it
            continue
        for row in rows:
            draft = {"status": "draft"} if str(row.get("is_published")).lower() == "false" else {}
            found[str(table.parent / "posts" / f"{row.get('post_id')}.html")] = {**row, **draft}
    return {name: row for name, row in found.items() if name in container.names}


def _unpacked(document: Document) -> bytes:
    try:
        with gzip.GzipFile(fileobj=document.stream) as file:
            body = file.read(MAX_FILE + 1)
    except (OSError, EOFError, ZlibError) as error:
        raise LoadError(f"is no sound gzip file ({one_line(str(error), 80)}); unpack it first") from None
    if len(body) > MAX_FILE:
        raise LoadError(f"unpacks to over {MAX_FILE // 10**6} MB; unpack it first")
    return body


_LONGEST_PAUSE = 86_400.0


@dataclass(frozen=True, slots=True)
class Feed:
    """What is known of a feed: the version seen last, how often it has failed since, when to ask again (Unix time)."""

    validators: Validators = field(default_factory=Validators)
    failures: int = 0
    resume: float = 0.0


@dataclass(slots=True)
class Watched:
    """Feeds, files and folders; what is known of the feeds outlasts the process in a private file."""

    file: Path
    feeds: dict[str, Feed] = field(default_factory=dict)

    @classmethod
    def opened(cls, file: Path) -> Watched:
        """Raises InputError if the file is none of ours."""
        try:
            records = json.loads(file.read_text(encoding="utf-8"))
            return cls(file, {url: _feed(record) for url, record in records.items()})
        except FileNotFoundError:
            return cls(file)
        except (OSError, ValueError, TypeError, AttributeError, KeyError) as error:
            raise InputError(f"{file} cannot be read ({one_line(str(error), 80)}); remove it") from None

    def look(
        self, places: Sequence[str], *, now: float, interval: float, allow_private: bool = False
    ) -> list[Article | Failure]:
        """What the places have; of a feed nothing if it is unchanged, or is not to be asked yet.

        A feed that fails is asked after twice the `interval`, then twice that, at most a day; or when its server says.
        """
        found: list[Article | Failure] = []
        for place in expand(places):
            if "://" not in place:
                found += load(place)
            elif self.feeds.get(place, Feed()).resume <= now:
                found += self._fetched(place, now, interval, allow_private=allow_private)
        return found

    def save(self) -> None:
        """Writes what is known of the feeds, for its user alone to read."""
        write_private(self.file, json.dumps({url: asdict(feed) for url, feed in self.feeds.items()}))

    def _fetched(self, url: str, now: float, interval: float, *, allow_private: bool) -> list[Article | Failure]:
        feed = self.feeds.get(url, Feed())
        try:
            response = fetch(url, allow_private=allow_private, known=feed.validators)
            found = [] if response.unchanged else list(read_response(url, response))
        except LoadError as error:
            self.feeds[url] = _later(feed, error, now, interval)
            return [Failure(one_line(without_password(url), 1000), one_line(str(error)))]
        whole = not any(isinstance(item, Failure) for item in found)
        known = feed.validators if response.unchanged else response.validators if whole else Validators()
        self.feeds[url] = Feed(known)
        return found


def _later(feed: Feed, error: LoadError, now: float, interval: float) -> Feed:
    pause = min(_LONGEST_PAUSE, interval * 2 ** min(feed.failures + 1, 20))
    asked = error.seconds if isinstance(error, BusyError) and error.seconds else 0.0
    return replace(feed, failures=feed.failures + 1, resume=now + max(pause, asked))


def _feed(record: dict[str, Any]) -> Feed:
    return Feed(Validators(**record["validators"]), int(record["failures"]), float(record["resume"]))
