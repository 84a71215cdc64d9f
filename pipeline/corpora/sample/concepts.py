"""The concepts: people and what they do. No words: those are each grammar's own.

A verb takes objects of classes (`things.py`): so soups are eaten and letters signed, never the
other way round. Every grammar has a word for every concept (a test holds it to that).
"""

from dataclasses import dataclass

NAMES = (
    "Anna Ben Clara David Elena Felix Greta Hugo Ida Jonas Karla Leon Maria Nina Oskar Paul "
    "Rosa Simon Tina Viktor Sarah Emil Laura Max Julia Robert"
).split()
PRONOUNS = ("I", "we", "he")

KIN = (
    "aunt uncle grandmother grandfather sister brother daughter son mother father wife husband"
).split()
SPOUSES = frozenset(("wife", "husband"))
CHILDREN = frozenset(("girl", "boy", "pupil", "daughter", "son"))
ELDERS = frozenset(("grandmother", "grandfather"))
PERSONAL = "neighbor friend colleague boss lawyer hairdresser doctor".split()
PEOPLE = [
    *PERSONAL,
    *(
        "teacher nurse cook painter baker farmer judge gardener driver pilot pupil customer "
        "guest tourist journalist photographer musician singer actor writer scientist engineer "
        "mechanic carpenter butcher waiter saleswoman policewoman soldier mayor girl boy woman "
        "man dentist secretary dancer fisherman electrician librarian poet king queen "
        "detective athlete tailor hunter beekeeper "
    ).split(),
]
GROUPS = (
    "customer guest tourist journalist musician teacher engineer farmer pupil scientist".split()
)


@dataclass(frozen=True, slots=True)
class Verb:
    """What a verb takes: classes of things, or "person"; `lasting`: a state, which nobody plans."""

    takes: str
    lasting: bool = False


ACTIONS: dict[str, Verb] = {
    "read": Verb("text"),
    "write": Verb("written"),
    "sign": Verb("signed"),
    "translate": Verb("text"),
    "copy": Verb("text"),
    "tear_up": Verb("text"),
    "print_out": Verb("text"),
    "send_off": Verb("sent"),
    "read_out": Verb("text"),
    "correct": Verb("written"),
    "eat": Verb("food"),
    "cook": Verb("cooked"),
    "bake": Verb("baked"),
    "try": Verb("food drink"),
    "order": Verb("food drink device furniture clothes"),
    "drink": Verb("drink"),
    "peel": Verb("fruit"),
    "repair": Verb("vehicle device furniture instrument"),
    "buy": Verb("goods building"),
    "sell": Verb("goods building"),
    "find": Verb("small carried"),
    "look_for": Verb("small carried text"),
    "need": Verb("device furniture vehicle clothes tool", lasting=True),
    "own": Verb("device furniture vehicle clothes building instrument", lasting=True),
    "lose": Verb("small"),
    "forget": Verb("small"),
    "hide": Verb("small"),
    "steal": Verb("small vehicle"),
    "clean": Verb("vehicle device furniture"),
    "paint": Verb("painted furniture building"),
    "open": Verb("opened"),
    "close": Verb("opened"),
    "pack": Verb("clothes small"),
    "unpack": Verb("box"),
    "carry": Verb("carried"),
    "bring_along": Verb("carried small"),
    "take_along": Verb("carried small"),
    "put_on": Verb("clothes"),
    "take_off": Verb("clothes"),
    "try_on": Verb("clothes"),
    "wash": Verb("clothes vehicle"),
    "iron": Verb("clothes"),
    "switch_on": Verb("device"),
    "switch_off": Verb("device"),
    "rent": Verb("building vehicle"),
    "photograph": Verb("building vehicle furniture person"),
    "describe": Verb("building vehicle box person"),
    "throw_away": Verb("clothes furniture text"),
    "give_back": Verb("book carried"),
    "check": Verb("device vehicle text"),
    "build": Verb("building furniture"),
    "play": Verb("instrument"),
    "visit": Verb("person"),
    "call": Verb("person"),
    "invite": Verb("person"),
    "pick_up": Verb("person"),
    "greet": Verb("person"),
    "wake_up": Verb("person"),
    "hug": Verb("person"),
    "comfort": Verb("person"),
    "warn": Verb("person"),
    "know": Verb("person", lasting=True),
    "miss": Verb("person", lasting=True),
    "admire": Verb("person", lasting=True),
    "help": Verb("person"),
    "thank": Verb("person"),
    "congratulate": Verb("person"),
    "answer": Verb("person"),
    "trust": Verb("person", lasting=True),
    "listen_to": Verb("person"),
    "contradict": Verb("person"),
    "follow": Verb("person"),
}
STAYS = (
    "work sleep dance sing wait train swim shop stay_overnight have_breakfast arrive "
    "get_off fall_asleep laugh study cry"
).split()
LASTING_STAYS = ["live"]
TRIPS = "travel fly move emigrate drive".split()
RETURNS = "flee return".split()
ORIGINS = ["come"]  # where somebody is from: a state
TONGUE_VERBS = {"speak": True, "learn": False, "understand": True, "teach": False}
SPOTS = (
    "garden kitchen market station office park library museum hospital restaurant school "
    "theater bakery cellar hotel bank café church stadium factory"
).split()
NO_SPOT = frozenset(
    ("study", "live", "arrive", "stay_overnight", "swim", "get_off", "train", "shop")
)
CITY_ONLY = frozenset(("drive", "get_off"))
NO_PLACE = frozenset(  # verbs beside which a place would say nothing, or nonsense
    """own know miss admire trust need understand wake_up bring_along take_along describe order
    give_back contradict translate follow look_for invite throw_away steal""".split()
)
ONCE = frozenset("move emigrate flee lose find build steal sell throw_away tear_up forget".split())
UNWANTED = frozenset("forget lose cry fall_asleep".split())  # nobody plans, or is told to
SINGLE = frozenset("play put_on take_off try_on need own switch_on".split())
TRADE = frozenset("buy sell order print_out check sign copy pack send_off".split())  # by the dozen

