"""The corpora and the sets of questions about them: what they quote stands there, word for word."""

import json
from pathlib import Path

import pytest

from rag.evaluation.cases import load_cases
from rag.loaders import expand, load
from rag.schema import Article

EVALS = Path(__file__).parent.parent / "evals"
LOADED = [item for path in expand([EVALS / "corpora" / "afghanistan-2021"]) for item in load(path)]
ARTICLES = {item.id: item for item in LOADED if isinstance(item, Article)}
SETS = sorted(EVALS.glob("sets/news-*.jsonl"))


def test_every_article_of_the_corpus_is_loaded_with_its_day_and_outlet() -> None:
    assert len(ARTICLES) == 83
    assert all(article.published and article.source and article.author for article in ARTICLES.values())


@pytest.mark.parametrize("path", SETS, ids=lambda path: path.stem)
def test_each_kind_has_at_least_25_cases_with_ids_of_their_own(path: Path) -> None:
    cases = load_cases(path)
    assert len({case.id for case in cases}) == len(cases) >= 25


@pytest.mark.parametrize("path", SETS, ids=lambda path: path.stem)
def test_every_quote_of_the_evidence_stands_in_its_article(path: Path) -> None:
    for line in path.read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        assert case["evidence"] or not case["answerable"]
        for evidence in case["evidence"]:
            assert evidence["quote"] in ARTICLES[evidence["article"]].text, case["id"]
