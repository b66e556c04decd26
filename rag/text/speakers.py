"""Tells who says what a sentence or a quotation reports."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rag.schema import Check, Citation, Span
from rag.text.calendar import ANY_WEEKDAY
from rag.text.names import TITLES, names, same
from rag.text.sentences import cited_sentences, sentences
from rag.text.words import CAPITALS, COUNTRIES, content_words, listed, stem

_SAYS = (
    "said|says|told|tells|stated|states|announced|announces|added|adds|claimed|claims|argued|argues|warned|warns|"
    "insisted|insists|confirmed|confirms|denied|denies|reported|reports|noted|notes|acknowledged|admitted|estimated|"
    "estimates|declared|declares|testified|wrote|tweeted|stressed|emphasized|reiterated|"
    "maintained|alleged|alleges|predicted|suggested|cautioned|complained|contended|conceded|recalled|remarked|replied|"
    "responded|asserted|concluded|conceded"
)
_VERB = re.compile(
    rf"\b(?<!\bthan )(?<!\bas )(?:{_SAYS}|(?:puts?|gave|gives)(?=\b[^.;,]{{3,60}}\b(?:at|as) ))\b(?! to (?:be|have)\b)"
)
_TELLING = (
    r"found|finds|show(?:s|ed|n)?|disputed?|urged?|called|demanded?|vowed|pledged|promised|described|accused?|put|"
    r"explained|rejected|condemned|welcomed|answered|asked|criticized|praised|thanked|blamed"
)
_TELLS = re.compile(rf"\b(?:{_TELLING})\b")
SAYING = f"{_SAYS}|promised|asked|wanted|vowed|pledged|explained|called"
"""The verbs, as an alternative of a pattern, behind a pronoun for somebody who speaks."""
_ACCORDING = re.compile(
    r"\b(?:according to|in the words of|as reported by|statement (?:issued )?(?:by|from)|quoting|citing)\s+"
    r"(?P<who>(?:[A-Z]\.|(?! (?:said|says|that|had|has|have|on|who|which) )[^,.;:—])+)",
    re.IGNORECASE,
)
_NO_SPEAKER = "|".join(
    sorted(listed("in on at to that for by it he she they its his her their no there this these those if whether"))
)
_INVERTED = re.compile(
    rf"(?:[,?!”\"'’]|'')\s+(?!told|tells)(?:{_SAYS})\s+(?P<who>(?!(?:{_NO_SPEAKER}) )(?:the |an? )?"
    r"(?:[\w’'.-]+,? ){0,6}?[A-Z][\w’'-]+(?: [A-Z][\w’'-]+)*)"
)
_PARTS = re.compile(r";|, (?:but|while|whereas|although)\b")
_LABEL = re.compile(r"^\s*(?P<who>(?:THE )?[A-Z][A-Z.’' -]{2,40}|Q):\s")
_LABELS = re.compile(r"(?:^|(?<=[.?!—] ))(?P<who>(?:THE )?[A-Z][A-Z.’' -]{2,40}):\s")
_CLAUSE = re.compile(r"[,;:—–()“”\"]|\b(?:and|but|while|that|as|which|who|after|because|when|until)\b")
_NAME_ALONE = re.compile(r"(?:al-)?[A-Z][\w’'.-]*(?: (?:(?:al-)?[A-Z][\w’'.-]*|al|bin|ul|of))*")
_LEADING = re.compile(
    r"^(?:(?:on|in|at|by|for|from|after|before|during|meanwhile|however|also|earlier|later|still|yet|he|she|it|they|who|"
    r"had|has|have|also|then|and|but|the|an?)\s+)+",
    re.IGNORECASE,
)
_TRAILING = re.compile(r"(?: (?:had|has|have|also|then))+$")
_PRONOUNS = listed("he she it they who i we you")
_ACRONYM = re.compile(r"\b(?:[A-Z]\.){2,}|\b[A-Z]{2,5}\b")
_OF = re.compile(r"\b(?:in|of|at|from|for|on|to|near|with|by) (?:the |an? )?(?:\w+ )?$", re.IGNORECASE)
_WORDS_BEFORE, _WORDS_AFTER = 14, 12
_THE = re.compile(r"\bthe $", re.IGNORECASE)
_DAYS = re.compile(rf"\b(?:{ANY_WEEKDAY}|yesterday|today)\b,?", re.IGNORECASE)


def speaker(sentence: str) -> str | None:
    """Who says, writes or claims what a sentence reports; None if it states a fact, or names nobody."""
    labelled = _LABEL.match(sentence)
    if labelled:
        return labelled["who"].strip().title()
    for pattern in (_ACCORDING, _INVERTED):
        found = pattern.search(sentence)
        if found:
            return _trimmed(found["who"])
    verb = _VERB.search(sentence)
    return _subject(sentence[: verb.start()]) if verb else None


def compare_speakers(statement: str, texts: Sequence[str]) -> Iterator[Check]:
    """A check of who says it, if the statement or the part of the evidence nearest to it says so.

    A statement that tells as a fact what the evidence has somebody say fails as `attribution`, which is no error of it
    but a thing to know; one that lets another one say it, or somebody where nobody does, fails as `speaker`.
    """
    stated = speaker(statement)
    told = next((p for p in _PARTS.split(statement) if speaker(p)), statement)
    every, words = [part for text in texts for part in _parts(text)], set(content_words(told))
    wanted = words - set(content_words(stated or "")) or words
    # The part between semicolons and the like that has most words of what the statement has one say.
    part = max(every, key=lambda part: len(wanted & part.stems), default=_StemmedPart("", frozenset())).text
    parts = [part] if told == statement else [p.text for p in every]
    found = [name for each in parts for name in _speakers(each)]
    if stated is None:
        if found and not has_speech(statement):
            yield Check("attribution", "as a fact", speaker(part) or found[0], False)
    elif found:
        agrees = any(alike(stated, name) or is_pronoun(name) for name in found)
        agrees |= is_pronoun(stated)
        yield Check("speaker", stated, speaker(part) or found[0], agrees)
        people = (stated, *found)
        if not agrees and all(map(_is_person, people)) and all(are_others(stated, name) for name in found):
            yield Check("role", f"said by {stated}", found[0], False)
    elif not any(map(has_speech, texts)) and not is_pronoun(stated):
        yield Check("speaker", stated, None, False)


def _is_person(description: str) -> bool:
    """Whether it has the name of one by two words or behind a title; a group may be whom a person speaks for."""
    named = [name for name in names(description) if not _THE.search(description[: name.start])]
    return any(len(name.text.split()) > 1 or name.text.split()[0].lower() in TITLES for name in named)


@dataclass(frozen=True, slots=True)
class _StemmedPart:
    """The part of a sentence, with the stems of its content words."""

    text: str
    stems: frozenset[str]


@lru_cache(maxsize=2048)
def _parts(text: str) -> tuple[_StemmedPart, ...]:
    split = [part for span in sentences(text) for part in _PARTS.split(text[span.start : span.end])]
    return tuple(_StemmedPart(part, frozenset(content_words(part))) for part in split if part.strip())


def _speakers(part: str) -> list[str]:
    """For each verb of saying the words around it that name who says it, appositions and all."""
    found = [match["who"] for match in _LABELS.finditer(part)]
    found += [match["who"] for match in _ACCORDING.finditer(part)]
    for verb in _VERB.finditer(part):
        before = part[: verb.start()].removesuffix(" who ").split()[-_WORDS_BEFORE:]
        after = part[verb.end() :].split()[:_WORDS_AFTER]
        inverted = after[:1] == ["by"] or bool(_INVERTED.match(part, max(0, verb.start() - 2)))
        found.append(" ".join((*before, *after) if inverted else before))
    bare = (" ".join(_DAYS.sub("", text).split()).strip(" .,'’”\"") for text in found)
    return [name for name in bare if name]


def is_pronoun(name: str) -> bool:
    last = name.lower().split()[-1:]
    return not last or last[0] in _PRONOUNS


def has_speech(sentence: str) -> bool:
    """Whether a sentence has a verb or phrase of saying at all."""
    return bool(
        _LABEL.match(sentence) or _ACCORDING.search(sentence) or _VERB.search(sentence) or _TELLS.search(sentence)
    )


def are_others(a: str, b: str) -> bool:
    """Whether two descriptions of a speaker, both by name, are of two."""
    return bool(_called(a) and _called(b)) and not (alike(a, b) or alike(b, a))


def alike(a: str, b: str) -> bool:
    """Whether two descriptions of a speaker have a word in common; if both are by name, one of the names."""
    ours, theirs = _called(a), _called(b)
    if ours and theirs:
        named = {w for name in ours for w in _stems(name)}
        return bool(named & _stems(b)) or any(x == y or same(x, y) for x in ours for y in theirs) or _initials(a, b)
    return bool(_stems(a) & _stems(b)) or _initials(a, b) or _initials(b, a)


def _initials(short: str, long: str) -> bool:
    """Whether one has an acronym of capitalized words of the other."""
    capitals = "".join(word[0] for word in re.findall(r"[A-Z][\w’'-]+", long))
    return any(match[0].replace(".", "") in capitals for match in _ACRONYM.finditer(short))


def _called(text: str) -> set[str]:
    """The names in it that no preposition makes a mere place or office, each country by its own one."""
    found = [(name.start, name.text) for name in names(text)]
    found += [(match.start(), match[0]) for match in _ACRONYM.finditer(text)]
    return {_nation(name) for start, name in found if not _OF.search(text[:start])}


def _nation(name: str) -> str:
    root = stem(name.lower().replace(".", ""))
    return (
        {"us": "usa", "uk": "britain"}.get(root) or CAPITALS.get(name.lower()) or (root if root in COUNTRIES else name)
    )


def _stems(text: str) -> set[str]:
    return {stem(w.lower()) for w in re.findall(r"[^\W\d_]+", text) if len(w) > 2} - {"the"}


def _subject(before: str) -> str | None:
    """The last clause before the verb; if one was put between, the name before or in it, else the sentence's first."""
    text = before.rstrip()
    if not text:
        return None
    if text[-1] in ",)—–":
        found = names(text)
        return _apposed(text) or (found[0].text if found else None)
    *before_it, part = _CLAUSE.split(text)
    if not part.strip() and text.endswith(" and"):
        found = names(before_it[0])
        return found[0].text if found else None
    return _trimmed(part) or None


