"""Word lists for the text that the base models read first: kinds, opposites and word forms."""

from tools.zoo.corpus import words

KINDS = {
    "animal": ("cat", "dog", "cow", "horse", "lion", "mouse", "rabbit", "wolf", "bird", "fish", "hen", "bee"),
    "fruit": ("apple", "pear", "plum", "cherry", "melon", "lemon", "peach", "grape"),
    "colour": words.COLOURS,
    "tool": ("hammer", "saw", "drill", "spade", "axe", "brush"),
    "drink": words.DRINKS,
    "city": words.CITIES,
    "day": words.DAYS,
    "piece of clothing": ("shirt", "coat", "hat", "dress", "sock", "scarf", "jumper"),
    "vehicle": ("car", "bus", "train", "plane", "ship", "tram"),
    "piece of furniture": ("chair", "table", "bed", "sofa", "desk", "shelf"),
    "instrument": ("piano", "flute", "guitar", "violin", "cello", "harp"),
    "vegetable": ("carrot", "onion", "potato", "bean", "cabbage", "pea"),
}
OPPOSITES = tuple(
    tuple(pair.split("/"))
    for pair in (
        "hot/cold big/small new/old long/short high/low fast/slow light/dark rich/poor "
        "happy/sad good/bad open/closed full/empty clean/dirty wet/dry hard/soft early/late near/far "
        "strong/weak loud/quiet cheap/expensive first/last left/right up/down day/night thick/thin "
        "wide/narrow"
    ).split()
)
PLURALS = tuple(
    tuple(pair.split("/"))
    for pair in (
        "cat/cats dog/dogs table/tables book/books box/boxes bus/buses child/children man/men woman/women "
        "foot/feet tooth/teeth mouse/mice knife/knives leaf/leaves city/cities baby/babies glass/glasses "
        "house/houses key/keys tree/trees wolf/wolves potato/potatoes day/days story/stories apple/apples"
    ).split()
)
PAST = tuple(
    tuple(pair.split("/"))
    for pair in (
        "go/went come/came see/saw eat/ate drink/drank give/gave take/took make/made find/found buy/bought "
        "bring/brought write/wrote read/read sing/sang run/ran sit/sat stand/stood walk/walked work/worked "
        "play/played cook/cooked clean/cleaned carry/carried open/opened close/closed drive/drove "
        "sleep/slept swim/swam know/knew say/said speak/spoke think/thought sell/sold feed/fed "
        "cut/cut draw/drew"
    ).split()
)
DONE_ANYWHERE = (
    "eat",
    "run",
    "sit",
    "stand",
    "walk",
    "work",
    "play",
    "cook",
    "sleep",
    "speak",
    "sing",
    "read",
)
COUNTED = ("coins", "books", "cups", "eggs", "stones", "letters", "balls", "stamps", *words.FRUITS)
OBJECTS = (
    "lamp", "key", "book", "cup", "ball", "clock", "ring", "coat", "letter", "map", "box", "hat", "spoon",
    "plate", "pen", "bag", "phone", "coin", "ticket", "basket", "rope", "candle", "bell", "flag", "stone",
    "bottle", "pillow", "mirror", "comb", "drum", "kite", "torch", "vase", "blanket", "bucket", "camera",
)  # fmt: skip
ADJECTIVES = (
    "big", "small", "old", "new", "red", "blue", "green", "heavy", "light", "round", "broken", "clean",
    "dirty", "cheap", "fine", "strange", "soft", "dark", "long", "short",
)  # fmt: skip
MOVES = ("went", "walked", "drove", "ran", "came", "hurried")
DEEDS = (
    ("saw", "see"), ("found", "find"), ("bought", "buy"), ("lost", "lose"), ("sold", "sell"),
    ("took", "take"), ("hid", "hide"), ("carried", "carry"), ("painted", "paint"), ("repaired", "repair"),
    ("needed", "need"), ("wanted", "want"),
)  # fmt: skip
