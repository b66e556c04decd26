"""Files, folders, URLs and feeds become articles; whatever does not is one Failure that says why."""

from __future__ import annotations

import gzip
import io
import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader, PdfWriter

from rag.errors import LoadError
from rag.ingest.formats import READERS
from rag.ingest.loaders import expand, load
from rag.ingest.metadata import article
from rag.schema import Article, Failure, Precision, Published
from rag.text.clean import content_digest

SEED = Path(__file__).parents[2] / "seeds" / "2021-07-07-tehran-talks.txt"
SEVENTH = Published(date(2021, 7, 7), Precision.DAY)
PROSE = "Iran hosted talks between the Afghan government and the Taliban. " * 8
HTML = f"""<!doctype html><html><head><title>Talks in Tehran</title>
<meta property="og:site_name" content="Example News"><meta name="author" content="Ada Writer">
<meta property="article:published_time" content="2021-07-07T23:30:00-05:00">
<link rel="canonical" href="https://example.org/talks"></head>
<body><nav>Menu</nav><article><h1>Talks in Tehran</h1><p>{PROSE}</p><p>Second: {PROSE}</p></article></body></html>"""
RSS = """<?xml version="1.0"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/">
<channel><title>Example Feed</title>
<item><title>First &amp; foremost</title><link>https://example.org/1</link><guid>17</guid>
<pubDate>Wed, 07 Jul 2021 10:00:00 GMT</pubDate><description>Short.</description>
<content:encoded><![CDATA[<p>Full &amp; whole.</p><script>bad()</script><p>Second paragraph.</p>]]></content:encoded>
</item>
<item><title>Second</title><link>https://example.org/2</link><description>Only a summary.</description></item>
<item><title>Third</title></item></channel></rss>"""


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def one(origin: str | Path, **options: Any) -> Article:
    (loaded,) = load(origin, **options)
    assert isinstance(loaded, Article), loaded
    return loaded


def failure(origin: str | Path, **options: Any) -> str:
    (loaded,) = load(origin, **options)
    assert isinstance(loaded, Failure), loaded
    assert "\n" not in f"{loaded.origin}: {loaded.message}"
    return f"{loaded.origin}: {loaded.message}"


# Text


def test_the_seed_has_its_headline_its_day_and_its_text_without_the_header_line() -> None:
    found = one(SEED)
    assert found.title == "Iran said an Afghan government delegation met with the Taliban"
    assert found.published == SEVENTH
    assert (found.source, found.author, found.url) == (None, None, None)
    assert found.text == SEED.read_text().split("\n\n", 1)[1]
    assert found.id == found.sha256[:16] == content_digest(found.text)[:16]


def test_the_text_of_a_file_is_verbatim_but_for_line_ends_and_what_cannot_be_seen(tmp_path: Path) -> None:
    body = "A  “quoted”\ttext —\u00a0با می\u200cشود.\n\n  Indented.\n"
    noisy = "\ufeff" + body.replace("\n", "\r\n").replace("quoted", "quo\u200bt\u202eed\x00")
    assert one(write(tmp_path, "a.txt", noisy)).text == body


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_unicode_is_read_with_or_without_a_byte_order_mark(tmp_path: Path, encoding: str) -> None:
    assert one(write(tmp_path, "a.txt", "Kabul – کابل".encode(encoding))).text == "Kabul – کابل"


def test_front_matter_gives_the_fields_and_is_no_part_of_the_text(tmp_path: Path) -> None:
    front = (
        "---\ntitle: 'Talks: day one'\ndate: 2021-07\nsource: Wire\nauthors: [A, B]\nurl: https://x.org/1\nid: 7\n---\n"
    )
    found = one(write(tmp_path, "2020-01-01-x.md", front + "\nThe text.\n"))
    assert (found.title, found.source, found.author, found.url, found.id) == (
        "Talks: day one",
        "Wire",
        "A, B",
        "https://x.org/1",
        "7",
    )
    assert found.published == Published(date(2021, 7, 1), Precision.MONTH)
    assert found.text == "The text.\n"