def _apposed(text: str) -> str | None:
    """The name that stands alone in the last clause, or in the one before it: the governor, Shams, said."""
    parts = [part.strip() for part in re.split(r"[,()—–]", text) if part.strip()]
    alone = (part for part in reversed(parts[-2:]) if _NAME_ALONE.fullmatch(part) and names(part))
    return next(alone, None)


def _trimmed(text: str) -> str | None:
    bare = _TRAILING.sub("", " ".join(_LEADING.sub("", _DAYS.sub("", text).strip()).split()))
    words = bare.split()
    return " ".join(words[-8:]).strip(" .,'’”\"") or None


_SPEAKER_LABEL = re.compile(r"^[ \t]*(?:(?P<who>[A-Z][A-Z.’' -]{2,40}):\s|(?P<asks>Q):?\s+(?=[A-Z(“\"]))", re.M)
_SURE = re.compile(rf"(?:THE|VICE|MODERATOR|{'|'.join(sorted(TITLES)).upper()})\b")
_PRONOUN = re.compile(
    rf"\b(?P<who>[Hh]e|[Ss]he|[Tt]hey)\s+(?:(?:also|then|later|earlier|had|has|have|\w+ly)\s+)?(?:{SAYING})\b"
)
_REPORTER = "a reporter"
_OWNS = ("'s", "’s", "' ", "’ ")
_BACK = 1_000  # characters
_MOST_BACK = 5  # sentences


