"""Days, places, doers and holders that sources tell differently; and what only looks like that."""

from pathlib import Path

import pytest

from rag.ingest.loaders import article
from rag.library import Library
from rag.schema import Conflict, Dispute


def conflicts(folder: Path, first: str, second: str, *, days: tuple[str, str]) -> tuple[Conflict, ...]:
    with Library(folder, offline=True) as library:
        library.add(
            article(first, title="Report", source="Pamir Wire", published=days[0]),
            article(second, title="News", source="Kabul Ledger", published=days[1]),
        )
        return library.conflicts()


CONFLICTS = {
    "day": (
        "The bridge at Sherkhan collapsed on Tuesday, a border guard said. Nobody was on it.",
        "A flood was the reason why the bridge at Sherkhan collapsed on Monday, traders said.",
        {"6 July 2021", "5 July 2021"},
    ),
    "place": (
        "Omar Daudzai met the envoy of Norway in Oslo on Tuesday, an aide said.",
        "The envoy of Norway met Omar Daudzai in Bergen on Tuesday, a newspaper wrote.",
        {"Oslo", "Bergen"},
    ),
    "doer": (
        "The attack on the radio station in Khost on Tuesday was carried out by the Haqqani network, the police said.",
        "The Islamic State group claimed the attack on the radio station in Khost on Tuesday.",
        {"Haqqani", "Islamic State"},
    ),
    "holder": (
        "The governor of Paktia, Halim Fidai, spoke to elders in Gardez.",
        "Elders in Gardez met Ajmal Shahpur, the governor of Paktia.",
        {"Halim Fidai", "Ajmal Shahpur"},
    ),
    "leader": (
        "The Afghan delegation to Tashkent was led by Salam Rahimi, the palace said.",
        "Masoom Stanekzai leads the Afghan delegation to Tashkent, a diplomat said.",
        {"Salam Rahimi", "Masoom Stanekzai"},
    ),
}


@pytest.mark.parametrize("kind", CONFLICTS)
def test_one_thing_that_two_outlets_tell_differently_is_a_conflict(kind: str, tmp_path: Path) -> None:
    first, second, values = CONFLICTS[kind]
    (found,) = conflicts(tmp_path, first, second, days=("2021-07-06", "2021-07-07"))
    assert found.kind is Dispute.CONFLICT
    assert {p.value for p in found.positions} == values
    assert [p.citation.article.source for p in found.positions] == ["Kabul Ledger", "Pamir Wire"]


ALIKE = {
    "two cities that fell on two days": (
        "The Taliban captured Taloqan on Monday, residents said.",
        "The Taliban captured Aybak on Tuesday, residents said.",
    ),
    "a day on which it was said": (
        "The bridge at Sherkhan collapsed on Monday, traders said.",
        "The bridge at Sherkhan collapsed on Monday, officials said on Tuesday.",
    ),
    "taken and taken back": (
        "The Taliban captured the fort of Darwaz on Monday, elders said.",
        "Soldiers recaptured the fort of Darwaz on Tuesday, elders said.",
    ),
    "a second meeting": (
        "Omar Daudzai met the envoy of Norway on Monday, an aide said.",
        "Omar Daudzai met the envoy of Norway for a second time on Tuesday, an aide said.",
    ),
    "a town and its province": (
        "Omar Daudzai met elders in Gardez on Tuesday, an aide said. Gardez is the capital of Paktia.",
        "Omar Daudzai met elders in Paktia on Tuesday, a teacher said.",
    ),
    "two attacks": (
        "The attack on a bus in Khost on Monday was carried out by the Haqqani network, the police said.",
        "The Islamic State group claimed the attack on a clinic in Khost on Tuesday.",
    ),
    "a governor and the next one": (
        "The governor of Paktia, Halim Fidai, spoke to elders in Gardez.",
        "Ajmal Shahpur was appointed governor of Paktia and replaces Halim Fidai.",
    ),
    "governors of two provinces": (
        "The governor of Paktia, Halim Fidai, spoke to elders.",
        "The governor of Logar, Ajmal Shahpur, spoke to elders.",
    ),
    "soldiers of two countries": (
        "Germany will send 1,000 soldiers to the airport, its defence ministry said on Tuesday.",
        "France will send 400 soldiers to the airport, its defence ministry said on Tuesday.",
    ),
    "counts of two spans of time": (
        "About 7,000 people were evacuated from Kunduz in the last 12 hours, the army said.",
        "About 42,000 people were evacuated from Kunduz over the last month, the army said.",
    ),
    "a denial of something else": (
        "The minister has not taken the oath, an aide said in Khost.",
        "The army took the hill above Khost with the help of scouts.",
    ),
}


@pytest.mark.parametrize("what", ALIKE)
def test_what_only_looks_alike_is_no_conflict(what: str, tmp_path: Path) -> None:
    assert conflicts(tmp_path, *ALIKE[what], days=("2021-07-06", "2021-07-07")) == ()


def test_an_answer_lays_out_the_kind_that_is_asked(tmp_path: Path) -> None:
    with Library(tmp_path, offline=True) as library:
        for text, source in zip(CONFLICTS["place"][:2], ("Pamir Wire", "Kabul Ledger"), strict=True):
            library.add(article(text, title="Report", source=source, published="2021-07-06"))
        where = library.ask("Where did Omar Daudzai meet the envoy of Norway?")
        when = library.ask("When did Omar Daudzai meet the envoy of Norway?")
    assert [{p.value for p in c.positions} for c in where.conflicts] == [{"Oslo", "Bergen"}]
    assert "Sources differ: " in where.text
    assert when.conflicts == ()


def test_what_was_said_at_first_is_superseded(tmp_path: Path) -> None:
    (found,) = conflicts(
        tmp_path,
        "The strike in Khost killed four civilians, the army admitted. It had said at first that the strike in Khost "
        "had not killed civilians.",
        "Shops were open.",
        days=("2021-07-06", "2021-07-07"),
    )
    assert (found.kind, [p.value for p in found.positions]) == (Dispute.SUPERSEDED, ["so", "not so"])
