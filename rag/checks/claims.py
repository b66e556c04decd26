"""Reads the sentences of a draft that claim something."""

from __future__ import annotations

import re
from collections.abc import Sequence

_FRONT_MATTER = re.compile(
    r"\A\ufeff?---[ \t]*\n(?:[ \t]*[\w-]+:.*\n|[ \t]+.*\n|[ \t]*-\s.*\n|[ \t]*\n)*---[ \t]*(?:\n|\Z)"
)
_FENCE = re.compile(r"^\s*(```|~~~).*?^\s*\1\s*$", re.M | re.S)
_COMMENT = re.compile(r"<!--.*?-->", re.S)
_NO_CLAIM = re.compile(
    r"\s*(?:#{1,6}\s.*|[-=*_ ]{3,}|\|?[\s:|-]{3,}|\[[^\]]+\]:.*|\[\d+\]\s.*https?://\S+|<?https?://\S+>?|"
    r"\W*(?:sources?|references?|links?|further reading|read more|see also|photos?|byline)\b\W*(?::.*)?)\s*",
    re.I,
)
_UNDERLINE = re.compile(r"\s{0,3}(?:={3,}|-{3,})\s*")
_TABLE_RULE = re.compile(r"\s*\|?\s*:?-{2,}:?\s*(?:\|\s*:?-{2,}:?\s*)*\|?\s*")
_MARKERS = re.compile(
    r"^\s*(?:>\s*)*(?:(?:[-*+•–]|\(?\d{1,2}[.)]|\d{1,2}(?:\.\d{1,2})+\.?|\(?[a-z]\)|\([ivx]+\))\s+(?:\[[ xX]\]\s+)?)?"
)
_ADDRESS = r"<?(?:https?://|\bwww\.)[^\s)>]+>?"
_LINKS = re.compile(rf"!\[[^\]]*\]\([^)\s]*\)|\[([^\]]+)\]\([^)]*\)|{_ADDRESS}")
_ENDS_WITH_ADDRESS = re.compile(rf"{_ADDRESS}\W*$")
_EMPHASIS = re.compile(r"(\*\*\*|\*\*|__|(?<!\w)[*_`]|(?<=[^\s*_`])[*_`](?!\w))")
_FOOTNOTE = re.compile(r"\[\^[^\]]+\]")
_ENDED = re.compile(r"[.!?…:;][\"'”’)\]\d]*(?:\s*\[\d+\])*$")
_LONGEST_HEADING = 12  # words
_LINK = re.compile(
    r"(?:(?:however|meanwhile|moreover|additionally|furthermore|nevertheless|nonetheless|likewise|similarly|and|but)\b,?|"
    r"(?:also|besides|still|yet|indeed|overall|again|regardless|conversely|incidentally|specifically|separately|"
    r"notably|importantly|interestingly|unfortunately|fortunately|surprisingly|remarkably|crucially|admittedly|"
    r"naturally|"
    r"(?:first|second|third|last|final)(?:ly)?|in (?:addition|fact|particular|short|sum|summary|conclusion|contrast)|"
    r"by contrast|of course|on the (?:one|other) hand|for (?:example|instance|(?:his|her|its|their) part)|that said|"
    r"even so|in other words|as a matter of fact|to be sure|above all|after all|what is more|among other things),"
    r")\s+(?=\S)",
    re.I,
)


def claims(draft: str) -> str:
    """A draft without what claims nothing: headings, list markers, Markdown, link addresses, lines of sources."""
    lines = _COMMENT.sub("", _FENCE.sub("", _FRONT_MATTER.sub("", draft))).splitlines()
    ends = any(_ENDED.search(line.strip()) for line in lines)
    kept = []
    for number, line in enumerate(lines):
        bare = _MARKERS.sub("", line)
        item = bare.strip() != line.strip()
        plain = _FOOTNOTE.sub("", _EMPHASIS.sub("", _LINKS.sub(r"\1", _cells(bare)))).strip()
        short = not _ENDED.search(plain.rstrip(":")) and len(plain.split()) <= _LONGEST_HEADING
        heading = short and not item and (_is_underlined(lines, number) or (ends and _is_alone(lines, number)))
        source = _ENDS_WITH_ADDRESS.search(bare) and short and not _goes_on(lines, number)
        empty = any(map(_NO_CLAIM.fullmatch, (line, plain))) or _is_head_of_table(lines, number)
        said = "" if heading or source or empty else plain
        after = "\n" if bare.lstrip().startswith("|") else ""
        kept.append(f"\n{said}{after}" if item or after else said)
    return "\n".join(kept)


def unlinked(sentence: str) -> str:
    """A sentence without the words that only link it to the one before: However, In addition, But."""
    linked = _LINK.match(sentence)
    if not linked:
        return sentence
    rest = sentence[linked.end() :]
    return rest[0].upper() + rest[1:]


def _cells(line: str) -> str:
    """A row of a table as its cells with commas between them; any other line as it is."""
    if not line.lstrip().startswith("|"):
        return line
    return ", ".join(cell.strip() for cell in line.strip().strip("|").split("|") if cell.strip())


def _is_alone(lines: Sequence[str], number: int) -> bool:
    return not any(line.strip() for line in (*lines[number - 1 : number], *lines[number + 1 : number + 2]))


def _is_underlined(lines: Sequence[str], number: int) -> bool:
    return any(_UNDERLINE.fullmatch(line) for line in lines[number + 1 : number + 2])


def _is_head_of_table(lines: Sequence[str], number: int) -> bool:
    return "|" in lines[number] and any("|" in n and _TABLE_RULE.fullmatch(n) for n in lines[number + 1 : number + 2])


def _goes_on(lines: Sequence[str], number: int) -> bool:
    """Whether the line is a part of a sentence that starts before it or ends behind it."""
    before, after = "".join(lines[number - 1 : number]).strip(), "".join(lines[number + 1 : number + 2]).strip()
    starts_before = lines[number][:1].islower() or (bool(before) and not (_ENDED.search(before) or "://" in before))
    return starts_before or after[:1].islower()
