"""Finds what other articles answer to the same question: another number of the same thing, another day or name.

Both sentences must answer the question by the reader, in one number, day or name each, and be of one event.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from rag.checks.exact import Number, counted
from rag.compare.relation import Report, day_of, holds, is_of_one_event, may_be_compared, meet, plain, shared
from rag.retrieval.rerank import Sentence
from rag.retrieval.retriever import Retrieved
from rag.schema import Article, Statement
from rag.text.names import Name, names, occurs
from rag.text.quantities import agree, bounds
from rag.text.relative_dates import Moment, moments
from rag.text.words import content_words

_MARGIN, _SHARED_WORDS, _SHARED_BUT_NAME = 4.0, 0.55, 0.7
_LEAST_READING, _LEAST_IF_NAME, _PLAIN_ANSWER = 1.0, 0.0, 3.0
"""How far below a statement's sentence another one may score, how many of their words they must share (if names differ,
of the others), and what the reader must make of both; from which on the words of numbers and days may differ."""
_MOST_SIDES = 3
_LATER_READING = 2.0
"""How much less the reader may make of a later number than of the one that it may revise."""
_ANOTHER = re.compile(
    r"\b(?:another|a (?:second|further)|each|every|per(?! cent)|daily|weekly|monthly|"
    r"an? (?:hour|day|week|month|year)(?! (?:ago|earlier|later)))\b",
    re.IGNORECASE,
)
"""Where only one of two sentences has it, they are of two things: another one, or the share of a day."""
_FATE = re.compile(r"\b(?:missing|unaccounted|injured|wounded|hurt|homeless|displaced|evacuated)\b", re.IGNORECASE)
_CLAUSE = re.compile(r"[,;.]| (?:and|but) ")
"""What befell those that are counted, if they did not die: behind the number in its clause, or right before it."""
_PART_OF = re.compile(r"\s+(?:out )?of\s+(?:(?:the|its|their|all)\s+)?(?:[a-z]+\s+)?")


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """A sentence that answers with one number, day or name."""

    report: Report
    score: float
    reading: float
    answer: Number | Moment | Name

    @property
    def is_revisable(self) -> bool:
        """Whether a later report can give it anew: a number, or a day that was still to come."""
        if isinstance(self.answer, Moment):
            return self.answer.periods[0].first > day_of(self.report)
        return isinstance(self.answer, Number)

    @property
    def value(self) -> str:
        """The answer as it is written, a number with a bound before it."""
        if isinstance(self.answer, Number):
            return self.report.text[self.answer.value.begin : self.answer.value.end]
        return self.answer.text.rstrip(".")


def sides(statements: Sequence[Statement], retrieved: Retrieved) -> list[Side]:
    """The first statement's answer with the different ones of other articles, the best first; empty if none differs."""
    articles = {hit.passage.id: hit.article for hit in retrieved.hits}
    answers = list(_answers(retrieved.sentences, articles))
    best = next((a for a in answers for s in statements[:1] if any(holds(c, a.report) for c in s.citations[:1])), None)
    if best is None:
        return []
    found = [best]
    for other in answers:
        near = other.score >= answers[0].score - _MARGIN
        if near and all(_differ(other, known) for known in found) and _is_same_question(best, other):
            found.append(other)
    return found[:_MOST_SIDES] if len(found) > 1 else []


def latest(best: Sentence, asked: str, retrieved: Retrieved) -> Sentence | None:
    """The sentence of the latest article that answers with another number of the same thing than the best one.

    `asked` is the stem of what is counted. None if no article after that of the best sentence gives another number.
    """
    articles = {hit.passage.id: hit.article for hit in retrieved.hits}
    first = _counting(best, asked, articles[best.passage_id])
    near = (s for s in retrieved.sentences if s.score >= best.score - _MARGIN)
    later = [
        (s, a) for s in near if (a := _counting(s, asked, articles[s.passage_id])) and first and _revises(a, first)
    ]
    return max(later, key=lambda found: (day_of(found[1].report), found[0].score))[0] if later else None


def _revises(later: Side, first: Side) -> bool:
    near = later.reading >= first.reading - _LATER_READING
    one_event = is_of_one_event(first.report, later.report, but=frozenset(), days=False)
    return near and one_event and day_of(later.report) > day_of(first.report) and _differ(first, later)


