"""Units of measure by dimension, and currencies by country."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit, worth `low` to `high` base units of its dimension; they differ where its size does: US and UK gallons."""

    name: str
    dimension: str
    low: float
    high: float
    zero: float = 0.0

    def base(self, value: float) -> tuple[float, float]:
        """The least and most that an amount in it can be, in base units."""
        return (value + self.zero) * self.low, (value + self.zero) * self.high


# dimension: name size spelling spelling ...; two sizes with a bar between them. `_` is a space in a spelling.
_LISTED = """
time: hour 1 hours hr hrs; minute 0.016666666666666666 minutes min mins; second 0.0002777777777777778 seconds sec secs;
    day 24 days; week 168 weeks; fortnight 336 fortnights; month 672|744 months; year 8760|8784 years;
    decade 87600|87672 decades; century 876000|876600 centuries
length: metre 1 metres meter meters m; kilometre 1000 kilometres kilometer kilometers km kms;
    centimetre 0.01 centimetres centimeter centimeters cm; millimetre 0.001 millimetres millimeter millimeters mm;
    mile 1609.344 miles; nautical_mile 1852 nautical_miles; yard 0.9144 yards yd yds; foot 0.3048 feet ft;
    inch 0.0254 inches
speed: km/h 1 kph kmh km_per_hour kilometres_per_hour kilometers_per_hour
    kilometres_an_hour kilometers_an_hour km_an_hour;
    mph 1.609344 miles_per_hour miles_an_hour; knot 1.852 knots; m/s 3.6 metres_per_second meters_per_second
area: hectare 10000 hectares ha; acre 4046.856 acres; square_metre 1 square_metres square_meters sq_m sqm m² m2;
    square_kilometre 1000000 square_kilometres square_kilometer square_kilometers sq_km sqkm km² km2;
    square_mile 2589988.11 square_miles sq_miles sq_mi; square_foot 0.09290304 square_feet sq_ft
volume: litre 1 litres liter liters; gallon 3.785411784|4.54609 gallons; barrel 158.987294928 barrels bbl;
    cubic_metre 1000 cubic_metres cubic_meter cubic_meters m³ m3; cubic_foot 28.316846592 cubic_feet
mass: kilogram 1 kilograms kilogramme kilogrammes kilo kilos kg kgs; gram 0.001 grams gramme grammes;
    tonne 1000 tonnes metric_ton metric_tons; ton 907.18474|1016.0469 tons; lb 0.45359237 lbs;
    ounce 0.028349523 ounces oz
temperature: degree_Celsius 1 degrees_Celsius °C °_C degrees_centigrade degrees_C;
    degree_Fahrenheit 0.5555555555555556 degrees_Fahrenheit °F °_F degrees_F
power: megawatt 1 megawatts MW; gigawatt 1000 gigawatts GW; kilowatt 0.001 kilowatts kW
energy: megawatt-hour 1 megawatt-hours MWh; gigawatt-hour 1000 gigawatt-hours GWh;
    kilowatt-hour 0.001 kilowatt-hours kWh
"""
_ZEROS = {"degree Celsius": 0.0, "degree Fahrenheit": -32.0}
# code: what it may be called behind an amount; `$ signs` before one are below.
_MONEY = """
$: dollar dollars usd us_dollar us_dollars u.s._dollar u.s._dollars american_dollar american_dollars;
cad: canadian_dollar canadian_dollars cad; aud: australian_dollar australian_dollars aud;
nzd: new_zealand_dollar new_zealand_dollars nzd; hkd: hong_kong_dollar hong_kong_dollars hkd;
sgd: singapore_dollar singapore_dollars sgd; twd: taiwan_dollar taiwan_dollars twd; €: euro euros eur;
£: pound pounds pound_sterling pounds_sterling sterling gbp british_pounds;
egp: egyptian_pound egyptian_pounds egp; lbp: lebanese_pound lebanese_pounds lebanese_lira lbp;
syp: syrian_pound syrian_pounds;
rs: rupee rupees; inr: indian_rupee indian_rupees inr; pkr: pakistani_rupee pakistani_rupees pkr;
lkr: sri_lankan_rupee sri_lankan_rupees lkr; npr: nepali_rupee nepali_rupees npr; crown: crown crowns;
sek: swedish_krona swedish_kronor swedish_crown swedish_crowns sek; krona: krona kronor; krone: krone kroner;
nok: norwegian_krone norwegian_kroner norwegian_crown norwegian_crowns nok;
dkk: danish_krone danish_kroner danish_crown danish_crowns dkk; isk: icelandic_krona icelandic_kronur isk;
czk: czech_crown czech_crowns koruna korunas czk; franc: franc francs; chf: swiss_franc swiss_francs chf;
peso: peso pesos; mxn: mexican_peso mexican_pesos mxn; ars: argentine_peso argentine_pesos ars;
clp: chilean_peso chilean_pesos clp; cop: colombian_peso colombian_pesos; php: philippine_peso philippine_pesos php;
brl: reais brl; afn: afghani afghanis afn; rial: rial rials; irr: iranian_rial iranian_rials; toman: toman tomans;
riyal: riyal riyals; sar: saudi_riyal saudi_riyals sar; aed: dirham dirhams aed; dinar: dinar dinars;
rub: ruble rubles rouble roubles rub; uah: hryvnia hryvnias uah; pln: zloty zlotys pln; huf: forint forints huf;
cny: yuan renminbi cny; jpy: yen jpy; krw: south_korean_won krw; try: lira liras turkish_lira turkish_liras try;
 shekel: shekel shekels ils; zar: rand zar; ngn: naira ngn; ksh: kenyan_shilling kenyan_shillings;
ugx: ugandan_shilling ugandan_shillings; shilling: shilling shillings; birr: birr; baht: baht; taka: taka bdt;
rupiah: rupiah; ringgit: ringgit; dong: dong vnd
"""
_SIGNS = {
    "$": "$", "us$": "$", "usd": "$", "c$": "cad", "ca$": "cad", "cad": "cad", "a$": "aud", "au$": "aud", "aud": "aud",
    "nz$": "nzd", "hk$": "hkd", "s$": "sgd", "nt$": "twd", "r$": "brl", "mx$": "mxn", "€": "€", "eur": "€", "£": "£",
    "gbp": "£", "¥": "¥", "jp¥": "jpy", "rs": "rs", "₹": "inr", "inr": "inr", "pkr": "pkr", "chf": "chf", "₽": "rub",
    "₩": "krw", "₪": "shekel", "₴": "uah", "₺": "try", "₦": "ngn", "sek": "sek", "nok": "nok", "dkk": "dkk",
    "cny": "cny", "jpy": "jpy",
}  # fmt: skip
SIGN = (
    r"(?:\b(?:US|CA?|AU?|NZ|HK|S|NT|R|MX)\$|[$€£¥₹₽₩₪₴₺₦]"
    r"|\b(?:Rs\.?|USD|EUR|GBP|CAD|AUD|INR|PKR|CHF|SEK|NOK|DKK|CNY|JPY)(?=\s?\d))"
)
"""The pattern of what stands before an amount of money."""


