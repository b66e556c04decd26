"""Targets: files of every format, and what a server answers."""

from __future__ import annotations

import gzip
import io
import json
import tempfile
import threading
import zlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

from hypothesis import strategies as st
from pypdf import PdfReader, PdfWriter

from fuzzing import material, office
from fuzzing.invariants import sound_article, sound_failure
from fuzzing.outcomes import ACCEPTED, Target, holds
from rag.ingest.formats import READERS
from rag.ingest.loaders import load
from rag.schema import Article, Failure

PROSE = "Iran hosted talks between the Afghan government and the Taliban on Wednesday. Some 1,000 soldiers fled. " * 3
PARAGRAPHS = f"{PROSE}\n\n“We met,” Mr. Zarif said. {PROSE}"
_NAMES = ("text", "body", "content", "summary", "title", "published", "date", "source", "author", "url", "id", "link")

TEXTS = [
    PARAGRAPHS.encode(),
    f" date 2021-07-07 Strong points:\n\nTalks in Tehran\n\n{PARAGRAPHS}".encode(),
    f"---\ntitle: Talks\ndate: 2021-07-07\ntags: [a, b]\nsource: {{name: Wire}}\n---\n{PARAGRAPHS}".encode(),
    f"Title: Talks\nDate: 7 July 2021\nSource: Wire\nURL: https://example.org/1\n\n{PARAGRAPHS}".encode(),
    "# Talks in Tehran\r\n\r\nمذاکرات در تهران می\u200cشود.\r\n".encode("utf-16"),
]
PAGES = [
    f"""<!doctype html><html lang="en"><head><title>Talks</title><meta charset="utf-8">
<meta property="og:site_name" content="News"><meta name="author" content="Ada Writer">
<meta property="article:published_time" content="2021-07-07T23:30:00-05:00">
<link rel="canonical" href="https://example.org/talks">
<script type="application/ld+json">{{"@type":"NewsArticle","datePublished":"2021-07-07","headline":"Talks"}}</script>
</head><body><nav>Menu</nav><article><h1>Talks</h1><p>{PROSE}</p><ul><li>{PROSE}</ul><table><tr><td>1<td>2</table>
<blockquote>{PROSE}</blockquote></article><footer>2020</footer></body></html>""".encode(),
    f'<html><head><meta charset="windows-1252"></head><body><p>{PROSE}caf\xe9</p></body></html>'.encode("cp1252"),
]
FEEDS = [
    f"""<?xml version="1.0"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/">
<channel><title>Feed</title><item><title>A &amp; B</title><link>https://example.org/1</link><guid>tag:1</guid>
<pubDate>Wed, 07 Jul 2021 10:00:00 GMT</pubDate><description>Short.</description>
<content:encoded><![CDATA[<p>{PROSE}</p>]]></content:encoded></item></channel></rss>""".encode(),
    f"""<feed xmlns="http://www.w3.org/2005/Atom"><title>Feed</title><entry><title type="html">A</title>
<id>urn:1</id><link href="https://example.org/2"/><updated>2021-07-07T10:00:00Z</updated><author><name>Ada</name>
</author><content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>{PROSE}</p></div></content></entry>
</feed>""".encode(),
    f"""<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>Feed</title></channel><item rdf:about="https://example.org/3">
<title>T</title><description>{PROSE}</description><dc:date>2021-07-07</dc:date></item></rdf:RDF>""".encode(),
    f"<export><article id='1'><title>T</title><date>2021-07-07</date><body>{PROSE}</body></article></export>".encode(),
]
RECORD: dict[str, Any] = {
    "id": "a-1",
    "title": "Talks",
    "body": PARAGRAPHS,
    "published_at": "2021-07-07T10:00:00+04:30",
    "source": {"id": None, "name": "Wire"},
    "authors": ["Ada", {"name": "Bo"}],
    "url": "https://example.org/1",
}
_MONGO = {"_id": {"$oid": "x"}, "content": f"<p>{PROSE}</p>", "date": {"$date": 1625616000000}, "by": "Ada"}
DOCUMENTS: list[Any] = [RECORD, [RECORD, _MONGO], {"status": "ok", "articles": [RECORD, {**RECORD, "id": 2}]}]
TABLES = [
    f'id,title,text,date,source\n1,Talks,"{PROSE}",2021-07-07,Wire\n2,"A ""B""","x\ny",07/07/2021,\n'.encode(),
    f"text;title\r\n{PROSE};A\r\n".encode(),
    f"title\tcontent\turl\nA\t{PROSE}\thttps://example.org/1\n".encode(),
]


