"""What newsrooms keep: office files, books, mail, exports, agency XML, pages, JSON of interfaces, records."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from rag.ingest.loaders import load
from rag.schema import Article, Failure

FERRY = "The ferry Aurora of Brenholm ran aground on Monday with 212 people on board, the coast guard said."
TRAM = "The council of Ostrava Bay voted on Tuesday to close the tram line to the harbour in June."
LONG = " ".join([FERRY, "Nobody was hurt.", "Captain Nils Aune said the fog was thick.", "Divers look at the hull."])


def loaded(path: Path) -> list[Article]:
    found = list(load(path))
    assert all(isinstance(item, Article) for item in found), found
    return [item for item in found if isinstance(item, Article)]


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def zipped(parts: Mapping[str, str]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return stream.getvalue()


# archives

RECORDS = '{{"id": 1, "title": "Ferry", "text": "{}"}}\n{{"id": 2, "title": "Tram", "text": "{}"}}\n'


def test_the_files_in_an_archive_are_read_and_what_is_left_out_is_named(tmp_path: Path) -> None:
    parts = {"news/a.txt": f"title: Ferry\n\n{FERRY}", "b.html": f"<h1>Tram</h1><p>{TRAM}</p>", "c.png": "x"}
    found = loaded(written(tmp_path, "a.zip", zipped({**parts, "__MACOSX/._a.txt": "x"})))
    assert [FERRY in found[0].text, TRAM in found[1].text] == [True, True]
    assert "c.png" in " ".join(found[0].notes)


def test_an_id_is_one_in_its_own_file_of_an_archive(tmp_path: Path) -> None:
    parts = {"a.jsonl": RECORDS.format(FERRY, TRAM), "b.jsonl": RECORDS.format("Rain fell.", "Snow fell.")}
    assert len({article.place for article in loaded(written(tmp_path, "a.zip", zipped(parts)))}) == 4


def test_a_broken_file_in_an_archive_fails_alone(tmp_path: Path) -> None:
    found = list(load(written(tmp_path, "a.zip", zipped({"a.docx": "x", "b.txt": FERRY}))))
    assert isinstance(found[0], Failure)
    assert isinstance(found[1], Article)


def test_the_posts_of_substack_have_the_titles_and_dates_of_their_table(tmp_path: Path) -> None:
    table = "post_id,post_date,is_published,title\n1.ferry,2021-05-03T10:00:00.000Z,true,Aground\n2.tram,,false,Tram\n"
    posts = {"posts/1.ferry.html": f"<p>{FERRY}</p><p>Nobody was hurt.</p>", "posts/2.tram.html": f"<p>{TRAM}</p>"}
    archive = zipped({"posts.csv": table, **posts, "email_list.csv": "email\na@b.example\n"})
    ferry, tram = loaded(written(tmp_path, "export.zip", archive))
    assert (ferry.title, ferry.text, str(ferry.published)) == ("Aground", f"{FERRY}\n\nNobody was hurt.", "2021-05-03")
    assert "email_list.csv" in " ".join(ferry.notes)
    assert (tram.title, tram.published, tram.notes) == ("Tram", None, ("was not published: its status is draft",))


BINARY = {
    "zeros": bytes(9_000_000),
    "ones": b"\xff" * 5000,
    "controls": bytes(range(1, 9)) * 2000,
    "a text with zeros behind it": FERRY.encode() + bytes(50_000),
    "a program": b"\x7fELF\x02\x01\x01" + bytes(range(256)) * 40,
    "UTF-16 of zeros": b"\xff\xfe" + bytes(5000),
}


@pytest.mark.parametrize(
    "extension", [".txt", ".md", ".html", ".srt", ".vtt", ".eml", ".mbox", ".ris", ".csv", ".json"]
)
@pytest.mark.parametrize("what", BINARY)
def test_what_is_no_text_is_refused_under_any_name(tmp_path: Path, what: str, extension: str) -> None:
    *_, refused = load(written(tmp_path, f"a{extension}", BINARY[what]))
    assert isinstance(refused, Failure)
    assert "give the file its true extension, or get it anew" in refused.message


def test_a_packed_file_is_read_by_the_extension_below(tmp_path: Path) -> None:
    packed = gzip.compress(RECORDS.format(FERRY, TRAM).encode())
    assert len(loaded(written(tmp_path, "a.jsonl.gz", packed))) == 2
    (cut,) = load(written(tmp_path, "b.jsonl.gz", packed[:-20]))
    assert isinstance(cut, Failure)
    assert "unpack it" in cut.message


def test_a_packed_file_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    (bomb,) = load(written(tmp_path, "a.txt.gz", gzip.compress(bytes(60_000_000), 1)))
    assert isinstance(bomb, Failure)
    assert "unpacks to over 50 MB" in bomb.message


# office files and books

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def docx(*paragraphs: str, core: str = "", extra: Mapping[str, str] | None = None) -> bytes:
    body = "".join(f"<w:p><w:r><w:t>{p}</w:t></w:r></w:p>" for p in paragraphs)
    parts = {"word/document.xml": f'<w:document xmlns:w="{W}"><w:body>{body}</w:body></w:document>'}
    if core:
        parts["docProps/core.xml"] = core
    return zipped({**parts, **(extra or {})})


def test_a_word_file_is_an_article(tmp_path: Path) -> None:
    (found,) = loaded(written(tmp_path, "ferry.docx", docx("Ferry runs aground", FERRY, "Nobody was hurt.")))
    assert found.title == "Ferry runs aground"
    assert FERRY in found.text
    assert "Nobody was hurt." in found.text


@pytest.mark.parametrize("kind", ["footnote", "endnote"])
def test_notes_of_a_word_file_are_read_last(tmp_path: Path, kind: str) -> None:
    note = f"<w:{kind} w:id='2'><w:p><w:r><w:t>She was built in 1998.</w:t></w:r></w:p></w:{kind}>"
    notes = f'<w:{kind}s xmlns:w="{W}"><w:{kind} w:id="0"><w:p/></w:{kind}>{note}</w:{kind}s>'
    body = docx("Ferry runs aground", FERRY, extra={f"word/{kind}s.xml": notes})
    (found,) = loaded(written(tmp_path, "ferry.docx", body))
    assert found.text == f"Ferry runs aground\n\n{FERRY}\n\nShe was built in 1998."


def test_an_open_document_is_an_article(tmp_path: Path) -> None:
    names = (
        'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
    )
    note = "<text:note><text:note-body><text:p>It is ninety years old.</text:p></text:note-body></text:note>"
    body = f"<text:h>Tram line to close</text:h><text:p>{TRAM}{note}</text:p>"
    content = (
        f"<office:document-content {names}><office:body><office:text>{body}"
        "</office:text></office:body></office:document-content>"
    )
    (found,) = loaded(written(tmp_path, "tram.odt", zipped({"content.xml": content})))
    assert found.text == f"Tram line to close\n\n{TRAM}\n\nIt is ninety years old."


def test_rich_text_is_an_article(tmp_path: Path) -> None:
    rtf = r"{\rtf1\ansi\ansicpg1252{\fonttbl\f0 Times;}\f0 " + FERRY + r"\par Caf\'e9 owners helped.\par}"
    (found,) = loaded(written(tmp_path, "ferry.rtf", rtf))
    assert FERRY in found.text
    assert "Café owners helped." in found.text


def test_a_book_is_read_chapter_by_chapter(tmp_path: Path) -> None:
    container = (
        '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
        '<rootfile full-path="OEBPS/c.opf"/></rootfiles></container>'
    )
    opf = (
        '<package xmlns="http://www.idpf.org/2007/opf"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
        '<dc:title>Weekly</dc:title><dc:date event="modification">2024-09-29</dc:date><dc:date>2024-03-05</dc:date>'
        "<dc:creator>Ida Holt</dc:creator></metadata><manifest>"
        '<item id="a" href="a.xhtml" media-type="application/xhtml+xml"/>'
        '<item id="b" href="b.xhtml" media-type="application/xhtml+xml"/></manifest>'
        '<spine><itemref idref="b"/><itemref idref="a"/></spine></package>'
    )
    page = (
        "<html xmlns='http://www.w3.org/1999/xhtml'><head><title>c1</title></head><body><h1>{}</h1><p>{}</p>"
        "<div class='calibre_navbar'>| Next | Main menu |</div></body></html>"
    )
    parts = {
        "META-INF/container.xml": container,
        "OEBPS/c.opf": opf,
        "OEBPS/a.xhtml": page.format("Ferry", FERRY),
        "OEBPS/b.xhtml": page.format("Tram", TRAM),
    }
    found = loaded(written(tmp_path, "weekly.epub", zipped(parts)))
    assert [article.title for article in found] == ["Tram", "Ferry"]
    assert [article.text for article in found] == [f"Tram\n\n{TRAM}", f"Ferry\n\n{FERRY}"]
    assert {str(article.published) for article in found} == {"2024-03-05"}


@pytest.mark.parametrize("name", ["a.docx", "a.odt", "a.epub"])
def test_a_container_that_is_none_is_one_failure(tmp_path: Path, name: str) -> None:
    (found,) = load(written(tmp_path, name, "plain text"))
    assert isinstance(found, Failure)
    assert "is no zip container" in found.message


def test_a_zip_bomb_is_refused(tmp_path: Path) -> None:
    (found,) = load(written(tmp_path, "bomb.docx", docx("x" * 60_000_000)))
    assert isinstance(found, Failure)
    assert "unpacks to over 50 MB" in found.message


def test_entities_of_a_word_file_are_refused(tmp_path: Path) -> None:
    bomb = f'<!DOCTYPE w [<!ENTITY a "aaaa">]><w:document xmlns:w="{W}"><w:body>&a;</w:body></w:document>'
    (found,) = load(written(tmp_path, "bomb.docx", zipped({"word/document.xml": bomb})))
    assert isinstance(found, Failure)
    assert "declares XML entities" in found.message


# mail

HEAD = "From: Ida Holt <ida@post.example>\nSubject: =?utf-8?q?Ferry_aground_=E2=80=93_update?=\n"
STAMP = "Date: Mon, 04 Mar 24 10:00:00 +0100\n"


def test_a_mail_is_an_article(tmp_path: Path) -> None:
    (found,) = loaded(
        written(tmp_path, "m.eml", f"{HEAD}{STAMP}Content-Type: text/plain\n\n{FERRY}\n-- \nUnsubscribe\n")
    )
    assert (found.title, str(found.published)) == ("Ferry aground – update", "2024-03-04")
    assert found.text.strip() == FERRY


def test_a_newsletter_in_html_is_read_without_its_tags(tmp_path: Path) -> None:
    mail = (
        f"{HEAD}{STAMP}Content-Type: text/html; charset=utf-8\n\n<html><body><h1>Tram</h1><p>{TRAM}</p></body></html>"
    )
    (found,) = loaded(written(tmp_path, "m.eml", mail))
    assert TRAM in found.text
    assert "<p>" not in found.text


def test_a_mailbox_holds_an_article_a_mail(tmp_path: Path) -> None:
    one = "From ida@post.example Mon Mar  4 10:00:00 2024\n{}Message-ID: <{}@post.example>\n\n{}\n\n"
    box = one.format(HEAD + STAMP, 1, FERRY) + one.format(HEAD + STAMP, 2, f">From here on: {TRAM}")
    found = loaded(written(tmp_path, "box.mbox", box))
    assert [FERRY in found[0].text, TRAM in found[1].text] == [True, True]


@pytest.mark.parametrize(
    ("headers", "source", "title", "published"),
    [
        ("From: Ida Holt <i@p.example>\nSubject: Ferry\n  aground\nDate: Mon, 04 Mar 2024 23:00:00 -0000",
         "Ida Holt", "Ferry aground", "2024-03-04T23:00:00+00:00"),
        ('From: "Holt, Ida (desk)" <i@p.example>\nSubject: =?utf-8?b?w6k=?= =?utf-8?b?w6k=?=\nDate: 4 Mar 24 10:00 EST',
         "Holt, Ida (desk)", "éé", "2024-03-04T10:00:00-05:00"),
        ("From: Jörg <j@p.example>\nSubject: Straße\nDate: 2024-03-04", "Jörg", "Straße", "2024-03-04"),
        ("From: j@p.example\nSubject: Fog\nDate: Mon, 4 Mar 1700 10:00:00 +0000", "p.example", "Fog", None),
    ],
)  # fmt: skip
def test_headers_of_mail_are_read_as_the_standard_has_them(
    tmp_path: Path, headers: str, source: str, title: str, published: str | None
) -> None:
    (found,) = loaded(written(tmp_path, "m.eml", f"{headers}\n\n{FERRY}\n"))
    assert (found.source, found.title) == (source, title)
    assert (found.published and found.published.value.isoformat()) == published
    assert (published is None) == any("1700" in note for note in found.notes)


# exports

NEXIS = (
    "\n                               1 of 2 DOCUMENTS\n\n\n                              The Brenholm Echo\n\n"
    "                             March 4, 2024 Monday\n\nFerry runs aground in fog\n\nBYLINE: By Ida Holt\n\n"
    "SECTION: NEWS; Pg. 3\n\nLENGTH: 214 words\n\n\n {}\n\nLOAD-DATE: March 5, 2024\n\nLANGUAGE: ENGLISH\n\n"
    "PUBLICATION-TYPE: Newspaper\n\n                     Copyright 2024 Brenholm Echo\n"
    "                              All Rights Reserved\n\n\n                               2 of 2 DOCUMENTS\n\n\n"
    "                               The Bay Times\n\n                              March 5, 2024 Tuesday\n\n"
    "Tram line to close\n\nBYLINE: Jo Marsh\n\nLENGTH: 90 words\n\n\n {}\n\nLOAD-DATE: March 6, 2024\n\n"
    "LANGUAGE: ENGLISH\n\n                      Copyright 2024 Bay Times\n"
)


def test_a_lexisnexis_export_holds_an_article_a_document(tmp_path: Path) -> None:
    first, second = loaded(written(tmp_path, "nexis.txt", NEXIS.format(FERRY, TRAM)))
    assert (first.title, first.source, str(first.published)) == (
        "Ferry runs aground in fog",
        "The Brenholm Echo",
        "2024-03-04",
    )
    assert (second.title, second.source, str(second.published)) == ("Tram line to close", "The Bay Times", "2024-03-05")
    assert first.author == "Ida Holt"
    assert FERRY in first.text
    assert "LOAD-DATE" not in first.text + second.text
    assert "Rights Reserved" not in first.text


def test_a_lexisnexis_export_in_word_holds_an_article_a_document(tmp_path: Path) -> None:
    lines = [line.strip() for line in NEXIS.format(FERRY, TRAM).splitlines()]
    found = loaded(written(tmp_path, "nexis.docx", docx(*lines)))
    assert [article.title for article in found] == ["Ferry runs aground in fog", "Tram line to close"]


UNI = [
    *("Ferry runs aground in fog", "Brenholm Echo", "March 4, 2024 Monday", "Copyright 2024 Echo Media"),
    *("Section: NEWS; Pg. 3", "Length: 20 words", "Byline: Ida Holt", "Body", FERRY, "Graphic", "Photo: the ferry"),
    *("Load-Date: March 5, 2024", "End of Document"),
]


@pytest.mark.parametrize("name", ["uni.docx", "uni.pdf"])
def test_an_article_of_nexis_uni_is_read_without_its_captions(tmp_path: Path, name: str) -> None:
    lines = [(60, 700 - 14 * n - (20 if n else 0), line) for n, line in enumerate(UNI)]
    (found,) = loaded(written(tmp_path, name, docx(*UNI) if name.endswith("docx") else laid_out(lines)))
    assert (found.title, found.source, found.author) == ("Ferry runs aground in fog", "Brenholm Echo", "Ida Holt")
    assert str(found.published) == "2024-03-04"
    assert found.text == FERRY


FACTIVA = (
    "SE News\nHD Ferry runs aground in fog\nBY By Ida Holt\nWC 214 words\nPD 4 March 2024\nET 10:15\n"
    "SN Brenholm Echo\nSC BRENE\nPG 3\nLA English\nCY (c) 2024 Brenholm Echo\nLP\n{}\nTD\nNobody was hurt.\n"
    "NS gtrans : Transport\nRE norw : Norway\nAN Document BRENE00020240304ek3400001\n\n"
    "HD Tram line to close\nBY Jo Marsh\nWC 90 words\nPD 5 March 2024\nSN Bay Times\nLA English\n"
    "LP\n{}\nAN Document BAYT000020240305ek3500002\n"
)


def test_a_factiva_export_holds_an_article_a_document(tmp_path: Path) -> None:
    first, second = loaded(written(tmp_path, "factiva.txt", FACTIVA.format(FERRY, TRAM)))
    assert (first.title, first.source, str(first.published)) == (
        "Ferry runs aground in fog",
        "Brenholm Echo",
        "2024-03-04",
    )
    assert FERRY in first.text
    assert "Nobody was hurt." in first.text
    assert "gtrans" not in first.text
    assert (second.title, second.source) == ("Tram line to close", "Bay Times")


# agency XML

NITF = (
    "<nitf><head><title>Ferry runs aground</title><docdata><date.issue norm='20240304T101500Z'/>"
    "<doc-id id-string='x1'/></docdata></head><body><body.head><hedline><hl1>Ferry runs aground in fog</hl1></hedline>"
    "<byline>By <person>Ida Holt</person></byline><distributor>Brenholm Agency</distributor></body.head>"
    "<body.content><p>{}</p><p>Nobody was hurt.</p></body.content></body></nitf>"
)
G2 = (
    "<newsItem xmlns='http://iptc.org/std/nar/2006-10-01/' guid='urn:newsml:brenholm:{}' version='1'>"
    "<itemMeta><versionCreated>2024-03-04T11:00:00Z</versionCreated>"
    "<firstCreated>2024-03-04T10:15:00Z</firstCreated><provider literal='Brenholm Agency'/></itemMeta>"
    "<contentMeta><headline>{}</headline><by>Ida Holt</by></contentMeta>"
    "<contentSet><inlineXML><html xmlns='http://www.w3.org/1999/xhtml'><body><p>{}</p></body></html></inlineXML>"
    "</contentSet></newsItem>"
)


def test_nitf_is_an_article(tmp_path: Path) -> None:
    (found,) = loaded(written(tmp_path, "a.xml", NITF.format(FERRY)))
    assert (found.title, str(found.published)) == ("Ferry runs aground in fog", "2024-03-04")
    assert FERRY in found.text


def test_newsml_g2_is_an_article(tmp_path: Path) -> None:
    (found,) = loaded(written(tmp_path, "a.xml", G2.format(1, "Ferry runs aground", FERRY)))
    assert (found.title, str(found.published), found.author) == ("Ferry runs aground", "2024-03-04", "Ida Holt")
    assert FERRY in found.text


def test_a_message_of_several_items_holds_an_article_an_item(tmp_path: Path) -> None:
    items = G2.format(1, "Ferry", FERRY) + G2.format(2, "Tram", TRAM)
    message = f"<newsMessage xmlns='http://iptc.org/std/nar/2006-10-01/'><itemSet>{items}</itemSet></newsMessage>"
    assert [article.title for article in loaded(written(tmp_path, "a.xml", message))] == ["Ferry", "Tram"]


# JSON of interfaces, and records of data sets


def test_a_json_feed_holds_an_article_an_item(tmp_path: Path) -> None:
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "Brenholm Echo",
        "items": [
            {"id": "1", "url": "https://echo.example/1", "title": "Ferry", "content_html": f"<p>{FERRY}</p>"},
            {"id": "2", "title": "Tram", "content_text": TRAM, "date_published": "2024-03-05T10:00:00Z"},
        ],
    }
    first, second = loaded(written(tmp_path, "feed.json", json.dumps(feed)))
    assert (first.title, first.source, first.text) == ("Ferry", "Brenholm Echo", FERRY)
    assert (second.title, second.text, str(second.published)) == ("Tram", TRAM, "2024-03-05")


def test_the_guardian_interface_is_read(tmp_path: Path) -> None:
    result = {
        "id": "world/2024/mar/04/ferry",
        "type": "article",
        "sectionName": "World news",
        "webPublicationDate": "2024-03-04T10:15:00Z",
        "webTitle": "Ferry runs aground",
        "webUrl": "https://guardian.example/ferry",
        "fields": {"headline": "Ferry runs aground", "byline": "Ida Holt", "bodyText": LONG, "trailText": "Fog."},
    }
    (found,) = loaded(written(tmp_path, "g.json", json.dumps({"response": {"status": "ok", "results": [result]}})))
    assert (found.title, found.author, str(found.published)) == ("Ferry runs aground", "Ida Holt", "2024-03-04")
    assert found.text == LONG


def test_the_new_york_times_interface_is_read(tmp_path: Path) -> None:
    doc = {
        "abstract": FERRY,
        "web_url": "https://nyt.example/ferry.html",
        "snippet": FERRY,
        "lead_paragraph": LONG,
        "source": "The New York Times",
        "headline": {"main": "Ferry Runs Aground", "kicker": None},
        "pub_date": "2024-03-04T10:15:00+0000",
        "byline": {"original": "By Ida Holt", "person": []},
        "_id": "nyt://article/1",
    }
    (found,) = loaded(written(tmp_path, "n.json", json.dumps({"status": "OK", "response": {"docs": [doc]}})))
    assert (found.title, found.source) == ("Ferry Runs Aground", "The New York Times")
    assert (str(found.published), found.author) == ("2024-03-04", "Ida Holt")
    assert FERRY in found.text


@pytest.mark.parametrize(
    ("record", "text"),
    [
        ({"id": "7", "document": LONG, "summary": FERRY}, LONG),
        ({"id": "7", "article": LONG, "highlights": FERRY}, LONG),
        ({"headline": "Ferry", "short_description": FERRY, "category": "NEWS", "date": "2024-03-04"}, FERRY),
        (
            {
                "title": "Ferry",
                "maintext": LONG,
                "source_domain": "echo.example",
                "date_publish": "2024-03-04 10:15:00",
            },
            LONG,
        ),
        ({"title": "Ferry", "text": LONG, "authors": float("nan"), "source": float("nan")}, LONG),
        ({"title": "Ferry", "content": LONG, "publication": "Echo", "year": 2024.0, "month": 3.0}, LONG),
    ],
)
def test_records_of_data_sets_give_their_text_and_not_their_summary(
    tmp_path: Path, record: Mapping[str, object], text: str
) -> None:
    (found,) = loaded(written(tmp_path, "r.jsonl", json.dumps(record)))
    assert found.text == text
    assert found.author is None
    assert "nan" not in f"{found.source}"


def test_a_record_of_several_documents_is_several_articles(tmp_path: Path) -> None:
    record = {"document": f"{LONG} ||||| {TRAM}", "summary": "Two things happened."}
    assert [a.text for a in loaded(written(tmp_path, "multi.jsonl", json.dumps(record)))] == [LONG, TRAM]


def test_tables_of_news_are_read(tmp_path: Path) -> None:
    agnews = f'Class Index,Title,Description\n3,Ferry,"{FERRY}"\n'
    all_the_news = (
        ",id,title,publication,author,date,year,month,url,content\n"
        f'0,17283,Ferry,Brenholm Echo,Ida Holt,2024-03-04,2024.0,3.0,,"{LONG}"\n'
    )
    (first,) = loaded(written(tmp_path, "ag.csv", agnews))
    (second,) = loaded(written(tmp_path, "all.csv", all_the_news))
    assert (first.title, first.text) == ("Ferry", FERRY)
    assert (second.source, second.author, str(second.published)) == ("Brenholm Echo", "Ida Holt", "2024-03-04")


def test_a_row_with_broken_quotes_is_left_out_alone(tmp_path: Path) -> None:
    table = f'id,title,text\n1,Ferry,"{FERRY}"\n2,Bad,"He said "no" and left"\n3,Tram,"{TRAM}"\n'
    found = list(load(written(tmp_path, "t.csv", table)))
    assert [item.title for item in found if isinstance(item, Article)] == ["Ferry", "Tram"]
    assert [item.origin for item in found if isinstance(item, Failure)] == [f"{tmp_path / 't.csv'}:3"]


def test_fields_that_look_like_text_are_named(tmp_path: Path) -> None:
    (found,) = load(written(tmp_path, "r.jsonl", json.dumps({"title": "Ferry", "vollinhalt": 3 * LONG})))
    assert isinstance(found, Failure)
    assert "vollinhalt looks like one: name it text" in found.message


# pages

PAGE = (
    "<html><head><title>Ferry runs aground | Echo</title>{}</head><body><nav><a href='/'>Home</a></nav>{}</body></html>"
)
BODY = f"<article><h1>Ferry runs aground</h1><p>{FERRY}</p><p>{LONG}</p><p>{TRAM}</p></article>"


def test_the_day_of_a_change_is_not_that_of_publication(tmp_path: Path) -> None:
    changed = '<meta property="article:modified_time" content="2024-09-29T14:42:00+02:00">'
    (found,) = loaded(written(tmp_path, "p.html", PAGE.format(changed, BODY)))
    assert found.published is None
    assert "only that of its last change" in found.notes[0]


@pytest.mark.parametrize(
    "said",
    [
        '<meta property="article:published_time" content="2024-03-04T10:00:00Z">',
        '<script type="application/ld+json">{"@type": "NewsArticle", "datePublished": "2024-03-04T10:00:00Z", '
        '"dateModified": "2024-09-29T10:00:00Z"}</script>',
    ],
)
def test_the_day_of_publication_is_read_beside_that_of_a_change(tmp_path: Path, said: str) -> None:
    changed = '<meta property="article:modified_time" content="2024-09-29T14:42:00+02:00">'
    (found,) = loaded(written(tmp_path, "p.html", PAGE.format(changed + said, BODY)))
    assert str(found.published) == "2024-03-04"


def test_line_breaks_end_no_sentence(tmp_path: Path) -> None:
    body = f"<article><h1>Ferry</h1><p>The ferry Aurora<br>ran aground<br/>on Monday.</p><p>{LONG}</p></article>"
    (found,) = loaded(written(tmp_path, "p.html", PAGE.format("", body)))
    assert "The ferry Aurora ran aground on Monday." in found.text


def test_an_offer_behind_a_wall_is_no_part_of_an_article(tmp_path: Path) -> None:
    wall = "<div class='paywall'><p>Subscribe now: 4 euros a month. Join 90,000 readers.</p></div>"
    (found,) = loaded(written(tmp_path, "p.html", PAGE.format("", BODY.replace("</article>", f"{wall}</article>"))))
    assert "90,000" not in found.text
    assert "not whole" in found.notes[0]


def test_posts_of_a_live_blog_keep_their_times(tmp_path: Path) -> None:
    update = {
        "@type": "BlogPosting",
        "headline": "Aground",
        "datePublished": "2024-03-04T10:15:00Z",
        "articleBody": FERRY,
    }
    later = {"@type": "BlogPosting", "headline": "Afloat", "datePublished": "2024-03-04T16:40:00Z", "articleBody": TRAM}
    blog = {"@type": "LiveBlogPosting", "headline": "Ferry: live", "liveBlogUpdate": [later, update]}
    script = f'<script type="application/ld+json">{json.dumps(blog)}</script>'
    first, second = loaded(written(tmp_path, "p.html", PAGE.format(script, BODY)))
    assert first.title.endswith("10:15 Aground")
    assert second.title.endswith("16:40 Afloat")
    assert (first.text, second.text) == (FERRY, TRAM)


# encodings and dates


@pytest.mark.parametrize("codec", ["cp1252", "utf-16", "utf-8-sig"])
def test_a_draft_in_any_common_encoding_is_read(tmp_path: Path, codec: str) -> None:
    text = f"“The fog was thick,” Captain Nils Aune said. {FERRY} Café owners helped."
    (found,) = loaded(written(tmp_path, "a.txt", text.encode(codec)))
    assert "“The fog was thick,” Captain" in found.text
    assert "Café" in found.text
    assert bool(found.notes) == (codec == "cp1252")


def test_an_impossible_date_is_said(tmp_path: Path) -> None:
    (found,) = loaded(
        written(tmp_path, "r.jsonl", json.dumps({"title": "Ferry", "text": LONG, "date": "31 June 2024"}))
    )
    assert found.published is None
    assert "has the date '31 June 2024'" in found.notes[0]


def test_all_that_is_read_of_a_container_is_bounded_together(tmp_path: Path) -> None:
    container = '<container><rootfiles><rootfile full-path="c.opf"/></rootfiles></container>'
    items = "".join(f'<item id="i{n}" href="{n}.xhtml" media-type="application/xhtml+xml"/>' for n in range(4))
    refs = "".join(f'<itemref idref="i{n}"/>' for n in range(4))
    opf = f"<package><manifest>{items}</manifest><spine>{refs}</spine></package>"
    parts = {"META-INF/container.xml": container, "c.opf": opf}
    chapters = {f"{n}.xhtml": f"<html><body>{' ' * 20_000_000}</body></html>" for n in range(4)}
    found = list(load(written(tmp_path, "bomb.epub", zipped({**parts, **chapters}))))
    assert "unpacks to over 50 MB" in [item.message for item in found if isinstance(item, Failure)][-1]


# PDF


def laid_out(*pages: list[tuple[int, int, str]]) -> bytes:
    """A PDF of pages of lines, each at its place from the lower left corner."""
    kids = " ".join(f"{2 * n + 4} 0 R" for n in range(len(pages)))
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Kids[{kids}]/Count {len(pages)}>>",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    for number, lines in enumerate(pages):
        stream = "\n".join(f"BT /F1 9 Tf {x} {y} Td ({text}) Tj ET" for x, y, text in lines)
        resources = "/Resources<</Font<</F1 3 0 R>>>>"
        objects += [
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents {2 * number + 5} 0 R{resources}>>",
            f"<</Length {len(stream)}>>stream\n{stream}\nendstream",
        ]
    body, places = "%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(body))
        body += f"{number} 0 obj{content}endobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    size = len(objects) + 1
    return (
        f"{body}xref\n0 {size}\n0000000000 65535 f \n{table}trailer<</Root 1 0 R/Size {size}>>\n"
        f"startxref\n{len(body)}\n%%EOF"
    ).encode()


LEFT = [
    "The ferry Aurora of Brenholm ran aground on",
    "Monday in thick fog with 212 people on board,",
    "the coast guard said. Nobody was hurt.",
]
RIGHT = [
    "The council of Ostrava Bay voted on Tuesday",
    "to close the tram line to the harbour, which",
    "is ninety years old, in June.",
]


def column(x: int, lines: list[str]) -> list[tuple[int, int, str]]:
    return [(x, 700 - 12 * n, line) for n, line in enumerate(lines)]


def test_columns_are_read_one_after_the_other(tmp_path: Path) -> None:
    (found,) = loaded(written(tmp_path, "a.pdf", laid_out([*column(60, LEFT), *column(330, RIGHT)])))
    text = " ".join(found.text.split())
    assert " ".join(LEFT) in text
    assert " ".join(RIGHT) in text


def test_columns_are_read_one_after_the_other_whatever_order_they_were_written_in(tmp_path: Path) -> None:
    mixed = [line for pair in zip(column(330, RIGHT), column(60, LEFT), strict=True) for line in pair]
    (found,) = loaded(written(tmp_path, "a.pdf", laid_out(mixed)))
    text = " ".join(found.text.split())
    assert text.index(" ".join(LEFT)) < text.index(" ".join(RIGHT))


@pytest.mark.parametrize(
    ("first", "second", "whole"),
    [
        ("passen-", "gers", "passengers"),
        ("long-", "term", "long-term"),
        ("60-", "year", "60-year"),
        ("20-", "30", "20-30"),
    ],
)
def test_a_word_that_is_broken_at_the_end_of_a_line_is_joined(
    tmp_path: Path, first: str, second: str, whole: str
) -> None:
    lines = [
        f"The ferry Aurora carried many {first}",
        f"{second} plans and cars to the island in the fog",
        "on Monday.",
    ]
    (found,) = loaded(written(tmp_path, "a.pdf", laid_out(column(60, lines))))
    assert f"many {whole} plans" in found.text


def test_the_columns_of_a_short_last_page_are_those_of_the_pages_before(tmp_path: Path) -> None:
    last = [(60, 600, "The captain was heard"), (60, 588, "on Tuesday."), (330, 600, "A bus will go there.")]
    (found,) = loaded(written(tmp_path, "a.pdf", laid_out([*column(60, LEFT), *column(330, RIGHT)], last)))
    assert found.text.endswith("The captain was heard on Tuesday.\n\nA bus will go there.")


@pytest.mark.parametrize("above", [True, False])
def test_a_table_across_columns_keeps_its_rows(tmp_path: Path, above: bool) -> None:
    rows = [["Boat", "Length", "Built"], ["Aurora", "90 m", "1998"], ["Hope", "45 m", "2011"]]
    top = 740 if above else 640
    table = [(x, top - 12 * n, cell) for n, row in enumerate(rows) for x, cell in zip((60, 200, 400), row, strict=True)]
    (found,) = loaded(written(tmp_path, "a.pdf", laid_out([*table, *column(60, LEFT), *column(330, RIGHT)])))
    texts = ["\n\n".join(" | ".join(row) for row in rows), " ".join(LEFT), " ".join(RIGHT)]
    assert found.text == "\n\n".join(texts if above else [*texts[1:], texts[0]])


def test_running_heads_and_page_numbers_are_left_out(tmp_path: Path) -> None:
    pages = [
        [(60, 770, "Brenholm Echo Weekly"), *column(60, [f"{line} Part {n}." for line in LEFT]), (300, 20, f"Page {n}")]
        for n in (1, 2, 3)
    ]
    (found,) = loaded(written(tmp_path, "a.pdf", laid_out(*pages)))
    assert "Echo Weekly" not in found.text
    assert "Page 2" not in found.text


ATTRIBUTES = " ".join(f"a{i}=1" for i in range(2000))


@pytest.mark.parametrize(
    ("name", "body", "why"),
    [
        (
            "a.html",
            f"<html><body><article><p {ATTRIBUTES}>{'Rain fell. ' * 50}</p></article></body></html>",
            "a tag of",
        ),
        (
            "a.jsonl",
            json.dumps({"text": f"<p>It rained.</p><p {ATTRIBUTES}>Rain fell.</p>"}),
            "a tag of over 1000 attributes",
        ),
        (
            "a.csv",
            f'title,text\nRain,"<p>It rained.</p><p {ATTRIBUTES}>Rain fell.</p>"\n',
            "a tag of over 1000 attributes",
        ),
        ("a.xml", f"<rss><channel><item {ATTRIBUTES}><title>Rain</title></item></channel></rss>", "a tag of over 1000"),
        ("a.mbox", f"From a\nSubject: {'=?utf-8?q?a?= ' * 2000}\n\nRain fell.\n", "a header of over 20,000 characters"),
    ],
)
def test_what_its_parser_takes_the_square_of_is_refused(tmp_path: Path, name: str, body: str, why: str) -> None:
    (tmp_path / name).write_text(body)
    (refused,) = load(tmp_path / name)
    assert isinstance(refused, Failure)
    assert why in str(refused)


def test_long_values_of_attributes_are_read(tmp_path: Path) -> None:
    state = f"data-state='{'word > other ' * 3000}' onload=\"{'x = 1; ' * 3000}\""
    (tmp_path / "a.html").write_text(
        f"<html><body><article><p {state}>{'Rain fell. ' * 50}</p></article></body></html>"
    )
    (read,) = load(tmp_path / "a.html")
    assert isinstance(read, Article)


# exports of content systems, chats and subtitles

PRESS = '<?xml version="1.0"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" {}><channel>'
NAMESPACES = 'xmlns:wp="http://wordpress.org/export/1.2/" xmlns:media="http://search.yahoo.com/mrss/"'


def feed(*items: str) -> str:
    return (
        f"{PRESS.format(NAMESPACES)}<title>Post</title>{''.join(map('<item>{}</item>'.format, items))}</channel></rss>"
    )


def wordpress(kind: str, status: str, text: str) -> str:
    state = f"<wp:status>{status}</wp:status><wp:post_type>{kind}</wp:post_type>"
    return f"<guid>x:{text[:9]}</guid><content:encoded><![CDATA[<p>{text}</p>]]></content:encoded>{state}"


def test_a_draft_in_an_export_of_wordpress_is_called_one_and_its_pictures_are_no_articles(tmp_path: Path) -> None:
    items = (
        wordpress("post", "publish", FERRY),
        wordpress("attachment", "inherit", ""),
        wordpress("page", "draft", TRAM),
    )
    ferry, tram = loaded(written(tmp_path, "wp.xml", feed(*items)))
    assert (ferry.text, ferry.notes) == (FERRY, ())
    assert "its status is draft" in " ".join(tram.notes)


@pytest.mark.parametrize("before", [True, False])
def test_the_caption_of_a_picture_never_replaces_the_entry(tmp_path: Path, before: bool) -> None:
    caption = f"<media:description type='plain'>{'A caption. ' * 40}</media:description>"
    parts = [caption, f"<content:encoded><![CDATA[<p>{FERRY}</p>]]></content:encoded>"]
    (found,) = loaded(written(tmp_path, "f.rss", feed("".join(parts if before else parts[::-1]))))
    assert found.text == FERRY


def test_the_description_of_a_video_is_the_text_where_there_is_no_other(tmp_path: Path) -> None:
    video = f"<title>V</title><media:group><media:description>{FERRY}</media:description></media:group>"
    (found,) = loaded(written(tmp_path, "f.rss", feed(video)))
    assert found.text == FERRY


def test_all_authors_of_an_entry_are_named(tmp_path: Path) -> None:
    authors = "<author><name>Ida Holt</name></author><author><name>Ole Rand</name></author>"
    entry = f"<entry><id>x:1</id><title>T</title>{authors}<summary>{FERRY}</summary></entry>"
    (found,) = loaded(written(tmp_path, "a.atom", f'<feed xmlns="http://www.w3.org/2005/Atom">{entry}</feed>'))
    assert found.author == "Ida Holt, Ole Rand"


def test_the_posts_of_a_database_are_found_in_its_export(tmp_path: Path) -> None:
    posts = [
        {"id": "1", "title": "Ferry", "html": f"<p>{FERRY}</p>", "plaintext": None, "status": "published"},
        {"id": "2", "title": "Tram", "html": f"<p>{TRAM}</p>", "plaintext": None, "status": "draft"},
    ]
    tables = {"posts": posts, "tags": [{"name": "News", "description": None}], "settings": [{"key": "a", "value": "b"}]}
    ferry, tram = loaded(written(tmp_path, "g.json", json.dumps({"db": [{"meta": {"version": "4"}, "data": tables}]})))
    assert [(ferry.title, ferry.text), tram.text] == [("Ferry", FERRY), TRAM]
    assert "draft" in " ".join(tram.notes)


def test_words_in_bold_in_a_message_stay_in_their_sentence(tmp_path: Path) -> None:
    text = [
        {"type": "bold", "text": "Breaking: "},
        "the ferry ran ",
        {"type": "italic", "text": "aground"},
        ".\n\nMore soon.",
    ]
    message = {"id": 7, "type": "message", "date": "2021-05-03T10:15:00", "from": "Wire", "text": text}
    (found,) = loaded(written(tmp_path, "r.json", json.dumps({"name": "Wire", "messages": [message]})))
    assert found.text == "Breaking: the ferry ran aground.\n\nMore soon."
    assert (found.author, str(found.published)) == ("Wire", "2021-05-03")


@pytest.mark.parametrize("stamp", [{"ts": "1620036900.000200"}, {"created_utc": 1620036900}])
def test_the_time_of_a_message_is_when_it_was_published(tmp_path: Path, stamp: dict[str, object]) -> None:
    (found,) = loaded(written(tmp_path, "m.json", json.dumps([{"user": "U1", "text": FERRY, **stamp}])))
    assert found.published is not None
    assert str(found.published.day) == "2021-05-03"


SUBRIP = """1\r
00:00:01,000 --> 00:00:04,200\r
<i>The ferry Aurora of Brenholm\r
ran aground</i>\r
\r
2\r
00:00:04,300 --> 00:00:07,000\r
ran aground\r
on Monday.\r
\r
3\r
00:00:08,000 --> 00:00:12,000\r
- Was anybody hurt?\r
-Nobody.\r
"""
WEBVTT = """WEBVTT - Briefing

