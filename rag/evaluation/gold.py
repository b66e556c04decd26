"""Finds the gold evidence of a case in the articles of a library."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from rag.errors import InputError
from rag.evaluation.cases import Case, Evidence
from rag.evaluation.results import Place
from rag.schema import Article, Citation
from rag.store.catalog import Catalog


def places(case: Case, catalog: Catalog) -> tuple[Place, ...]:
    """Where the evidence stands, in its order: a quote, or a whole article.

    Raises InputError if there is no such article, or a quote is not verbatim in it.
    """
    return tuple(_place(case, evidence, catalog) for evidence in case.evidence if evidence.article)


def quotes(case: Case, catalog: Catalog) -> Iterator[Citation]:
    """The evidence in the articles of a library as citations, from 1."""
    for number, place in enumerate(places(case, catalog), start=1):
        article = catalog.article(place.article)
        yield Citation(number, article, "", place.start, place.end, article.text[place.start : place.end])


def check_gold(cases: Iterable[Case], catalog: Catalog) -> None:
    """Raises InputError, with how many there are, if evidence does not stand in the articles."""
    wrong = [problem for case in cases for problem in _problems(case, catalog)]
    if wrong:
        more = f"; {len(wrong) - 1} more" if len(wrong) > 1 else ""
        raise InputError(f"{wrong[0]}{more}; add the articles that the set is about, or mend the case")


def _problems(case: Case, catalog: Catalog) -> Sequence[str]:
    try:
        places(case, catalog)
    except InputError as error:
        return [str(error)]
    return []


def _place(case: Case, evidence: Evidence, catalog: Catalog) -> Place:
    found = catalog.articles([evidence.article or ""])
    if not found:
        raise InputError(f"case {case.id}: there is no article {evidence.article!r}")
    if not evidence.quote:
        return Place(found[0].id, 0, len(found[0].text))
    match = _found(evidence.quote, found[0])
    if not match:
        raise InputError(f"case {case.id}: {evidence.quote[:50]!r} does not stand in the article {evidence.article}")
    return Place(found[0].id, match.start(), match.end())


def _found(quote: str, article: Article) -> re.Match[str] | None:
    """Word for word; only the spaces between may differ."""
    return re.search(r"\s+".join(map(re.escape, quote.split())), article.text)
