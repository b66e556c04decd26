"""Scores summaries and timelines: `python -m rag.evaluation.digests SET --timelines SET -a ARTICLES`."""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from rag.chunking import sentences
from rag.errors import InputError, RagError
from rag.evaluation.cases import Claim
from rag.evaluation.metrics import Rate
from rag.evaluation.overlap import Overlap, agreement, date_overlap, rouge_l, rouge_n
from rag.library import Library
from rag.schema import Article, Precision, Timeline, Verdict

MOST_ARTICLES = 10
"""How many articles a baseline takes sentences of on a topic."""


@dataclass(frozen=True, slots=True)
class SummaryCase:
    """What is to be summarized in how many words, the claims that it should make, and a summary written by a person."""

    id: str
    articles: tuple[str, ...]
    topic: str | None
    words: int
    claims: tuple[Claim, ...]
    reference: str


@dataclass(frozen=True, slots=True)
class TimelineCase:
    """A topic, at most how many events, and the events of a timeline written by a person, by day."""

    id: str
    topic: str | None
    max_events: int
    events: dict[date, str]


@dataclass(frozen=True, slots=True)
class Row:
    """The scores of one way to summarize all cases: `claims` made, mean ROUGE F1, words, supported statements."""

    name: str
    claims: Rate
    rouge_1: float
    rouge_2: float
    rouge_l: float
    words: int
    supported: Rate

    def __str__(self) -> str:
        rouge = f"{self.rouge_1:.2f} {self.rouge_2:.2f} {self.rouge_l:.2f}"
        told = f"{self.name:8} claims {self.claims}  ROUGE-1/2/L {rouge}  words {self.words}"
        return f"{told}  supported {self.supported}" if self.supported.n else told


def summary_cases(path: Path) -> list[SummaryCase]:
    """The cases of a JSONL file; raises InputError with file and line if one is not as the schema says."""
    return list(_read(path, _summary_case))


def timeline_cases(path: Path) -> list[TimelineCase]:
    """The cases of a JSONL file; raises InputError with file and line if one is not as the schema says."""
    return list(_read(path, _timeline_case))


def summary_rows(cases: Sequence[SummaryCase], library: Library) -> list[Row]:
    """The scores of the library, of the first sentences, and of random ones, in the same number of words."""
    found = [library.summarize(*case.articles, topic=case.topic, words=case.words) for case in cases]
    verdicts = [s.verdict is Verdict.SUPPORTED for summary in found for s in summary.statements]
    own = [" ".join(s.text for s in summary.statements) for summary in found]
    pools = [[_sentences(article) for article in _articles(case, library)] for case in cases]
    leads = [_cut(_lead(pool), case.words) for pool, case in zip(pools, cases, strict=True)]
    random = [_cut(_shuffled(pool), case.words) for pool, case in zip(pools, cases, strict=True)]
    verbatim = Rate(0, 0)
    return [
        _row("rag", cases, own, Rate(sum(verdicts), len(verdicts))),
        _row("lead", cases, leads, verbatim),
        _row("random", cases, random, verbatim),
    ]


def timeline_lines(cases: Sequence[TimelineCase], library: Library) -> Iterator[str]:
    """The scores of each timeline, then of all together."""
    dates, texts = Overlap(0, 0, 0), Overlap(0, 0, 0)
    for case in cases:
        told = _by_day(library.timeline(topic=case.topic, max_events=case.max_events))
        here, said = date_overlap(told, case.events), agreement(told, case.events, 1)
        dates, texts = dates + here, texts + said
        yield _told(case.id, here, said)
    yield _told("all", dates, texts)


