"""The baselines of summaries read what the summary reads, and are counted by the same claims."""

from __future__ import annotations

import sys
from pathlib import Path

from fake_embeddings import FakeEmbeddings

from rag.evaluation.cases import CaseTask, Claim, SummaryCase
from rag.library import Library

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from summarizing import covered, filled, orders, read

FERRY = (
    "The ferry to Torsk closes in May. Mads Holm sold both ships to a yard in Riga. All tickets are paid back by May."
)
CLOSES, SOLD = (Claim(text, ((text,),)) for text in ("closes in May", "sold both ships"))


def test_baselines_take_sentences_of_the_articles_until_the_room_is_full(tmp_path: Path) -> None:
    (tmp_path / "ferry.txt").write_text(f"{FERRY} A bus runs from June to the end of August.", encoding="utf-8")
    (tmp_path / "copy.txt").write_text(f"{FERRY} Travellers may go by train from Orla to Torsk.", encoding="utf-8")
    case = SummaryCase(id="s", task=CaseTask.SUMMARY, words=20, claims=(CLOSES, SOLD))
    with Library(tmp_path / "library", embeddings=FakeEmbeddings()) as library:
        library.add(str(tmp_path / "ferry.txt"), str(tmp_path / "copy.txt"))
        pool = read(case, library)
        found = orders(pool, pool.articles)
    assert (len(pool.excerpts), len(found["random"]), len(set(map(tuple, found["random"])))) == (8, 10, 10)
    assert [len(order) for name in ("lead-3", "LexRank") for order in found[name]] == [6, 8]
    lead = filled(pool, found["lead-3"][0], case.words)
    assert lead == ["The ferry to Torsk closes in May.", "Mads Holm sold both ships to a yard in Riga."]  # no copies
    assert (covered(case, lead), covered(case, lead[:1]), covered(case, [])) == (2, 1, 0)