def test_lines_of_known_keys_are_a_header_and_prose_with_a_colon_is_not(tmp_path: Path) -> None:
    found = one(write(tmp_path, "a.txt", "Title: Talks\nDate: 7 July 2021\nSource: Wire\n\nText: begins here.\n"))
    assert (found.title, found.published, found.source) == ("Talks", SEVENTH, "Wire")
    assert found.text == "Text: begins here.\n"
    prose = "Date: unknown to us.\n\nMore."
    assert one(write(tmp_path, "b.txt", prose)).text == prose


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("# Talks begin\n\nText.", "Talks begin"),
        ("Talks begin\n\nText.", "Talks begin"),
        ("Talks begin. Biden Defiant\n\nText.", "Talks begin. Biden Defiant"),
        ("Talks begin. Kabul\n\nThe delegates met in Kabul.", "Talks begin"),
        ("Talks at the U.S. Congress\n\nIn the room, and in Congress.", "Talks at the U.S. Congress"),
        ("A line that\nwraps here.\n\nText.", "tehran talks"),
        ("KABUL, July 7 (Wire) —\n\nText.", "tehran talks"),
        ("x" * 200 + "\n\nText.", "tehran talks"),
    ],
)
def test_the_title_is_the_headline_that_opens_the_text_or_else_the_words_of_the_file_name(
    tmp_path: Path, text: str, title: str
) -> None:
    found = one(write(tmp_path, "20210707_tehran-talks.txt", text))
    assert (found.title, found.published) == (title, SEVENTH)


def test_what_a_file_does_not_say_is_unknown(tmp_path: Path) -> None:
    found = one(write(tmp_path, "a1.txt", "Some words."))
    assert (found.source, found.published, found.url, found.author) == (None, None, None, None)


def test_standard_input_is_one_article(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"Talks begin\n\nText.")))
    assert one("-").title == "Talks begin"


# Records


def test_a_record_is_read_by_any_common_name_of_its_fields(tmp_path: Path) -> None:
    record = {
        "_id": {"$oid": "abc"},
        "Headline": "Talks &amp; more",
        "publishedAt": "2021-07-07T10:00:00Z",
        "source": {"id": None, "name": "Wire"},
        "authors": ["A", {"name": "B"}],
        "link": "https://x.org/1",
        "description": "Short.",
        "Full_Text": "The whole text.",
    }
    found = one(write(tmp_path, "a.json", json.dumps(record)))
    assert (found.id, found.title, found.source, found.author) == ("abc", "Talks & more", "Wire", "A, B")
    assert (found.url, found.text) == ("https://x.org/1", "The whole text.")
    assert found.published == Published(datetime(2021, 7, 7, 10, tzinfo=UTC), Precision.TIME)


@pytest.mark.parametrize(
    "document",
    [
        [{"text": "One."}, {"body": "Two."}],
        {"status": "ok", "articles": [{"content": "One."}, {"story": "Two."}]},
        {"response": {"results": [{"text": "One."}, {"text": "Two."}]}},
    ],
)
def test_json_may_be_an_array_or_an_object_that_holds_one(tmp_path: Path, document: object) -> None:
    loaded = list(load(write(tmp_path, "a.json", json.dumps(document))))
    assert [x.text for x in loaded if isinstance(x, Article)] == ["One.", "Two."]


def test_the_id_is_the_own_one_else_the_url_else_the_digest_and_is_bounded() -> None:
    assert article("Text.", id="a\x1b\n7", url="https://x.org").id == "a 7"
    assert article("Text.", url="https://x.org").id == "https://x.org"
    assert article("Text.").id == content_digest("Text.")[:16]
    assert len(article("Text.", id="x" * 301).id) == 16
    with pytest.raises(LoadError, match="no text"):
        article(" \u200b\n")


def test_the_digest_is_that_of_the_words_and_not_of_their_layout() -> None:
    assert content_digest("Zahe\u0301r  said\nso. ") == content_digest("Zah\u00e9r said so.")
    assert content_digest("Kabul") != content_digest("kabul")


def test_a_script_address_is_no_url() -> None:
    assert article("Text.", url="javascript:alert(1)").url is None


