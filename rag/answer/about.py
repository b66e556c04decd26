"""Answers questions about the articles themselves from what the catalog knows of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from rag.answer.task import Task
from rag.schema import Answer, Article, Citation, Published, Reason, Statement, Status, Verdict
from rag.store.filters import admits
from rag.text.sentences import sentences
from rag.text.words import content_words

MOST = 5
SUMMARIZES = "`rag summarize` sums articles up; here is how the article opens"
MORE = "the question is of {} articles that were found; `rag articles` lists all"
NO_ARTICLE = "it is not clear which article is meant; name its subject, or run `rag summarize --topic SUBJECT`"
_NOUN = r"(?:(?:news(?:paper)?|full|whole|first|last|latest)\s+)*(?:articles?|news\s+(?:stor(?:y|ies)|items?)|op-eds?)"
_SUBJECT = r"(?:\s+(?:about|on|of|regarding|concerning)\s+(?P<{}>.+?))?"
_END = r"\s*[?.!]*\s*"
_ABOUT = re.compile(
    rf"(?:(?:who\s+(?:wrote|(?:is|was)\s+the\s+author\s+of)|by\s+whom\s+(?:is|was)|who\s+(?:are|were)\s+the\s+authors\s+of)"
    rf"\s+(?:the|this|that|these)\s+{_NOUN}{_SUBJECT.format('a')}(?:\s+written)?"
    rf"|(?:when|on\s+(?:what|which)\s+(?:day|date))\s+(?:was|were)\s+(?:the|this|that|these)\s+{_NOUN}{_SUBJECT.format('b')}"
    rf"\s+(?:published|written|printed|posted)"
    rf"|(?:which|what)\s+(?:news\s+)?(?:outlets?|newspapers?|papers?|sources?)\s+(?:published|printed|has|have|had|wrote|ran)"
    rf"\s+(?:the\s+|this\s+|that\s+|these\s+|an\s+)?{_NOUN}{_SUBJECT.format('c')})" + _END,
    re.I,
)
_SUMMARIZE = re.compile(
    rf"(?:(?:(?:please|can\s+you|could\s+you)\s+)*(?:summari[sz]e|sum\s+up|(?:give|write)\s+(?:me\s+)?a\s+(?:\w+\s+)?summary\s+of)\s+"
    rf"(?:(?:(?:the|this|that|these|all|my)\s+)*{_NOUN}{_SUBJECT.format('a')}|this|it|them)"
    rf"|what\s+(?:is|are)\s+(?:the|this|that|these)\s+{_NOUN}\s+about|what\s+is\s+this\s+about)" + _END,
    re.I,
)


def answered(task: Task) -> Answer | None:
    """What the catalog says to a question about the articles, or None if it is about something else.

    Each article that is meant is described in one statement: its author, outlet and day. A request for a summary gets
    the sentence that opens the article, and the name of the command that sums up.
    """
    question = " ".join(task.asked.text.split())
    found = _SUMMARIZE.fullmatch(question)
    about = None if found else _ABOUT.fullmatch(question)
    match = found or about
    if match is None:
        return None
    subject = next(filter(None, match.groups()), None)
    meant = _meant(task, subject)
    plain = Answer(question, question, hits=task.hits)
    if not meant or (found and len(meant) > 1):
        return replace(plain, status=Status.ABSTAINED, reason=Reason.UNCLEAR, warnings=(NO_ARTICLE,))
    return _opened(plain, meant[0]) if found else _catalogued(plain, meant)


def described(article: Article) -> str:
    """What the catalog knows of an article, in one sentence."""
    author = f"is by {article.author}" if article.author else "names no author"
    outlet = f"is from {article.source}" if article.source else "names no outlet"
    day = f"was published {_when(article.published)}" if article.published else "has no known date"
    return f"“{article.title}” {author}, {outlet} and {day}."


def _opened(plain: Answer, article: Article) -> Answer:
    opening = _opening(article, 1)
    statement = Statement(" ".join(opening.quote.split()), (opening,), Verdict.SUPPORTED, unsure=True)
    return replace(
        plain,
        statements=(statement,),
        citations=(opening,),
        status=Status.PARTIAL,
        reason=Reason.UNCLEAR,
        warnings=(SUMMARIZES,),
    )


def _catalogued(plain: Answer, meant: Sequence[Article]) -> Answer:
    statements = tuple(
        Statement(described(article), (_opening(article, number),), Verdict.SUPPORTED)
        for number, article in enumerate(meant[:MOST], 1)
    )
    warned = (MORE.format(len(meant)),) if len(meant) > MOST else ()
    return replace(plain, statements=statements, citations=tuple(s.citations[0] for s in statements), warnings=warned)


def _opening(article: Article, number: int) -> Citation:
    """The first sentence of its text that is neither its title nor a dateline, or the first one."""
    spans = sentences(article.text[:4000])
    texts = [article.text[s.start : s.end] for s in spans]
    told = (
        s for s, text in zip(spans, texts, strict=True) if len(text.split()) > 3 and text.strip(" .") != article.title
    )
    span = next(told, spans[0])
    return Citation(number, article, "", span.start, span.end, article.text[span.start : span.end])


def _meant(task: Task, subject: str | None) -> Sequence[Article]:
    """The articles with all words of a subject, those first that have them in the title; or the only one there is."""
    articles = list({hit.article.id: hit.article for hit in task.hits}.values())
    if subject is None:
        return _only(task)
    wanted = set(content_words(subject))
    titled = [a for a in articles if wanted and wanted <= set(content_words(a.title))]
    found = titled or [a for a in articles if wanted and wanted <= set(content_words(f"{a.title} {a.text}"))]
    return found or (_only(task) if task.index.catalog.article_count == 1 else ())


def _only(task: Task) -> Sequence[Article]:
    """The one article that was cited last, or that there is."""
    last = task.asked.history[-1].citations if task.asked.history else ()
    cited = list({c.article.id: c.article for c in last if admits(task.asked.window, c.article)}.values())
    if cited or task.index.catalog.article_count != 1:
        return cited if len(cited) == 1 else ()
    return [a for a in task.index.catalog.articles() if admits(task.asked.window, a)]


def _when(published: Published) -> str:
    """`on 5 March 2024`, `in March 2024`, `in 2024`; with the time of day that its source gave."""
    at = f" at {published.time}" if published.time else ""
    return f"{'on' if published.known_day else 'in'} {published.written}{at}"
