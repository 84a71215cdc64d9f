"""German nouns, adjectives, determiners, and the noun phrases they make.

A noun is gender, singular, plural; the gender w is a masculine whose singular takes the plural's
form outside the nominative (der Kunde, den Kunden).
"""

from functools import cache
from typing import Literal

from pipeline.corpora.sample import cldr
from pipeline.corpora.sample.meaning import Noun

Case = Literal["nominative", "accusative", "dative"]

NOUNS: dict[str, tuple[str, str, str]] = {
    name: (gender, singular, plural)
    for name, gender, singular, plural in (
        line.split()
        for line in """
        aunt f Tante Tanten|uncle m Onkel Onkel|grandmother f Großmutter Großmütter
        grandfather m Großvater Großväter|sister f Schwester Schwestern|brother m Bruder Brüder
        daughter f Tochter Töchter|son m Sohn Söhne|mother f Mutter Mütter|father m Vater Väter
        wife f Ehefrau Ehefrauen|husband m Ehemann Ehemänner|neighbor w Nachbar Nachbarn
        friend m Freund Freunde|colleague f Kollegin Kolleginnen|boss f Chefin Chefinnen
        lawyer m Anwalt Anwälte|hairdresser f Friseurin Friseurinnen|doctor f Ärztin Ärztinnen
        teacher m Lehrer Lehrer|nurse f Krankenschwester Krankenschwestern|cook m Koch Köche
        painter f Malerin Malerinnen|baker m Bäcker Bäcker|farmer w Bauer Bauern
        judge m Richter Richter|gardener m Gärtner Gärtner|driver m Fahrer Fahrer
        pilot f Pilotin Pilotinnen|pupil m Schüler Schüler|customer w Kunde Kunden
        guest m Gast Gäste|tourist w Tourist Touristen|journalist w Journalist Journalisten
        photographer w Fotograf Fotografen|musician m Musiker Musiker
        singer f Sängerin Sängerinnen|actor m Schauspieler Schauspieler
        writer f Schriftstellerin Schriftstellerinnen
        scientist m Wissenschaftler Wissenschaftler|engineer m Ingenieur Ingenieure
        mechanic m Mechaniker Mechaniker|carpenter m Tischler Tischler|butcher m Metzger Metzger
        waiter m Kellner Kellner|saleswoman f Verkäuferin Verkäuferinnen
        policewoman f Polizistin Polizistinnen|soldier w Soldat Soldaten
        mayor f Bürgermeisterin Bürgermeisterinnen|girl n Mädchen Mädchen|boy w Junge Jungen
        woman f Frau Frauen|man m Mann Männer|letter m Brief Briefe|contract m Vertrag Verträge
        report m Bericht Berichte|invoice f Rechnung Rechnungen|message f Nachricht Nachrichten
        article m Artikel Artikel|novel m Roman Romane|book n Buch Bücher
        newspaper f Zeitung Zeitungen|poem n Gedicht Gedichte|list f Liste Listen
        recipe n Rezept Rezepte|postcard f Postkarte Postkarten|map f Landkarte Landkarten
        parcel n Paket Pakete|suitcase m Koffer Koffer|bag f Tasche Taschen
        backpack m Rucksack Rucksäcke|crate f Kiste Kisten|basket m Korb Körbe
        soup f Suppe Suppen|cake m Kuchen Kuchen|roll n Brötchen Brötchen|salad m Salat Salate
        apple m Apfel Äpfel|pear f Birne Birnen|sandwich n Sandwich Sandwiches
        fish m Fisch Fische|coffee m Kaffee Kaffees|tea m Tee Tees|juice m Saft Säfte
        beer n Bier Biere|car n Auto Autos|bicycle n Fahrrad Fahrräder|bus m Bus Busse
        boat n Boot Boote|truck m Lastwagen Lastwagen|motorcycle n Motorrad Motorräder
        computer m Computer Computer|telephone n Telefon Telefone|camera f Kamera Kameras
        radio n Radio Radios|lamp f Lampe Lampen|television m Fernseher Fernseher
        heater f Heizung Heizungen|oven m Ofen Öfen|table m Tisch Tische|chair m Stuhl Stühle
        cupboard m Schrank Schränke|shelf n Regal Regale|sofa n Sofa Sofas|bed n Bett Betten
        coat m Mantel Mäntel|shirt n Hemd Hemden|hat m Hut Hüte|dress n Kleid Kleider
        jacket f Jacke Jacken|sweater m Pullover Pullover|skirt m Rock Röcke|house n Haus Häuser
        apartment f Wohnung Wohnungen|garage f Garage Garagen|barn f Scheune Scheunen
        door f Tür Türen|window n Fenster Fenster|gate n Tor Tore|fence m Zaun Zäune
        wall f Wand Wände|key m Schlüssel Schlüssel|umbrella m Regenschirm Regenschirme
        ring m Ring Ringe|guitar f Gitarre Gitarren|piano n Klavier Klaviere
        violin f Geige Geigen|picture n Bild Bilder|mirror m Spiegel Spiegel
        carpet m Teppich Teppiche|clock f Uhr Uhren|knife n Messer Messer|spoon m Löffel Löffel
        bottle f Flasche Flaschen|cup f Tasse Tassen|plate m Teller Teller
        glove m Handschuh Handschuhe|scarf m Schal Schals|blanket f Decke Decken
        pillow n Kissen Kissen|ladder f Leiter Leitern|hammer m Hammer Hämmer|tent n Zelt Zelte
        drum f Trommel Trommeln|flute f Flöte Flöten|trumpet f Trompete Trompeten
        orange f Orange Orangen|potato f Kartoffel Kartoffeln|carrot f Karotte Karotten
        pizza f Pizza Pizzas|cookie m Keks Kekse|refrigerator m Kühlschrank Kühlschränke
        printer m Drucker Drucker|tractor m Traktor Traktoren|ship n Schiff Schiffe
        bridge f Brücke Brücken|tower m Turm Türme|ticket f Fahrkarte Fahrkarten
        diary n Tagebuch Tagebücher|speech f Rede Reden|dentist m Zahnarzt Zahnärzte
        secretary f Sekretärin Sekretärinnen|dancer f Tänzerin Tänzerinnen
        fisherman m Fischer Fischer|electrician m Elektriker Elektriker
        librarian f Bibliothekarin Bibliothekarinnen|poet m Dichter Dichter|king m König Könige
        queen f Königin Königinnen|detective m Detektiv Detektive
        athlete f Sportlerin Sportlerinnen|tailor m Schneider Schneider|hunter m Jäger Jäger
        beekeeper m Imker Imker""".replace("\n", "|").split("|")
        if line.strip()
    )
}
ADJECTIVES: dict[str, str] = {
    pair.partition(":")[0]: pair.partition(":")[2]
    for pair in """new:neu old:alt long:lang short:kurz important:wichtig boring:langweilig
    interesting:interessant secret:geheim warm:warm cold:kalt fresh:frisch delicious:lecker red:rot
    blue:blau green:grün yellow:gelb white:weiß black:schwarz heavy:schwer light:leicht big:groß
    small:klein expensive:teur cheap:billig dirty:schmutzig beautiful:schön modern:modern
    broken:kaputt used:gebraucht young:jung friendly:freundlich tired:müd famous:berühmt sick:krank
    nervous:nervös polite:höflich curious:neugierig clever:klug shy:schüchtern""".split()
}
PRONOUNS = {"I": "ich", "we": "wir", "he": "er"}
DEFINITE = {
    "nominative": {"m": "der", "f": "die", "n": "das"},
    "accusative": {"m": "den", "f": "die", "n": "das"},
    "dative": {"m": "dem", "f": "der", "n": "dem"},
}
# Endings of dieser (they are the article's own sounds) and of ein, mein, unser, kein.
THIS = {
    "nominative": {"m": "er", "f": "e", "n": "es"},
    "accusative": {"m": "en", "f": "e", "n": "es"},
    "dative": {"m": "em", "f": "er", "n": "em"},
}
EIN = {
    "nominative": {"m": "", "f": "e", "n": ""},
    "accusative": {"m": "en", "f": "e", "n": ""},
    "dative": {"m": "em", "f": "er", "n": "em"},
}
EIN_WORDS = {"a": "ein", "my": "mein", "our": "unser", "no": "kein"}