def test_html_in_a_record_becomes_paragraphs(tmp_path: Path) -> None:
    html = "<p>One &amp; <b>two</b>.</p><p>Three.</p><style>x</style>"
    assert one(write(tmp_path, "a.json", json.dumps({"content": {"rendered": html}}))).text == "One & two.\n\nThree."


def test_an_unreadable_date_leaves_the_article_undated(tmp_path: Path) -> None:
    assert one(write(tmp_path, "a.json", '{"text": "Text.", "date": "07/08/2021"}')).published is None


def test_a_bad_line_is_one_failure_with_its_number_and_the_rest_is_read(tmp_path: Path) -> None:
    lines = [
        b'{"text": "One."}',
        b'{"text": "broken',
        b"",
        b'{"title": "No text"}',
        b"[1]",
        b'{"text": "caf\xe9"}',
        b'{"text": ' + b"[" * 100_000,
        b'{"text": ' + b"9" * 5000 + b"}",
        b'{"text": "lone \\ud800 half"}',
    ]
    path = write(tmp_path, "articles.jsonl", b"\xef\xbb\xbf" + b"\r\n".join(lines))
    loaded = list(load(path))
    assert [x.text for x in loaded if isinstance(x, Article)] == ["One.", "café", "lone  half"]
    failed = [x for x in loaded if isinstance(x, Failure)]
    assert [x.origin.removeprefix(f"{path}:") for x in failed] == ["2", "4", "5", "7", "8"]
    for x, word in zip(failed, ["column 10", "saw title", "list", "deep", "digits"], strict=True):
        assert word in x.message


def test_utf_16_lines_are_read(tmp_path: Path) -> None:
    path = write(tmp_path, "a.jsonl", '{"text": "کابل"}\n{"text": "Two."}\n'.encode("utf-16"))
    assert [x.text for x in load(path) if isinstance(x, Article)] == ["کابل", "Two."]


def test_json_lines_under_the_name_json_are_read(tmp_path: Path) -> None:
    assert len(list(load(write(tmp_path, "a.json", '{"text": "One."}\n{"text": "Two."}\n')))) == 2


def test_a_line_without_bound_is_one_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.ingest.document.MAX_LINE", 100)
    monkeypatch.setattr("rag.ingest.records.MAX_LINE", 100)
    path = write(tmp_path, "a.jsonl", f'{{"text": "{"x" * 1000}"}}\n{{"text": "Two."}}\n')
    first, second = load(path)
    assert isinstance(first, Failure)
    assert "line over" in first.message
    assert isinstance(second, Article)


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_the_delimiter_of_a_table_is_told_by_its_header(tmp_path: Path, mark: str) -> None:
    rows = [["id", "Title", "text", "date"], ["1", "T", '"A, b; c | d\te\r\n""second"" line"', "2021-07-07"]]
    found = one(write(tmp_path, "a.csv", "\ufeff" + "\r\n".join(mark.join(row) for row in rows)))
    assert (found.id, found.title, found.published) == ("1", "T", SEVENTH)
    assert found.text == 'A, b; c | d\te\n"second" line'


def test_a_bad_row_is_one_failure_with_its_line_and_the_rest_is_read(tmp_path: Path) -> None:
    table = b'id,text\n1,"One\nline"\n2,\n3,a,b\n4,caf\xe9\n5,Five.\n'
    path = write(tmp_path, "a.csv", table)
    loaded = list(load(path))
    assert [x.id for x in loaded if isinstance(x, Article)] == ["1", "4", "5"]
    failed = [x for x in loaded if isinstance(x, Failure)]
    assert [x.origin for x in failed] == [f"{path}:4", f"{path}:5"]


def test_a_quote_that_never_closes_is_one_failure_and_the_rest_is_read(tmp_path: Path) -> None:
    first, second, third = load(write(tmp_path, "a.csv", 'id,text\n1,One.\n2,"Two\n3,Three.\n'))
    assert isinstance(first, Article)
    assert isinstance(second, Failure)
    assert second.origin.endswith("a.csv:3")
    assert "left out" in second.message
    assert isinstance(third, Article)


