"""Leaves out of a sentence what only joins it to others."""

from __future__ import annotations

import re

# What a headline writer leaves out first: openings that point back, and what everybody can look up of a place
# (Hedge Trimmer: Dorr, Zajic and Schwartz 2003). Dates, names, numbers, speakers and hedges always stay.
_JOINS = (
    "on the other hand|at the same time|meanwhile|in the meantime|however|moreover|furthermore|in addition|"
    "additionally|for (?:his|her|its|their) part|as a result|in fact|of course|also|separately|in this [a-z]+|"
    "in that [a-z]+|then|and|but|so|yet|still"
)
_OPENING = re.compile(
    rf"^(?:(?:{_JOINS})(?:,\s+|\s+(?=and\b|but\b))|(?:and|but|so|yet)\s+(?!far\b|much\b|many\b))+", re.IGNORECASE
)
_PLACES = "capital|city|town|village|province|district|region|port|country|suburb|neighborhood"
_PLACE = re.compile(
    rf"(?<=[a-z]), (?:the |a |an |its )?(?:[a-z-]+ ){{0,3}}(?:{_PLACES})\b[^,;:—()“”\"\d]{{0,90}},"
    r"(?= (?:are|is|was|were|had|has|have|which|on|in|after|and|to|that|fell|falls|lies|lay|lost|became|remains|"
    r"[a-z]{3,}ed)\b)"
)


def trimmed(sentence: str) -> str:
    """The sentence without an opening that points back, and without descriptions of places set off by commas."""
    text = _PLACE.sub("", _OPENING.sub("", sentence))
    return text[:1].upper() + text[1:]