def _units() -> dict[str, Unit]:
    found: dict[str, Unit] = {}
    for line in _LISTED.replace("\n    ", " ").strip().splitlines():
        dimension, listed = line.split(": ", 1)
        for name, size, *spellings in (part.split() for part in listed.split(";")):
            low, _, high = size.partition("|")
            called = name.replace("_", " ")
            unit = Unit(called, dimension, float(low), float(high or low), _ZEROS.get(called, 0.0))
            found |= dict.fromkeys((_plain(s) for s in (name, *spellings)), unit)
    return found


def _plain(spelling: str) -> str:
    return re.sub(r"[\s_-]", " ", spelling).lower()


_UNITS = _units()
_CURRENCIES = {
    _plain(name): code.strip()
    for code, names in (part.split(":") for part in _MONEY.split(";"))
    for name in names.split()
}
CURRENCIES = frozenset(_CURRENCIES.values()) | frozenset(_SIGNS.values())
"""The codes of the currencies; one without its country, such as `$`, is a code of its own."""


def _spelled(spellings: Iterable[str]) -> str:
    return "|".join(re.escape(s).replace(r"\ ", r"[\s-]") for s in sorted(spellings, key=len, reverse=True))


_MEASURE = re.compile(rf"[\s-]?({_spelled(_UNITS)})(?![\w/])", re.IGNORECASE)
_CURRENCY = re.compile(rf"\s?([€£$])|[\s-]({_spelled(_CURRENCIES)})\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Found:
    """A unit or the code of a currency, and where it ends."""

    unit: Unit | str
    end: int


@lru_cache(maxsize=4096)
def measure(text: str, place: int) -> Found | None:
    """The unit of measure at a place behind an amount."""
    match = _MEASURE.match(text, place)
    return Found(_UNITS[_plain(match[1])], match.end()) if match else None


def currency(text: str, place: int) -> Found | None:
    """The currency at a place behind an amount."""
    match = _CURRENCY.match(text, place)
    if not match:
        return None
    return Found(match[1] or _CURRENCIES[_plain(match[2])], match.end())


def signed(sign: str) -> str:
    """The currency of what stands before an amount."""
    return _SIGNS.get(sign.lower().rstrip(".").strip(), "")
