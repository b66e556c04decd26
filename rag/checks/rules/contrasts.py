"""Words that exclude each other, such as those for rising and for falling."""

from __future__ import annotations

from rag.text.words import stem

# A line is a contrast; a bar parts its sides, which hold words that say the same of it.
_LISTED = """
    rise increase grow climb surge jump soar gain higher up widen expand double dear dearer costlier |
        fall decrease decline drop shrink plunge lower down narrow slump reduce cut halve cheap cheaper
    more over above exceed beyond | fewer less under below
    more higher | fewer less lower
    maximum | minimum
    most | least
    all every | most many some several few
    longer | shorter less
    earlier | later
    enter arrive | leave depart quit exit
    accept agree approve endorse support back favor welcome adopt |
        reject refuse oppose decline dismiss condemn denounce criticize veto
    confirm acknowledge admit | deny
    open reopen | close shut shutter
    begin start launch resume reopen continue | end stop halt suspend finish conclude cancel
    victory | loss defeat
    capture seize take overrun | recapture retake
    release free | detain arrest jail imprison hold
    allow permit | ban forbid bar prohibit block prevent
    strengthen reinforce | weaken
    raise lift | lower cut reduce slash
    north northern | south southern | east eastern | west western | northeast northeastern | northwest northwestern |
        southeast southeastern | southwest southwestern
    buy import | sell export
    early | late
    first | last
    best highest largest biggest greatest | worst lowest smallest least
    largest biggest | smallest
    morning | afternoon | evening | night overnight
    succeed | fail
    kill dead die | wound injure hurt
    advance | retreat withdraw
    partial partly | complete completely full fully entire
    temporary temporarily interim | permanent permanently
    man men male | woman women female
    son | daughter
    brother | sister
    husband | wife
    father | mother
    boy | girl
    former | current incumbent
    civilian | military soldier troop serviceman servicemen
    safe secure | unsafe dangerous insecure
    legal lawful | illegal unlawful
    daily | weekly | monthly | annual yearly
    day | week | month | year | hour | minute | decade
    guilty convict | acquit innocent
    surplus | deficit
    profit | loss
    faster quicker | slower
    older | younger
    foreign | interior | finance | defense | health | education
    extend prolong lengthen | shorten
    accelerate hasten | delay postpone
    majority | minority
    twice double | half
    success | failure
"""


def _sides(line: str) -> list[frozenset[str]]:
    return [frozenset(stem(word) for word in side.split()) for side in line.split("|")]


def _lines() -> list[str]:
    joined: list[str] = []
    for line in _LISTED.strip("\n").splitlines():
        if line.startswith("        "):
            joined[-1] += " " + line.strip()
        else:
            joined.append(line.strip())
    return joined


CONTRASTS = tuple(tuple(_sides(line)) for line in _lines())
"""Each contrast with its sides, sets of stems."""


def _by_stem() -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for sides in CONTRASTS:
        for side in sides:
            others = frozenset().union(*(other for other in sides if other is not side)) - side
            for word in side:
                found[word] = found.get(word, frozenset()) | others
    return found


def _allies() -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for sides in CONTRASTS:
        for side in sides:
            for word in side:
                found[word] = found.get(word, frozenset()) | side
    return found


UNITS = frozenset(stem(w) for w in ["day", "week", "month", "year", "hour", "minute", "decade"])
"""The stems among them that say something only after "a" or "per"."""
OPPOSITES = _by_stem()
"""The stems that exclude a stem."""
ALLIES = _allies()
"""The stems that can say the same as a stem, itself included."""
