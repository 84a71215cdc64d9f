"""The concepts: people, things, what people do with them. No words: those are each grammar's own.

A thing belongs to classes, a verb takes objects of classes: so soups are eaten and letters signed,
never the other way round. Every grammar has a word for every concept (a test holds it to that).
"""

from dataclasses import dataclass

NAMES = (
    "Anna Ben Clara David Elena Felix Greta Hugo Ida Jonas Karla Leon Maria Nina Oskar Paul "
    "Rosa Simon Tina Viktor Sarah Emil Laura Max Julia Robert"
).split()
PRONOUNS = ("I", "we", "he")

KIN = "aunt uncle grandmother grandfather sister brother daughter son mother father wife husband".split()
PERSONAL = "neighbor friend colleague boss lawyer hairdresser doctor".split()
PEOPLE = [
    *PERSONAL,
    *(
        "teacher nurse cook painter baker farmer judge gardener driver pilot pupil customer "
        "guest tourist journalist photographer musician singer actor writer scientist engineer "
        "mechanic carpenter butcher waiter saleswoman policewoman soldier mayor girl boy woman man"
    ).split(),
]
GROUPS = (
    "customer guest tourist journalist musician teacher engineer farmer pupil scientist".split()
)

THINGS: dict[str, str] = {  # concept → classes
    "letter": "text signed sent goods small",
    "contract": "text signed goods",
    "report": "text written signed sent",
    "invoice": "text written signed sent",
    "message": "text written sent",
    "article": "text written",
    "novel": "text written book goods small",
    "book": "text written book goods small",
    "newspaper": "text goods small",
    "poem": "text written",
    "list": "text written",
    "recipe": "text written",
    "postcard": "text written sent goods small",
    "map": "goods small opened",
    "parcel": "sent box opened",
    "suitcase": "box goods opened carried",
    "bag": "box goods carried",
    "backpack": "box goods carried",
    "crate": "box goods carried opened",
    "basket": "goods carried",
    "soup": "food cooked",
    "cake": "food baked",
    "bread": "food baked",
    "salad": "food",
    "apple": "food fruit",
    "pear": "food fruit",
    "sandwich": "food",
    "fish": "food cooked",
    "coffee": "drink",
    "tea": "drink",
    "juice": "drink",
    "beer": "drink",
    "car": "vehicle goods large",
    "bicycle": "vehicle goods large",
    "bus": "vehicle large",
    "boat": "vehicle goods large",
    "truck": "vehicle goods large",
    "motorcycle": "vehicle goods large",
    "computer": "device goods carried",
    "telephone": "device goods small",
    "camera": "device goods small",
    "radio": "device goods carried",
    "lamp": "device goods carried",
    "television": "device goods carried",
    "heater": "device goods",
    "oven": "device goods opened",
    "table": "furniture goods large",
    "chair": "furniture goods",
    "cupboard": "furniture goods large opened",
    "shelf": "furniture goods large",
    "sofa": "furniture goods large",
    "bed": "furniture goods large",
    "coat": "clothes goods small",
    "shirt": "clothes goods small",
    "hat": "clothes goods small",
    "dress": "clothes goods small",
    "jacket": "clothes goods small",
    "sweater": "clothes goods small",
    "skirt": "clothes goods small",
    "house": "building goods large",
    "apartment": "building goods large",
    "garage": "building large opened",
    "barn": "building large",
    "door": "opened painted",
    "window": "opened painted",
    "gate": "opened painted",
    "fence": "painted goods large",
    "wall": "painted large",
    "key": "small tool",
    "umbrella": "small goods opened",
    "ring": "small goods",
    "guitar": "instrument goods carried",
    "piano": "instrument goods large",
    "violin": "instrument goods carried",
}

ADJECTIVES: dict[str, str] = {  # concept → classes that it suits; "person" is a class too
    "new": "tool text goods device vehicle furniture clothes building box instrument",
    "old": "tool text goods device vehicle furniture clothes building instrument person",
    "long": "text painted",
    "short": "written",
    "important": "text",
    "boring": "text",
    "interesting": "text",
    "secret": "text",
    "warm": "food drink",
    "cold": "food drink",
    "fresh": "food drink",
    "delicious": "food drink",
    "red": "vehicle clothes furniture painted box fruit",
    "blue": "vehicle clothes furniture painted box",
    "green": "vehicle clothes furniture painted box fruit",
    "yellow": "vehicle clothes furniture painted box fruit",
    "white": "vehicle clothes furniture painted device building",
    "black": "vehicle clothes furniture device box instrument",
    "heavy": "box furniture",
    "light": "box",
    "big": "box vehicle furniture building painted",
    "small": "box vehicle furniture building painted device",
    "expensive": "goods device instrument",
    "cheap": "goods device instrument",
    "dirty": "vehicle clothes furniture painted",
    "beautiful": "clothes building instrument vehicle",
    "modern": "device building furniture",
    "broken": "device vehicle furniture",
    "used": "vehicle device furniture clothes",
    "young": "person",
    "friendly": "person",
    "tired": "person",
    "famous": "person",
    "sick": "person",
    "nervous": "person",
    "polite": "person",
    "curious": "person",
    "clever": "person",
    "shy": "person",
}


@dataclass(frozen=True, slots=True)
class Verb:
    """`takes`: classes of things, or "person"; `lasting`: a state, which nobody plans or is told to do."""

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
    "buy": Verb("goods"),
    "sell": Verb("goods"),
    "find": Verb("small carried"),
    "look_for": Verb("small carried text"),
    "need": Verb("goods device", lasting=True),
    "own": Verb("goods vehicle", lasting=True),
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
    "get_off fall_asleep laugh study rest"
).split()
LASTING_STAYS = ["live"]
TRIPS = "travel fly move emigrate drive".split()
RETURNS = "come flee return".split()
TONGUE_VERBS = {"speak": True, "learn": False, "understand": True, "teach": False}
SPOTS = (
    "garden kitchen market station office park library museum hospital restaurant school "
    "theater bakery cellar hotel bank café church stadium factory"
).split()
NO_SPOT = frozenset(("study", "live", "arrive", "stay_overnight", "swim"))

MODALS = "must can may supposed want would_like".split()
LINKS = "because although if while before as_soon_as".split()
SAYINGS = "say know believe claim suspect report hope doubt".split()
ASKINGS = "ask consider not_know want_to_know".split()
ATTEMPTS = "try plan hope promise decide begin intend forget".split()
DIMENSIONS: dict[str, tuple[str, tuple[str, ...], int]] = {  # classes, units, largest count
    "weigh": ("box furniture device", ("mass-kilogram", "mass-gram", "mass-pound"), 90),
    "long": ("painted vehicle furniture", ("length-meter", "length-centimeter", "length-foot"), 90),
    "high": (
        "painted furniture building",
        ("length-meter", "length-centimeter", "length-foot"),
        90,
    ),
}


def members(classes: str, *, people: bool = False) -> list[str]:
    """The things (and people, where `people`) that belong to any of the `classes`."""
    wanted = set(classes.split())
    things = [name for name, own in THINGS.items() if wanted & set(own.split())]
    return things + (PEOPLE if people and "person" in wanted else [])


def suits(adjective: str, classes: str) -> bool:
    """Whether the adjective may stand before a thing of these classes."""
    return bool(set(ADJECTIVES[adjective].split()) & set(classes.split()))