def test_a_long_cell_is_read(tmp_path: Path) -> None:
    assert len(one(write(tmp_path, "a.tsv", "text\tid\n" + "word " * 100_000 + "\t1\n")).text) == 500_000


# HTML, feeds, PDF


def test_a_web_page_gives_its_main_text_and_what_it_says_of_itself(tmp_path: Path) -> None:
    found = one(write(tmp_path, "a.html", HTML))
    assert found.title == "Talks in Tehran"
    assert (found.source, found.author) == ("Example News", "Ada Writer")
    assert found.url == found.id == "https://example.org/talks"
    assert "Menu" not in found.text
    assert f"{PROSE.strip()}\n\nSecond:" in found.text
    assert found.published is not None
    assert found.published.value == datetime.fromisoformat("2021-07-07T23:30:00-05:00")


def test_a_web_page_is_read_by_its_declared_charset(tmp_path: Path) -> None:
    page = HTML.replace("<head>", '<head><meta charset="iso-8859-1">').replace("Second:", "Café “x”:")
    assert "Café “x”:" in one(write(tmp_path, "a.htm", page.encode("windows-1252"))).text
    assert "Café:" in one(write(tmp_path, "b.htm", HTML.replace("Second", "Café").encode("latin-1"))).text


def test_a_year_in_the_footer_is_not_a_date(tmp_path: Path) -> None:
    page = f"<html><body><article><p>{PROSE}</p><p>{PROSE}</p></article><footer>© 2019</footer></body></html>"
    assert one(write(tmp_path, "a.html", page)).published is None


def test_each_entry_of_a_feed_is_an_article_of_its_full_content(tmp_path: Path) -> None:
    first, second, third = load(write(tmp_path, "feed.xml", RSS))
    assert isinstance(first, Article)
    assert first.text == "Full & whole.\n\nSecond paragraph."
    assert (first.title, first.source, first.id) == ("First & foremost", "Example Feed", "https://example.org/1")
    assert first.published == Published(datetime(2021, 7, 7, 10, tzinfo=UTC), Precision.TIME)
    assert isinstance(second, Article)
    assert (second.text, second.published) == ("Only a summary.", None)
    assert isinstance(third, Failure)
    assert third.origin.endswith("feed.xml:entry 3")


def test_an_atom_feed_is_read(tmp_path: Path) -> None:
    atom = """<feed xmlns="http://www.w3.org/2005/Atom"><title>F</title><entry><id>tag:x.org,2021:1</id><title>T</title>
    <published>2021-07-07T10:00:00Z</published><author><name>A</name></author><link href="https://x.org/1"/>
    <content type="html">&lt;p&gt;Text.&lt;/p&gt;</content></entry></feed>"""
    found = one(write(tmp_path, "a.atom", atom))
    assert (found.id, found.text, found.author, found.source) == ("tag:x.org,2021:1", "Text.", "A", "F")


def test_a_feed_that_declares_entities_is_refused(tmp_path: Path) -> None:
    feed = RSS.replace("<rss", '<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss', 1)
    assert "entities" in failure(write(tmp_path, "a.rss", feed))
    assert "entities" in failure(write(tmp_path, "b.rss", feed.encode("utf-16")))


def test_the_entries_of_a_broken_feed_are_read_and_its_fault_is_told(tmp_path: Path) -> None:
    first, *_, last = load(write(tmp_path, "a.rss", RSS[: RSS.index("Only a")]))
    assert isinstance(first, Article)
    assert isinstance(last, Failure)
    assert "broken XML" in last.message


@cache
def pdf(text: str, password: str = "") -> bytes:
    stream = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET"
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        f"<</Length {len(stream)}>>stream\n{stream}\nendstream",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    body = "".join(f"{number} 0 obj{content}endobj\n" for number, content in enumerate(objects, 1))
    plain = f"%PDF-1.4\n{body}trailer<</Root 1 0 R/Size 6>>\nstartxref\n0\n%%EOF".encode()
    writer, out = PdfWriter(clone_from=PdfReader(io.BytesIO(plain))), io.BytesIO()
    writer.add_metadata({"/Title": "Talks", "/CreationDate": "D:20200101000000Z"})
    if password:
        writer.encrypt(password, algorithm="RC4-128")
    writer.write(out)
    return out.getvalue()


