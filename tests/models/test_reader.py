"""The reader that comes with the program: spans, entailment, and what it does without its weights."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from rag.errors import EmbeddingError
from rag.models import reader as module
from rag.models.reader import LONGEST, Extract, Pair, Reader, shared_reader
from rag.schema import Span

TEXT = (
    "Around 1,000 Afghan soldiers fled to Tajikistan. The delegation was led by Abbas Stanikzai. "
    "Talks went on until Wednesday in Tehran."
)
SENTENCES = (Span(0, 48), Span(49, 91), Span(92, len(TEXT)))


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader()


def extract(text: str = TEXT, sentences: tuple[Span, ...] = SENTENCES) -> Extract:
    return Extract("Talks in Tehran, Northern Wire, 2021-07-07", text, sentences)


@pytest.mark.parametrize(
    ("question", "sentence", "answer"),
    [
        ("How many soldiers fled to Tajikistan?", 0, "1,000"),
        ("who led the delegation", 1, "Stanikzai"),
        ("Where were the talks?", 2, "Tehran"),
    ],
)
def test_the_sentence_that_answers_scores_best_and_holds_the_answer(
    reader: Reader, question: str, sentence: int, answer: str
) -> None:
    (readings,) = reader.read(question, [extract()])
    best = max(range(len(readings)), key=lambda i: readings[i].score)
    assert best == sentence
    span = readings[best].answer
    assert answer in TEXT[span.start : span.end]
    assert SENTENCES[best].start <= span.start < span.end <= SENTENCES[best].end


def test_what_is_read_does_not_depend_on_what_is_read_beside_it(reader: Reader) -> None:
    other = extract("It rained.", (Span(0, 10),))
    (alone,) = reader.read("Where were the talks?", [extract()])
    beside = reader.read("Where were the talks?", [other, extract(), other])[1]
    assert [r.score for r in beside] == pytest.approx([r.score for r in alone], abs=1e-3)


def test_sentences_past_the_longest_text_score_least(reader: Reader) -> None:
    long = "The committee met again and nothing was decided. " * LONGEST
    whole = long + TEXT
    sentences = (Span(0, 48), Span(len(long), len(long) + 48))
    (readings,) = reader.read("How many soldiers fled?", [extract(whole, sentences)])
    assert readings[1].score == -30.0
    assert readings[0].score > readings[1].score


def test_probabilities_add_up_and_follow_the_order_of_the_pairs(reader: Reader) -> None:
    pairs = [
        Pair(TEXT, "Some 1,000 soldiers fled to Tajikistan."),
        Pair(TEXT, "The moon is made of cheese.", "A header"),
    ]
    first, second = reader.entail(pairs)
    for p in (first, second):
        assert p.entailment + p.neutral + p.contradiction == pytest.approx(1)
    assert first.entailment > second.entailment
    assert reader.entail(pairs[::-1])[1].entailment == pytest.approx(first.entailment, abs=1e-3)
    assert reader.entail([]) == []


def test_the_verifier_tells_what_follows_from_what_is_denied() -> None:
    verifier = shared_reader(1, module.VERIFIER)
    assert verifier
    follows, other = verifier.entail([Pair(TEXT, TEXT), Pair(TEXT, "The moon is made of cheese.")])
    assert follows.entailment > 0.5 > other.entailment


def test_without_weights_there_is_no_reader(tmp_path: Path) -> None:
    assert shared_reader.__wrapped__(1, tmp_path / "none.safetensors") is None


def test_damaged_weights_are_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    damaged = tmp_path / "reader.safetensors"
    shutil.copy(module.READER, damaged)
    with damaged.open("r+b") as file:
        file.seek(1_000_000)
        file.write(b"damaged")
    reader = Reader(weights=damaged, cache=tmp_path / "cache")
    monkeypatch.setattr(reader, "_known", module.DIGESTS[module.READER])
    with pytest.raises(EmbeddingError, match="reinstall"):
        reader.load()