@cache
def pdfs() -> tuple[bytes, ...]:
    """A page of plain objects, and one as pypdf writes it, compressed."""
    drawn = f"BT /F1 12 Tf 72 720 Td ({PROSE}) Tj ET"
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        f"<</Length {len(drawn)}>>stream\n{drawn}\nendstream",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
    ]
    body = "".join(f"{number} 0 obj{content}endobj\n" for number, content in enumerate(objects, 1))
    plain = f"%PDF-1.4\n{body}trailer<</Root 1 0 R/Size 6>>\nstartxref\n0\n%%EOF".encode()
    writer, out = PdfWriter(clone_from=PdfReader(io.BytesIO(plain))), io.BytesIO()
    writer.add_metadata({"/Title": "Talks", "/Author": "Ada"})
    for page in writer.pages:
        page.compress_content_streams()
    writer.write(out)
    return plain, out.getvalue()


@cache
def _seeds() -> dict[str, list[bytes]]:
    lines = b"".join(json.dumps(record).encode() + b"\n" for record in (RECORD, _MONGO, RECORD))
    return {
        ".txt": TEXTS,
        ".html": PAGES,
        ".xml": FEEDS,
        ".csv": TABLES,
        ".jsonl": [lines, json.dumps(RECORD, ensure_ascii=False).encode("utf-16")],
        ".json": [json.dumps(document).encode() for document in DOCUMENTS] + [lines],
        ".pdf": list(pdfs()),
        **office.SAMPLES,
    }


def _bytes(extension: str) -> st.SearchStrategy[bytes]:
    seeds, others = _seeds()[extension], [body for bodies in _seeds().values() for body in bodies]
    return st.one_of(
        material.mutated(seeds),
        material.mutated(seeds),
        material.mutated(seeds),
        material.mutated(seeds + others),
        material.texts_as_bytes,
        material.deep.map(str.encode),
        st.binary(max_size=300),
    )


_records = st.one_of(
    material.records(*_NAMES, required=("text",)),
    material.records(*_NAMES),
    st.sampled_from([RECORD, _MONGO]).flatmap(material.damaged),
)
_documents = st.one_of(
    _records,
    st.lists(_records, max_size=3),
    st.sampled_from(DOCUMENTS).flatmap(material.damaged),
    st.dictionaries(
        st.sampled_from(["articles", "data", "items", "status"]), st.lists(_records, max_size=2), max_size=2
    ),
    material.values,
).map(lambda value: material.encoded(material.dumped(value)))
_lines = st.lists(
    st.one_of(_records.map(material.dumped), material.odd_texts, material.deep), min_size=1, max_size=4
).map(lambda lines: material.encoded("\n".join(lines)))
_cells = st.one_of(material.odd_texts, material.prose)
_tables = st.builds(
    lambda mark, header, rows: material.encoded("\n".join(mark.join(row) for row in [header, *rows])),
    st.sampled_from(",;\t|"),
    st.lists(st.sampled_from(_NAMES), min_size=1, max_size=5),
    st.lists(st.lists(_cells, max_size=5), max_size=4),
)
_front = st.builds(
    lambda yaml, text: material.encoded(f"---\n{yaml}\n---\n{text}"),
    st.one_of(
        material.deep,
        _records.map(material.dumped),
        st.lists(st.builds("{}: {}".format, st.sampled_from(_NAMES), material.odd_texts), max_size=5).map("\n".join),
        st.sampled_from(
            ["a: &a [*a]", "a: &a [x,x]\nb: [*a,*a]", "? [a]\n: b", "!!python/object:os.system x", "<<: x"]
        ),
    ),
    material.prose,
)
_TAGS = str.split(
    "<p> </p> <div> <br> <table><tr><td> <script> </script> <!-- --> <article> <h1> <title> </title> <meta <a "
    "<![CDATA[ ]]> &nbsp; &#x110000; &#xd800; <item> </item> <entry> <svg> <template> <li>"
)
_pieces = st.lists(st.one_of(st.sampled_from(_TAGS), material.prose, material.odd_texts), max_size=25).map("".join)
_pages = st.builds(lambda head, body: material.encoded(f"<html><head>{head}</head><body>{body}"), _pieces, _pieces)
_feeds = st.builds(
    lambda top, item, dated: material.encoded(
        f'<rss version="2.0"><channel><title>{top}</title><item><description>{item}</description>'
        f"<pubDate>{dated}</pubDate><source url='x'>{top}</source></item></channel></rss>"
    ),
    _pieces,
    _pieces,
    material.odd_texts,
)

