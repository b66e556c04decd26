"""Turns labelled claims into rows for the verifier: `prepare_claims.py OUT.jsonl FOLDER [--public FOLDER] [--share S]`.

Beside the claims of `data/` there are sentences of its documents as claims of their own: word for word, lightly
reworded (which follow), with two names or numbers changed for each other (which do not), beside other sentences of
the document, and within a sentence that confirms or denies them; short claims stand beside sentences of other
documents. Then rows are left out so that how many words a claim shares with its evidence says nothing of its label:
people write false claims in the text's own words, and true ones in others.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from prepare import Document, Row, _claims, held, lines, public, words

COPIES = {
    "copy": 1200,
    "copy-other": 1500,
    "light": 6000,
    "swap-name": 2500,
    "swap-number": 1000,
    "framed": 1800,
    "short-other": 2500,
}
# What somebody says, told as a fact: the program has a note of its own for it, and people label it both ways.
_TOLD = re.compile("unattributed|(?:^|_)side(?:_|$)|one_side|claim_(?:as_)?fact|(?:said|alleged|belief)_(?:as_)?fact")
_NAME = re.compile(r"(?<![.!?\"“] )(?<!^)\b(?:[A-Z][a-z]+(?: (?:al-|bin )?[A-Z][a-z]+)*)\b")
_NUMBER = re.compile(r"(?<![\w.,-])\d[\d,.]*\d|\b\d\b")
_NO_NAME = re.compile(
    "He|She|It|They|We|You|I|The|That|This|But|And|Is|Are|If|In|Do|Was|January|February|March|April|May|June|July|August|"
    "September|October|November|December|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|English"
)
_JOINED = re.compile(r"\b(?:and|between|with|both|or)\b")
_NEAR = re.compile(r"\W*(?:\w+\W*)?")
_SMALL = re.findall(
    r"\w+",
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen",
)
_TENS = re.findall(r"\w+", "twenty thirty forty fifty sixty seventy eighty ninety")
_COUNT = re.compile(r"(?<![\w.,$€£:/-])(\d{1,2})(?= (?!million|billion|percent|per|km|[ap]\.?m)[a-z]{3})")
_SAID = re.compile(
    r"([^\"“]{25,}?), ((?:[A-Z][\w.'’-]+(?: [A-Z][\w.'’-]+){0,3}|the [a-z]+(?: [a-z]+){0,2})) (?:said|says)\."
)
_LED = re.compile(r"((?:On|In|By|At|During|After|Late on|Early on) [^,]{3,40}), (?!wh|and|but)([^,;:\"“]{25,})\.")
_CUTS = (
    re.compile(
        r"(?<=[a-z]), (?:the|an?) [^,.;]{4,60},(?= (?:said|says|told|was|is|has|had|will|would|did|[a-z]+ed)\b)"
    ),
    re.compile(r", (?:which|who|where|while|although|adding|with|leaving|including) [^,]{8,}(?=\.$)"),
    re.compile(r", (?:which|who|where) [^,]{6,60},(?= )"),
)
_SYNONYMS = (
    ("around", "about"),
    ("about", "around"),
    ("percent", "per cent"),
    ("carried out", "conducted"),
    ("nearly", "almost"),
    ("almost", "nearly"),
    ("began", "started"),
    ("more than", "over"),
    ("at least", "no fewer than"),
    ("because of", "owing to"),
    ("residents", "inhabitants"),
    ("several", "a number of"),
    ("shut", "closed"),
    ("struck", "hit"),
    ("large", "big"),
    ("roughly", "about"),
    ("did not", "didn’t"),
    ("was not", "wasn’t"),
)
_PLAIN = re.compile(r"(?:The|An?|Some|About|Around|More|Most|Two|Three|Four|Five|Six|Seven|Eight|Nine|Ten)(?= )")
_FRAMES = (
    ("It is not true that {}.", 3),
    ("Officials denied that {}.", 3),
    ("A spokeswoman dismissed reports that {}.", 3),
    ("There was no sign that {}.", 3),
    ("Nobody could confirm that {}.", 2),
    ("False rumours spread online that {}.", 3),
    ("Residents feared that {}.", 2),
    ("It was unclear whether {}.", 2),
    ("Had the talks failed, it might have been said that {}.", 2),
    ("It is true that {}.", 0),
    ("Officials confirmed that {}.", 0),
    ("A spokeswoman acknowledged that {}.", 0),
    ("Nobody denies that {}.", 0),
    ("It turned out that {}.", 0),
    ("Records show that {}.", 0),
    ("As was feared, {}.", 0),
    ("Reports that {} turned out to be right.", 0),
    ("Reports that {} turned out to be wrong.", 3),
)
LONGEST, SHORT, SUPPORTED_TO_OTHERS = 900, 7, 1.2


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("own", type=Path)
    parser.add_argument("--public", type=Path)
    parser.add_argument("--share", type=float, default=0.12, help="of the public claims")
    parser.add_argument("--times", action="append", default=[], metavar="REGEX=N", help="how often claims of such ids")
    parser.add_argument("--seed", type=int, default=33)
    options = parser.parse_args()
    random.seed(options.seed)
    documents = {row["id"]: Document(row) for row in lines(options.own / "documents.jsonl")}
    claims = [row for row in lines(options.own / "claims.jsonl") if not _TOLD.search(row["kind"])]
    of_document: dict[str, list[Row]] = defaultdict(list)
    for row in claims:
        of_document[row["document"]].append(row)
    rows = [
        held({**made, "id": row["id"]}, row["document"])
        for row in claims
        for made in _claims(row, documents[row["document"]], of_document[row["document"]])
    ]
    made = [held(row, d.id) for d in documents.values() for row in _of_sentences(d) if len(row["evidence"]) < LONGEST]
    rows += _capped(made + list(_short_beside_others(claims, documents)))
    kept = [row for row in rows if "held" in row]
    kept += _repeated(_balanced([row for row in rows if "held" not in row]), options.times)
    if options.public:
        kept += [row for row in public(options.public) if "claim" in row and random.random() < options.share]
    random.shuffle(kept)
    with options.out.open("w") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in kept)
    print(len(kept), "rows,", Counter(row["source"] for row in kept))


def lightly_reworded(sentence: str) -> str | None:
    """The sentence with up to two small changes, so that it follows from the old one; None if nothing can change."""
    found, changes = sentence, 0
    for change in random.sample(_CHANGES, len(_CHANGES)):
        made = change(found)
        if changes < 2 and made != found and len(made.split()) >= 5:
            found, changes = made, changes + 1
    return found if changes else None


def swapped(sentence: str, kind: re.Pattern[str]) -> str | None:
    """The sentence with two of its names or numbers in each other's place; None if that could leave it true."""
    matches = [m for m in kind.finditer(sentence) if not _NO_NAME.fullmatch(m.group())]
    if len(matches) < 2:
        return None
    a, b = sorted(random.sample(matches, 2), key=lambda m: m.start())
    between = sentence[a.end() : b.start()]
    if a.group() == b.group() or _JOINED.search(between) or _NEAR.fullmatch(between):
        return None
    return sentence[: a.start()] + b.group() + between + a.group() + sentence[b.end() :]


