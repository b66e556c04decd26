"""Strategies for hostile texts, values and bytes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

ODD = (
    *("", " ", "\0", "\ufeff", "\u202e", "\u200b", "\u200d", "\u2028", "\x1b[31m", "\x9b2J", "\x1b]0;x\x07", "\ud800"),
    *("\r", "\n", "\r\n", "\n\n", "\t", "\x85", "e\u0301", "طالبان", "می\u200cشود", "塔利班", "🇦🇫", "ﬁ"),
    *("İ", "ß", "\U000e0041"),
    *("٤٢", "²", "½", "Ⅷ", "1" * 400, "9" * 5000, "-0", "1e999", "NaN", "Infinity", "null", "0x10", "1_000"),
    *("0000-00-00", "9999-12-31", "2021-02-30", "10000-01-01", "2021-07", "29 February 2021", "+24:00", "-1"),
    *("[1]", "[0]", "[999999999]", "[", "]", "{", "}", "{{", "%s", "{0}", "\\", "\\u", '"', "'", "`"),
    *("<", "</", "&#0;", "&x;"),
    *("<|im_end|>", "===", "---", "...", "(" * 300, "a" * 3000, "a." * 500, " ," * 500, "../../etc/passwd", "file:///"),
)  # fmt: skip
"""Fragments that parsers stumble over."""
WORDS = str.split(
    "Kabul Taliban Ghani talks on Monday 7 July 2021 said that 1,000 soldiers fled to Tajikistan, about half of them "
    "“we met” at the end of last week. the Mr. U.S. 3.5 million per cent $2bn between 5 and 9 August a day earlier not "
    "no Who When How many did Tehran Doha according to Reuters yesterday since May first third a quarter of million"
)

odd_texts = st.one_of(
    st.sampled_from(ODD),
    st.lists(st.sampled_from((*ODD, *WORDS)), max_size=12).map(" ".join),
    st.text(st.characters(exclude_categories=()), max_size=60),
    st.text(max_size=200),
)
prose = st.lists(
    st.one_of(*([st.sampled_from(WORDS)] * 5), st.sampled_from(ODD), st.text(max_size=8)), max_size=60
).map(" ".join)
"""Words of news with oddities between them."""

numbers = st.one_of(
    st.integers(-3, 3000),
    st.integers(),
    st.floats(),
    st.sampled_from([10**25, -(10**400), 1e308, 5e-324, -0.0, 2**63, 2**31, 1625616000, 1625616000000]),
)
scalars = st.one_of(st.none(), st.booleans(), numbers, odd_texts)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(odd_texts, inner, max_size=4),
    max_leaves=12,
)
"""What JSON can hold, and what Python writes besides: NaN, lone surrogates, numbers of any length."""


def nested(depth: int, opening: str = "[", closing: str = "]") -> str:
    """Brackets within brackets."""
    return opening * depth + closing * depth


deep = st.builds(
    nested,
    st.sampled_from([3, 3, 90, 90, 400, 1500, 20_000]),
    st.sampled_from(["[", '{"text":', "{", "(", "<div>", '[{"a":', "- "]),
    st.sampled_from(["]", "}", "", "</div>", "}]"]),
)


def records(*names: str, required: Sequence[str] = ()) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with some of the keys, and any values; those that are required with a text mostly."""
    usual = dict.fromkeys(required, prose)
    return st.builds(
        lambda known, more, usual: {**usual, **known, **more},
        st.dictionaries(st.sampled_from(names), values, max_size=len(names)),
        st.dictionaries(odd_texts, values, max_size=2),
        st.one_of(*[st.fixed_dictionaries(usual)] * 3, st.just({})),
    )


def damaged(value: Any) -> st.SearchStrategy[Any]:
    """A valid value with one of its parts replaced, left out or told twice."""
    return st.tuples(st.integers(0, 10_000), st.one_of(values, st.just(_GONE), st.just(_TWICE))).map(
        lambda drawn: _damaged(value, *drawn)
    )


def dumped(value: Any) -> str:
    """JSON as Python writes it: NaN and lone surrogates are in it as they are."""
    return json.dumps(value, ensure_ascii=False)


def encoded(text: str, encoding: str = "utf-8") -> bytes:
    """The bytes of a text; what the encoding does not have is in them as Python writes it."""
    return text.encode(encoding, "surrogatepass" if encoding.startswith("utf") else "replace")


texts_as_bytes = st.one_of(
    odd_texts.map(encoded),
    prose.map(encoded),
    st.builds(encoded, prose, st.sampled_from(["utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252", "cp1256"])),
)


@st.composite
def mutated(draw: st.DrawFn, seeds: Sequence[bytes]) -> bytes:
    """A seed whose bytes are changed, cut, repeated, moved, or mixed with those of another."""
    body = draw(st.sampled_from(list(seeds)))
    for _ in range(draw(st.integers(0, 5))):
        start, length = draw(st.integers(0, max(0, len(body)))), draw(st.integers(0, 40))
        end = start + length
        match draw(st.integers(0, 6)):
            case 0:
                body = body[:start] + draw(st.binary(max_size=8)) + body[start + 1 :]
            case 1:
                body = body[:start] + body[end:]
            case 2:
                body = body[:end] + body[start:end] * draw(st.sampled_from([1, 2, 50, 2000])) + body[end:]
            case 3:
                body = body[:start]
            case 4:
                other = draw(st.sampled_from(list(seeds)))
                body = body[:start] + other[draw(st.integers(0, len(other))) :]
            case 5:
                body = body[:start] + encoded(draw(st.sampled_from(ODD))) + body[start:]
            case _:
                body = body[:start] + encoded(draw(st.sampled_from(ODD))) + body[end:]
    return body[:200_000]


class _Mark:
    """Stands for what is done to a part."""


_GONE, _TWICE = _Mark(), _Mark()


def _damaged(value: Any, place: int, part: Any) -> Any:
    """The value with the part at a place, counted through all that is in it."""
    count = _size(value)
    return _replaced(value, place % count, part) if count else value


def _size(value: Any) -> int:
    """How many parts a value has, those of its parts included."""
    return sum(1 + _size(part) for _, part in _parts(value))


def _parts(value: Any) -> list[tuple[Any, Any]]:
    if isinstance(value, dict):
        return list(value.items())
    return list(enumerate(value)) if isinstance(value, list) else []


def _replaced(value: Any, place: int, part: Any) -> Any:
    made = dict(value) if isinstance(value, dict) else list(value)
    for key, inner in _parts(value):
        if place == 0:
            return _with(made, key, part)
        if place <= _size(inner):
            made[key] = _replaced(inner, place - 1, part)
            return made
        place -= 1 + _size(inner)
    return made


def _with(made: Any, key: Any, part: Any) -> Any:
    if part is _GONE:
        del made[key]
    elif part is not _TWICE:
        made[key] = part
    elif isinstance(made, list):
        made.insert(key, made[key])
    else:
        made[f"{key}2"] = made[key]
    return made
