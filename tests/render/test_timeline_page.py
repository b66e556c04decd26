"""The pages of `rag timeline --format markdown` and `html`."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rag.cli.app import app
from rag.ingest.metadata import article
from rag.render.digest_lines import timeline_lines
from rag.render.markdown import markdown_page
from rag.render.page import Bar, bars, html, html_page, reach
from rag.render.tables import rows
from rag.schema import Article, Citation, Conflict, Dispute, Event, Position, Precision, Statement, Timeline, Verdict

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")


class Page(HTMLParser):
    """The tags, attributes and text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: Sequence[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attributes if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        self.text += data


def event(text: str, day: str = "2021-08-08", *, url: str | None = None, title: str = "Report") -> Event:
    source = article(text, id=f"{title}{day}", title=title, url=url, published=day, source="Harirud Post")
    citation = Citation(1, source, "p", 0, len(source.text), source.text)
    statement = Statement(" ".join(source.text.split()), (citation,), Verdict.SUPPORTED)
    return Event(date.fromisoformat(day), Precision.DAY, statement)


def timeline(*events: Event, topic: str | None = None) -> Timeline:
    citations = tuple(citation for e in events for citation in e.statement.citations)
    articles: tuple[Article, ...] = tuple(citation.article for citation in citations)
    return Timeline(topic, articles, events, citations=citations)


def test_a_page_has_the_events_the_quotes_and_the_picture() -> None:
    page = Page(
        html_page(timeline(event("Kunduz fell.", url="https://example.org/1"), event("Kabul fell.", "2021-08-15")))
    )
    for words in ("Kunduz fell.", "2021-08-08", "Kabul fell.", "2021-08-15: 1 article", "1 source", "Report"):
        assert words in page.text
    assert (page.tags.count("li"), page.tags.count("rect"), page.tags.count("details")) == (2, 2, 2)
    assert page.links == ["https://example.org/1#:~:text=Kunduz%20fell."]


def test_the_title_has_the_topic_the_period_and_the_outlets() -> None:
    found = timeline(event("Kunduz fell."), event("Kabul fell.", "2021-08-15"), topic="the war")
    named = "2021-08-08 to 2021-08-15; Harirud Post"
    assert f"<title>Timeline: the war: {named}</title>" in html_page(found)
    assert f'<h1>Timeline: the war</h1>\n<p class="pale">{named}</p>' in html_page(found)
    assert reach(timeline(event("Kunduz fell."))) == "2021-08-08; Harirud Post"
    assert reach(timeline()) == ""


def test_of_many_outlets_the_first_four_are_named() -> None:
    cited = event("Kunduz fell.").statement.citations[0]
    many = [replace(cited, article=replace(cited.article, source=f"Outlet {n}")) for n in range(1, 7)]
    one = replace(event("Kunduz fell."), statement=Statement("Kunduz fell.", tuple(many)))
    assert reach(timeline(one)) == "2021-08-08; Outlet 1, Outlet 2, Outlet 3, Outlet 4, 2 more"


def test_a_page_follows_the_colors_of_its_reader() -> None:
    page = html_page(timeline(event("Kunduz fell.")))
    assert "color-scheme: light dark" in page
    assert "@media (prefers-color-scheme: dark)" in page


def test_an_event_on_which_sources_differ_has_the_other_side() -> None:
    told, other = event("Ten men died in Kunduz."), event("Nine <b>men died in Kunduz.", title="Other")
    citation = replace(other.statement.citations[0], number=2)
    sides = (Position("Ten", told.statement.citations[0]), Position("Nine", citation))
    found = replace(timeline(told), conflicts=(Conflict(Dispute.CONFLICT, "Kunduz", sides),))
    line = "- “Nine <b>men died in Kunduz.” [2] Harirud Post, 8 August 2021"
    assert found.text.splitlines()[1:] == ["Sources differ.", line]
    page = Page(html_page(found))
    assert line in page.text
    assert "b" not in page.tags
    assert "    - Sources differ.\n    - “Nine \\<b\\>men died in Kunduz.” \\[2\\] Harirud" in markdown_page(found)
    assert [line.text.strip(" │") for line in timeline_lines(found)][1:3] == ["Sources differ.", line]
    assert line in Page(html(found)).text
    assert {row["differing"] for row in rows(found)} == {f"Sources differ.; {line}"}


def test_a_page_needs_nothing_from_elsewhere() -> None:
    page = html_page(timeline(event("Kunduz fell.")))
    assert Page(page).links == []
    assert "default-src 'none'" in page
    assert not {"script", "link", "img", "iframe"} & set(Page(page).tags)


def test_text_from_articles_stays_text() -> None:
    hostile = event(
        "<script>alert(1)</script> & <b>Kunduz</b> fell.\x1b[31m",
        url="javascript:alert(1)",
        title="<img src=x onerror=y>",
    )
    page = Page(html_page(timeline(hostile, topic="</title><script>alert(2)</script>")))
    assert not {"script", "b", "img"} & set(page.tags)
    assert page.links == []
    assert "<script>alert(1)</script> & <b>Kunduz</b> fell." in page.text
    assert "\x1b" not in html_page(timeline(hostile))


def test_markdown_shows_the_text_as_it_is() -> None:
    page = markdown_page(timeline(event("*Kunduz* [fell](http://x) <b>.", title="# Report"), topic="war | peace"))
    assert page.startswith("# Timeline: war \\| peace\n\n```text\n2021-08-08 █ 1\n```\n")
    assert "- **2021-08-08** \\*Kunduz\\* \\[fell\\](http://x) \\<b\\>. \\[1\\]" in page
    assert "1. \\# Report — Harirud Post, 2021-08-08: “" in page
    assert "<details><summary>Sources</summary>" in page


def test_a_doubtful_event_and_one_that_its_article_does_not_date_are_marked() -> None:
    told = event("Kunduz fell.")
    statement = Statement("Kunduz fell twice.", told.statement.citations, Verdict.UNSUPPORTED)
    found = timeline(Event(told.date, told.precision, statement, stated=False))
    assert "not supported by what it cites" in Page(html_page(found)).text
    assert "published" in Page(html_page(found)).text
    assert "*(day of publication)* Kunduz fell twice. \\[1\\] **(not supported by what it cites)**" in markdown_page(
        found
    )


def test_a_timeline_of_nothing_says_why() -> None:
    for page in (html_page(timeline()), markdown_page(timeline())):
        assert "The articles say nothing on this topic." in page
        assert "<svg" not in page


def test_the_picture_counts_days_and_months_only_if_there_are_too_many() -> None:
    few = [event("x", "2001-09-11"), event("x", "2021-08-08"), event("x", "2021-08-08")]
    assert bars(few) == [Bar("2001-09-11", 1), Bar("2021-08-08", 2)]
    many = [event("x", f"2021-{month:02}-{day:02}") for month in (7, 8) for day in range(1, 31)]
    assert bars(many) == [Bar("2021-07", 30), Bar("2021-08", 30)]
    assert bars([]) == []


def test_the_command_writes_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_HOME", str(tmp_path / "library"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    arguments = ["timeline", "-q", "-a", "seeds", "--format"]
    page = CliRunner().invoke(app, [*arguments, "html"]).stdout
    assert page.startswith("<!doctype html>")
    assert page.endswith("</html>\n")
    assert Page(page).tags.count("li") == 10
    assert CliRunner().invoke(app, [*arguments, "markdown"]).stdout.startswith("# Timeline\n")


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")
def test_a_browser_shows_it_and_runs_nothing(tmp_path: Path) -> None:
    hostile = event("<script>document.title='taken'</script> Kunduz fell.", title="<svg onload=document.title='taken'>")
    (tmp_path / "page.html").write_text(html_page(timeline(hostile, event("Kabul fell.", "2021-08-15"))), "utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom"]
    command = [str(BROWSER), *options, (tmp_path / "page.html").as_uri()]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    assert "<title>Timeline: 2021-08-08 to 2021-08-15; Harirud Post</title>" in shown
    assert len(re.findall(r"<li\b", shown)) == len(re.findall(r"<rect\b", shown)) == 2