def _counting(sentence: Sentence, asked: str, article: Article) -> Side | None:
    """A sentence with the number in it that the reader points at, but of what is asked if it has one of that."""
    side = _side(sentence, article)
    if side is None or not isinstance(side.answer, Number):
        return None
    numbers = [number for number in _wholes(side.report.text) if number.noun == asked]
    return replace(side, answer=numbers[0]) if len(numbers) == 1 else side


def _answers(sentences: Sequence[Sentence], articles: Mapping[str, Article]) -> Iterator[Side]:
    for sentence in sorted(sentences, key=lambda s: (-s.score, s.passage_id, s.span.start)):
        side = _side(sentence, articles[sentence.passage_id])
        if side and side.reading >= (_LEAST_IF_NAME if isinstance(side.answer, Name) else _LEAST_READING):
            yield side


def _side(sentence: Sentence, article: Article) -> Side | None:
    """What the reader points at in a sentence, if that is one number, day or name."""
    if sentence.reading is None or sentence.is_order:
        return None
    report = Report(article, sentence.passage_id, sentence.span, article.text[sentence.span.start : sentence.span.end])
    published = article.published.day if article.published else None
    numbers = [n for n in _wholes(report.text) if _is_answer(sentence, n.value.start, n.value.end)]
    days = [m for m in moments(report.text, published) if m.periods and _is_answer(sentence, m.start, m.end)]
    named = [n for n in names(report.text) if _is_answer(sentence, n.start, n.end)]
    answers: Sequence[Number | Moment | Name] = numbers or days or named
    return Side(report, sentence.score, sentence.reading.score, answers[0]) if len(answers) == 1 else None


def _wholes(text: str) -> list[Number]:
    """The numbers of a text but parts and wholes, such as eight of the 34."""
    found = counted(text)
    parted = {n for a, b in pairwise(found) if _PART_OF.fullmatch(text, a.value.end, b.value.start) for n in (a, b)}
    return [n for n in found if n not in parted]


def _is_answer(sentence: Sentence, start: int, end: int) -> bool:
    """Whether what the reader points at has some of these characters of the sentence."""
    assert sentence.reading
    answer, begin = sentence.reading.answer, sentence.span.start
    return begin + start < answer.end and answer.start < begin + end


def _is_same_question(a: Side, b: Side) -> bool:
    """Whether they are of one event, apart from what each answers."""
    of_another = {bool(_ANOTHER.search(side.report.text)) for side in (a, b)}
    if len(of_another) > 1 or _fates(a) != _fates(b) or not may_be_compared(a.report, b.report):
        return False
    named = isinstance(a.answer, Name)
    answers = frozenset(content_words(f"{a.value} {b.value}")) if named else frozenset()
    if not is_of_one_event(a.report, b.report, but=answers, days=not isinstance(a.answer, Moment)):
        return False
    if not named and min(a.reading, b.reading) >= _PLAIN_ANSWER:
        return True
    least = _SHARED_BUT_NAME if named else _SHARED_WORDS
    return shared(plain(a.report.text) - answers, plain(b.report.text) - answers) >= least


def _fates(side: Side) -> frozenset[str]:
    """What a sentence says of those that it counts: that they are missing, or were wounded."""
    if not isinstance(side.answer, Number):
        return frozenset()
    text, value = side.report.text, side.answer.value
    before, behind = text[: value.begin].split()[-1:], _CLAUSE.split(text[value.end :], maxsplit=1)[0]
    return frozenset(match.group().lower() for match in _FATE.finditer(" ".join((*before, behind))))


def _differ(a: Side, b: Side) -> bool:
    """Whether they give different numbers of one noun, days or names; a bound agrees with what it holds of."""
    match a.answer, b.answer:
        case Number(one, noun), Number(other, other_noun):
            alike = agree(one, other, about=True) or agree(other, one, about=True)
            held = one.bound != other.bound and (bounds(one, other) or bounds(other, one))
            return one.unit == other.unit and noun == other_noun and not alike and not held
        case Moment(), Moment():
            both = a.answer.periods[0], b.answer.periods[0]
            return all(p.days == 1 for p in both) and not meet(a.answer, b.answer)
        case Name(), Name():
            return not (occurs(a.value, b.report.text) or occurs(b.value, a.report.text))
    return False
