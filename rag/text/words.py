"""The stemmed words of a text, as the index, the retriever and the answerer all see them."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import cast

import Stemmer


def listed(words: str) -> frozenset[str]:
    """The words of a list, parted by white space."""
    return frozenset(words.split())


def numbered(words: str, first: int, step: int = 1) -> dict[str, int]:
    """The words of a list with their numbers."""
    return {word: first + i * step for i, word in enumerate(words.split())}


def _pairs(listed: str) -> dict[str, str]:
    """`base form form, base form` -> form: base."""
    groups = (group.split() for group in listed.split(",") if group.strip())
    return {form: base for base, *forms in groups for form in forms}


_IRREGULAR = _pairs("""
    arise arose arisen, awake awoke, bear bore borne, beat beaten, become became, begin began begun, bend bent, bind
    bound, bite bit bitten, bleed bled, blow blew blown, break broke broken, bring brought, build built, burn burnt,
    buy bought, catch caught, choose chose chosen, come came, deal dealt, dig dug, draw drew drawn, drink drank drunk,
    drive drove driven, eat ate eaten, fall fell fallen, feed fed, feel felt, fight fought, find found, flee fled, fly
    flew flown flight, forbid forbade forbidden, forget forgot forgotten, forgive forgave forgiven, freeze froze
    frozen, go went gone, grow grew grown, hang hung, hear heard, hide hid hidden, hold held, keep kept, know knew
    known, lay laid, lead led, leave left, lend lent, lie lay lain, lose lost loss, make made, mean meant, meet met,
    pay paid, ride rode ridden, ring rang rung, rise rose risen, run ran, say said, see saw seen, seek sought, sell
    sold, send sent, shake shook shaken, shoot shot, show shown, shrink shrank, sing sang sung, sink sank sunk, sit
    sat, sleep slept, speak spoke spoken, spend spent, stand stood, steal stole stolen, stick stuck, strike struck
    stricken, swear swore sworn, sweep swept, swim swam swum, swing swung, take took taken, teach taught, tear tore
    torn, tell told, think thought, throw threw thrown, understand understood, undergo underwent, undertake undertook,
    wake woke, wear wore worn, win won, withdraw withdrew withdrawn withdrawal, write wrote written, overthrow
    overthrew overthrown, oversee oversaw overseen, man men, second sec secs, minute min mins, kilometer km kms, hour
    hr hrs, woman women, child children, person people, foot feet, life lives, wife wives, half halves, leaf leaves,
    choice choices, defense defence, offense offence, license licence, center centre, theater theatre, program
    programme, die died death dead, visa visas, withdraw pullout drawdown
""")
UNITS = numbered(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen",
    0,
)
TENS = numbered("twenty thirty forty fifty sixty seventy eighty ninety", 20, 10)
COUNTS = {word: number for word, number in (UNITS | TENS).items() if number}
"""The numbers that are written as one word, without zero."""
_NUMBERS = {word: str(number) for word, number in COUNTS.items() if number > 1} | {"dozen": "12"}
_PEOPLES = _pairs("""
    afghanistan afghan afghans, albania albanian, arabia saudi, australia australian, austria austrian, bahrain
    bahraini, belgium belgian, belarus belarusian, britain british briton britons uk, canada canadian, china
    chinese, denmark danish, egypt egyptian, emirates emirati, europe european, france french, germany german
    germans, greece greek, india indian, indonesia indonesian, iran iranian iranians, iraq iraqi iraqis, ireland
    irish, israel israeli, italy italian, japan japanese, jordan jordanian, kazakhstan kazakh, korea korean,
    kuwait kuwaiti, kyrgyzstan kyrgyz, lebanon lebanese, mexico mexican, netherlands dutch, norway norwegian, oman
    omani, pakistan pakistani pakistanis, poland polish, qatar qatari, romania romanian, russia russian russians,
    spain spanish, sweden swedish, switzerland swiss, syria syrian, tajikistan tajik tajiks, turkey turkish turks,
    turkmenistan turkmen, uganda ugandan, ukraine ukrainian, uzbekistan uzbek uzbeks, yemen yemeni, usa america
    american americans
""")
COUNTRIES = frozenset(_PEOPLES.values())
"""The base forms of countries and their peoples."""
CAPITALS = _pairs("""
    usa washington, afghanistan kabul, pakistan islamabad, iran tehran, russia moscow kremlin, china beijing, britain
    london, turkey ankara, tajikistan dushanbe, uzbekistan tashkent, turkmenistan ashgabat, india delhi, qatar doha,
    germany berlin, france paris, arabia riyadh, emirates dhabi, norway oslo, europe brussels, italy rome, ukraine kyiv,
    japan tokyo, israel jerusalem, australia canberra, canada ottawa, spain madrid, poland warsaw, kazakhstan astana
