"""Inputs that were once read wrongly, by kind: files, claims, sentences and questions of `kinds.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from rag.checks.document import checked, whole
from rag.checks.verify import verify
from rag.ingest.loaders import load
from rag.ingest.metadata import article
from rag.library import Library
from rag.schema import Article, Verdict
from rag.text.sentences import sentences

KINDS = tomllib.loads(Path(__file__).with_name("kinds.toml").read_text(encoding="utf-8"))
MORE = "".join(
    f"<p>{text}</p>"
    for text in (
        "The crews worked through the night and the road along the river was shut to all cars, the town hall said.",
        "People who live below the wall were told to stay with friends until the level of the lake had fallen.",
        "A school hall was opened for those who had nowhere to go, and a shop in the square gave out soup and bread.",
    )
)
UNPROVEN = {Verdict.UNSUPPORTED, Verdict.CONTRADICTED}
VERDICTS = {
    "supported": {Verdict.SUPPORTED},
    "contradicted": {Verdict.CONTRADICTED},
    "unsupported": {Verdict.UNSUPPORTED},
    "unproven": UNPROVEN,
}
DAM = """title: Dam emptied in Orsk
source: Lenz Echo
author: Mia Roth
date: 2024-04-12

Engineers emptied the Orsk dam on Friday after a crack was found in 3 of its 12 gates."""


def of(table: str) -> list[Any]:
    entries = KINDS[table]
    return [pytest.param(entry, id=f"{entry['kind']} {number}") for number, entry in enumerate(entries)]


def claims() -> Iterator[Any]:
    for entry in KINDS["check"]:
        for verdict in (v for v in VERDICTS if v in entry):
            for claim in entry[verdict]:
                yield pytest.param(entry["told"], claim, verdict, id=f"{entry['kind']}: {claim[:40]}")


@pytest.mark.parametrize("case", of("load"))
def test_a_file_is_read_as_it_is_meant(tmp_path: Path, case: Mapping[str, Any]) -> None:
    path = tmp_path / case["file"]
    path.write_bytes(case["content"].replace("{more}", MORE).encode(case.get("encoding", "utf-8")))
    found = list(load(path))
    articles = [item for item in found if isinstance(item, Article)]
    failures = [item.message for item in found if not isinstance(item, Article)]
    assert len(articles) == len(case["articles"]), found
    for got, wanted in zip(articles, case["articles"], strict=True):
        for name in wanted.keys() - {"has", "lacks", "notes"}:
            assert str(getattr(got, name)) == wanted[name]
        assert wanted.get("has", "") in got.text
        assert wanted.get("lacks", "\0") not in got.text
        assert wanted.get("notes", "") in " ".join(got.notes)
    assert len(failures) == len(case.get("failed", ()))
    assert all(part in message for part, message in zip(case.get("failed", ()), failures, strict=True))


@pytest.mark.parametrize(("told", "claim", "verdict"), list(claims()))
def test_a_claim_gets_its_verdict(told: str, claim: str, verdict: str) -> None:
    source = article(told, title="News", published="2024-04-13")
    found = checked(claim, lambda _: whole([source]), verify, given=[source]).statements
    assert found
    assert {statement.verdict for statement in found} <= VERDICTS[verdict], found


@pytest.mark.parametrize("case", of("sentences"))
def test_sentences_are_whole(case: Mapping[str, Any]) -> None:
    text = " ".join(case["whole"])
    assert [text[span.start : span.end] for span in sentences(text)] == case["whole"]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    folder = tmp_path_factory.mktemp("cases")
    (folder / "dam.txt").write_text(DAM, encoding="utf-8")
    made = Library(folder / "library", offline=True)
    made.add(folder / "dam.txt")
    return made


@pytest.mark.parametrize("case", of("asked"))
def test_a_question_of_a_kind_is_answered_or_gets_the_nearest(library: Library, case: Mapping[str, Any]) -> None:
    answer = library.ask(case["question"])
    assert case.get("has", "") in " ".join([answer.text, *(c.quote for c in answer.nearest)])
    assert case.get("warns", "") in " ".join(answer.warnings)
