"""English words: nouns, verbs, places and times, one for each concept."""

PLURALS = {  # where neither s nor ies is right
    "wife": "wives", "shelf": "shelves", "knife": "knives", "bus": "buses", "dress": "dresses",
    "sandwich": "sandwiches", "potato": "potatoes", "speech": "speeches", "fish": "fish",
    "man": "men", "woman": "women", "fisherman": "fishermen", "saleswoman": "saleswomen",
    "policewoman": "policewomen", "boss": "bosses",
}  # fmt: skip
PRONOUNS = {"I": "I", "we": "we", "he": "he"}
# base, he-form, past; "|" before a particle, which follows the verb.
LINES = """
read: read reads read
write: write writes wrote
sign: sign signs signed
translate: translate translates translated
copy: copy copies copied
tear_up: tear|up tears tore
print_out: print|out prints printed
send_off: send|off sends sent
read_out: read|out reads read
correct: correct corrects corrected
eat: eat eats ate
cook: cook cooks cooked
bake: bake bakes baked
try: try tries tried
order: order orders ordered
drink: drink drinks drank
peel: peel peels peeled
repair: repair repairs repaired
buy: buy buys bought
sell: sell sells sold
find: find finds found
look_for: look|for looks looked
need: need needs needed
own: own owns owned
lose: lose loses lost
forget: forget forgets forgot
hide: hide hides hid
steal: steal steals stole
clean: clean cleans cleaned
paint: paint paints painted
open: open opens opened
close: close closes closed
pack: pack packs packed
unpack: unpack unpacks unpacked
carry: carry carries carried
bring_along: bring|along brings brought
take_along: take|along takes took
put_on: put|on puts put
take_off: take|off takes took
try_on: try|on tries tried
wash: wash washes washed
iron: iron irons ironed
switch_on: switch|on switches switched
switch_off: switch|off switches switched
rent: rent rents rented
photograph: photograph photographs photographed
describe: describe describes described
throw_away: throw|away throws threw
give_back: give|back gives gave
check: check checks checked
build: build builds built
play: play plays played
visit: visit visits visited
call: call calls called
invite: invite invites invited
pick_up: pick|up picks picked
greet: greet greets greeted
wake_up: wake|up wakes woke
hug: hug hugs hugged
comfort: comfort comforts comforted
warn: warn warns warned
know: know knows knew
miss: miss misses missed
admire: admire admires admired
help: help helps helped
thank: thank thanks thanked
congratulate: congratulate congratulates congratulated
answer: answer answers answered
trust: trust trusts trusted
listen_to: listen|to listens listened
contradict: contradict contradicts contradicted
follow: follow follows followed
work: work works worked
sleep: sleep sleeps slept
dance: dance dances danced
sing: sing sings sang
wait: wait waits waited
train: train trains trained
swim: swim swims swam
shop: shop shops shopped
stay_overnight: stay|overnight stays stayed
have_breakfast: have|breakfast has had
arrive: arrive arrives arrived
get_off: get|off gets got
fall_asleep: fall|asleep falls fell
laugh: laugh laughs laughed
study: study studies studied
cry: cry cries cried
live: live lives lived
travel: travel travels traveled
fly: fly flies flew
move: move moves moved
emigrate: emigrate emigrates emigrated
drive: drive drives drove
come: come comes came
flee: flee flees fled
return: return returns returned
speak: speak speaks spoke
learn: learn learns learned
understand: understand understands understood
teach: teach teaches taught
say: say says said
believe: believe believes believed
claim: claim claims claimed
suspect: suspect suspects suspected
report: report reports reported
hope: hope hopes hoped
doubt: doubt doubts doubted
ask: ask asks asked
consider: consider considers considered
plan: plan plans planned
promise: promise promises promised
decide: decide decides decided
begin: begin begins began
intend: intend intends intended
attempt: try tries tried
"""


def _verb(forms: str) -> tuple[str, str, str, str]:
    base, he, past = forms.split()
    verb, _, particle = base.partition("|")
    return verb, he, past, particle


VERBS: dict[str, tuple[str, str, str, str]] = {  # base, he-form, past, particle
    name: _verb(forms) for name, forms in (line.split(":") for line in LINES.strip().splitlines())
}
SPOTS = {
    "garden": "in the garden", "kitchen": "in the kitchen", "market": "at the market",
    "station": "at the train station", "office": "at the office", "park": "in the park",
    "library": "in the library", "museum": "in the museum", "hospital": "in the hospital",
    "restaurant": "at the restaurant", "school": "at school", "theater": "at the theater",
    "bakery": "in the bakery", "cellar": "in the cellar", "hotel": "at the hotel",
    "bank": "at the bank", "café": "at the café", "church": "in church",
    "stadium": "at the stadium", "factory": "in the factory",
}  # fmt: skip
THE = frozenset("CF DO MV NL PH SB SC US AE BS GB GM KM MH FO".split())
