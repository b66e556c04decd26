"""Windows hold: whatever is asked by whatever way, nothing outside of them comes out."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from fake_embeddings import FakeEmbeddings
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.language_models import FakeListChatModel
from openai_server import OpenAIServer, Request

from rag.errors import InputError
from rag.ingest.metadata import article
from rag.library import Library
from rag.render.lines import answer_lines
from rag.schema import Article, Reason, Status, Turn, Window, conflicts_record
from rag.store.filters import admits

FIRST = date(2021, 7, 1)
OUTLETS = ("Pamir Wire", "Harirud Post", "Kabul Ledger")
PLACES = ("Kunduz", "Herat", "Zaranj", "Ghazni", "Taloqan")


def planted(number: int, published: str | None) -> Article:
    """An article whose words can be asked for, with secrets that only it has in all that is shown of it."""
    place, outlet = PLACES[number % 5], OUTLETS[number % 3]
    text = (
        f"The convoy topic{number} reached {place} with {100 + number} lorries, secret{number}a said. "
        f"General Secret{number}b met elders of {place} there.\n\nIt left on Monday, and secret{number}c followed."
    )
    return article(
        text,
        id=f"secret{number}d",
        title=f"Convoy topic{number} in {place}: secret{number}e",
        source=outlet,
        published=published,
        url=f"https://news.example/secret{number}f",
        author=f"secret{number}g",
    )


DATES = [*((FIRST + timedelta(days=3 * n)).isoformat() for n in range(24)), "2021-07", "2021-08", "2021", None]
ARTICLES = {f"secret{n}": planted(n, published) for n, published in enumerate(DATES)}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    folder = tmp_path_factory.mktemp("leaks")
    with Library(folder, embeddings=FakeEmbeddings(), model=FakeListChatModel(responses=["no"])) as made:
        made.add(*ARTICLES.values())
        yield made


@pytest.fixture(scope="module")
def offline(library: Library) -> Iterator[Library]:
    with Library(library.path, embeddings=FakeEmbeddings(), offline=True) as made:
        yield made


days = st.none() | st.integers(-5, 90).map(lambda n: FIRST + timedelta(days=n))
windows = st.builds(
    Window, as_of=days, since=days, until=days, sources=st.lists(st.sampled_from(OUTLETS), max_size=2).map(tuple)
)
known = st.integers(0, len(DATES) - 1)
questions = st.one_of(
    st.builds("What reached {1} with topic{0}?".format, known, st.sampled_from(PLACES)),
    st.builds(
        "How many lorries did {1} report in {2}, of topic{0}?".format, known, *map(st.sampled_from, (OUTLETS, PLACES))
    ),
    st.builds("Who met elders in {1} last week, and when did topic{0} leave?".format, known, st.sampled_from(PLACES)),
    st.builds("topic{0} topic{1} {2} after 20 August".format, known, known, st.sampled_from(PLACES)),
)


def _without(found: Mapping[str, Any]) -> str:
    """What came out, but for what may tell of an article outside: its title and date."""
    shown = {name: value for name, value in found.items() if name != "outside"}
    if found.get("outside"):
        assert shown.pop("text").startswith("No article within the given dates and sources answers this question.")
    return json.dumps(shown)


def _cited(text: str) -> str:
    return f"The convoy {text.rsplit(maxsplit=1)[-1].strip('?')} reached Kunduz with 103 lorries."


WAYS: dict[str, Callable[[Library, str, Window], str]] = {
    "search": lambda library, text, window: json.dumps(library.search(text, window=window).to_dict()),
    "ask": lambda library, text, window: _without(library.ask(text, window=window).to_dict()),
    "follow up": lambda library, text, window: _without(
        library.ask("And what about it?", window=window, history=[Turn(text, "It left.")]).to_dict()
    ),
    "check": lambda library, text, window: json.dumps(library.check(_cited(text), window=window).to_dict()),
    "chain": lambda library, text, window: _without(library.chain(window=window).invoke(text).to_dict()),
    "stream": lambda library, text, window: repr(list(library.chain(window=window).stream(text))[:-1]),
    "retriever": lambda library, text, window: repr(library.retriever(window=window).invoke(text)),
}

DIGESTS: dict[str, Callable[[Library, str, Window], str]] = {
    "summarize": lambda library, text, window: json.dumps(library.summarize(topic=text, window=window).to_dict()),
    "briefing": lambda library, text, window: json.dumps(library.summarize(window=window).to_dict()),
    "timeline": lambda library, text, window: json.dumps(
        [library.timeline(topic=topic, window=window).to_dict() for topic in (text, None)]
    ),
    "conflicts": lambda library, text, window: repr(
        [library.conflicts(topic=topic, window=window) for topic in (text, None)]
    ),
    "figures": lambda library, text, window: json.dumps(library.figures(text, window=window).to_dict()),
}


def leaked(found: str, window: Window) -> list[str]:
    """The articles outside of the window of which a secret is in what came out."""
    seen = set(re.findall(r"secret\d+", found.casefold()))
    return [name for name, item in ARTICLES.items() if name in seen and not admits(window, item)]


def tries(count: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return settings(max_examples=count, deadline=None, derandomize=True, database=None)


@tries(25)
@given(way=st.sampled_from(sorted(WAYS)), text=questions, window=windows)
def test_nothing_outside_of_a_window_comes_out(offline: Library, way: str, text: str, window: Window) -> None:
    assert leaked(WAYS[way](offline, text, window), window) == []


@tries(8)
@given(way=st.sampled_from(sorted(DIGESTS)), text=questions, window=windows)
def test_nothing_outside_of_a_window_comes_out_in_digests(
    offline: Library, way: str, text: str, window: Window
) -> None:
    assert leaked(DIGESTS[way](offline, text, window), window) == []


@pytest.mark.slow
@tries(150)
@given(way=st.sampled_from(sorted(WAYS)), text=questions, window=windows)
def test_nothing_outside_of_a_window_comes_out_in_150_tries(
    offline: Library, way: str, text: str, window: Window
) -> None:
    assert leaked(WAYS[way](offline, text, window), window) == []


@tries(15)
@given(text=questions, window=windows)
def test_nothing_outside_of_a_window_is_sent_to_a_model(library: Library, text: str, window: Window) -> None:
    assert leaked(" ".join(library.preview(text, window=window).texts), window) == []


def _honest(request: Request) -> str:
    """A model's reply that quotes the first sentence of every passage that it is given."""
    found = re.findall(r"^\[(\d+)\].*\n(The convoy .*? said\.)", request.messages[-1]["content"], re.M)
    made = [{"text": quote, "quotes": [{"passage": int(number), "quote": quote}]} for number, quote in found]
    return json.dumps({"answered": "yes" if made else "no", "statements": made[:12], "missing": ""})


