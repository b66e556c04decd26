"""The corpus that the project has written for its sets."""

from pathlib import Path

from rag.ingest.loaders import expand, load
from rag.schema import Article

CORPUS = Path(__file__).parents[2] / "evals" / "corpora" / "afghanistan-2021"


def test_every_article_of_the_corpus_is_loaded_with_its_day_and_outlet() -> None:
    found = [item for path in expand([CORPUS]) for item in load(path)]
    articles = {item.id: item for item in found if isinstance(item, Article)}
    assert len(articles) == 93
    assert all(article.published and article.source and article.author for article in articles.values())
