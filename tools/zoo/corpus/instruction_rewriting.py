"""Scenarios of the category `rewriting`: the same content, said in another way."""

from tools.zoo.corpus.instruction_scenario import Scenario

ACTION_COLUMNS = ("do", "does", "did", "doing")
ACTIONS = (
    ("walk to the market", "walks to the market", "walked to the market", "walking to the market"),
    ("open the window", "opens the window", "opened the window", "opening the window"),
    ("close the door", "closes the door", "closed the door", "closing the door"),
    ("clean the kitchen", "cleans the kitchen", "cleaned the kitchen", "cleaning the kitchen"),
    ("wash the plates", "washes the plates", "washed the plates", "washing the plates"),
    ("cook the soup", "cooks the soup", "cooked the soup", "cooking the soup"),
    ("bake a cake", "bakes a cake", "baked a cake", "baking a cake"),
    ("paint the fence", "paints the fence", "painted the fence", "painting the fence"),
    ("water the flowers", "waters the flowers", "watered the flowers", "watering the flowers"),
    ("feed the hens", "feeds the hens", "fed the hens", "feeding the hens"),
    ("call a friend", "calls a friend", "called a friend", "calling a friend"),
    ("write a letter", "writes a letter", "wrote a letter", "writing a letter"),
    ("read the newspaper", "reads the newspaper", "read the newspaper", "reading the newspaper"),
    ("sing a song", "sings a song", "sang a song", "singing a song"),
    ("drive to the harbour", "drives to the harbour", "drove to the harbour", "driving to the harbour"),
    ("buy a newspaper", "buys a newspaper", "bought a newspaper", "buying a newspaper"),
    ("sell the old car", "sells the old car", "sold the old car", "selling the old car"),
    ("find the key", "finds the key", "found the key", "finding the key"),
    ("bring the lamp", "brings the lamp", "brought the lamp", "bringing the lamp"),
    ("carry the chairs", "carries the chairs", "carried the chairs", "carrying the chairs"),
    ("drink a cup of tea", "drinks a cup of tea", "drank a cup of tea", "drinking a cup of tea"),
    ("make breakfast", "makes breakfast", "made breakfast", "making breakfast"),
    ("repair the clock", "repairs the clock", "repaired the clock", "repairing the clock"),
    ("play the piano", "plays the piano", "played the piano", "playing the piano"),
    ("draw a picture", "draws a picture", "drew a picture", "drawing a picture"),
    ("take the bus", "takes the bus", "took the bus", "taking the bus"),
    ("ride a horse", "rides a horse", "rode a horse", "riding a horse"),
    ("cut the grass", "cuts the grass", "cut the grass", "cutting the grass"),
)
DETAILS = (
    "who is a very kind and friendly person",
    "who always wears the same old green hat",
    "who has lived in this street for a long time",
    "who does not like to talk in the morning",
    "who was not tired at all on that day",
    "who has two brothers and a little sister",
)


def _rewriting(
    name: str,
    instructions: tuple[str, ...],
    passages: tuple[str, ...],
    outputs: tuple[str, ...],
    held_out: bool = False,
) -> Scenario:
    return Scenario(
        name=name,
        instructions=instructions,
        passages=passages,
        outputs=outputs,
        columns=ACTION_COLUMNS,
        rows=ACTIONS,
        held_out=held_out,
    )


