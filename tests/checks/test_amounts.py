"""Amounts in claims: written otherwise, bounded, of another unit or currency, as `checked` judges them."""

from __future__ import annotations

import pytest

from rag.checks.document import checked, whole
from rag.checks.verify import verify
from rag.ingest.metadata import article
from rag.schema import Statement, Verdict


def judged(told: str, claim: str) -> Statement:
    source = article(told)
    return checked(claim, lambda _: whole([source]), verify, given=[source]).statements[0]


@pytest.mark.parametrize(
    ("told", "claim"),
    [
        ("The council bought 20 000 tents for the camp.", "The council bought 20,000 tents for the camp."),
        ("The council bought 1’250’000 litres of fuel.", "The council bought 1.25 million litres of fuel."),
        ("The state registered 2.5 lakh voters in May.", "The state registered 250,000 voters in May."),
        ("The plan costs Rs 3 crore a year.", "The plan costs 30 million rupees a year."),
        ("Half a million people fled the city of Orsk.", "Some 500,000 people fled the city of Orsk."),
        ("The flight took 7½ hours.", "The flight took 7.5 hours."),
        ("A quarter of the pupils stayed at home.", "25 percent of the pupils stayed at home."),
        ("Between 12 and 15 houses burned down.", "12 to 15 houses burned down."),
        ("The mine was sold for 40 million Canadian dollars.", "The mine was sold for C$40 million."),
        ("The ship drifted 12 miles north.", "The ship drifted about 19 kilometres north."),
        ("The wall is 6 feet high.", "The wall is 1.83 metres high."),
        ("Winds reached 120 km/h on the coast.", "Winds reached 75 mph on the coast."),
        ("The truce lasted three weeks.", "The truce lasted 21 days."),
        ("The port handled 3 400 containers last week.", "The port handled 3,400 containers last week."),
        ("Police seized 1'800 kilograms of tea.", "Police seized 1,800 kilograms of tea."),
        ("The scheme reached 4 lakh farmers.", "The scheme reached 400,000 farmers."),
        ("The bridge cost 12 crore rupees.", "The bridge cost 120 million rupees."),
        ("Three quarters of the members voted for the strike.", "75 percent of the members voted for the strike."),
        ("One in four drivers failed the test.", "25 percent of drivers failed the test."),
        ("The delay lasted half an hour.", "The delay lasted 30 minutes."),
        ("The crowd grew to 2½ million people.", "The crowd grew to 2.5 million people."),
        ("The storm killed 30 to 35 cows.", "The storm killed 30-35 cows."),
        ("No fewer than 90 families left the valley.", "At least 90 families left the valley."),
        ("The dam can hold 80 million litres.", "The dam can hold more than 70 million litres."),
        ("Turnout rose from 48 percent to 53 percent.", "Turnout rose by five percentage points."),
        ("The club paid £15m for the striker.", "The club paid 15 million pounds for the striker."),
        ("The runner covered 10 kilometres.", "The runner covered 6.2 miles."),
        ("Temperatures reached 40 °C in Orsk.", "Temperatures reached 104 degrees Fahrenheit in Orsk."),
        ("The climbers were 2,000 metres above the camp.", "The climbers were 2 kilometres above the camp."),
        ("They sent 40 police officers to Orsk.", "They sent 40 policemen to Orsk."),
    ],
)
def test_the_same_amount_written_otherwise_is_supported(told: str, claim: str) -> None:
    assert judged(told, claim).verdict is Verdict.SUPPORTED


@pytest.mark.parametrize(
    ("told", "claim"),
    [
        ("The state registered 2.5 lakh voters in May.", "The state registered 2.5 million voters in May."),
        ("Half a million people fled the city of Orsk.", "Some 50,000 people fled the city of Orsk."),
        ("Between 12 and 15 houses burned down.", "20 houses burned down."),
        ("The blast injured 46 miners.", "The blast injured more than 50 miners."),
        ("The ship drifted 12 miles north.", "The ship drifted 12 kilometres north."),
        ("The wall is 6 feet high.", "The wall is 6 metres high."),
        ("Winds reached 120 km/h on the coast.", "Winds reached 120 mph on the coast."),
        ("The fire destroyed 500 hectares of forest.", "The fire destroyed 500 acres of forest."),
        ("The truce lasted three weeks.", "The truce lasted three days."),
        ("The port handled 3 400 containers last week.", "The port handled 400 containers last week."),
        ("The bridge cost 12 crore rupees.", "The bridge cost 12 million rupees."),
        ("The runner covered 10 kilometres.", "The runner covered 10 miles."),
        ("Temperatures reached 40 °C in Orsk.", "Temperatures reached 40 degrees Fahrenheit in Orsk."),
        ("The field is 2 square miles large.", "The field is 2 square kilometres large."),
        ("The baby weighed 3 kilograms.", "The baby weighed 3 grams."),
        ("The talks lasted two days.", "The talks lasted two hours."),
        ("They sent 400 reserve troops to Orsk.", "They sent 40 reservists to Orsk."),
    ],
)
def test_another_amount_of_the_same_thing_is_a_contradiction(told: str, claim: str) -> None:
    assert judged(told, claim).verdict is Verdict.CONTRADICTED


@pytest.mark.parametrize(
    ("told", "claim"),
    [
        ("Between 12 and 15 houses burned down.", "13 houses burned down."),
        ("At least 40 miners were trapped.", "45 miners were trapped."),
    ],
)
def test_what_a_range_or_bound_leaves_open_is_not_supported(told: str, claim: str) -> None:
    assert judged(told, claim).verdict is Verdict.UNSUPPORTED


def test_how_much_one_is_less_than_another_is_no_other_amount() -> None:
    told = "A court in Orsk sentenced the captain to four years in prison. The prosecution had asked for seven years."
    claim = "The term of the captain is three years shorter than what the prosecution had asked for."
    assert judged(told, claim).verdict is not Verdict.CONTRADICTED


@pytest.mark.parametrize(
    ("told", "claim"),
    [
        ("The party's share fell by 5 percentage points.", "The party's share fell by 5 percent."),
        ("The party's share fell by 5 percent.", "The party's share fell by 5 percentage points."),
        ("The mine was sold for C$40 million.", "The mine was sold for US$40 million."),
        ("The loan is worth 200 million euros.", "The loan is worth 200 million dollars."),
        ("Up to 60 workers will lose their jobs.", "At least 60 workers will lose their jobs."),
        ("Turnout rose from 48 percent to 53 percent.", "Turnout rose by five percent."),
        ("The farm was bought for 9 million Swedish kronor.", "The farm was bought for 9 million Norwegian kroner."),
        ("The club paid £15m for the striker.", "The club paid 15 million euros for the striker."),
        ("The tanker lost 300 tonnes of oil.", "The tanker lost 300 barrels of oil."),
    ],
)
def test_another_unit_currency_or_bound_is_not_silently_equated(told: str, claim: str) -> None:
    assert judged(told, claim).verdict is not Verdict.SUPPORTED


def test_a_conversion_is_shown() -> None:
    checks = judged("The ship drifted 12 miles north.", "The ship drifted 12 kilometres north.").checks
    assert ("12 kilometres", "12 miles (19.31 kilometres)") in [(c.expected, c.found) for c in checks]
