"""German verbs: infinitive, he-form, participle; "|" after a separable prefix; then marks.

`sein`: the perfect is built with sein; `dative`: the object stands in the dative.
"""

from dataclasses import dataclass

from pipeline.corpora.sample.meaning import Clause, Noun

LINES = """
read: lesen liest gelesen
write: schreiben schreibt geschrieben
sign: unterschreiben unterschreibt unterschrieben
translate: übersetzen übersetzt übersetzt
copy: kopieren kopiert kopiert
tear_up: zerreißen zerreißt zerrissen
print_out: aus|drucken druckt ausgedruckt
send_off: ab|schicken schickt abgeschickt
read_out: vor|lesen liest vorgelesen
correct: korrigieren korrigiert korrigiert
eat: essen isst gegessen
cook: kochen kocht gekocht
bake: backen backt gebacken
try: probieren probiert probiert
order: bestellen bestellt bestellt
drink: trinken trinkt getrunken
peel: schälen schält geschält
repair: reparieren repariert repariert
buy: kaufen kauft gekauft
sell: verkaufen verkauft verkauft
find: finden findet gefunden
look_for: suchen sucht gesucht
need: brauchen braucht gebraucht
own: besitzen besitzt besessen
lose: verlieren verliert verloren
forget: vergessen vergisst vergessen
hide: verstecken versteckt versteckt
steal: stehlen stiehlt gestohlen
clean: putzen putzt geputzt
paint: streichen streicht gestrichen
open: öffnen öffnet geöffnet
close: schließen schließt geschlossen
pack: ein|packen packt eingepackt
unpack: aus|packen packt ausgepackt
carry: tragen trägt getragen
bring_along: mit|bringen bringt mitgebracht
take_along: mit|nehmen nimmt mitgenommen
put_on: an|ziehen zieht angezogen
take_off: aus|ziehen zieht ausgezogen
try_on: an|probieren probiert anprobiert
wash: waschen wäscht gewaschen
iron: bügeln bügelt gebügelt
switch_on: ein|schalten schaltet eingeschaltet
switch_off: aus|schalten schaltet ausgeschaltet
rent: mieten mietet gemietet
photograph: fotografieren fotografiert fotografiert
describe: beschreiben beschreibt beschrieben
throw_away: weg|werfen wirft weggeworfen
give_back: zurück|geben gibt zurückgegeben
check: prüfen prüft geprüft
build: bauen baut gebaut
play: spielen spielt gespielt
visit: besuchen besucht besucht
call: an|rufen ruft angerufen
invite: ein|laden lädt eingeladen
pick_up: ab|holen holt abgeholt
greet: begrüßen begrüßt begrüßt
wake_up: auf|wecken weckt aufgeweckt
hug: umarmen umarmt umarmt
comfort: trösten tröstet getröstet
warn: warnen warnt gewarnt
know: kennen kennt gekannt
miss: vermissen vermisst vermisst
admire: bewundern bewundert bewundert
help: helfen hilft geholfen dative
thank: danken dankt gedankt dative
congratulate: gratulieren gratuliert gratuliert dative
answer: antworten antwortet geantwortet dative
trust: vertrauen vertraut vertraut dative
listen_to: zu|hören hört zugehört dative
contradict: widersprechen widerspricht widersprochen dative
follow: folgen folgt gefolgt dative sein
work: arbeiten arbeitet gearbeitet
sleep: schlafen schläft geschlafen
dance: tanzen tanzt getanzt
sing: singen singt gesungen
wait: warten wartet gewartet
train: trainieren trainiert trainiert
swim: schwimmen schwimmt geschwommen sein
shop: ein|kaufen kauft eingekauft
stay_overnight: übernachten übernachtet übernachtet
have_breakfast: frühstücken frühstückt gefrühstückt
arrive: an|kommen kommt angekommen sein
get_off: aus|steigen steigt ausgestiegen sein
fall_asleep: ein|schlafen schläft eingeschlafen sein
laugh: lachen lacht gelacht
study: studieren studiert studiert
cry: weinen weint geweint
live: wohnen wohnt gewohnt
travel: reisen reist gereist sein
fly: fliegen fliegt geflogen sein
move: um|ziehen zieht umgezogen sein
emigrate: aus|wandern wandert ausgewandert sein
drive: fahren fährt gefahren sein
come: kommen kommt gekommen sein
flee: fliehen flieht geflohen sein
return: zurück|kehren kehrt zurückgekehrt sein
speak: sprechen spricht gesprochen
learn: lernen lernt gelernt
understand: verstehen versteht verstanden
teach: unterrichten unterrichtet unterrichtet
"""
FUTURE = {"ich": "werde", "wir": "werden", "er": "wird"}
WOULD = {"ich": "würde", "wir": "würden", "er": "würde"}
HAVE = {"ich": "habe", "wir": "haben", "er": "hat"}
BE = {"ich": "bin", "wir": "sind", "er": "ist"}
MODALS = {
    "must": {"ich": "muss", "wir": "müssen", "er": "muss"},
    "can": {"ich": "kann", "wir": "können", "er": "kann"},
    "may": {"ich": "darf", "wir": "dürfen", "er": "darf"},
    "supposed": {"ich": "soll", "wir": "sollen", "er": "soll"},
    "want": {"ich": "will", "wir": "wollen", "er": "will"},
    "would_like": {"ich": "möchte", "wir": "möchten", "er": "möchte"},
}


@dataclass(frozen=True, slots=True)
class Verb:
    """A verb's forms: `he` without the separable prefix, `infinitive` and `participle` with it."""

    prefix: str
    infinitive: str
    he: str
    participle: str
    dative: bool
    sein: bool

    @property
    def bare(self) -> str:
        """The infinitive without the separable prefix."""
        return self.infinitive.removeprefix(self.prefix)

    @property
    def to(self) -> str:
        """The infinitive with zu: zu lesen, abzuholen."""
        return f"{self.prefix}zu{self.bare}" if self.prefix else f"zu {self.infinitive}"

    def finite(self, person: str) -> str:
        """The present for ich, wir or er, without the separable prefix."""
        if person == "er":
            return self.he
        if person == "wir":
            return self.bare
        stem = self.bare.removesuffix("n")
        return stem[:-2] + "le" if stem.endswith("el") else stem if stem[-1] == "e" else stem + "e"


def _verb(forms: str) -> Verb:
    words = forms.split()
    prefix, _, rest = words[0].rpartition("|")
    return Verb(
        prefix, prefix + rest, words[1], words[2], "dative" in words[3:], "sein" in words[3:]
    )


VERBS: dict[str, Verb] = {
    name: _verb(forms) for name, forms in (line.split(":") for line in LINES.strip().splitlines())
}
PERSONS = {"I": "ich", "we": "wir", "he": "er"}


def person(subject: Noun) -> str:
    """Which finite form goes with the subject: ich, wir or er."""
    return PERSONS[subject.concept] if subject.determiner == "pronoun" else "er"


def bracket(clause: Clause) -> tuple[str, str, str]:
    """The finite verb, the end of a main clause, the end of a subordinate one."""
    verb, who = VERBS[clause.verb], person(clause.subject)
    if clause.modal:
        finite, end = MODALS[clause.modal][who], verb.infinitive
    elif clause.tense == "past":
        finite, end = (BE if verb.sein else HAVE)[who], verb.participle
    elif clause.tense == "future":
        finite, end = FUTURE[who], verb.infinitive
    elif clause.tense == "would":
        finite, end = WOULD[who], verb.infinitive
    else:
        return verb.finite(who), verb.prefix, verb.prefix + verb.finite(who)
    return finite, end, f"{end} {finite}"