@dataclass(frozen=True, slots=True)
class Voice:
    """Who says a sentence, and how that is known: `at` is where a pronoun in it ends, 0 if a label tells it.

    It is None if the sentence itself names who says it.
    """

    name: str
    at: int | None


@lru_cache(maxsize=8192)
def voice(text: str, span: Span) -> Voice | None:
    """Who says the sentence in that span of an article: by its own words, by a label, or by what a pronoun means.

    None if it tells it as a fact, or not by whom.
    """
    sentence = text[span.start : span.end]
    if _SPEAKER_LABEL.match(sentence):
        return Voice(speaker(sentence) or _REPORTER, None)
    labelled, named = label(text, span.start), speaker(sentence)
    if named and not is_pronoun(named):
        return Voice(named, None)
    if labelled:
        return Voice(labelled, 0)
    own = pronoun(sentence)
    meant = antecedent(text, span.start, several=own["who"].casefold() == "they") if own else None
    return Voice(meant, own.end("who")) if own and meant else None


def told_by(citation: Citation) -> str | None:
    """Who says what is cited, by the first of its sentences that names a speaker."""
    found = (voice(citation.article.text, span) for span in cited_sentences(citation))
    return next((v.name for v in found if v), None)


def pronoun(sentence: str) -> re.Match[str] | None:
    """The first pronoun of a sentence that refers to a speaker, as the group `who`."""
    return _PRONOUN.search(sentence)