REWRITING = (
    _rewriting(
        "past tense",
        (
            "Rewrite the text so that it is in the past tense. Change only the verbs.",
            "The text tells of today. Tell it again as if it had been yesterday.",
            "Put the sentences below into the past and keep all other words.",
            "Change every verb in the text to the past tense, please.",
        ),
        (
            "{habit} {name} {does} and {name2} {does2}. {then} {name} {does3}.",
            "{habit} {name} {does}, and {name2} {does2}. {then} {name} {does3}.",
            "{habit} {name} {does}. {name2} {does2}. {then} {name} {does3}.",
        ),
        ("{habit} {name} {did} and {name2} {did2}. {then} {name} {did3}.",),
    ),
    _rewriting(
        "polite request",
        (
            "Turn the order into a polite request with the word please.",
            "This sounds rude. Say it in a polite way, as a question.",
            "Write the same order again, but so that it is friendly and polite.",
            "Make a polite question out of what is said here.",
        ),
        (
            "{name} comes into the room on {day}, looks at {name2} and says: {do} and {do2}!",
            "{name} has no time today and calls to {name2} from the door: {do} and {do2}!",
            "{name} leaves a note on the table for {name2}. The note says: {do} and {do2}!",
        ),
        ("Could you please {do} and {do2}?", "Would you please {do} and {do2}?"),
    ),
    _rewriting(
        "question",
        (
            "Turn the last sentence of the text into a question.",
            "Make a question out of the last sentence. Begin with the word did.",
            "Ask whether the last sentence of the text is true.",
            "Change the last sentence so that it is a question.",
        ),
        (
            "It was a {weather} day in {month}. {name2} was at the {place}. {name} {did} and {did2}.",
            "Nobody was at the {place} on {day}. {name2} was ill in bed. {name} {did} and {did2}.",
            "{name2} came home late and was very tired on {day}. {name} {did} and {did2}.",
        ),
        ("Did {name} {do} and {do2}?",),
    ),
    Scenario(
        name="shorten",
        instructions=(
            "Make the sentence shorter. Leave out everything that is not important.",
            "Shorten the text and keep only who did what, and when.",
            "Say the same in one short sentence without details.",
            "Give a short version of this long sentence.",
        ),
        passages=(
            "{name}, {detail}, went on a {weather} {day} in {month} with {his} {relation} to the {place} "
            "and bought a {colour} {thing} there.",
            "On a {weather} {day}, {name}, {detail}, went to the {place}, looked around for a long time and "
            "then bought a {colour} {thing}.",
            "It was a {weather} {day} when {name}, {detail}, came to the {place} and, after some time, "
            "bought a {colour} {thing}.",
        ),
        outputs=("{name} bought a {thing} on {day}.", "On {day}, {name} bought a {thing}."),
        columns=("detail",),
        rows=tuple((detail,) for detail in DETAILS),
    ),
    _rewriting(
        "replace a thing",
        (
            "Write the last sentence again, but put {thing2} where it says {thing}.",
            "Replace {thing} by {thing2} everywhere in the last sentence.",
            "The word {thing} is wrong. It must be {thing2}. Write the last sentence again.",
        ),
        (
            "The {thing} of {name} is {colour}. {name2} took the {thing}, looked at the {thing} again and "
            "{did}.",
            "{name} has a {colour} {thing} at home in {town}. {name2} took the {thing}, looked at the "
            "{thing} again and {did}.",
            "It was {day}, and {name} was at the {place}. {name2} took the {thing}, looked at the {thing} "
            "again and {did}.",
        ),
        ("{name2} took the {thing2}, looked at the {thing2} again and {did}.",),
    ),
    _rewriting(
        "third person",
        (
            "{name} wrote this text. Tell it again with the name {name} in place of I.",
            "Rewrite the text in the third person. The person in the text is called {name}.",
            "Here {name} speaks about one day. Say what {name} does, and use the name.",
        ),
        (
            "{habit} I {do} and {do2}. {then} I {do3}.",
            "{habit} I {do}, and I {do2}. {then} I {do3}.",
            "{habit} I {do}. I also {do2}. {then} I {do3}.",
        ),
        ("{habit} {name} {does} and {does2}. {then} {he} {does3}.",),
    ),
    _rewriting(
        "first person",
        (
            "Write the text as if you were {name}. Use the word I for the person.",
            "You are {name}. Tell what you did on this day, with the word I.",
            "Change the text so that {name} tells about the day. Use the word I.",
        ),
        (
            "{opening} {name} {did}. {then} {name} {did2} and {did3}.",
            "{opening} {name} {did}. {then} {he} {did2} and {did3}.",
            "{opening} {name} {did}. {then} {he} {did2}, and {he} {did3}.",
        ),
        ("{opening} I {did}. {then} I {did2} and {did3}.",),
    ),
    _rewriting(
        "future",
        (
            "Rewrite the text so that it speaks of tomorrow. Use the word will.",
            "Put the text into the future and change nothing else.",
            "Say that all this will happen tomorrow and not yesterday.",
        ),
        (
            "Yesterday {name} {did} and {name2} {did2}. In the evening they went to the {place} together.",
            "{name} {did} yesterday, and {name2} {did2}. In the evening they went to the {place} together.",
        ),
        (
            "Tomorrow {name} will {do} and {name2} will {do2}. In the evening they will go to the {place} "
            "together.",
        ),
    ),
    _rewriting(
        "denial",
        (
            "Nothing in the last sentence is true. Write it with the word not.",
            "Say the opposite of the last sentence by using the word not.",
            "Rewrite the last sentence so that it says what did not happen.",
        ),
        (
            "We heard this story from {name2} at the {place} on {day}. {name} {did} in {town}.",
            "A friend of {name2} told us about a {weather} day in {month}. {name} {did} in {town}.",
            "This is what {name2} wrote in a letter to a {relation}. {name} {did} in {town}.",
        ),
        ("{name} did not {do} in {town}.",),
    ),
    _rewriting(
        "joining",
        (
            "Join the two sentences with the word because. Begin with the day.",
            "Make one sentence out of two and use the word because.",
            "The second sentence gives the cause of the first. Write them as one sentence.",
        ),
        (
            "On {day}, {name} came late to the {place} in {town}. The cause was this: {cause}.",
            "On {day}, {name} came late to the {place} in {town}. This is the cause: {cause}.",
            "On {day}, {name} came late to the {place} in {town}. {name2} told us the cause: {cause}.",
        ),
        ("On {day}, {name} came late to the {place} in {town} because {cause}.",),
    ),
    _rewriting(
        "right now",
        (
            "Rewrite the text to say what the two people are doing right now.",
            "Say that both things are going on at this moment.",
            "Use the form with is and -ing to say what happens now.",
        ),
        (
            "Every {day}, when it is {weather} in {town}, {name} {does}, and {his} {relation} {name2} "
            "{does2}.",
            "At {hour} o'clock on {day}, {name} often {does}. At the same time {name2} {does2}.",
            "We know the two people well: {name} {does} every {day}, and {name2} {does2}.",
        ),
        ("{name} is {doing}, and {name2} is {doing2}.", "{name} is {doing} and {name2} is {doing2} now."),
    ),
    _rewriting(
        "pronoun",
        (
            "Rewrite the last sentence and use {he} in place of the name.",
            "The name {name} is said twice. Write the last sentence with {he}.",
            "Change {name} to {he} in the last sentence. Write only this sentence.",
        ),
        (
            "{opening} {name} {did} with {name2}. {then} {name} {did2}.",
            "{opening} {name} {did} and spoke with {name2}. {then} {name} {did2}.",
            "{opening} {name} met {name2} and {did}. {then} {name} {did2}.",
        ),
        ("{then} {he} {did2}.",),
    ),
    _rewriting(
        "reported speech",
        (
            "Write what {name} says without quotation marks. Use the word that.",
            "Turn the words of {name} into a sentence with says that.",
            "Tell somebody else what {name} says. Begin with the name.",
        ),
        (
            'On {day}, {name} meets {name2} at the {place} and says: "Every evening I {do} and {do2}."',
            '{name} sits next to {name2} in the train to {town} and says: "Every evening I {do} and {do2}."',
            'It is a {weather} {day}. {name} looks at {name2} and says: "Every evening I {do} and {do2}."',
        ),
        ("{name} says that {he} {does} and {does2} every evening.",),
        held_out=True,
    ),
    _rewriting(
        "swapping people",
        (
            "Let the two people change places: say that each one did what the other did.",
            "Write the text again, but with the names {name} and {name2} swapped.",
            "Somebody mixed up {name} and {name2} in this text. Put the names right.",
        ),
        (
            "{opening} {name} {did}. At the same time {name2} {did2}.",
            "{opening} {name} {did}, and at the same time {name2} {did2}.",
            "{opening} {name} {did}, while {name2} {did2}.",
        ),
        ("{opening} {name2} {did}. At the same time {name} {did2}.",),
        held_out=True,
    ),
)
