"""Answers a question from what was retrieved for it, in the articles' own sentences."""

from __future__ import annotations

import math
import re
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rag.answer.beside import is_beside
from rag.answer.introductions import introducing
from rag.answer.premise import nowhere, premises
from rag.answer.task import Task
from rag.checks.denials import denial_behind, is_denial
from rag.compare.reconcile import reconciled
from rag.compare.sides import latest
from rag.retrieval.followups import asks_who_said, who_said
from rag.retrieval.query import Query
from rag.retrieval.rerank import Sentence, leans
from rag.retrieval.retriever import Retrieved
from rag.schema import Answer, Article, Citation, Hit, Reason, Span, Statement, Status
from rag.store.filters import admits
from rag.text.names import TITLES
from rag.text.speakers import alike as is_same_speaker
from rag.text.speakers import speaker
from rag.text.words import alike, content_words, words

MOST_STATEMENTS = 3
LIKELY, SURE = 0.62, 0.8
"""The confidence that there is an answer from which it answers, with "Possibly:", and the certainty that it is right
from which it is sure (precisions: evals/results.md)."""
# Logistic regression on dev questions with and without an answer (`training/fit_answers.py`, evals/results.md).
READ_CONFIDENCE: Mapping[str, float] = {"anywhere": 0.341, "score": 0.33}
READ_BIAS = -1.194
READ_CERTAINTY: Mapping[str, float] = {"anywhere": 0.17, "score": 0.232, "lead": 0.394}
READ_CERTAIN_BIAS = -2.51
PLAIN_CONFIDENCE: Mapping[str, float] = {"score": 0.29, "gap": 0.2}
"""Without the reader."""
PLAIN_BIAS = -5.5
_NEARLY, _NEARLY_IF_SEVERAL = 0.5, 3.0
"""How far below the best sentence another one may score that is shown too: of one question, of one with parts."""
_SAME_WORDS = 0.7
_MOST_LEAD = 5.0
_COUNTED = re.compile(r"\b(?:how (?:many|much)|number of) ([^\W_]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Pick:
    """A run of sentences of one hit that is shown together, with the span in it that answers."""

    passage_id: str
    span: Span
    answer: Span | None


def propose(task: Task) -> Generator[Statement, None, Answer]:
    """The articles' own sentences, with what sources say otherwise beside them."""
    with task.account.clock.time("generate"):
        answer = _said_before(task) or extract(task.query, task.retrieved, k=task.asked.k)
        answer = reconciled(answer, task.differences(answer.statements))
    yield from answer.statements
    return replace(answer, statements=())


def _said_before(task: Task) -> Answer | None:
    """Who said what was answered last, if it is that which is asked, and known what was cited."""
    history = task.asked.history
    cited = [c for c in history[-1].citations if admits(task.asked.window, c.article)] if history else []
    return who_said(task.query.text, cited, task.hits) if cited and asks_who_said(task.asked.text) else None


def extract(query: Query, retrieved: Retrieved, *, k: int) -> Answer:
    """The sentence that answers the question, verbatim, or up to three for one that asks for several; or an abstention.

    A likely answer is PARTIAL and UNCLEAR. An abstention has the nearest sentences as evidence. If the question takes
    for granted what these do not say, a sure answer is only likely, and a likely one that lacks a name is none.
    """
    if not query.terms:
        return Answer(query.text, query.text, status=Status.ABSTAINED, reason=Reason.UNCLEAR)
    found, articles = Answer(query.text, query.text, hits=retrieved.hits[:k]), _by_passage(retrieved.hits)
    every = sorted(retrieved.sentences, key=lambda s: (-s.score, s.passage_id, s.span.start))
    introduced = introducing(query.text, every, articles)
    said = introduced[:1] or _said_by_whom_it_asks(query, every)
    ranked = said or every
    chosen = _chosen(query, ranked, retrieved)
    citations = _citations(chosen, retrieved.hits)
    taken = premises(query, citations, _articles(query, citations, retrieved))
    likely = 1.0 if said else confidence(query, ranked, retrieved)
    sure = 1.0 if introduced else certainty(ranked)
    if likely < LIKELY or (sure < SURE and taken.unnamed):
        near = _citations(_chosen(query, _naming(query, every), retrieved), retrieved.hits)
        unnamed = nowhere(query, _read(retrieved)) if taken.unnamed else ()
        told = replace(found, nearest=near, premises=replace(taken, unnamed=unnamed).beside_nearest)
        return replace(told, status=Status.ABSTAINED, reason=Reason.NOT_IN_ARTICLES)
    unsure = sure < SURE or taken.doubtful or query.is_bare or not _is_in(ranked[0], chosen[:1])
    citations = _citations(_with_another(chosen, query, ranked, retrieved), retrieved.hits)
    found = replace(found, statements=tuple(_statement(c, unsure=unsure) for c in citations), citations=citations)
    if not unsure:
        return found
    return replace(found, status=Status.PARTIAL, reason=Reason.UNCLEAR, premises=taken.beside_answer)


def _said_by_whom_it_asks(query: Query, ranked: Sequence[Sentence]) -> list[Sentence]:
    """What somebody said of whom a question asks nothing else: "What did Zarif say?"."""
    named = frozenset(stem for name in query.names for stem in content_words(name))
    alone = query.said and len(query.names) == 1 and named | TITLES >= set(query.terms)
    if not (alone and query.text.lower().startswith("what ")):
        return []
    told = ((sentence, speaker(sentence.text)) for sentence in ranked)
    return [s for s, who in told if who and is_same_speaker(who, query.names[0])]


def _articles(query: Query, citations: Sequence[Citation], retrieved: Retrieved) -> list[Article]:
    """The articles in which the names of a question are looked for: all that were read, if it asks several things."""
    return _read(retrieved) if query.parts else [citation.article for citation in citations]


def _read(retrieved: Retrieved) -> list[Article]:
    return list({hit.article.id: hit.article for hit in retrieved.hits}.values())


def _by_passage(hits: Sequence[Hit]) -> dict[str, Article]:
    return {hit.passage.id: hit.article for hit in hits}


def _naming(query: Query, ranked: Sequence[Sentence]) -> list[Sentence]:
    """The sentences, those first that have most of the names of a question itself by their last words."""
    last = {words[-1] for name in query.names if (words := content_words(name))} - query.background
    return sorted(ranked, key=lambda sentence: -len(last & sentence.stems))


def confidence(query: Query, ranked: Sequence[Sentence], retrieved: Retrieved) -> float:
    """How likely it is that the best of the sentences, best first, answer the question: 0 to 1.

    It is 0 if the sentences have no word of the question but those of the conversation before it.
    """
    own = frozenset(query.terms) - query.background
    if not ranked or (own and own <= retrieved.missing):
        return 0.0
    values = features(ranked)
    if "anywhere" in values:
        return _probability(READ_CONFIDENCE, READ_BIAS, values)
    return _probability(PLAIN_CONFIDENCE, PLAIN_BIAS, values)


def certainty(ranked: Sequence[Sentence]) -> float:
    """How likely it is that the best of the sentences, best first, is a right answer: 0 to 1; 0 if none was read."""
    values = features(ranked) if ranked else {}
    return _probability(READ_CERTAINTY, READ_CERTAIN_BIAS, values) if "anywhere" in values else 0.0


def _probability(weights: Mapping[str, float], bias: float, values: Mapping[str, float]) -> float:
    return 1 / (1 + math.exp(-bias - sum(weight * values[name] for name, weight in weights.items())))


def features(ranked: Sequence[Sentence]) -> dict[str, float]:
    """The features of whether sentences, best first, answer: `anywhere` is the reader's log-odds that one of them does.

    `score` is that of the best one, `gap` what it is above the others, `lead` what it is above the next one that says
    something else.
    """
    best, others = ranked[0], [s.score for s in ranked[3:10]]
    found = {"score": best.score, "gap": best.score - sum(others) / len(others) if others else 3.0}
    rival = next((s.score for s in ranked[1:] if not alike(s.stems, best.stems, _SAME_WORDS)), -math.inf)
    found["lead"] = min(_MOST_LEAD, best.score - rival)
    readings = [s.features["reader"] for s in ranked if s.reading]
    return found | ({"anywhere": float(np.logaddexp.reduce(readings))} if readings else {})


def _chosen(query: Query, ranked: Sequence[Sentence], retrieved: Retrieved) -> list[_Pick]:
    """The best sentence, and those that say something else and are nearly as good."""
    chosen, taken = list[_Pick](), list[Sentence]()
    margin = _NEARLY_IF_SEVERAL if query.parts else _NEARLY
    for sentence in ranked:
        if len(chosen) == MOST_STATEMENTS or sentence.score < ranked[0].score - margin:
            break
        if not any(alike(sentence.stems, other.stems, _SAME_WORDS) for other in taken) and not _is_in(sentence, chosen):
            taken.append(sentence)
            _take(_choice(query, sentence, retrieved), chosen)
    return _led(chosen, query, ranked, retrieved)


def _led(chosen: list[_Pick], query: Query, ranked: Sequence[Sentence], retrieved: Retrieved) -> list[_Pick]:
    """What was chosen, behind the number that the latest article gives, if a question asks how many."""
    asked = _COUNTED.search(query.text) if ranked and not query.periods else None
    later = latest(ranked[0], words(asked[1])[0], retrieved) if asked else None
    if later is None:
        return chosen
    led = [_choice(query, later, retrieved)]
    for pick in chosen:
        _take(pick, led)
    return led[:MOST_STATEMENTS]


def _with_another(
    chosen: Sequence[_Pick], query: Query, ranked: Sequence[Sentence], retrieved: Retrieved
) -> Sequence[_Pick]:
    """What was chosen, and what stands beside it where that is one sentence."""
    if len(chosen) != 1:
        return chosen
    articles, best = _by_passage(retrieved.hits), ranked[0]
    others = (s for s in ranked if not alike(s.stems, best.stems, _SAME_WORDS) and not _is_in(s, chosen))
    other = next((s for s in others if is_beside(query, best, s, articles)), None)
    both = list(chosen)
    if other:
        _take(_choice(query, other, retrieved), both)
    return both


def _take(pick: _Pick, chosen: list[_Pick]) -> None:
    """Adds a pick to the chosen ones, or to the one that it has a sentence in common with."""
    start, end = pick.span.start, pick.span.end
    for place, other in enumerate(chosen):
        if pick.passage_id == other.passage_id and start < other.span.end and other.span.start < end:
            chosen[place] = replace(other, span=Span(min(start, other.span.start), max(end, other.span.end)))
            return
    chosen.append(pick)


def _choice(query: Query, sentence: Sentence, retrieved: Retrieved) -> _Pick:
    """The sentence, with the neighbour that it needs, and the one behind it that denies it."""
    answer = sentence.reading.answer if sentence.reading else None
    partner = _partner(query, sentence, retrieved)
    spans = [sentence.span, *([partner.span] if partner else [])]
    start, end = min(s.start for s in spans), max(s.end for s in spans)
    denial = denial_behind(_by_passage(retrieved.hits)[sentence.passage_id], Span(start, end))
    whole = Span(start, denial.end if denial else end)
    return _Pick(sentence.passage_id, whole, answer)


def _partner(query: Query, sentence: Sentence, retrieved: Retrieved) -> Sentence | None:
    """What it leads in to with a colon, what leads in to it, or what it leans on; None if it stands alone.

    What leans on it too, if that has more of what is asked: "Baradar led the delegation. He called for patience."
    """
    passage = [s for s in retrieved.sentences if s.passage_id == sentence.passage_id]
    place = passage.index(sentence)
    before, after = passage[place - 1] if place else None, passage[place + 1] if place + 1 < len(passage) else None
    before, after = (s if s and _touch(sentence, s, retrieved) else None for s in (before, after))
    if sentence.text.endswith(":"):
        return after
    if before and (before.text.endswith(":") or (leans(sentence.text) and not before.text.endswith("?"))):
        return before
    if after and leans(after.text) and len(after.stems & set(query.terms)) > len(sentence.stems & set(query.terms)):
        return after
    return before if is_denial(sentence.text) else None


def _touch(sentence: Sentence, other: Sentence, retrieved: Retrieved) -> bool:
    """Whether nothing stands between two sentences of a passage: one that was left out may."""
    text = next(hit.article.text for hit in retrieved.hits if hit.passage.id == sentence.passage_id)
    first, last = sorted((sentence.span, other.span), key=lambda span: span.start)
    return not text[first.end : last.start].strip()


def _is_in(sentence: Sentence, chosen: Sequence[_Pick]) -> bool:
    return any(sentence.passage_id == c.passage_id and c.span.start <= sentence.span.start < c.span.end for c in chosen)


def _citations(chosen: Sequence[_Pick], hits: Sequence[Hit]) -> tuple[Citation, ...]:
    articles = _by_passage(hits)
    return tuple(_citation(n, choice, articles[choice.passage_id]) for n, choice in enumerate(chosen, start=1))


def _citation(number: int, choice: _Pick, article: Article) -> Citation:
    start, end = choice.span.start, choice.span.end
    return Citation(number, article, choice.passage_id, start, end, article.text[start:end], choice.answer)


def _statement(citation: Citation, *, unsure: bool) -> Statement:
    return Statement(" ".join(citation.quote.split()), (citation,), unsure=unsure)