def _short_beside_others(claims: list[Row], documents: dict[str, Document]) -> Iterator[Row]:
    """Short claims beside the sentence of another document that shares most with them, which says something else."""
    spans = [(d, k) for d in documents.values() for k in range(len(d.spans))]
    holding: dict[str, list[int]] = defaultdict(list)
    for place, (document, k) in enumerate(spans):
        for word in words(document.part(k, k)[0]):
            holding[word].append(place)
    for claim in claims:
        stated = words(claim["claim"])
        if len(claim["claim"].split()) > SHORT or not stated:
            continue
        shared = Counter(place for word in stated for place in holding[word][:4000])
        others = [p for p, n in shared.most_common(60) if n < len(stated) and spans[p][0].id != claim["document"]]
        for place in random.sample(others[:20], min(2, len(others))):
            document, k = spans[place]
            evidence = " ".join(document.part(max(0, k - random.choice([0, 0, 1])), k + random.choice([0, 0, 1])))
            made = {"claim": claim["claim"], "header": random.choice([document.header, ""]), "evidence": evidence}
            if len(evidence) < LONGEST:
                yield held(held({**made, "label": 2, "source": "short-other"}, document.id), claim["document"])


def framed(sentence: str) -> tuple[str, int]:
    """The sentence within one that confirms it, denies it or leaves it open, and what then holds of it."""
    frame, label = random.choice(_FRAMES)
    inner = sentence.rstrip(".")
    return frame.format(inner[0].lower() + inner[1:]), label


