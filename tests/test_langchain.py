"""The retriever and the embeddings, by LangChain's own standard tests."""

from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.retrievers import BaseRetriever
from langchain_tests.integration_tests import EmbeddingsIntegrationTests, RetrieversIntegrationTests
from langchain_tests.unit_tests import EmbeddingsUnitTests

from rag.errors import InputError
from rag.ingest.metadata import article
from rag.langchain import HybridRetriever, MiniLMEmbeddings, asked
from rag.library import Library

QUESTION = "Who spoke for the Taliban in Tehran?"
CITIES = ("Doha", "Moscow", "Istanbul")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with Library(tmp_path_factory.mktemp("library")) as made:
        made.add("seeds", *(article(f"The talks in {city} went on for {n} days.") for n, city in enumerate(CITIES, 2)))
        yield made


class TestHybridRetriever(RetrieversIntegrationTests):
    @pytest.fixture(autouse=True)
    def _library(self, library: Library) -> None:
        self.library = library

    @property
    def retriever_constructor(self) -> type[BaseRetriever]:
        return HybridRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {"library": self.library}

    @property
    def retriever_query_example(self) -> str:
        return QUESTION

    @property
    def num_results_arg_name(self) -> str:
        return "k"


class TestEmbeddingsUnit(EmbeddingsUnitTests):
    @property
    def embeddings_class(self) -> type[MiniLMEmbeddings]:
        return MiniLMEmbeddings


class TestEmbeddings(EmbeddingsIntegrationTests):
    @property
    def embeddings_class(self) -> type[MiniLMEmbeddings]:
        return MiniLMEmbeddings


def test_a_document_has_the_place_of_its_text_in_the_article(library: Library) -> None:
    texts = {a.id: a.text for a in library.articles()}
    for document in library.retriever(k=4).invoke(QUESTION):
        text = texts[document.metadata["article_id"]]
        assert text[document.metadata["start"] : document.metadata["end"]] == document.page_content


def test_it_composes_with_other_runnables(library: Library) -> None:
    chain = library.retriever(k=1) | (lambda documents: [d.metadata["article_id"] for d in documents])
    assert chain.invoke(QUESTION) == [hit.article.id for hit in library.search(QUESTION, k=1).hits]


@pytest.mark.parametrize(
    "limit", [{"since": [None]}, {"as_of": {"": 1}}, {"until": 3.5}, {"sources": 7}, {"sources": [7]}, {"history": 7}]
)
def test_limits_that_are_none_are_errors_of_the_input(limit: dict[str, object]) -> None:
    with pytest.raises(InputError, match=next(iter(limit))):
        asked({"question": "Who?", **limit})