def test_a_pdf_gives_its_text_and_the_date_that_it_was_made_is_not_its_publication(tmp_path: Path) -> None:
    found = one(write(tmp_path, "a.pdf", pdf("Talks began in Tehran.")))
    assert (found.text, found.title, found.published) == ("Talks began in Tehran.", "Talks", None)


# Failures


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.txt", b"", "empty"),
        ("a.txt", b"\xef\xbb\xbf", "no text"),
        ("a.txt", b" \n", "empty"),
        ("a.txt", b"PK\x03\x04rest", "binary"),
        ("a.txt", bytes(range(256)) * 4, "binary"),
        ("a.txt", b"\xff\xfeabc", "UTF-16"),
        ("a.txt", b"Date: 2021-07-07\n\n", "no text after its header"),
        ("a.md", b"---\ntitle: [a: b\n---\nText.", "quotes"),
        ("a.html", b"<html><body></body></html>", "no article text"),
        ("a.json", b'{\n"text": "x",\n"title" "y"}', "line 3 column 9"),
        ("a.json", b"[" * 100_000, "nested"),
        ("a.json", b"[]", "no article"),
        ("a.json", b'{"a": [{"text": "x"}], "b": [{"text": "x"}]}', "2 lists"),
        ("a.json", b"7", "int"),
        ("a.jsonl", b"\n\n", "empty"),
        ("a.jsonl", b'[\n{\n"text": "x"\n}\n]', "several lines"),
        ("a.jsonl", b"\x89PNG\x00\x00\n\x00", "binary"),
        ("a.csv", b"id,title\n1,T\n", "columns id, title"),
        ("a.csv", b"text,id\n", "no article"),
        ("a.xml", b"<root><a/></root>", "no RSS or Atom"),
        ("a.rss", b'<rss version="2.0"><channel></channel></rss>', "without entries"),
        ("a.pdf", b"%PDF-1.4 broken", "broken PDF"),
        ("a.pdf", pdf(""), "OCR"),
        ("a.pdf", pdf("Text.", password="secret"), "encrypted"),
        ("a.docx", b"x", "no zip container"),
        ("a.png", b"x", ".txt"),
        ("a.xlsx", b"x", "save it as .csv"),
        ("a.doc", b"x", "save it as .docx"),
        ("a.tar.gz", b"x", "save it as .zip"),
        ("noext", b"x", ".txt"),
    ],
)
def test_each_bad_file_is_one_failure_that_says_what_is_wrong(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    assert said in failure(write(tmp_path, name, content))


@pytest.mark.parametrize("origin", ["missing.txt", "x" * 5000, "a\0b", "ftp://example.org/a", "file:///etc/passwd"])
def test_an_origin_that_cannot_be_read_is_one_failure(origin: str) -> None:
    failure(origin)


def test_a_file_over_the_bound_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with path.open("wb") as file:
        file.truncate(51_000_000)
    assert "51 MB" in failure(path)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.txt")
    assert "pipe" in failure(tmp_path / "a.txt")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read anything")
def test_a_file_or_folder_without_permission_is_one_failure(tmp_path: Path) -> None:
    write(tmp_path, "a.txt", "Text.").chmod(0)
    write(tmp_path, "b/b.txt", "Text.").parent.chmod(0)
    loaded = list(load(tmp_path))
    (tmp_path / "b").chmod(0o700)
    assert len(loaded) == 2
    assert all(isinstance(x, Failure) and "permission" in x.message for x in loaded)


# Folders


def test_a_folder_is_read_in_path_order_without_hidden_files_readmes_and_unknown_ones(
    tmp_path: Path,
) -> None:
    for name in ("b/2.txt", "a.md", "c.TXT", ".hidden/x.txt", ".y.txt", "README.md", "z.png"):
        write(tmp_path, name, f"Text of {name}.")
    names = ("a.md", "b/2.txt", "c.TXT")
    assert expand([tmp_path, tmp_path / "a.md"]) == [str(tmp_path / name) for name in names]
    assert [x.text for x in load(tmp_path) if isinstance(x, Article)] == [f"Text of {name}." for name in names]


def test_links_in_a_circle_end_and_a_broken_link_is_a_failure(tmp_path: Path) -> None:
    write(tmp_path, "a/x.txt", "Text.")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "b.txt").symlink_to(tmp_path / "b.txt")
    (tmp_path / "c.txt").symlink_to(tmp_path / "missing")
    first, second, third = load(tmp_path)
    assert isinstance(first, Article)
    assert isinstance(second, Failure)
    assert isinstance(third, Failure)