def gender(concept: str) -> str:
    """m, f or n."""
    letter = NOUNS[concept][0]
    return "m" if letter == "w" else letter


def _singular(concept: str, case: Case) -> str:
    letter, singular, plural = NOUNS[concept]
    return plural if letter == "w" and case != "nominative" else singular


def _ending(strong: bool, case: Case, letter: str) -> str:
    """The adjective's ending: after ein-words that show no gender, the adjective shows it."""
    if case == "dative" or (case == "accusative" and letter == "m"):
        return "en"
    if not strong:
        return "e"
    return {"m": "er", "f": "e", "n": "es"}[letter]


@cache
def phrase(noun: Noun, case: Case, negated: bool = False) -> str:
    """The noun phrase; `negated` turns ein into kein."""
    if noun.determiner == "pronoun":
        return PRONOUNS[noun.concept]
    if noun.determiner == "name":
        return noun.concept
    adjective = ADJECTIVES[noun.adjective] if noun.adjective else ""
    if noun.determiner == "count":
        ending = "en" if case == "dative" else "e"
        words = [
            cldr.words(noun.count, "de"),
            adjective + ending if adjective else "",
            plural(noun, case),
        ]
        return " ".join(word for word in words if word)
    letter = gender(noun.concept)
    determiner, strong = _determiner(noun, case, letter, negated)
    if adjective:
        adjective += _ending(strong, case, letter)
    words = (determiner, adjective, _singular(noun.concept, case))
    return " ".join(word for word in words if word)


def plural(noun: Noun, case: Case) -> str:
    """The plural; the dative adds n where it can."""
    form = NOUNS[noun.concept][2]
    return form + "n" if case == "dative" and form[-1] not in "ns" else form


def _determiner(noun: Noun, case: Case, letter: str, negated: bool) -> tuple[str, bool]:
    """The determiner's form, and whether an adjective after an ein-word must be strong."""
    if noun.determiner == "the":
        return DEFINITE[case][letter], False
    if noun.determiner == "this":
        return "dies" + THIS[case][letter], False
    stem = EIN_WORDS["no" if negated and noun.determiner == "a" else noun.determiner]
    return stem + EIN[case][letter], True
