"""Words: forms that mean the same have one stem."""

import pytest

from rag.text.words import alike, content_words, words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("spoke", "speaks"),
        ("fled", "flee"),
        ("withdrawal", "withdrew"),
        ("thirteen", "13"),
        ("1,000", "1000"),
        ("U.S.", "United States"),
        ("US troops", "American troops"),
        ("U.K.", "British"),
        ("German", "Germany"),
        ("organisation", "organizations"),
        ("neighbouring", "neighbors"),
        ("Kabul’s", "Kabul"),
    ],
)
def test_two_forms_have_one_stem(one: str, other: str) -> None:
    assert words(one) == words(other)


@pytest.mark.parametrize(("one", "other"), [("us", "US"), ("Iran", "Iraq"), ("12,000", "1,200"), ("3.5", "35")])
def test_different_words_stay_apart(one: str, other: str) -> None:
    assert words(one) != words(other)


def test_content_words_are_distinct_and_in_order() -> None:
    assert content_words("Who spoke to the Taliban, and who speaks for them?") == ["speak", "taliban"]


def test_texts_are_alike_by_the_share_of_their_words() -> None:
    a, b = frozenset("abcd"), frozenset("abce")
    assert alike(a, b, 0.59)
    assert not alike(a, b, 0.6)
    assert not alike(a, frozenset("a"), 0.25)


def test_texts_with_other_numbers_are_not_alike() -> None:
    report = frozenset(words("The ministry said that soldiers and their families had crossed the river at night"))
    assert alike(report | {"300"}, report | {"300"}, 0.5)
    assert not alike(report | {"300"}, report | {"900"}, 0.5)