NOTE by hand

00:01.000 --> 00:04.000 align:start
<v Ida Holt>The ferry <00:02.000><c>ran</c> aground

00:04.000 --> 00:07.000
<v Ida Holt>on Monday &amp; sank.

00:08.000 --> 00:09.000
<v Ole Rand>Was anybody hurt?
"""


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("a.srt", SUBRIP, "The ferry Aurora of Brenholm ran aground on Monday.\n\nWas anybody hurt?\n\nNobody."),
        ("a.vtt", WEBVTT, "Ida Holt: The ferry ran aground on Monday & sank.\n\nOle Rand: Was anybody hurt?"),
    ],
)
def test_subtitles_are_read_as_what_is_said(tmp_path: Path, name: str, content: str, text: str) -> None:
    (found,) = loaded(written(tmp_path, name, content))
    assert found.text == text


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.srt", "1\n00:01,0 --> 00:04,0\nThe ferry\n\nran aground.\n2\n00:05,0 --> 00:06,0\nNobody was hurt.\n"),
        ("a.srt", "\ufeff00:00:01,000 --> 00:00:04,000  X1:40\n{\\an8}The ferry ran\naground. Nobody was hurt.\n"),
        ("a.vtt", "WEBVTT\nKind: captions\n\nSTYLE\n::cue {}\n\nx\n00:01.000 --> 00:04.000\nThe ferry ran aground.\n\n"
        "NOTE\nby hand\n\n2\n00:05.000 --> 00:06.000\nNobody was hurt.\n\nNOTE the end\n"),
    ],
)  # fmt: skip
def test_numbers_names_comments_and_blank_lines_of_subtitles_are_no_part_of_the_text(
    tmp_path: Path, name: str, content: str
) -> None:
    (found,) = loaded(written(tmp_path, name, content))
    assert found.text == "The ferry ran aground. Nobody was hurt."


def test_subtitles_without_times_are_refused(tmp_path: Path) -> None:
    (found,) = load(written(tmp_path, "a.srt", FERRY))
    assert isinstance(found, Failure)
    assert "00:00:01,000 --> 00:00:04,000" in found.message


def test_references_with_abstracts_are_articles_that_are_said_to_be_abstracts(tmp_path: Path) -> None:
    fields = "TI  - Ferry\nAU  - Holt, Ida\nAU  - Rand, Ole\nT2  - Post\nPY  - 2021/05/03/\n"
    first = f"TY  - NEWS\n{fields}AB  - {FERRY[:50]}\n  {FERRY[50:]}\n"
    ferry, tram = load(written(tmp_path, "a.ris", f"{first}ER  - \n\nTY  - NEWS\nTI  - Tram\nER  - \n"))
    assert isinstance(ferry, Article)
    assert (ferry.title, ferry.author, ferry.source) == ("Ferry", "Holt, Ida; Rand, Ole", "Post")
    assert (" ".join(ferry.text.split()), str(ferry.published)) == (" ".join(FERRY.split()), "2021-05-03")
    assert "summary" in " ".join(ferry.notes)
    assert isinstance(tram, Failure)


def test_references_without_ends_are_told_apart_and_dated_by_their_day(tmp_path: Path) -> None:
    text = (
        f"Provider: Wire\n\nTY - NEWS\nTI - Ferry\nPY - 2021\nDA - 2021/05/03/\nAB - {FERRY}\nTY - NEWS\nAB - {TRAM}\n"
    )
    ferry, tram = loaded(written(tmp_path, "a.ris", text))
    assert (ferry.title, ferry.text, str(ferry.published)) == ("Ferry", FERRY, "2021-05-03")
    assert tram.text == TRAM


def test_an_export_of_factiva_in_html_is_read(tmp_path: Path) -> None:
    rows = "".join(
        f"<div>{row}</div>"
        for row in ("Ferry aground", "By Ida Holt", "60 words", "3 May 2021", "Post", "PST", "English")
    )
    text = f"<div>Copyright 2021. Post.</div><p class='articleParagraph'>{FERRY}</p>"
    page = f"<html><body><div>{rows}{text}<p>Document POST000020210503eh530000a</p></div></body></html>"
    (found,) = loaded(written(tmp_path, "f.html", page))
    assert (found.title, found.author, found.source, found.text) == ("Ferry aground", "Ida Holt", "Post", FERRY)


def test_the_text_that_was_deleted_from_rich_text_is_left_out(tmp_path: Path) -> None:
    rtf = "{\\rtf1\\ansi The ferry {\\rtlch\\deleted\\revauthdel1 gone }ran aground.{\\deleted\\f0 all of it}\\par}"
    (found,) = loaded(written(tmp_path, "a.rtf", rtf))
    assert " ".join(found.text.split()) == "The ferry ran aground."


def test_a_message_that_is_attached_to_another_is_read_too(tmp_path: Path) -> None:
    inner = f"From: Ole Rand <o@x.example>\nSubject: Ferry\nDate: Sun, 2 May 2021 09:00:00 +0000\n\n{FERRY}\n"
    parts = f"--B\nContent-Type: text/plain\n\nWorth a story.\n--B\nContent-Type: message/rfc822\n\n{inner}\n--B--\n"
    head = "From: Ida Holt <i@x.example>\nSubject: Fwd: Ferry\nContent-Type: multipart/mixed; boundary=B\n\n"
    found = loaded(written(tmp_path, "a.eml", head + parts))
    assert [(mail.source, mail.text) for mail in found] == [("Ida Holt", "Worth a story."), ("Ole Rand", FERRY)]
    assert str(found[1].published).startswith("2021-05-02")


def test_the_job_of_an_author_is_no_part_of_the_name(tmp_path: Path) -> None:
    head = "<body.head><byline>By <person>Ida Holt</person><byttl>Staff writer</byttl></byline></body.head>"
    body = f"<nitf><body>{head}<body.content><p>{FERRY}</p></body.content></body></nitf>"
    (found,) = loaded(written(tmp_path, "a.nitf", body))
    assert found.author == "Ida Holt"


def test_offers_in_an_amp_page_stay_out(tmp_path: Path) -> None:
    ad = "<amp-ad><div>Cars for sale here, cheap.</div></amp-ad><amp-consent><p>We use cookies.</p></amp-consent>"
    page = f"<!doctype html><html amp><body><article><p>{FERRY}</p>{ad}<p>{LONG}</p></article></body></html>"
    (found,) = loaded(written(tmp_path, "a.html", page))
    assert found.text == f"{FERRY}\n\n{LONG}"


@pytest.mark.parametrize("element", ["article", "main"])
def test_the_headline_of_a_short_page_is_not_glued_to_its_first_sentence(tmp_path: Path, element: str) -> None:
    page = f"<!doctype html><{element}><h1>Ferry aground</h1><p>{FERRY}</p><p>Nobody was hurt.</p></{element}>"
    (found,) = loaded(written(tmp_path, "a.html", page))
    assert found.text == f"Ferry aground\n\n{FERRY}\n\nNobody was hurt."


def test_the_messages_of_several_chats_are_read_whole(tmp_path: Path) -> None:
    linked = {"id": 2, "date": "2021-05-04T10:15:00", "text": ["See ", {"type": "link", "text": "https://x.example"}]}
    chats = [{"name": "A", "messages": [{"id": 1, "text": FERRY}]}, {"name": "B", "messages": [linked]}]
    found = loaded(written(tmp_path, "r.json", json.dumps({"chats": {"list": chats}})))
    assert [message.text for message in found] == [FERRY, "See https://x.example"]


def test_xml_of_an_archive_of_its_own_is_read_by_the_names_of_its_elements(tmp_path: Path) -> None:
    first = f"<headline>Ferry</headline><pubdate>2021-05-03</pubdate><body><p>{FERRY}</p><p>It sank.</p></body>"
    second = f"<headline>Tram</headline><text>{TRAM}</text><text>Nobody spoke.</text>"
    xml = f"<articles><article itemid='5'>{first}</article><article>{second}</article></articles>"
    ferry, tram = loaded(written(tmp_path, "a.xml", xml))
    assert (ferry.title, str(ferry.published), ferry.text) == ("Ferry", "2021-05-03", f"{FERRY}\n\nIt sank.")
    assert (tram.title, tram.text) == ("Tram", f"{TRAM}\n\nNobody spoke.")


@pytest.mark.parametrize(
    "xml",
    [
        f"<svg><text>{FERRY}</text></svg>",
        f"<mediawiki><page><revision><timestamp>2021-05-03</timestamp><text>{FERRY}</text></revision></page></mediawiki>",
        "<urlset><url><loc>https://x.example/1</loc></url></urlset>",
    ],
)
def test_xml_that_holds_no_articles_is_refused(tmp_path: Path, xml: str) -> None:
    (found,) = load(written(tmp_path, "a.xml", xml))
    assert isinstance(found, Failure)
    assert "no RSS or Atom, NITF or NewsML" in found.message


def test_menus_stay_out_of_a_short_page(tmp_path: Path) -> None:
    page = f"<!doctype html><body><nav><a>Home</a></nav><div><h2>Ferry</h2><p>{FERRY}</p></div></body>"
    (found,) = loaded(written(tmp_path, "a.html", page))
    assert found.text == f"Ferry\n\n{FERRY}"


@pytest.mark.parametrize(
    ("name", "content", "seen"),
    [
        # Zotero's table
        (
            "z.csv",
            f'"Author","Title","Publication Title","Abstract Note","Date"\n'
            f'"Holt, Ida","Ferry","Post","{FERRY}","2021-05-03"\n',
            ("Ferry", "2021-05-03", "Post", "Holt, Ida"),
        ),
        # the interface of WordPress, whose authors are numbers
        (
            "w.json",
            json.dumps([{"date": "2021-05", "title": {"rendered": "F"}, "content": {"rendered": FERRY}, "author": 3}]),
            ("F", "2021-05", None, None),
        ),
        # a post of Bluesky
        (
            "b.jsonl",
            json.dumps({"author": {"displayName": "Ida"}, "record": {"createdAt": "2021-05-03", "text": FERRY}}),
            (f"{FERRY[:79]}…", "2021-05-03", None, "Ida"),
        ),
        ("2021-05-03.md", f"Ferry aground\n=====\n\n{FERRY}\n", ("Ferry aground", "2021-05-03", None, None)),
    ],
)  # fmt: skip
def test_what_other_programs_write_is_read_with_its_fields(
    tmp_path: Path, name: str, content: str, seen: tuple[str | None, ...]
) -> None:
    (found,) = loaded(written(tmp_path, name, content))
    assert (found.title, str(found.published), found.source, found.author) == seen
    assert found.text.strip().endswith(FERRY)