@pytest.mark.slow
def test_nothing_outside_of_a_window_is_sent_to_a_model_that_answers_or_summarizes(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    with OpenAIServer(by=_honest) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        with Library(library.path, embeddings=FakeEmbeddings(), model="local") as written:

            @tries(3)
            @given(text=questions, window=windows)
            def send(text: str, window: Window) -> None:
                before = len(server.requests)
                found = [
                    written.ask(text, window=window).to_dict(),
                    written.summarize(topic=text, window=window).to_dict(),
                    written.summarize(window=window).to_dict(),
                ]
                sent = json.dumps([request.json for request in server.requests[before:]])
                assert leaked(sent + "".join(map(_without, found)), window) == []

            send()
    assert any("secret" in json.dumps(request.json) for request in server.requests)


@pytest.mark.parametrize("as_of", [date(2021, 7, 10), date(2021, 7, 29), date(2021, 8, 20)])
def test_what_is_published_later_is_not_shown_cited_or_counted_as_of_a_day(
    offline: Library, tmp_path: Path, as_of: date
) -> None:
    window = Window(as_of=as_of)
    asked = ["What reached Ghazni with topic3?", "How many lorries reached Zaranj?", "Who met elders last week?"]
    with Library(tmp_path, embeddings=FakeEmbeddings(), offline=True) as then:
        then.add(*(item for item in ARTICLES.values() if admits(window, item)))
        assert offline.catalog.passage_count(window) == then.catalog.passage_count(window)
        assert offline.catalog.sources(window) == then.catalog.sources(window)
    for text in asked:
        for way in (Library.search, Library.ask, Library.check):
            assert leaked(json.dumps(way(offline, text, window=window).to_dict()), window) == []  # type: ignore[operator]  # all take a window
        for made in (Library.summarize, Library.timeline):
            assert leaked(json.dumps(made(offline, topic=text, window=window).to_dict()), window) == []  # type: ignore[operator]  # both take a topic
        conflicts = conflicts_record(text, offline.conflicts(topic=text, window=window))
        assert leaked(json.dumps(conflicts), window) == []


@pytest.mark.slow
@tries(12)
@given(text=questions, window=windows)
def test_an_article_outside_is_named_only_if_it_was_published_by_then(
    offline: Library, text: str, window: Window
) -> None:
    answer = offline.ask(text, window=window)
    told = json.dumps([answer.to_dict().get("outside"), answer.text])
    assert leaked(told, Window(as_of=window.as_of)) == []
    assert not answer.outside or answer.reason is Reason.OUTSIDE_DATES


def test_a_leak_would_be_seen(offline: Library) -> None:
    found = WAYS["search"](offline, "What reached Ghazni with topic23?", Window())
    assert "secret23" in leaked(found, Window(as_of=date(2021, 7, 10)))


def test_an_empty_window_names_the_nearest_articles_outside_of_it_by_title_and_date(tmp_path: Path) -> None:
    with Library(tmp_path) as library:
        library.add(*ARTICLES.values())
        answer = library.ask("What reached Herat with topic1?", window=Window(until=date(2021, 6, 1)))
    assert (answer.status, answer.reason) == (Status.ABSTAINED, Reason.OUTSIDE_DATES)
    assert answer.to_dict()["outside"][0] == {"title": "Convoy topic1 in Herat: secret1e", "published": "2021-07-04"}
    assert "“Convoy topic1 in Herat: secret1e” (2021-07-04)" in answer.text
    assert answer.text in [line.text for line in answer_lines(answer)]


def test_an_article_outside_of_the_window_is_not_checked_against(offline: Library) -> None:
    with pytest.raises(InputError, match="secret20d is not published up to 2021-07-10"):
        offline.check("The convoy left.", against=["secret20d"], window=Window(as_of=date(2021, 7, 10)))


def test_a_question_of_a_chain_cannot_look_past_the_day_of_the_chain(offline: Library) -> None:
    early = offline.chain(window=Window(as_of=date(2021, 7, 10)))
    found = early.invoke({"question": "What reached Ghazni with topic23?", "as_of": "2021-12-31"})
    assert found.as_of == date(2021, 7, 10)
    assert leaked(json.dumps(found.to_dict()), Window(as_of=date(2021, 7, 10))) == []


def test_an_answer_tells_the_window_it_was_given(offline: Library) -> None:
    window = Window(date(2021, 8, 1), date(2021, 7, 2), None, ("Pamir Wire", "Kabul Ledger"))
    found = offline.ask("What reached Kunduz?", window=window)
    assert found.window.limits == "published from 2021-07-02 up to 2021-08-01, by Pamir Wire or Kabul Ledger"
    told = {name: found.to_dict().get(name) for name in ("as_of", "since", "until", "sources")}
    assert told == {"as_of": "2021-08-01", "since": "2021-07-02", "until": None, "sources": list(window.sources)}
