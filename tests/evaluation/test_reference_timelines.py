"""Timelines by people: each layout of Timeline17 and Crisis becomes cases on the articles of its topic."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from fake_embeddings import FakeEmbeddings

from rag.errors import InputError
from rag.evaluation.cases import TimelineCase
from rag.evaluation.formats import load_set
from rag.evaluation.run import run
from rag.library import Library
from rag.schema import Window

RIG = "The rig exploded on Tuesday . \nEleven workers were missing ."
SPILL = "Oil reached the coast of Orla .\nFishing was stopped on Thursday ."
RULE = "-" * 32


def archive(folder: Path, articles: str, timelines: str) -> Path:
    """A topic in the layout of the archives: a folder a day, a file a timeline."""
    for day, name, text in (("2010-04-21", "1.txt", RIG), ("2010-04-29", "2.txt", SPILL), ("2010-04-29", "3.txt", " ")):
        (folder / articles / day).mkdir(parents=True, exist_ok=True)
        (folder / articles / day / name).write_text(text, encoding="utf-8")
    (folder / articles / "2010-04-21" / "1.txt.timeml").write_text("<TimeML/>", encoding="utf-8")
    (folder / articles / "2010-04-21" / "1.txt.tokenized").write_text(RIG, encoding="utf-8")
    (folder / articles / "cache").mkdir()
    (folder / timelines).mkdir(parents=True)
    entries = f"2010-04-20\nThe rig exploded .\n{RULE}\n2010-04-29\nOil reached Orla .\nA ban .\n{RULE}\n"
    (folder / timelines / "harbour.txt").write_text(entries, encoding="utf-8")
    (folder / timelines / "coast.txt").write_text(f"2010-04-2\nA day is cut .\n{RULE}\n2010-04-22\nIt sank .\n{RULE}\n")
    (folder / timelines / ".DS_Store").write_bytes(b"\x00\xff")
    return folder


def tls(folder: Path) -> Path:
    """The same topic in the layout of news-tls: an article and a timeline a line."""
    folder.mkdir()
    articles = [
        {
            "id": "a1",
            "time": "2010-04-21T00:00:00",
            "title": "Rig explodes",
            "text": RIG,
            "sentences": [],
            "vector": None,
        },
        {"id": "a2", "time": "2010-04-29 00:00:00", "title": None, "text": SPILL},
    ]
    first = [["2010-04-20T00:00:00", ["The rig exploded .", "Eleven are missing ."]], ["2010-04-29T00:00:00", "Oil ."]]
    (folder / "articles.preprocessed.jsonl").write_text("\n".join(map(json.dumps, articles)), encoding="utf-8")
    (folder / "timelines.jsonl").write_text(f"{json.dumps(first)}\n[]\n", encoding="utf-8")
    (folder / "keywords.json").write_text('["oil"]', encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("articles", "timelines"),
    [("InputDocs", "timelines"), ("public/content", "public/timelines"), ("articles", "timelines")],
)
def test_a_topic_of_the_archives_has_a_case_for_each_timeline(tmp_path: Path, articles: str, timelines: str) -> None:
    found = load_set(archive(tmp_path / "bpoil", articles, timelines))
    coast, harbour = found.cases
    assert isinstance(harbour, TimelineCase)
    assert (found.name, coast.id, harbour.id, harbour.max_events) == ("bpoil", "bpoil-coast", "bpoil-harbour", 2)
    assert harbour.events == {date(2010, 4, 20): "The rig exploded .", date(2010, 4, 29): "Oil reached Orla . A ban ."}
    assert harbour.window == Window(since=date(2010, 4, 20), until=date(2010, 4, 29))
    assert [(a.id, str(a.published)) for a in found.articles] == [
        ("2010-04-21/1.txt", "2010-04-21"),
        ("2010-04-29/2.txt", "2010-04-29"),
    ]
    assert found.warnings == (
        "bpoil: 1 articles have no text and are left out",
        "bpoil: 1 entries of timelines have no day and are left out",
    )


def test_a_topic_of_news_tls_has_a_case_for_each_timeline(tmp_path: Path) -> None:
    found = load_set(tls(tmp_path / "t17"))
    (case,) = found.cases
    assert isinstance(case, TimelineCase)
    assert case.events == {date(2010, 4, 20): "The rig exploded . Eleven are missing .", date(2010, 4, 29): "Oil ."}
    assert [(a.id, a.title, str(a.published)) for a in found.articles] == [
        ("a1", "Rig explodes", "2010-04-21"),
        ("a2", "Oil reached the coast of Orla . Fishing was stopped on Thursday .", "2010-04-29"),
    ]


def test_such_a_topic_is_scored(tmp_path: Path) -> None:
    found = load_set(archive(tmp_path / "bpoil", "InputDocs", "timelines"))
    library = Library(tmp_path / "library", embeddings=FakeEmbeddings())
    library.add(*found.articles)
    _, harbour = run(found, library).results
    assert harbour.error is None
    assert date(2010, 4, 20) in (harbour.events or {})


@pytest.mark.parametrize(
    ("file", "content", "fault"),
    [
        ("timelines.jsonl", '{"2010-04-20": "x"}', 'timelines.jsonl:1: {"2010-04-20": "x"} is no timeline; wanted'),
        ("timelines.jsonl", '[["2010-04-20"]]', "is no timeline; wanted"),
        ("timelines.jsonl", "[]", "t17 has no cases"),
        ("articles.preprocessed.jsonl", '{"id": "a", "text": "x"}', "articles.preprocessed.jsonl:1: is no article"),
        ("articles.preprocessed.jsonl", "[1]", "is no article; wanted"),
        ("articles.preprocessed.jsonl", "{", "articles.preprocessed.jsonl:1: not a"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(tmp_path: Path, file: str, content: str, fault: str) -> None:
    folder = tls(tmp_path / "t17")
    (folder / file).write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=fault.replace("[", r"\[").replace("{", r"\{").replace("}", r"\}")):
        load_set(folder)


def test_timelines_without_articles_are_no_set(tmp_path: Path) -> None:
    folder = tls(tmp_path / "t17")
    (folder / "articles.preprocessed.jsonl").rename(folder / "articles.preprocessed.jsonl.gz")
    with pytest.raises(
        InputError, match=r"has no articles.jsonl or articles.preprocessed.jsonl beside timelines.jsonl"
    ):
        load_set(folder)
