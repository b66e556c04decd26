"""How long each reader of documents takes for inputs that are made to be slow: processor seconds for each MB.

    python benchmarks/hostile.py [--megabytes 1] [EXTENSION ...]

Each input is read in a process of its own, without the limits that `rag add` sets; "refused" are those that those
limits would have stopped. The size is that of the file, and for zipped and compressed ones that of what is in it.
"""

from __future__ import annotations

import argparse
import io
import os
import resource
import signal
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rag.errors import LoadError
from rag.ingest.document import Document
from rag.ingest.formats import READERS
from rag.ingest.isolated import SECONDS, SECONDS_PER_MB

LONGEST = 20
"""Seconds of processor time after which an input is given up."""
PROSE = "The town council of Wardak met on Monday and voted for the bridge. "


@dataclass(frozen=True, slots=True)
class Hostile:
    """An input of some bytes, of a format, with what is odd about it."""

    extension: str
    what: str
    make: Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Cost:
    """What reading it took; the signal that ended it, if one did."""

    seconds: float
    megabytes: float
    signal: int


def repeated(part: str, before: str = "", after: str = "") -> Callable[[int], bytes]:
    """A text of that size that repeats a part."""
    return lambda size: f"{before}{part * (size // len(part.encode()))}{after}".encode()


def numbered(part: str, before: str = "", after: str = "") -> Callable[[int], bytes]:
    """A text of that size that repeats a part with a number in it."""
    return lambda size: (before + "".join(part.format(i) for i in range(size // (len(part) + 4))) + after).encode()


def nested(start: str, end: str, before: str = "", after: str = "") -> Callable[[int], bytes]:
    """A text of that size of which each part is in the one before."""

    def make(size: int) -> bytes:
        times = size // len(start + end)
        return f"{before}{start * times}{PROSE}{end * times}{after}".encode()

    return make


def zipped(name: str, make: Callable[[int], bytes], **others: str) -> Callable[[int], bytes]:
    """A container with such a part."""

    def made(size: int) -> bytes:
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            for other, text in others.items():
                archive.writestr(other.replace("__", "/").replace("_dot_", "."), text)
            archive.writestr(name, make(size))
        return stream.getvalue()

    return made


def pdf(make: Callable[[int], bytes], pages: int = 1) -> Callable[[int], bytes]:
    """A PDF whose pages share such a content."""

    def made(size: int) -> bytes:
        content = zlib.compress(make(size))
        kids = " ".join(f"{4 + n} 0 R" for n in range(pages))
        page = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 3 0 R/Resources<</Font<</F 9999 0 R>>>>>>"
        objects = {
            1: b"<</Type/Catalog/Pages 2 0 R>>",
            2: f"<</Type/Pages/Kids[{kids}]/Count {pages}>>".encode(),
            3: b"<</Length %d/Filter/FlateDecode>>stream\n%b\nendstream" % (len(content), content),
            **{4 + n: page.encode() for n in range(pages)},
            9999: b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        }
        body = b"%PDF-1.4\n" + b"".join(b"%d 0 obj%b endobj\n" % item for item in objects.items())
        return body + b"trailer<</Root 1 0 R/Size 10000>>\n%%EOF"

    return made


_W = '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>'
_W_END = "</w:body></w:document>"
_O = (
    '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:text>'
)
_O_END = "</office:text></office:body></office:document-content>"
_BOOK = {
    "META-INF__container_dot_xml": '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="c.opf"/></rootfiles></container>',
    "c_dot_opf": '<package xmlns="http://www.idpf.org/2007/opf"><manifest><item id="a" href="a.xhtml" '
    'media-type="application/xhtml+xml"/></manifest><spine><itemref idref="a"/></spine></package>',
}
_FEED = '<rss version="2.0"><channel><title>Wire</title>'
_MAIL = "From: Wire <news@example.org>\nSubject: Ferry\nDate: Wed, 7 Jul 2021 10:00:00 +0000\n"
_PAGE = f"<html><body><article><p>{PROSE * 20}</p>"
_ATTRIBUTES = numbered("a{}=1 ", f"{_PAGE}<p ", f">{PROSE}</p></article></body></html>")


def _in_json(make: Callable[[int], bytes], before: str, after: str) -> Callable[[int], bytes]:
    return lambda size: before.encode() + make(size).replace(b'"', b"'").replace(b"\n", b" ") + after.encode()


INPUTS = (
    Hostile(".txt", "quotation marks", repeated('"')),
    Hostile(".txt", "apostrophes", repeated("a' ")),
    Hostile(".txt", "line breaks", repeated("\n", PROSE, PROSE)),
    Hostile(".txt", "one word", repeated("a")),
    Hostile(".txt", "open brackets", repeated("([{")),
    Hostile(".txt", "header lines", numbered("Key{}: value\n", "", f"\n{PROSE}")),
    Hostile(".txt", "full stops", repeated("A. ")),
    Hostile(".md", "open links and stars", repeated("*[a](", PROSE)),
    Hostile(".html", "attributes of one tag", _ATTRIBUTES),
    Hostile(".html", "quotation marks", repeated('"', _PAGE)),
    Hostile(".html", "tags in one another", nested("<div>", "</div>", _PAGE)),
    Hostile(".html", "tags that are not closed", repeated("<b><i>", _PAGE)),
    Hostile(".html", "short paragraphs", repeated("<p>No.</p>", _PAGE)),
    Hostile(".html", "table cells", repeated("<td>1</td>", f"{_PAGE}<table><tr>")),
    Hostile(".html", "open comments", repeated("<!--", _PAGE)),
    Hostile(".html", "scripts of metadata", repeated('<script type="application/ld+json">{"a":1}</script>', _PAGE)),
    Hostile(
        ".xml", "short entries of a feed", numbered("<item><title>{}</title><description>a</description></item>", _FEED)
    ),
    Hostile(".xml", "tags in one another", nested("<a>", "</a>", _FEED)),
    Hostile(".xml", "attributes of one tag", numbered('a{}="1" ', f"{_FEED}<item ", "/></channel></rss>")),
    Hostile(
        ".xml",
        "marked-up text of an entry",
        _in_json(repeated("&lt;b&gt;"), f"{_FEED}<item><description>", "</description></item></channel></rss>"),
    ),
    Hostile(".json", "lists in one another", nested("[", "]")),
    Hostile(".json", "short records", numbered('{{"text":"{}"}},', "[", '{"text":"a"}]')),
    Hostile(".json", "attributes of one tag in a text", _in_json(_ATTRIBUTES, '{"text":"', '"}')),
    Hostile(".jsonl", "attributes of one tag in a text", _in_json(_ATTRIBUTES, '{"text":"', '"}')),
    Hostile(".jsonl", "short records", numbered('{{"text":"{}"}}\n')),
    Hostile(".csv", "open quotation marks", repeated('"', "title,text\na,")),
    Hostile(".csv", "columns", numbered("c{},")),
    Hostile(".csv", "attributes of one tag in a text", _in_json(_ATTRIBUTES, 'title,text\na,"', '"\n')),
    Hostile(".eml", "header lines", numbered("X-{}: a\n", _MAIL, f"\n{PROSE}")),
    Hostile(".eml", "encoded words", repeated("=?utf-8?q?a?= ", "Subject: ", f"\n\n{PROSE}")),
    Hostile(".eml", "addresses", repeated("<a@b>, ", "To: ", f"\n\n{PROSE}")),
    Hostile(
        ".eml", "attributes of one tag", lambda size: f"{_MAIL}Content-Type: text/html\n\n".encode() + _ATTRIBUTES(size)
    ),
    Hostile(".eml", "parts", repeated("--x\n\na\n", f'{_MAIL}Content-Type: multipart/mixed; boundary="x"\n\n')),
    Hostile(".mbox", "short mails", repeated(f"From a Wed Jul  7 10:00:00 2021\n{_MAIL}\n{PROSE}\n\n")),
    Hostile(
        ".mbox",
        "attributes of one tag",
        lambda size: (
            f"From a Wed Jul  7 10:00:00 2021\n{_MAIL}Content-Type: text/html\n\n".encode() + _ATTRIBUTES(size)
        ),
    ),
    Hostile(".xml", "texts of one element", repeated("<x>a</x><text>a</text>", "<a><title>a</title>", "</a>")),
    Hostile(".xml", "elements with a text", repeated("<b><title>a</title><text>a</text></b>", "<a>", "</a>")),
    Hostile(".srt", "arrows", repeated("00:00:01,000 --> ")),
    Hostile(".srt", "open tags", repeated("<v a", "00:00:01,000 --> 00:00:04,000\n")),
    Hostile(".ris", "references", repeated("AB  - a\nER  - \n")),
    Hostile(".rtf", "deletions", repeated(r"{\deleted ", r"{\rtf1 ", "}")),
    Hostile(".rtf", "groups in one another", nested("{", "}", r"{\rtf1 ", "}")),
    Hostile(".rtf", "characters by number", repeated(r"\u8217?", r"{\rtf1 ", "}")),
    Hostile(".docx", "empty paragraphs", zipped("word/document.xml", repeated("<w:p/>", _W, _W_END))),
    Hostile(
        ".docx",
        "runs of a letter",
        zipped("word/document.xml", repeated("<w:r><w:t>a</w:t></w:r>", f"{_W}<w:p>", f"</w:p>{_W_END}")),
    ),
    Hostile(
        ".odt",
        "spans of a letter",
        zipped("content.xml", repeated("<text:span>a</text:span>", f"{_O}<text:p>", f"</text:p>{_O_END}")),
    ),
    Hostile(
        ".odt",
        "spans in one another",
        zipped("content.xml", nested("<text:span>", "</text:span>", f"{_O}<text:p>", f"</text:p>{_O_END}")),
    ),
    Hostile(".epub", "attributes of one tag", zipped("a.xhtml", _ATTRIBUTES, **_BOOK)),
    Hostile(".epub", "short paragraphs", zipped("a.xhtml", repeated("<p>No.</p>", _PAGE), **_BOOK)),
    Hostile(".pdf", "texts of a letter", pdf(repeated("(a) Tj 1 0 Td ", "BT /F 9 Tf ", " ET"))),
    Hostile(
        ".pdf",
        "500 pages with one content",
        pdf(lambda size: repeated("(word) Tj 5 0 Td ", "BT /F 9 Tf ", " ET")(size // 500), 500),
    ),
    Hostile(".pdf", "lines that are drawn", pdf(repeated("0 0 m 9 9 l S "))),
)


def cost(hostile: Hostile, size: int) -> Cost:
    """What reading it takes in a process of its own."""
    body = hostile.make(size)
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_CPU, (LONGEST, LONGEST + 1))
        try:
            for _ in READERS[hostile.extension](Document("x", f"x{hostile.extension}", io.BytesIO(body))):
                pass
        except (LoadError, MemoryError):
            pass
        finally:
            os._exit(0)
    _, status, usage = os.wait4(child, 0)
    seconds = usage.ru_utime + usage.ru_stime
    return Cost(seconds, usage.ru_maxrss / 1024, os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0)


def rows(extensions: list[str], megabytes: float) -> Iterator[str]:
    """A line of a table for each input."""
    for hostile in INPUTS:
        if extensions and hostile.extension not in extensions:
            continue
        found = cost(hostile, size := int(megabytes * 1e6))
        allowed = SECONDS + SECONDS_PER_MB * len(hostile.make(size)) / 1e6
        result = "refused" if found.seconds > allowed else "read"
        name, seconds = f"`{hostile.extension}` | {hostile.what}", found.seconds / megabytes

        yield f"| {name} | {seconds:.1f} | {found.megabytes:.0f} | {result} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("extensions", nargs="*")
    parser.add_argument("--megabytes", type=float, default=1.0)
    options = parser.parse_args()
    warm = Document("x", "x.html", io.BytesIO(_PAGE.encode()))
    assert list(READERS[".html"](warm)), "imports are not part of what is measured"
    for line in rows(options.extensions, options.megabytes):
        print(line, flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)
    main()