@dataclass(frozen=True, slots=True)
class _Labels:
    """The labels of a transcript, with where each begins."""

    starts: tuple[int, ...]
    names: tuple[str, ...]


@lru_cache(maxsize=256)
def _labels(text: str) -> _Labels:
    found = list(_SPEAKER_LABEL.finditer(text))
    who = [m["who"] for m in found if m["who"]]
    if not any(map(_SURE.match, who)) and len(who) == len(set(who)):  # a line such as UPDATE: in an article
        return _Labels((), ())
    return _Labels(tuple(m.start() for m in found), tuple(_REPORTER if m["asks"] else m["who"].title() for m in found))


def label(text: str, start: int) -> str | None:
    """Whom the label of a transcript that holds at a place names; None if none does."""
    labels = _labels(text)
    place = bisect_right(labels.starts, start) - 1
    return labels.names[place] if place >= 0 else None


def voices_at(text: str, start: int) -> tuple[str, ...]:
    """Whom the label that holds at a place names, then whom the others of the text do; empty if none holds."""
    first = label(text, start)
    return (first, *(name for name in dict.fromkeys(_labels(text).names) if name != first)) if first else ()


def compare_voices(statement: str, texts: Sequence[str], voices: Sequence[Sequence[str]]) -> Iterator[Check]:
    """A check of a statement that names somebody with a label, if other labels hold where its spans are."""
    named, told = _stems(statement), _stems(" ".join(texts))
    own = {name for known in voices for name in known[:1]}
    others = {name for known in voices for name in known if _surname(name) in named - told} - own
    if others and own and not any(_surname(name) in named for name in own):
        yield Check("role", f"said by {min(others)}", min(own), False)


def _surname(name: str) -> str:
    return stem(re.findall(r"[^\W\d_]+", name)[-1].lower())


def antecedent(text: str, start: int, *, several: bool) -> str | None:
    """Whom a pronoun means: who speaks last before it, else, if it is one, the first name of the sentence before.

    Of "Norvik's manager in Ondal, Ann Lee," that is the last: whose and where somebody is does not count.
    """
    first = max(0, start - _BACK)
    spans = sentences(text[first:start])[-_MOST_BACK:]
    for span in reversed(spans):
        told = text[first + span.start : first + span.end]
        if named := speaker(told):
            if is_pronoun(named):
                continue
            return named
        who = [n.text for n in names(told) if not (told.startswith(_OWNS, n.end) or _OF.search(told[: n.start]))]
        if who and not several:
            return who[0]
    return None


