"""What fills the slots that CLDR names: territories, languages, cities, currencies, for a pair.

A name that two values share in either language would make one sentence mean two things, so only the
first of them stays.
"""

from collections.abc import Callable, Iterable
from functools import cache

from pipeline.corpora.sample import cldr

TERRITORIES = """
AD AF AL AM AO AR AS AT AU AW AZ BB BD BE BF BG BH BI BJ BM BO BR BT BW BY BZ CA CH CL CM CN CO CR
CU CV CY CZ DE DJ DK DM DO DZ EC EE EG ER ES ET FI FJ FO FR GA GB GD GE GF GH GL GM GN GP GQ GR GT
GU GW GY HN HR HT HU ID IE IL IN IQ IR IS IT JM JO JP KE KG KH KI KM KP KR KW KZ LA LB LI LK LR LS
LT LU LV LY MA MC MD ME MG MH MK ML MN MQ MR MT MU MV MW MX MY MZ NA NC NE NG NI NL NO NP NR NZ OM
PA PE PF PG PH PK PL PR PT PW PY QA RO RS RU RW SA SB SC SD SE SG SI SK SL SM SN SO SR SS SV SY SZ
TD TG TH TJ TM TN TO TR TV TW TZ UA UG US UY UZ VE VN VU WS XK YE ZA ZM ZW AE BS CF EH TL""".split()
NO_LANGUAGES = frozenset("mul und zxx art root tlh zbl nds_NL den".split())
DEAD = frozenset(  # may be learned, are spoken by nobody today
    """ae akk ang arc chg cop cu dum egy elx enm frm fro gez gmh goh got grc hit kho la mga non ota
    pal peo phn pi pro prg sa sam sga sog sux syc uga vot izh liv nwc""".split()
)
CONTINENTS = ("Africa/", "America/", "Asia/", "Australia/", "Europe/")
NO_CITIES = frozenset(  # islands, regions, territories and quarters among the zones' names
    """America/Cayman America/Jamaica America/Noronha America/St_Kitts America/St_Lucia
    America/St_Thomas America/St_Vincent America/St_Barthelemy America/Lower_Princes
    America/Martinique America/Guadeloupe America/Montserrat America/Antigua America/Anguilla
    America/Aruba America/Barbados America/Curacao America/Dominica America/Grenada America/Tortola
    America/Puerto_Rico America/Bahia America/Bahia_Banderas
    America/Costa_Rica America/El_Salvador America/Guatemala America/Panama America/Guyana
    America/Grand_Turk America/Danmarkshavn America/Scoresbysund America/Creston
    Asia/Bahrain Asia/Brunei Asia/Kamchatka Asia/Qatar Asia/Kuwait Asia/Sakhalin Asia/Singapore
    Asia/Hong_Kong Asia/Macau Asia/Dubai Europe/Luxembourg Europe/Vatican Europe/Monaco
    Europe/Malta Europe/Gibraltar Europe/Andorra Europe/San_Marino Europe/Guernsey Europe/Jersey
    Europe/Isle_of_Man Africa/Djibouti Australia/Lord_Howe
    Australia/Lindeman
    Africa/Ceuta""".split()
)
NO_CURRENCIES = frozenset(("PGK",))  # its German plural in CLDR is a singular
UNITS = """
length-kilometer length-meter length-centimeter length-millimeter length-mile length-foot
length-yard length-inch length-decimeter length-nanometer length-light-year length-nautical-mile
mass-kilogram mass-gram mass-milligram mass-ounce mass-stone mass-carat mass-microgram
volume-liter volume-milliliter volume-centiliter volume-hectoliter volume-cubic-meter
volume-cubic-kilometer volume-cubic-centimeter volume-gallon volume-pint volume-barrel
volume-teaspoon area-hectare area-square-meter area-square-kilometer area-square-mile area-acre
duration-hour duration-minute duration-second duration-day duration-week duration-month
duration-year duration-millisecond energy-joule energy-kilojoule energy-kilocalorie
energy-kilowatt-hour power-watt power-kilowatt power-megawatt power-horsepower power-gigawatt
electric-volt electric-ampere electric-ohm frequency-hertz frequency-kilohertz frequency-megahertz
frequency-gigahertz digital-byte digital-kilobyte digital-megabyte digital-gigabyte
digital-terabyte digital-bit pressure-hectopascal pressure-millibar temperature-celsius
temperature-fahrenheit temperature-kelvin angle-degree graphics-pixel graphics-megapixel
speed-knot speed-kilometer-per-hour speed-mile-per-hour speed-meter-per-second
consumption-liter-per-100-kilometer light-lux""".split()


def distinct(
    codes: Iterable[str], languages: tuple[str, str], name: Callable[[str, str], str]
) -> tuple[str, ...]:
    """The codes whose names are unique in both languages and hold nothing but letters."""
    kept: list[str] = []
    seen: tuple[set[str], set[str]] = (set(), set())
    for code in codes:
        names = [name(code, language) for language in languages]
        if not all(map(_readable, names)):
            continue
        if any(text.casefold() in used for text, used in zip(names, seen, strict=True)):
            continue
        for text, used in zip(names, seen, strict=True):
            used.add(text.casefold())
        kept.append(code)
    return tuple(kept)


def _readable(name: str) -> bool:
    letters = name.replace(" ", "").replace("-", "").replace("’", "").replace(".", "")
    return bool(letters) and letters.isalpha()


def _single(name: str) -> bool:
    return name.isalpha()


@cache
def territories(pair: tuple[str, str]) -> tuple[str, ...]:
    """Codes of territories."""
    return distinct(TERRITORIES, pair, cldr.territory)


@cache
def tongues(pair: tuple[str, str]) -> tuple[str, ...]:
    """Codes of languages whose name is one word in both."""
    known = [set(cldr.locale(language).languages) for language in pair]
    codes = sorted((known[0] & known[1]) - NO_LANGUAGES)
    single = [c for c in codes if all(_single(cldr.tongue(c, language)) for language in pair)]
    return distinct(single, pair, cldr.tongue)


@cache
def living(pair: tuple[str, str]) -> tuple[str, ...]:
    """Those of the languages that people speak today."""
    return tuple(code for code in tongues(pair) if code not in DEAD)


@cache
def cities(pair: tuple[str, str]) -> tuple[str, ...]:
    """Time zones that are named after a city which is no territory's name too."""
    taken = {cldr.territory(code, language) for code in TERRITORIES for language in pair}
    zones = [z for z in cldr.zones() if z.startswith(CONTINENTS) and z not in NO_CITIES]
    free = [z for z in zones if not taken & {cldr.city(z, language) for language in pair}]
    return distinct(free, pair, cldr.city)


@cache
def currencies(pair: tuple[str, str]) -> tuple[str, ...]:
    """Codes of currencies in use that have a name in both languages."""
    named = [
        code
        for code in cldr.tender()
        if code not in NO_CURRENCIES
        and all(cldr.currency(code, 12, language) != code for language in pair)
    ]
    return distinct(named, pair, lambda code, language: cldr.currency(code, 12, language))


@cache
def units(pair: tuple[str, str]) -> tuple[str, ...]:
    """CLDR's units whose names are unique in both languages."""
    kept: dict[tuple[str, str], str] = {}
    for unit in UNITS:
        kept.setdefault((cldr.measured(5, unit, pair[0]), cldr.measured(5, unit, pair[1])), unit)
    return tuple(kept.values())