def main() -> int:
    """Prints the scores."""
    parser = ArgumentParser(prog="python -m rag.evaluation.digests", description=__doc__)
    parser.add_argument("set", type=Path, help="a JSONL file of summaries")
    parser.add_argument("--timelines", type=Path, help="a JSONL file of timelines")
    parser.add_argument("--add", "-a", action="append", default=[], help="articles to add first")
    parser.add_argument("--library", type=Path, help="the library to ask; without it a new one that is not kept")
    arguments = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory() as folder, Library(arguments.library or folder, offline=True) as library:
            library.add(*arguments.add)
            sys.stdout.writelines(f"{row}\n" for row in summary_rows(summary_cases(arguments.set), library))
            timed = timeline_cases(arguments.timelines) if arguments.timelines else []
            sys.stdout.writelines(f"{line}\n" for line in timeline_lines(timed, library) if timed)
    except RagError as error:
        sys.stderr.write(f"rag: {error}\n")
        return error.exit_code
    return 0


def _read(path: Path, case: Callable[[dict[str, Any]], Any]) -> Iterator[Any]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            yield case(json.loads(line))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise InputError(
                f"{path.name}:{number}: not a case: {error!r}; evals/README.md says what one is"
            ) from error


def _summary_case(record: dict[str, Any]) -> SummaryCase:
    claims = tuple(Claim(c["text"], True, tuple(map(tuple, c["any_of"]))) for c in record["claims"])
    articles, words = tuple(record["articles"]), record["words"]
    return SummaryCase(record["id"], articles, record["topic"], words, claims, record["reference"])


def _timeline_case(record: dict[str, Any]) -> TimelineCase:
    events = {date.fromisoformat(day): text for day, text in record["events"].items()}
    return TimelineCase(record["id"], record["topic"], record["max_events"], events)


def _row(name: str, cases: Sequence[SummaryCase], texts: Sequence[str], supported: Rate) -> Row:
    pairs = list(zip(cases, texts, strict=True))
    made = sum(claim.is_in(text) for case, text in pairs for claim in case.claims)
    rouge_1, rouge_2 = (_mean([rouge_n(text, case.reference, n).f1 for case, text in pairs]) for n in (1, 2))
    longest = _mean([rouge_l(text, case.reference).f1 for case, text in pairs])
    total = sum(len(case.claims) for case in cases)
    words = sum(len(text.split()) for text in texts)
    return Row(name, Rate(made, total), rouge_1, rouge_2, longest, words, supported)


def _articles(case: SummaryCase, library: Library) -> list[Article]:
    """Those that are named, else those that a search for the topic finds, best first."""
    if case.articles:
        return [library.catalog.article(id) for id in case.articles]
    hits = library.search(case.topic or "", k=40).hits
    return list({hit.article.id: hit.article for hit in hits}.values())[:MOST_ARTICLES]


def _sentences(article: Article) -> list[str]:
    return [" ".join(article.text[s.start : s.end].split()) for s in sentences(article.text)]


def _lead(pool: Sequence[Sequence[str]]) -> list[str]:
    """The first sentences of one article; of several the first of each, then the second."""
    longest = max(map(len, pool), default=0)
    return [article[place] for place in range(longest) for article in pool if place < len(article)]


def _shuffled(pool: Sequence[Sequence[str]]) -> list[str]:
    """All sentences in an order that means nothing, but is the same each time."""
    return sorted(_lead(pool), key=lambda sentence: hashlib.sha256(sentence.encode()).digest())


def _cut(found: Sequence[str], words: int) -> str:
    """The sentences, each once, from the first on; one that there is no room for is left out."""
    kept: list[str] = []
    for sentence in dict.fromkeys(found):
        if sum(len(s.split()) for s in (*kept, sentence)) <= words:
            kept.append(sentence)
    return " ".join(kept)


def _by_day(timeline: Timeline) -> dict[date, str]:
    found: dict[date, str] = {}
    for event in timeline.events:
        if event.precision is Precision.DAY:
            found[event.date] = f"{found.get(event.date, '')} {event.statement.text}".strip()
    return found


def _told(name: str, dates: Overlap, texts: Overlap) -> str:
    days = f"F1 {dates.f1:.2f} (precision {dates.shared}/{dates.found}, recall {dates.shared}/{dates.wanted})"
    return f"{name:8} dates {days}  agreement ROUGE-1 {texts.f1:.2f}"


def _mean(values: Sequence[float]) -> float:
    return sum(values) / (len(values) or 1)


if __name__ == "__main__":
    sys.exit(main())