_QUOTATION_MARK = re.compile(r"[“”«»\"]|``|''")
_OPENING, _CLOSING = ("“", "«", "``"), ("”", "»", "''")
_BREAK = re.compile(r"\n\s*\n")
_ENDED = (".", "…")
_LONGEST_QUOTATION = 5_000  # characters


def quoted_by(text: str, span: Span) -> str | None:
    """Who says the quotation that a span of an article is in; None if it is in none, or nobody is named."""
    runs = _quotations(text)
    place = next((i for i, run in enumerate(runs) if run.start <= span.start and span.end <= run.end), None)
    return None if place is None else _speaker(text, runs, place)


@lru_cache(maxsize=256)
def _quotations(text: str) -> tuple[Span, ...]:
    """The quotations of a text with their marks; one goes on over paragraphs that begin with another opening mark."""
    return tuple(_found(text))


def _found(text: str) -> Iterator[Span]:
    start: int | None = None
    last = 0
    for mark in _QUOTATION_MARK.finditer(text):
        opens = text[: mark.start()].rstrip(" \t")[-1:] in ("", "\n")
        if start is not None and _is_broken(text, last, mark, opens):
            start = None
        if start is None:
            start = mark.start() if mark[0] not in _CLOSING else None
        elif mark[0] in _CLOSING or (mark[0] == '"' and not opens):
            yield Span(start, mark.end())
            start = None
        last = mark.end()


def _is_broken(text: str, last: int, mark: re.Match[str], opens: bool) -> bool:
    """Whether a quotation that was not closed ended with its paragraph, or is too long for one."""
    paragraph = _BREAK.search(text, last, mark.start())
    return mark.start() - last > _LONGEST_QUOTATION or bool(paragraph and not opens)


def _speaker(text: str, runs: tuple[Span, ...], place: int) -> str | None:
    """By the words of its own sentence behind or before it, else as the one that it goes on from."""
    for part in (_behind(text, runs, place), _ahead(text, runs, place)):
        if meant := pronoun(part):
            return antecedent(_bare(text, runs[:place]), runs[place].start, several=meant["who"].casefold() == "they")
        if named := speaker(part):
            return named
    return _speaker(text, runs, place - 1) if place and _goes_on(text, runs[place - 1], runs[place]) else None


def _behind(text: str, runs: tuple[Span, ...], place: int) -> str:
    """What follows in the same sentence, with the end of the quotation; nothing if that ends the sentence."""
    run = runs[place]
    inside = text[run.start : run.end].rstrip("”»\"' ")
    if inside.endswith(_ENDED):
        return ""
    end = runs[place + 1].start if place + 1 < len(runs) else len(text)
    paragraph = _BREAK.search(text, run.end, end)
    rest = text[run.end : paragraph.start() if paragraph else end].partition(";")[0]
    first = next(iter(sentences(rest)), None)
    return f"{inside[-1:]}{text[run.end - 1]}{rest[: first.end]}" if first else ""


def _ahead(text: str, runs: tuple[Span, ...], place: int) -> str:
    """What comes before in the same sentence."""
    begin = runs[place - 1].end if place else 0
    part = text[begin : runs[place].start]
    paragraphs = [m.end() for m in _BREAK.finditer(part)]
    part = part[paragraphs[-1] if paragraphs else 0 :]
    spans = sentences(part)
    last = part[spans[-1].start :].rpartition(";")[2].strip() if spans else ""
    return "" if last.endswith((".", "!", "?")) else last


def _goes_on(text: str, earlier: Span, later: Span) -> bool:
    """Whether nothing but the words that name the speaker stands between two quotations."""
    between = text[earlier.end : later.start]
    return not between.strip() or (len(sentences(between)) == 1 and speaker(f",”{between}") is not None)


def _bare(text: str, runs: tuple[Span, ...]) -> str:
    """The text with blanks in these quotations."""
    for run in runs:
        text = f"{text[: run.start + 1]}{' ' * (run.end - run.start - 2)}{text[run.end - 1 :]}"
    return text