def _of_sentences(document: Document) -> Iterator[Row]:
    whole = [k for k, (a, b) in enumerate(document.spans) if 7 <= len(document.text[a:b].split()) <= 40]
    whole = [k for k in whole if "\n" not in document.part(k, k)[0]]
    random.shuffle(whole)

    def row(claim: str, evidence: str, label: int, source: str) -> Row:
        header = document.header if random.random() < 0.6 else ""
        return {"claim": claim, "header": header, "evidence": evidence, "label": label, "source": source}

    def around(k: int) -> str:
        return " ".join(document.part(max(0, k - random.choice([0, 1])), k + random.choice([0, 1])))

    light = 0
    for place, k in enumerate(whole):
        sentence = document.part(k, k)[0]
        if place == 0:
            yield row(sentence, around(k), 0, "copy")
        elif place == 1:
            shared = words(sentence)
            alike = sorted(
                (i for i in range(len(document.spans)) if i != k),
                key=lambda i: -len(words(document.part(i, i)[0]) & shared),
            )
            yield row(sentence, " ".join(document.part(i, i)[0] for i in sorted(alike[:2])), 2, "copy-other")
        if light < 6 and (reworded := lightly_reworded(sentence)):
            light += 1
            yield row(reworded, around(k), 0, "light")
        if _PLAIN.match(sentence) and sentence[-1] == "." and random.random() < 0.4:
            told, label = framed(sentence)
            beside = [document.part(k + 1, k + 1)[0]] if k + 1 < len(document.spans) and random.random() < 0.6 else []
            evidence = " ".join([told, *beside] if random.random() < 0.6 else [*beside, told])
            yield row((random.random() < 0.3 and lightly_reworded(sentence)) or sentence, evidence, label, "framed")
        for pattern, source in ((_NAME, "swap-name"), (_NUMBER, "swap-number")):
            is_transcript = source == "swap-name" and document.id.startswith("20")
            other = None if is_transcript or random.random() > 0.35 else swapped(sentence, pattern)
            if other:
                yield row((random.random() < 0.5 and lightly_reworded(other)) or other, around(k), 3, source)


def _capped(rows: list[Row]) -> list[Row]:
    random.shuffle(rows)
    seen: Counter[str] = Counter()
    kept = []
    for row in rows:
        seen[row["source"]] += 1
        if seen[row["source"]] <= COPIES[row["source"]]:
            kept.append(row)
    return kept


def _balanced(rows: list[Row]) -> list[Row]:
    """Rows of which the share of the claim's words in its evidence does not tell the label, by tenths."""
    tenths: dict[int, tuple[list[Row], list[Row]]] = defaultdict(lambda: ([], []))
    for row in rows:
        stated = set(re.findall(r"[a-z0-9]{3,}", row["claim"].lower()))
        held_by = set(re.findall(r"[a-z0-9]{3,}", row["evidence"].lower()))
        tenths[min(9, 10 * len(stated & held_by) // max(1, len(stated)))][row["label"] == 0].append(row)
    kept = []
    for others, supported in tenths.values():
        random.shuffle(others)
        random.shuffle(supported)
        kept += others[: int(len(supported) * 1.5) + 20]
        kept += supported[: int(len(others) * SUPPORTED_TO_OTHERS) + 20]
    return kept


def _repeated(rows: list[Row], times: list[str]) -> list[Row]:
    """Rows as often as the first of the expressions says that finds their claim's id; part of a time is a chance."""
    often = [(re.compile(expression), float(n)) for expression, n in (each.rsplit("=", 1) for each in times)]
    kept = []
    for row in rows:
        share = next((n for expression, n in often if expression.search(row.get("id", ""))), 1.0)
        kept += [row] * (int(share) + (random.random() < share % 1))
    return kept


def _with_speaker_first(text: str) -> str:
    match = _SAID.fullmatch(text)
    if not match:
        return text
    who, body = match[2], match[1]
    return random.choice([f"According to {who}, {body}.", f"{who[0].upper()}{who[1:]} said that {body}."])


def _without_speaker(text: str) -> str:
    match = _SAID.fullmatch(text)
    return f"{match[1]}." if match else text


def _with_day_last(text: str) -> str:
    match = _LED.fullmatch(text)
    return f"{match[2][0].upper()}{match[2][1:]} {match[1][0].lower()}{match[1][1:]}." if match else text


def _cut(text: str) -> str:
    return random.choice(_CUTS).sub("", text, count=1)


def _with_synonym(text: str) -> str:
    known = [(a, b) for a, b in _SYNONYMS if re.search(rf"\b{a}\b", text)]
    if not known:
        return text
    a, b = random.choice(known)
    return re.sub(rf"\b{a}\b", b, text, count=1)


def _with_number_word(text: str) -> str:
    match = _COUNT.search(text)
    if not match:
        return text
    count = int(match[1])
    word = _SMALL[count] if count < 20 else _TENS[count // 10 - 2] + (f"-{_SMALL[count % 10]}" if count % 10 else "")
    return text[: match.start()] + (word.capitalize() if match.start() == 0 else word) + text[match.end() :]


_CHANGES = (
    _with_speaker_first,
    _without_speaker,
    _with_day_last,
    _cut,
    _cut,
    _with_synonym,
    _with_synonym,
    _with_number_word,
)


if __name__ == "__main__":
    main()
