"""Words of a small German grammar: nouns with their gender, adjectives, verbs, places and times, each with its English."""

from dataclasses import dataclass
from typing import Literal

Gender = Literal["m", "f", "n"]
Case = Literal["nominative", "accusative"]

_THE: dict[Case, dict[Gender, str]] = {
    "nominative": {"m": "der", "f": "die", "n": "das"},
    "accusative": {"m": "den", "f": "die", "n": "das"},
}
_A_ENDING: dict[Case, dict[Gender, tuple[str, str]]] = {  # of "ein", and of the adjective after it
    "nominative": {"m": ("", "er"), "f": ("e", "e"), "n": ("", "es")},
    "accusative": {"m": ("en", "en"), "f": ("e", "e"), "n": ("", "es")},
}


@dataclass(frozen=True, slots=True)
class Noun:
    """A noun: in English, and in German with its gender and its plural."""

    english: str
    english_plural: str
    gender: Gender
    german: str
    german_plural: str


@dataclass(frozen=True, slots=True)
class Adjective:
    """An adjective: in English, and its German stem, to which endings are added."""

    english: str
    german: str


@dataclass(frozen=True, slots=True)
class Verb:
    """A verb that takes an object: base, third person and past in English; infinitive, singular and plural in German."""

    english: str
    english_third: str
    english_past: str
    german: str
    german_third: str
    german_past: str  # of the third person singular; the plural adds -en, or -n after -e

    @property
    def german_past_plural(self) -> str:
        """Return the past of the third person plural."""
        return self.german_past + ("n" if self.german_past.endswith("e") else "en")


@dataclass(frozen=True, slots=True)
class Phrase:
    """A place or a time."""

    english: str
    german: str


def the(noun: Noun, adjective: Adjective | None, case: Case, *, plural: bool = False) -> str:
    """Return a German noun after the definite article, with its adjective."""
    if plural:
        middle = f"{adjective.german}en " if adjective else ""
        return f"die {middle}{noun.german_plural}"
    ending = "en" if case == "accusative" and noun.gender == "m" else "e"
    middle = f"{adjective.german}{ending} " if adjective else ""
    return f"{_THE[case][noun.gender]} {middle}{noun.german}"


def a(noun: Noun, adjective: Adjective | None, case: Case) -> str:
    """Return a German noun after the indefinite article, with its adjective."""
    article, ending = _A_ENDING[case][noun.gender]
    middle = f"{adjective.german}{ending} " if adjective else ""
    return f"ein{article} {middle}{noun.german}"


def _adjectives(rows: str) -> tuple[Adjective, ...]:
    return tuple(Adjective(*line.split()) for line in rows.strip().splitlines())


def _nouns(rows: str) -> tuple[Noun, ...]:
    genders: dict[str, Gender] = {"m": "m", "f": "f", "n": "n"}
    parts = (line.split() for line in rows.strip().splitlines())
    return tuple(Noun(one, many, genders[gender], ein, viele) for one, many, gender, ein, viele in parts)


PEOPLE = _nouns("""
woman women f Frau Frauen
man men m Mann Männer
child children n Kind Kinder
girl girls n Mädchen Mädchen
friend friends m Freund Freunde
teacher teachers f Lehrerin Lehrerinnen
doctor doctors m Arzt Ärzte
neighbour neighbours f Nachbarin Nachbarinnen
cook cooks m Koch Köche
student students f Studentin Studentinnen
painter painters m Maler Maler
guest guests m Gast Gäste
aunt aunts f Tante Tanten
baby babies n Baby Babys
son sons m Sohn Söhne
daughter daughters f Tochter Töchter
""")
THINGS = _nouns("""
dog dogs m Hund Hunde
cat cats f Katze Katzen
house houses n Haus Häuser
apple apples m Apfel Äpfel
book books n Buch Bücher
lamp lamps f Lampe Lampen
table tables m Tisch Tische
car cars n Auto Autos
flower flowers f Blume Blumen
key keys m Schlüssel Schlüssel
picture pictures n Bild Bilder
bag bags f Tasche Taschen
letter letters m Brief Briefe
bicycle bicycles n Fahrrad Fahrräder
bottle bottles f Flasche Flaschen
coat coats m Mantel Mäntel
horse horses n Pferd Pferde
clock clocks f Uhr Uhren
chair chairs m Stuhl Stühle
window windows n Fenster Fenster
""")
OF_PEOPLE = _adjectives("""
small klein
tall groß
old alt
young jung
strong stark
quiet ruhig
rich reich
friendly freundlich
clever klug
famous berühmt
poor arm
polite höflich
""")
OF_THINGS = _adjectives("""
small klein
new neu
old alt
green grün
beautiful schön
heavy schwer
cheap billig
blue blau
black schwarz
big groß
white weiß
red rot
""")
VERBS = tuple(
    Verb(*line.split())
    for line in """
see sees saw sehen sieht sah
buy buys bought kaufen kauft kaufte
find finds found finden findet fand
seek seeks sought suchen sucht suchte
draw draws drew zeichnen zeichnet zeichnete
show shows showed zeigen zeigt zeigte
sell sells sold verkaufen verkauft verkaufte
paint paints painted malen malt malte
bring brings brought bringen bringt brachte
carry carries carried tragen trägt trug
lose loses lost verlieren verliert verlor
praise praises praised loben lobt lobte
""".strip().splitlines()
)
PLACES = tuple(
    Phrase(*row)
    for row in (
        ("in the garden", "im Garten"),
        ("in the city", "in der Stadt"),
        ("at the station", "am Bahnhof"),
        ("in the forest", "im Wald"),
        ("in the kitchen", "in der Küche"),
        ("at the market", "auf dem Markt"),
        ("in the park", "im Park"),
        ("at the beach", "am Strand"),
    )
)
TIMES = tuple(
    Phrase(*row)
    for row in (
        ("today", "heute"),
        ("in the morning", "am Morgen"),
        ("on Monday", "am Montag"),
        ("in summer", "im Sommer"),
        ("in the evening", "am Abend"),
        ("on Friday", "am Freitag"),
        ("now", "jetzt"),
        ("in winter", "im Winter"),
    )
)
