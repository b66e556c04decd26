"""Speakers: who says what a sentence tells, and whether the evidence has the same one say it."""

from __future__ import annotations

import pytest

from rag.schema import Check
from rag.text.speakers import alike, compare_speakers, speaker

SPAN = (
    "The road to Herat was closed on Monday, the governor said. The army denied that, but a police officer said that "
    "two bridges were down. Shaheen told reporters that the city had fallen."
)


@pytest.mark.parametrize(
    ("sentence", "name"),
    [
        ("Zarif warned that time was short.", "Zarif"),
        ("Iran's foreign ministry said talks had begun.", "Iran's foreign ministry"),
        ("According to the UN refugee agency, thousands fled.", "UN refugee agency"),
        ("Thousands fled, according to the UN refugee agency.", "UN refugee agency"),
        ("“We are ready,” said Suhail Shaheen.", "Suhail Shaheen"),
        ("“We are ready,” Shaheen told reporters in Doha.", "Shaheen"),
        ("Stanikzai, who led the delegation, said talks went well.", "Stanikzai"),
        ("In a tweet, Khalilzad wrote that he would return to Doha.", "Khalilzad"),
        ("MR. PRICE: The third flight landed this morning.", "Mr. Price"),
        ("On Monday Ghani's spokesman denied it.", "Ghani's spokesman"),
        ("The talks were held in Tehran.", None),
        ("Thousands of people fled from Herat.", None),
    ],
)
def test_the_speaker_is_who_is_said_to_say_it(sentence: str, name: str | None) -> None:
    assert speaker(sentence) == name


@pytest.mark.parametrize(
    ("sentence", "name"),
    [
        pytest.param(
            "A Western diplomat, speaking on condition of anonymity, said the road was closed.",
            "Western diplomat",
            marks=pytest.mark.xfail(reason="none is found over the clause between"),
        ),
        ("A statement issued by the Tajik government said troops were sent.", "Tajik government"),
        ("Five people died, one more than reported in summer.", None),
        ("Ghani has said that the city fell.", "Ghani"),
        pytest.param("It was reported that troops fled.", None, marks=pytest.mark.xfail(reason="the speaker is 'was'")),
        pytest.param(
            "The wounded were told to wait.", None, marks=pytest.mark.xfail(reason="the speaker is 'wounded were'")
        ),
        pytest.param(
            "Iran is a stated enemy of the group.", None, marks=pytest.mark.xfail(reason="the speaker is 'Iran is a'")
        ),
        pytest.param(
            "The attack, police say, killed nine.",
            "police",
            marks=pytest.mark.xfail(reason="'say' is no verb of saying"),
        ),
    ],
)
def test_the_speaker_is_found_in_harder_sentences(sentence: str, name: str | None) -> None:
    assert speaker(sentence) == name


def checks(statement: str) -> list[Check]:
    return list(compare_speakers(statement, [SPAN]))


@pytest.mark.parametrize(
    "statement",
    [
        "The governor said that the road to Herat was closed.",
        "According to the governor, the road to Herat was closed on Monday.",
        "Shaheen claimed that the city had fallen.",
        "A police officer said two bridges were down.",
    ],
)
def test_the_same_speaker_passes(statement: str) -> None:
    (check,) = checks(statement)
    assert (check.kind, check.passed) == ("speaker", True)


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("Shaheen said that the road to Herat was closed.", "governor"),
        ("The governor told reporters that the city had fallen.", "Shaheen"),
        ("The governor said that two bridges were down.", "police officer"),
    ],
)
def test_another_speaker_fails_with_the_one_that_says_it(statement: str, found: str) -> None:
    (check,) = checks(statement)
    assert (check.kind, check.passed) == ("speaker", False)
    assert check.found
    assert found in check.found


def test_a_claim_told_as_a_fact_fails_as_an_attribution_with_its_speaker() -> None:
    (check,) = checks("The road to Herat was closed on Monday.")
    assert (check.kind, check.passed, check.found) == ("attribution", False, "governor")


def test_a_fact_told_as_a_claim_fails_with_nobody_found() -> None:
    (check,) = compare_speakers("The governor said that the road was closed.", ["The road was closed on Monday."])
    assert (check.kind, check.passed, check.found) == ("speaker", False, None)


def test_a_fact_told_as_a_fact_has_no_check() -> None:
    assert list(compare_speakers("The road was closed.", ["The road was closed on Monday."])) == []


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("the Taliban's spokesman", "Taliban spokesmen", True),
        ("Zarif", "Foreign Minister Javed Zarif", True),
        ("Zarif", "Shaheen", False),
        ("the army", "the governor", False),
    ],
)
def test_descriptions_of_the_same_speaker_share_a_word(a: str, b: str, same: bool) -> None:
    assert alike(a, b) is same