""")
"""The country for whose government a lower-case capital stands."""
_BASES = _IRREGULAR | _NUMBERS | _PEOPLES | {"u.s": "usa", "u.s.a": "usa", "u.k": "britain"}

PHRASAL = {"out of": "from"} | {
    form.replace("_", " "): verb
    for form, verb in _pairs("""
        reject rule_out rules_out ruled_out ruling_out turn_down turned_down, surrender give_up gives_up gave_up
        given_up giving_up, cancel call_off called_off, postpone put_off, trigger set_off, recapture win_back won_back
        take_back took_back taken_back taking_back, withdraw pull_out pulled_out pulling_out pulls_out, return
        hand_back handed_back give_back gave_back given_back sent_back send_back, release set_free, urge call_on
        calls_on called_on calling_on, rise go_up goes_up went_up gone_up going_up, fall go_down goes_down went_down
        gone_down going_down, conduct carry_out carries_out carried_out carrying_out, maximum up_to as_many_as
        as_much_as at_most no_more_than not_more_than or_fewer or_less, minimum at_least or_more no_fewer_than
        no_less_than, decide make_up_their_minds made_up_their_minds, invade march_into marched_into, close shut_down
    """).items()
}
"""The verb that says the same as a verb with a particle."""

_STATES = re.compile(r"\bUSA?\b|\bUnited States(?: of America)?")
_KINGDOM = re.compile(r"\bUnited Kingdom")
_BRITISH_OUR = re.compile(r"^(hon|fav|lab|neighb|col|harb|hum|behavi|arm|rum|endeav)our")
_BRITISH_ISE = re.compile(r"(?<=[a-z]{4})is(?=(?:e|ed|es|ing|ation|ations)$)")


def base(word: str) -> str:
    """The base form of a lower-case word whose forms stemming does not bring together."""
    american = _BRITISH_ISE.sub("iz", _BRITISH_OUR.sub(r"\1or", word))
    return _BASES.get(american, american)


def plain(text: str) -> str:
    """A text in lower case, with one name for the United States and one for Britain."""
    if "US" in text or "United" in text:
        text = _KINGDOM.sub("britain", _STATES.sub("usa", text))
    return text.lower().replace("’s", "").replace("'s", "")


_WORD = re.compile(r"u\.s(?:\.a)?(?=\.)|u\.k(?=\.)|[^\W_]+(?:[.,]\d+)*")
_STEMMER = Stemmer.Stemmer("english")
FUNCTION_WORDS = listed("""
a an and are as at be been being by did do does done for from had has have having he her hers him his how i if in into
is it its me my many much of on or our she so than that the their them then there these they this those to too was we
were what when where which who whom whose why will with would could should can may might must shall you your us not no
nor but about after before during over under between against through out up down off again just also only own same such
very s t d ll m re ve am any all both each few more most other some other said say says tell told give gave get got
while because until
""")
"""The words that only bind others, in lower case."""


def words(text: str) -> list[str]:
    """The stems of a text in order, lower case: `1,000` is `1000`, `spoke` is `speak`, `U.S.` is `usa`."""
    return [stem(w) for w in _WORD.findall(plain(text))]


def forms(text: str) -> dict[str, str]:
    """The stems of a text, each with a word that it is the stem of."""
    return {stem(w): w for w in _WORD.findall(plain(text))}


@lru_cache(maxsize=200_000)
def stem(word: str) -> str:
    """The Snowball (Porter 2) English stem of the base form of a lower-case word."""
    return cast(str, _STEMMER.stemWord(base(word).replace(",", "")))


STOP_WORDS = frozenset(map(stem, FUNCTION_WORDS))


def content_words(text: str) -> list[str]:
    """The distinct stems of a text that are not stop words, in order."""
    return [w for w in dict.fromkeys(words(text)) if w not in STOP_WORDS]


def alike(a: frozenset[str], b: frozenset[str], share: float) -> bool:
    """Whether two sets of stems have the same numbers, and more than a share of all stems in common (Jaccard).

    With other numbers a text that is alike word for word says something else.
    """
    if min(len(a), len(b)) <= share * max(len(a), len(b)):
        return False
    common = len(a & b)
    if common <= share * (len(a) + len(b) - common):
        return False
    return not any(stem[0].isdigit() for stem in a ^ b)