def test_a_folder_with_nothing_to_load_is_one_failure(tmp_path: Path) -> None:
    write(tmp_path, "z.png", "x")
    assert expand([tmp_path]) == [str(tmp_path)]
    assert "nothing to load" in failure(tmp_path)


def test_expand_keeps_what_is_no_folder_for_load_to_judge() -> None:
    assert expand(["missing", "-", "https://example.org", "missing"]) == ["missing", "-", "https://example.org"]


# URLs


@dataclass
class Site:
    """A loopback server with a page a path; it logs the requests."""

    url: str
    pages: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def add(self, path: str, body: str | bytes, *, kind: str = "text/html", status: int = 200, **headers: str) -> str:
        raw = body.encode() if isinstance(body, str) else body
        self.pages[path] = (status, {"Content-Type": kind, **{k.replace("_", "-"): v for k, v in headers.items()}}, raw)
        return self.url + path


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("no_proxy", "*")

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.requests.append((self.path, dict(self.headers)))
            status, headers, body = found.pages.get(self.path, (404, {}, b""))
            self.send_response(status)
            for key, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    found = Site(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield found
    server.shutdown()
    server.server_close()


def test_a_web_page_is_fetched_and_keeps_its_own_address(site: Site) -> None:
    found = one(site.add("/talks", HTML), allow_private=True)
    assert (found.title, found.url) == ("Talks in Tehran", f"{site.url}/talks")
    ((_, headers),) = site.requests
    assert headers["User-Agent"].startswith("dispatches/")
    assert headers["Host"] == site.url.removeprefix("http://")
    assert "Cookie" not in headers


def test_a_feed_is_told_by_what_it_starts_with(site: Site) -> None:
    loaded = list(load(site.add("/feed", RSS, kind="text/html"), allow_private=True))
    assert [type(x) for x in loaded] == [Article, Article, Failure]


@pytest.mark.parametrize(
    ("path", "kind", "body"),
    [
        ("/a", "application/json", b'[{"text": "Text."}]'),
        ("/a.jsonl", "application/octet-stream", b'{"text": "Text."}\n'),
        ("/a", "text/csv; charset=utf-8", b"id,text\n1,Text."),
        ("/a", "text/plain", b"Text."),
        ("/a.md", "text/plain", b"---\ntitle: T\n---\nText."),
        ("/a", "application/pdf", pdf("Text.")),
    ],
)
def test_other_formats_are_fetched_by_content_type_or_address(site: Site, path: str, kind: str, body: bytes) -> None:
    assert one(site.add(path, body, kind=kind), allow_private=True).text == "Text."


def test_the_charset_of_the_server_counts(site: Site) -> None:
    assert one(site.add("/a", b"caf\xe9", kind="text/plain; charset=ISO-8859-1"), allow_private=True).text == "café"


def test_a_redirect_is_followed_and_the_last_address_kept(site: Site) -> None:
    site.add("/end", HTML)
    start = site.add("/start", "", status=302, Location="/end", Set_Cookie="a=b")
    assert one(start, allow_private=True).url == f"{site.url}/end"
    assert all("Cookie" not in headers for _, headers in site.requests)


def test_private_addresses_are_refused_unless_allowed(site: Site) -> None:
    assert "--allow-private" in failure(site.add("/a", HTML))
    assert site.requests == []


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "10.0.0.1",
        "169.254.169.254",
        "192.168.1.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[fe80::1]",
        "0.0.0.0",
        "2130706433",
    ],
)
def test_every_form_of_a_private_address_is_refused(host: str) -> None:
    assert "not a public address" in failure(f"http://{host}/")


