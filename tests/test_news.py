"""What is new in feeds and folders, and what it changes."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import Result
from commands import command
from typer.testing import CliRunner

import rag
from rag.cli.app import app
from rag.errors import InputError
from rag.ingest.loaders import Watched
from rag.news import Desk, Interests, since
from rag.schema import Article, Failure, Precision, Published

FLED = "Officials said on Friday that 17 soldiers were killed in the attack on the airport of Herat."
ENTRY = """<item><title>{title}</title><guid>urn:x:{id}</guid><link>http://a.example/{id}</link>
<pubDate>Fri, 13 Aug 2021 08:00:00 GMT</pubDate><description>{text}</description></item>"""


def feed(text: str = FLED) -> bytes:
    entry = ENTRY.format(title="Airport attacked", id="1", text=text)
    return f'<rss version="2.0"><channel><title>Harirud Post</title>{entry}</channel></rss>'.encode()


class Server:
    """A feed whose answers can be changed; it notes the conditions it was asked with."""

    def __init__(self) -> None:
        self.body, self.tag, self.status, self.later = feed(), '"one"', 200, ""
        self.conditions: list[str | None] = []
        self.url = ""


@contextmanager
def serving() -> Iterator[Server]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers.get("If-None-Match")
            state.conditions.append(asked)
            status = 304 if state.status == 200 and asked == state.tag else state.status
            body = state.body if status == 200 else b""
            self.send_response(status)
            self.send_header("ETag", state.tag)
            self.send_header("Content-Type", "application/rss+xml")
            if state.later:
                self.send_header("Retry-After", state.later)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}/feed.xml"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()


def look(watched: Watched, url: str, now: float) -> list[Article | Failure]:
    return watched.look([url], now=now, interval=60, allow_private=True)


def article(id: str, text: str, day: int = 13, title: str = "Herat") -> Article:
    return Article(id, title, text, "", "Harirud Post", Published(date(2021, 8, day), Precision.DAY))


@pytest.fixture
def library(tmp_path: Path) -> Iterator[rag.Library]:
    with rag.Library(tmp_path / "library", offline=True) as opened:
        yield opened


def test_an_unchanged_feed_sends_nothing_also_to_the_next_process(tmp_path: Path) -> None:
    with serving() as server:
        watched = Watched.opened(tmp_path / "watch.json")
        assert len(look(watched, server.url, 0)) == 1
        watched.save()
        again = Watched.opened(tmp_path / "watch.json")
        assert look(again, server.url, 60) == []
        server.tag = '"two"'
        assert len(look(again, server.url, 120)) == 1
    assert server.conditions == [None, '"one"', '"one"']
    assert (tmp_path / "watch.json").stat().st_mode & 0o777 == 0o600


def test_a_feed_that_fails_is_asked_half_as_often_each_time(tmp_path: Path) -> None:
    with serving() as server:
        server.status = 500
        watched = Watched.opened(tmp_path / "watch.json")
        asked = [now for now in range(0, 1000, 60) if look(watched, server.url, float(now))]
        assert asked == [0, 120, 360, 840]
        server.status = 200
        assert len(look(watched, server.url, 10_000)) == 1
        assert watched.feeds[server.url].failures == 0


def test_a_server_says_when_it_wants_to_be_asked(tmp_path: Path) -> None:
    with serving() as server:
        server.status, server.later = 503, "3600"
        watched = Watched.opened(tmp_path / "watch.json")
        (failure,) = look(watched, server.url, 0)
        assert isinstance(failure, Failure)
        assert "503" in failure.message
        assert look(watched, server.url, 3599) == []
        assert look(watched, server.url, 3600)


def test_a_file_of_another_program_is_refused(tmp_path: Path) -> None:
    (tmp_path / "watch.json").write_text("[1]")
    with pytest.raises(InputError, match=r"watch.json cannot be read .*; remove it"):
        Watched.opened(tmp_path / "watch.json")


def test_only_articles_on_a_topic_are_new(library: rag.Library) -> None:
    desk = Desk(library, Interests(topics=("airport attack",)))
    found = desk.add([article("a", FLED), article("b", "The airport is open.\n\nAn attack on a school failed.")])
    assert [(c.kind, c.text, c.article and c.article.id) for c in found] == [("new", "on “airport attack”", "a")]
    assert desk.add([article("a", FLED)]) == []


def test_a_corrected_article_says_whether_it_still_has_what_was_cited(library: rag.Library) -> None:
    desk = Desk(library, Interests(draft="17 soldiers were killed in the attack on the airport of Herat."))
    assert [c.kind for c in desk.add([article("a", FLED)])] == ["new"]
    kept = desk.add([article("a", f"{FLED} The road is open.")])
    assert [(c.kind, c.text) for c in kept] == [("corrected", "what you cited is still in it")]
    changed = desk.add([article("a", FLED.replace("17", "19"))])
    assert [c.kind for c in changed] == ["corrected", "revised", "draft"]
    assert changed[0].text == f"you cited “{FLED}”, which is no longer in it"
    assert changed[1].text.startswith("now “Officials said on Friday that 19 soldiers")
    assert "claim 1" in changed[2].text
    assert "17" in changed[2].text
    assert desk.add([article("a", FLED.replace("17", "19"))]) == []


def test_a_later_article_revises_the_figure_that_a_draft_rests_on(library: rag.Library) -> None:
    desk = Desk(library, Interests(draft="17 soldiers were killed in the attack on the airport of Herat."))
    desk.add([article("a", FLED)])
    changed = desk.add([article("b", FLED.replace("17", "19"), 15)])
    assert [c.kind for c in changed] == ["new", "revised", "draft"]
    assert "before “Officials said on Friday that 17" in changed[1].text


def test_the_same_is_printed_once_for_a_day(library: rag.Library) -> None:
    library.add(article("a", FLED), article("b", FLED.replace("17", "19"), 15))
    found = since(library, date(2021, 8, 15), Interests(draft="17 soldiers were killed in the attack on the airport."))
    assert [(c.kind, c.article and c.article.id) for c in found] == [("new", "b"), ("revised", "b"), ("draft", "b")]
    assert since(library, date(2021, 8, 16), Interests()) == []


def test_a_watch_ends_cleanly(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text(f"Airport attacked\n\n{FLED}\n")
    watching = [*command(), "watch", str(tmp_path / "in"), "--library", str(tmp_path / "l"), "--json"]
    with subprocess.Popen(watching, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout
        assert json.loads(running.stdout.readline())["kind"] == "new"
        running.send_signal(signal.SIGINT)
        _, errors = running.communicate(timeout=60)
    assert running.returncode == 130
    assert errors == ""


def test_saved_topics_are_looked_for(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name, text in (("a", FLED), ("b", "A bridge near Mazar was opened on Friday.")):
        (tmp_path / "in" / f"{name}.txt").write_text(f"News of the day\n\n{text}\n")

    def run(*arguments: str, code: int = 0) -> Result:
        found = CliRunner().invoke(app, [*arguments, "--library", str(tmp_path / "l")])
        assert found.exit_code == code, found.output
        return found

    assert run("topics").stdout == ""
    assert run("topics", "airport attack", "consulates", "airport attack").stdout == "airport attack\nconsulates\n"
    seen = run("watch", str(tmp_path / "in"), "--once", "--json")
    assert [json.loads(line)["text"] for line in seen.stdout.splitlines()] == ["on “airport attack”"]
    assert "on the saved topics: airport attack, consulates" in seen.stderr
    assert "no such file" in run("watch", str(tmp_path / "gone"), "--once", code=11).stderr
    assert json.loads(run("topics", "--remove", "airport attack", "--json").stdout) == ["consulates"]
    assert "there are: 'consulates'" in run("topics", "--remove", "bridge", code=2).stderr
    assert "has no words" in run("topics", "the", code=2).stderr
    assert (tmp_path / "l" / "topics.json").stat().st_mode & 0o777 == 0o600
    (tmp_path / "l" / "topics.json").write_text("{")
    assert "remove it" in run("topics", code=2).stderr