SHAPED: Mapping[str, Sequence[st.SearchStrategy[bytes]]] = {
    ".txt": [_front],
    ".html": [_pages],
    ".xml": [_feeds, _pages],
    ".csv": [_tables, _lines],
    ".jsonl": [_lines],
    ".json": [_documents, _documents, _lines],
    ".pdf": [],
    **office.SHAPED,
}


class File(NamedTuple):
    """A file that is loaded: its name and its bytes."""

    name: str
    body: bytes


class Reply(NamedTuple):
    """What a server answers: the type and encoding that it names, and the bytes."""

    media: str
    encoding: str
    body: bytes


_STEMS = st.sampled_from(["a", "2021-07-07-tehran-talks", "20211399", "٢٠٢١-٠٧-٠٧", "%00%2e", "x" * 80])


def _files(extension: str) -> st.SearchStrategy[File]:
    bodies = st.one_of(_bytes(extension), _bytes(extension), *SHAPED[extension])
    return st.builds(lambda stem, body: File(f"{stem}{extension}", body), _STEMS, bodies)


def _loaded(file: File) -> Iterator[str]:
    path = folder() / file.name
    path.write_bytes(file.body)
    try:
        first, second = list(load(path)), list(load(path))
    finally:
        path.unlink()
    yield from _sound(first)
    holds(first == second, "loading twice gives two things")


def _sound(found: Sequence[Article | Failure]) -> Iterator[str]:
    holds(found, "neither an article nor a failure")
    for item in found:
        if isinstance(item, Article):
            sound_article(item)
            yield ACCEPTED
        else:
            sound_failure(item)
            yield "LoadError"


@cache
def folder() -> Path:
    """Where what is tried is written."""
    return Path(tempfile.mkdtemp(prefix="dispatches-fuzz-"))


class _Answers(BaseHTTPRequestHandler):
    reply = Reply("", "", b"")

    def do_GET(self) -> None:
        kind, encoding, body = type(self).reply
        self.send_response(200)
        self.send_header("Content-Type", kind)
        if encoding:
            self.send_header("Content-Encoding", encoding)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


@cache
def _server() -> ThreadingHTTPServer:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def _fetched(reply: Reply) -> Iterator[str]:
    _Answers.reply = reply
    yield from _sound(list(load(f"http://127.0.0.1:{_server().server_port}/a%20b", allow_private=True)))


@cache
def _bomb() -> bytes:
    return gzip.compress(bytes(100_000_000), 9)


_bodies = st.one_of(*(_bytes(extension) for extension in SHAPED), _documents, _pages, _feeds)
_replies = st.one_of(
    st.builds(
        lambda kind, encoding, body: Reply(kind, encoding, gzip.compress(body) if encoding == "gzip" else body),
        st.sampled_from(
            [
                *("", "text/html", "text/html; charset=utf-7", "text/plain; charset=latin-1", "application/json; x"),
                *(
                    "text/csv; charset=punycode",
                    "application/rss+xml",
                    "application/pdf",
                    "image/png",
                    "text/x; charset=",
                ),
                *("text/plain; charset=\xff", "text/html; charset=idna", "text/plain; charset=base64", "TEXT/HTML;;=;"),
            ]
        ),
        st.sampled_from(["", "", "gzip", "identity", "br", "\xff"]),
        _bodies,
    ),
    st.builds(lambda body, cut: Reply("text/plain", "gzip", gzip.compress(body)[:-cut]), _bodies, st.integers(1, 20)),
    st.builds(lambda body: Reply("text/plain", "gzip", zlib.compress(body)), _bodies),
    st.builds(lambda: Reply("text/html", "gzip", _bomb())),
)


def targets() -> list[Target]:
    """A target for each format, and one for what is fetched."""
    weights = {
        ".txt": 6,
        ".html": 4,
        ".xml": 6,
        ".csv": 6,
        ".jsonl": 5,
        ".json": 8,
        ".pdf": 5,
        **dict.fromkeys(office.SAMPLES, 2),
    }
    assert {READERS[extension] for extension in weights} == set(READERS.values())
    files = [Target(f"load{e}", st.deferred(lambda e=e: _files(e)), _loaded, weight) for e, weight in weights.items()]
    return [*files, Target("load-url", _replies, _fetched, 1)]