def test_each_hop_of_a_redirect_is_checked(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first hop counts as public; the second is the cloud's metadata service."""
    monkeypatch.setattr("rag.ingest.fetch._is_public", lambda address: address == "127.0.0.1")
    start = site.add("/a", "", status=302, Location="http://169.254.169.254/latest/meta-data")
    assert "169.254.169.254, not a public address" in failure(start)


def test_a_redirect_to_another_scheme_is_refused(site: Site) -> None:
    assert "file://" in failure(site.add("/a", "", status=302, Location="file:///etc/passwd"), allow_private=True)


def test_a_redirect_without_end_is_cut(site: Site) -> None:
    assert "5 times" in failure(site.add("/a", "", status=302, Location="/a"), allow_private=True)
    assert len(site.requests) == 6


@pytest.mark.parametrize("status", [404, 403, 500])
def test_an_error_status_is_named(site: Site, status: int) -> None:
    assert f"answered {status}" in failure(site.add("/a", "", status=status), allow_private=True)


def test_a_compressed_page_is_read_and_a_compression_bomb_is_not(site: Site) -> None:
    page = site.add("/a", gzip.compress(HTML.encode()), Content_Encoding="gzip")
    assert one(page, allow_private=True).title == "Talks in Tehran"
    bomb = site.add("/b", gzip.compress(bytes(30_000_000)), Content_Encoding="gzip")
    assert "when decompressed" in failure(bomb, allow_private=True)
    layers = site.add("/c", b"x", Content_Encoding="gzip, gzip")
    assert "compressed as" in failure(layers, allow_private=True)


def test_a_page_over_the_bound_is_cut_off(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.ingest.fetch.MAX_BODY", 1000)
    assert "download it" in failure(site.add("/a", HTML), allow_private=True)


def test_a_server_that_is_not_there_is_named() -> None:
    assert "127.0.0.1 cannot be reached" in failure("http://127.0.0.1:1/", allow_private=True)


def test_a_picture_is_refused_by_its_content_type(site: Site) -> None:
    assert "image/png" in failure(site.add("/a", b"\x89PNG", kind="image/png"), allow_private=True)


def test_an_address_with_a_password_is_refused() -> None:
    assert "password" in failure("https://user:secret@example.org/")


# Anything


@pytest.mark.parametrize("extension", sorted(READERS))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.binary(max_size=400),
        st.text(max_size=200).map(str.encode),
        st.text(alphabet="<>/&;!-[]{}\",:\\n'=?%#ap \n0", max_size=200).map(str.encode),
        st.builds(lambda body: b"<rss version='2.0'><channel><item>" + body, st.binary(max_size=200)),
        st.builds(lambda body: pdf("Text.")[: len(body) * 8] + body, st.binary(max_size=100)),
        st.dictionaries(st.sampled_from(["text", "date", "url", "id", "source", "author"]), st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
            max_leaves=5,
        )).map(lambda record: json.dumps(record).encode()),
    )
)  # fmt: skip
def test_any_bytes_under_any_extension_are_articles_or_failures(tmp_path: Path, extension: str, content: bytes) -> None:
    loaded = list(load(write(tmp_path, f"fuzz{extension}", content)))
    assert loaded
    for item in loaded:
        assert isinstance(item, Article | Failure)
        if isinstance(item, Article):
            assert item.text.strip()
            assert item.title
            (item.text + item.title + item.id).encode()


def test_a_headline_with_a_colon_needs_no_quotes(tmp_path: Path) -> None:
    path = tmp_path / "count.md"
    path.write_text("---\ntitle: Halden count: what went wrong\ndate: 2025-07-03\n---\nOne clerk erred.\n")
    [found] = load(path)
    assert (found.title, str(found.published)) == ("Halden count: what went wrong", "2025-07-03")
