"""What a library may be called with: plain limits, views, and one line for whatever is wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from fake_embeddings import FakeEmbeddings

import rag
from rag import InputError, Library, RagError, Window
from rag.ingest.metadata import article
from rag.schema import Article
from rag.text.calendar import parse_published

DAYS = {"2021-07-03": "Kabul Ledger", "2021-07-20": "Pamir Wire", "2021-08-02": "Pamir Wire"}
QUESTION = "How many trucks reached Herat?"


def convoy(day: str, source: str) -> Article:
    trucks = int(day[-2:]) * 10
    return article(
        f"A convoy of {trucks} trucks reached Herat on the road from Kandahar. Its drivers rested for a day.",
        title=f"Convoy {day}",
        source=source,
        published=parse_published(day),
    )


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with Library(tmp_path_factory.mktemp("library"), embeddings=FakeEmbeddings(), offline=True) as made:
        made.add(*(convoy(day, source) for day, source in DAYS.items()))
        yield made


def read(found: rag.SearchResult) -> list[str]:
    """The days of what was found, in order."""
    return sorted(str(hit.article.published) for hit in found.hits)


# plain limits


@pytest.mark.parametrize(
    ("limits", "days"),
    [
        ({"as_of": "2021-07-31"}, ["2021-07-03", "2021-07-20"]),
        ({"as_of": "2021-07"}, ["2021-07-03", "2021-07-20"]),
        ({"as_of": date(2021, 7, 3)}, ["2021-07-03"]),
        ({"until": datetime(2021, 7, 20, 9, tzinfo=UTC)}, ["2021-07-03", "2021-07-20"]),
        ({"since": "2021-07-20"}, ["2021-07-20", "2021-08-02"]),
        ({"sources": "pamir wire"}, ["2021-07-20", "2021-08-02"]),
        ({"sources": ["Kabul Ledger", "Pamir Wire"]}, sorted(DAYS)),
        ({"since": "2021-07", "until": "2021-07-31", "sources": ("Pamir Wire",)}, ["2021-07-20"]),
        ({"window": Window(until=date(2021, 7, 31)), "since": "2021-07-10"}, ["2021-07-20"]),
        ({"as_of": None, "since": None, "until": None, "sources": None}, sorted(DAYS)),
    ],
)
def test_limits_are_texts_or_dates(library: Library, limits: dict[str, Any], days: list[str]) -> None:
    assert read(library.search(QUESTION, **limits)) == days


def test_every_reading_method_takes_them(library: Library) -> None:
    early = {"as_of": "2021-07-10"}
    found = library.ask(QUESTION, **early)
    assert found.as_of == date(2021, 7, 10)
    assert {hit.article.title for hit in found.hits} == {"Convoy 2021-07-03"}
    *_, streamed = library.stream(QUESTION, **early)
    assert isinstance(streamed, rag.Answer)
    assert streamed.text == found.text
    assert (
        library.check("A convoy of 200 trucks reached Herat.", **early).citations[0].article.title
        == "Convoy 2021-07-03"
    )
    assert [a.title for a in library.summarize(**early).articles] == ["Convoy 2021-07-03"]
    assert [a.title for a in library.timeline(**early).articles] == ["Convoy 2021-07-03"]
    assert library.conflicts(**early) == ()
    assert all(c.article.title == "Convoy 2021-07-03" for c in library.figures("convoy", **early).citations)
    assert [d.metadata["published"] for d in library.retriever(**early).invoke(QUESTION)] == ["2021-07-03"]
    assert library.chain(**early).invoke(QUESTION).as_of == date(2021, 7, 10)


# views


def test_a_view_reads_nothing_else_whatever_is_asked_for(library: Library) -> None:
    with library.window(as_of="2021-07-31") as view:
        assert {a.title for a in view.articles()} == {"Convoy 2021-07-03", "Convoy 2021-07-20"}
        assert read(view.search(QUESTION)) == ["2021-07-03", "2021-07-20"]
        assert read(view.search(QUESTION, as_of="2022", until="2022-05")) == ["2021-07-03", "2021-07-20"]
        assert read(view.window(sources="Pamir Wire").search(QUESTION)) == ["2021-07-20"]
        assert [d.metadata["published"] for d in view.retriever(k=9).invoke(QUESTION)].count("2021-08-02") == 0
        asked = view.chain().invoke({"question": QUESTION, "as_of": "2022", "until": "2022"})
        assert {hit.article.title for hit in asked.hits} == {"Convoy 2021-07-03", "Convoy 2021-07-20"}
        with pytest.raises(
            InputError, match="nothing is both published up to 2021-07-31 and published from 2021-08-01"
        ):
            view.ask(QUESTION, since="2021-08")
    assert read(library.search(QUESTION)) == sorted(DAYS)


def test_a_view_shares_what_is_open(library: Library) -> None:
    view = library.window(sources="Pamir Wire")
    assert isinstance(view, Library)
    assert (view.catalog, view.embeddings, view.path) == (library.catalog, library.embeddings, library.path)


# a thread of its own


async def test_asking_and_adding_leave_the_loop_free(tmp_path: Path) -> None:
    with Library(tmp_path / "library", embeddings=FakeEmbeddings(), offline=True) as own:
        ticks: list[int] = []

        async def tick() -> None:
            while True:
                ticks.append(1)
                await asyncio.sleep(0)

        ticking = asyncio.create_task(tick())
        report = await own.aadd(*(convoy(day, source) for day, source in DAYS.items()))
        answer = await own.aask(QUESTION, as_of="2021-07-10")
        events = [event async for event in own.astream(QUESTION, as_of="2021-07-10")]
        ticking.cancel()
    assert report.added == 3
    assert len(ticks) > 10
    assert events[:-1] == list(answer.statements)
    assert str(events[-1]) == str(answer)


async def test_their_wrong_arguments_are_told_as_well(library: Library) -> None:
    with pytest.raises(InputError, match="as_of is 'soon'"):
        await library.aask(QUESTION, as_of="soon")
    with pytest.raises(InputError, match="k is 0"):
        _ = [event async for event in library.astream(QUESTION, k=0)]
    with pytest.raises(InputError, match="origins is"):
        await library.aadd(7)  # type: ignore[arg-type]


# a tool


def test_a_library_is_a_tool_for_an_agent(library: Library) -> None:
    tool = library.as_tool(as_of="2021-07-10")
    assert set(tool.args) == {"question", "as_of", "since", "until", "sources"}
    found = tool.invoke(
        {"type": "tool_call", "id": "1", "name": tool.name, "args": {"question": QUESTION, "as_of": "2022"}}
    )
    assert found.artifact.as_of == date(2021, 7, 10)
    assert found.content == found.artifact.to_markdown()
    assert "Convoy 2021-07-03" in found.content
    assert "as_of is 'soon'; wanted a date" in tool.invoke({"question": QUESTION, "as_of": "soon"})


# wrong arguments

WRONG: list[tuple[Callable[[Any], Any], str]] = [
    (lambda lib: lib.ask(5), "question is 5; wanted a question as a text"),
    (lambda lib: lib.ask(), "`ask` was called with wrong arguments: missing a required argument: 'question'"),
    (lambda lib: lib.ask(QUESTION, k="ten"), "k is 'ten'; wanted a whole number above 0"),
    (lambda lib: lib.ask(QUESTION, k=True), "k is True; wanted a whole number above 0"),
    (lambda lib: lib.ask(QUESTION, asof="2021"), "asof is no limit; did you mean as_of?"),
    (lambda lib: lib.ask(QUESTION, colour=1), "colour is no limit; wanted as_of, since, until, sources"),
    (lambda lib: lib.ask(QUESTION, as_of=2021), "as_of is 2021; wanted a date such as 2021-07-07, 2021-07 or 2021"),
    (lambda lib: lib.ask(QUESTION, sources=7), "sources is 7; wanted the name of an outlet, or several"),
    (
        lambda lib: lib.ask(QUESTION, since="2021-08", until="2021-07"),
        "since 2021-08-01 is after the last day, 2021-07-31",
    ),
    (lambda lib: lib.ask(QUESTION, window="2021"), "window is '2021'; wanted a rag.Window"),
    (lambda lib: lib.ask(QUESTION, history=["When?"]), "history is ['When?']; wanted the earlier turns"),
    (lambda lib: lib.stream(QUESTION, terms=3), "terms is 3; wanted a rag.Terms"),
    (lambda lib: lib.search(None), "question is None; wanted"),
    (lambda lib: lib.check(b"x"), "text is b'x'; wanted a text"),
    (lambda lib: lib.check("It rained.", against="an-id"), "against is 'an-id'; wanted a list"),
    (lambda lib: lib.summarize(7), "articles is (7,); wanted"),
    (lambda lib: lib.summarize(length="huge"), "length is 'huge'; wanted short, medium or long"),
    (lambda lib: lib.summarize(words=0), "words is 0; wanted a whole number above 0, or None"),
    (lambda lib: lib.timeline(max_events=-1), "max_events is -1; wanted"),
    (lambda lib: lib.timeline(topic=1), "topic is 1; wanted a text, or None"),
    (lambda lib: lib.add(7), "origins is (7,); wanted paths, URLs or Articles"),
    (lambda lib: lib.add("x", wait=-1), "wait is -1; wanted seconds, 0 or more"),
    (lambda lib: lib.add("x", progres=print), "progres is no argument of `add`; did you mean progress?"),
    (lambda lib: lib.remove(7), "ids is (7,); wanted ids of articles"),
    (lambda lib: lib.retriever(k=0), "k is 0; wanted"),
    (lambda lib: lib.window(as_of="tomorrow"), "as_of is 'tomorrow'; wanted a date"),
    (lambda _: Library(7), "path is 7; wanted the folder of a library"),
    (lambda _: Library("x", ofline=True), "ofline is no argument"),
    (lambda _: Library("x", model=7), "model is 7; wanted the name of a chat model"),
    (lambda _: Window(as_of="2021-07-07"), "as_of of a Window is '2021-07-07'; wanted a datetime.date"),
    (lambda _: Window(sources="Pamir Wire"), "sources of a Window is 'Pamir Wire'; wanted a tuple of names"),
    (lambda _: rag.ask(QUESTION, articles=7), "articles is 7; wanted paths"),
    (lambda _: rag.ask(QUESTION), "missing a required"),
    (lambda _: rag.ask(QUESTION, articles="/nope"), "/nope: cannot be read: no such file or directory"),
    (lambda _: rag.summarize("/nope"), "/nope: cannot be read: no such file or directory"),
    (lambda _: rag.check("It rained.", "/nope"), "/nope cannot be read: no such file or directory"),
    (lambda _: rag.timeline([]), "wanted a file, a folder or a URL"),
]


@pytest.mark.parametrize(("call", "told"), WRONG, ids=[told[:40] for _, told in WRONG])
def test_a_wrong_argument_is_one_line_that_says_what_was_expected(
    library: Library, call: Callable[[Library], Any], told: str
) -> None:
    with pytest.raises(RagError) as error:
        call(library)
    assert told in str(error.value)
    assert "\n" not in str(error.value)