MODALS = "must can may supposed want would_like".split()
LINKS = "because although if while before as_soon_as".split()
SAYINGS = "say know believe claim suspect report hope doubt".split()
ASKINGS = "ask consider not_know want_to_know".split()
JOURNEYS = (  # way, unit, shortest and longest
    ("flight", "duration-hour", 2, 28),
    ("drive", "duration-hour", 5, 72),
    ("drive", "duration-day", 2, 14),
    ("trip", "duration-day", 2, 60),
    ("trip", "duration-week", 2, 20),
)
ATTEMPTS = "try plan hope promise decide begin intend forget".split()
# dimension → classes, unit, least and largest count
DIMENSIONS: dict[str, tuple[tuple[str, str, int, int], ...]] = {
    "weigh": (
        ("box", "mass-kilogram", 2, 60),
        ("furniture", "mass-kilogram", 5, 150),
        ("small", "mass-gram", 50, 300),
        ("instrument box", "mass-pound", 3, 99),
    ),
    "long": (("lengthy", "length-meter", 6, 90), ("lengthy", "length-foot", 20, 300)),
    "high": (
        ("furniture", "length-centimeter", 40, 230),
        ("towering", "length-meter", 5, 90),
        ("towering", "length-foot", 20, 300),
    ),
}
FRAMES: dict[str, tuple[int, list[str]]] = {  # what a verb goes with → in how many of 100, verbs
    "thing": (34, [name for name, verb in ACTIONS.items() if verb.takes != "person"]),
    "person": (18, [name for name, verb in ACTIONS.items() if "person" in verb.takes.split()]),
    "stay": (14, STAYS + LASTING_STAYS),
    "trip": (18, TRIPS + RETURNS + ORIGINS),
    "tongue": (16, list(TONGUE_VERBS)),
}
LASTING = frozenset(
    LASTING_STAYS
    + ORIGINS
    + [name for name, lasts in TONGUE_VERBS.items() if lasts]
    + [name for name, verb in ACTIONS.items() if verb.lasting]
)
