"""Scenarios of the category `facts`: a question about a short passage."""

from tools.zoo.corpus.instruction_scenario import Scenario

ASKING = (
    "{question}",
    "Read the text and answer the question. {question}",
    "Answer with the help of the text: {question}",
    "{question} The answer is in the text.",
    "Look at the passage below. {question}",
    "Use only the text for your answer. {question}",
)


def _facts(
    name: str,
    passages: tuple[str, ...],
    rows: tuple[tuple[str, str, str], ...],  # question, answer, the same answer in other words
    held_out: bool = False,
) -> Scenario:
    return Scenario(
        name=name,
        instructions=ASKING,
        passages=passages,
        outputs=("{answer}", "{answer}", "{other_answer}"),
        columns=("question", "answer", "other_answer"),
        rows=rows,
        held_out=held_out,
    )


FACTS = (
    _facts(
        "purchase",
        (
            "On {day}, {name} went to the {place} and bought a {colour} {thing}. {name2} came along, but "
            "{he2} only looked at the {colour2} {thing2} and drank a cup of {drink}.",
            "{name} and {name2} were at the {place} on {day}. {name} bought a {colour} {thing} there. "
            "{name2} drank a cup of {drink} and looked at a {colour2} {thing2}.",
            "There was a sale at the {place} on {day}. {name} found a {colour} {thing} and bought it. "
            "{name2} saw a {colour2} {thing2}, had some {drink} and went home.",
        ),
        (
            ("What did {name} buy?", "{name} bought a {colour} {thing}.", "A {colour} {thing}."),
            ("Where did {name} buy the {thing}?", "{name} bought it at the {place}.", "At the {place}."),
            ("What did {name2} drink?", "{name2} drank {drink}.", "{name2} had some {drink}."),
            ("Which colour was the {thing2}?", "The {thing2} was {colour2}.", "It was {colour2}."),
        ),
    ),
    _facts(
        "visit",
        (
            "{name} from {town} will visit {name2} in {town2} in {month}. They want to go to the {place} "
            "together. {name} will bring a {thing} as a present.",
            "In {month}, {name} will leave {town} to see {name2} in {town2}. The two friends will go to the "
            "{place}, and {name} will give {name2} a {thing}.",
            "{name2} lives in {town2} and waits for a visit from {name}, who lives in {town}. {name} will "
            "come in {month} with a {thing}, and they will see the {place}.",
        ),
        (
            ("Where does {name2} live?", "{name2} lives in {town2}.", "{name2}'s home is in {town2}."),
            ("When will {name} come?", "{name} will come in {month}.", "The visit is in {month}."),
            ("What will {name} bring?", "{name} will bring a {thing}.", "A {thing} for {name2}."),
        ),
    ),
    _facts(
        "delay",
        (
            "{name} wanted to be at the {place} at {hour} o'clock on {day}. {he} came late because {cause}. "
            "{name2} waited for {him} and read a book.",
            "{name2} sat at the {place} on {day} and waited with a book. {name} had said {hour} o'clock, "
            "but {he} was late because {cause}.",
            "The meeting at the {place} was on {day} at {hour} o'clock. {name2} was there in time and read "
            "a book. {name} was late because {cause}.",
        ),
        (
            ("Why was {name} late?", "{name} was late because {cause}.", "Because {cause}."),
            ("Who had to wait?", "{name2} had to wait for {name}.", "{name2} had to wait."),
            ("On which day was this?", "It was on {day}.", "This was on {day}."),
        ),
    ),
    _facts(
        "pets",
        (
            "{name} has a {colour} {animal} that sleeps in a basket. {name2} has a {animal2}, which is "
            "{many} years old and likes {fruit}.",
            "Two pets live in this street. The {animal} of {name} is {colour} and sleeps in a basket. The "
            "{animal2} of {name2} is {many} years old and eats {fruit}.",
            "{name2} feeds {his2} {animal2} with {fruit} every day; it is {many} years old. {name} keeps a "
            "{colour} {animal}, which has a basket to sleep in.",
        ),
        (
            ("Which pet does {name} have?", "{name} has a {colour} {animal}.", "{name} has a {animal}."),
            ("How old is the {animal2}?", "The {animal2} is {many} years old.", "It is {many} years old."),
            ("Where does the {animal} sleep?", "The {animal} sleeps in a basket.", "In a basket."),
            ("Who has a {animal2}?", "{name2} has a {animal2}.", "The {animal2} belongs to {name2}."),
        ),
    ),
    _facts(
        "concert",
        (
            "The concert in {town} starts at {hour} o'clock on {day}. {name} plays the {music}, and {name2} "
            "plays the {music2}. A ticket costs {many} coins.",
            "On {day} there is a concert in {town}. You will hear {name} on the {music} and {name2} on the "
            "{music2}. It begins at {hour} o'clock, and tickets cost {many} coins.",
            "For {many} coins you can hear {name} play the {music} and {name2} play the {music2}. The "
            "concert is in {town} on {day} at {hour} o'clock.",
        ),
        (
            ("What does {name} play?", "{name} plays the {music}.", "The {music}."),
            ("Who plays the {music2}?", "{name2} plays the {music2}.", "It is {name2}."),
            ("What does a ticket cost?", "A ticket costs {many} coins.", "It costs {many} coins."),
            ("When does the concert start?", "It starts at {hour} o'clock.", "At {hour} o'clock."),
        ),
    ),
    _facts(
        "work",
        (
            "{name} is a {job} and works in {town}. {his} {relation} {name2} is a {job2} and works near the "
            "{place}. Both have a free day on {day}.",
            "{name}, a {job} from {town}, and {name2}, a {job2}, are free on {day}. {name2} works near the "
            "{place} and is a {relation} of {name}.",
            "In {town} you can meet {name}, who works as a {job}. {name2} is a {relation} and works as a "
            "{job2} near the {place}. On {day} neither of them works.",
        ),
        (
            ("What is {name2}'s job?", "{name2} is a {job2}.", "{name2} works as a {job2}."),
            ("Where does {name} work?", "{name} works in {town}.", "In {town}."),
            ("On which day are both free?", "Both are free on {day}.", "They are free on {day}."),
        ),
    ),
    _facts(
        "lunch",
        (
            "For lunch, {name} ate {food} and drank {drink}. {name2} was not so hungry and had only "
            "{food2}. They sat in the sun near the {place}.",
            "{name} and {name2} had lunch near the {place}. {name2} took a little {food2}. {name} took "
            "{food} and, with it, some {drink}.",
            "Near the {place}, two friends had lunch. {name} was very hungry and chose {food} with {drink}. "
            "{name2} chose nothing but {food2}.",
        ),
        (
            ("What did {name} eat?", "{name} ate {food}.", "{name} had {food}."),
            ("Who had {food2} for lunch?", "{name2} had {food2}.", "It was {name2}."),
            ("What did {name} drink?", "{name} drank {drink}.", "It was {drink}."),
            ("Where did they have lunch?", "They had lunch near the {place}.", "Near the {place}."),
        ),
    ),
    _facts(
        "lost",
        (
            "{name} lost {his} {colour} {thing} at the {place} on {day}. {name2} found it under a bench and "
            "brought it back the next morning.",
            "On {day}, a {colour} {thing} lay under a bench at the {place}. {name2} found it. It belonged "
            "to {name}, who got it back the next morning.",
            "{name2} looked under a bench at the {place} and saw a {colour} {thing}. {name} had lost it "
            "there on {day}. The next morning {he} had it back.",
        ),
        (
            ("Who found the {thing}?", "{name2} found the {thing}.", "It was {name2}."),
            ("Where was the {thing}?", "It was under a bench.", "The {thing} was under a bench."),
            ("What had {name} lost?", "{name} had lost a {colour} {thing}.", "A {colour} {thing}."),
            ("When did {name} lose it?", "{name} lost it on {day}.", "It was on {day}."),
        ),
    ),
    _facts(
        "garden",
        (
            "In the garden of {name} there are {many} trees with {fruit} and {few} trees with {fruit2}. "
            "{name2} picks the {fruit} in {month} and sells them at the {place}.",
            "{name} has {many} trees with {fruit}, and behind them {few} trees with {fruit2}. In {month}, "
            "{name2} comes to pick the {fruit}, which {he2} sells at the {place}.",
            "{name2} helps in the garden of {name} in {month}. There are {few} trees with {fruit2} and "
            "{many} with {fruit}. {he2} sells the {fruit} at the {place}.",
        ),
        (
            ("How many trees have {fruit}?", "{many} trees have {fruit}.", "There are {many} of them."),
            ("How many trees have {fruit2}?", "{few} trees have {fruit2}.", "There are {few} of them."),
            ("Who sells the {fruit}?", "{name2} sells the {fruit}.", "It is {name2}."),
            ("When are the {fruit} picked?", "They are picked in {month}.", "In {month}."),
        ),
    ),
    _facts(
        "letter",
        (
            "{name} wrote a letter to {name2} on a {weather} {day}. In it {he} told {him2} about {his} new "
            "{animal} and about the {place} in {town}.",
            "A letter from {name} came to {name2}. {name} had written it on {day}, when it was {weather}. "
            "It was about a new {animal} and about the {place} in {town}.",
            "{name2} got a letter from {town}. It was from {name}, who wrote on a {weather} {day} about "
            "{his} new {animal} and about the {place} there.",
        ),
        (
            ("Who wrote the letter?", "{name} wrote the letter.", "It was {name}."),
            ("Which animal is in the letter?", "It is about a {animal}.", "A {animal} is in the letter."),
            ("How was the weather on {day}?", "It was {weather} on {day}.", "The weather was {weather}."),
            ("Who got the letter?", "{name2} got the letter.", "It went to {name2}."),
        ),
    ),
    _facts(
        "rooms",
        (
            "The house of {name} has three rooms. The {thing} stands in the kitchen, the {thing2} is in the "
            "bedroom, and the {thing3} is in the hall. The kitchen is {colour}.",
            "{name} put the {thing} in the {colour} kitchen. The {thing2} is now in the bedroom, because "
            "{name2} needs it there. The {thing3} had to go to the hall.",
            "When {name2} visits {name}, {he2} sees the {thing3} in the hall first. Then {he2} sees the "
            "{thing} in the {colour} kitchen and the {thing2} in the bedroom.",
        ),
        (
            ("Where is the {thing}?", "The {thing} is in the kitchen.", "It is in the kitchen."),
            ("Where is the {thing2}?", "The {thing2} is in the bedroom.", "It is in the bedroom."),
            ("Where is the {thing3}?", "The {thing3} is in the hall.", "It is in the hall."),
            ("Which colour is the kitchen?", "The kitchen is {colour}.", "It is {colour}."),
        ),
    ),
    _facts(
        "team",
        (
            "{name} plays {sport} every {day}, and {name2} plays {sport2} every {day2}. {name3} likes "
            "neither and goes to the {place} instead.",
            "Every {day}, {name} has a {sport} lesson. {name2} has {sport2} every {day2}. Their friend "
            "{name3} does no sport and likes to be at the {place}.",
            "{name3} would rather go to the {place} than play. {name} plays {sport}, always on {day}. "
            "{name2} plays {sport2}, always on {day2}.",
        ),
        (
            ("What does {name} play?", "{name} plays {sport}.", "{he} plays {sport}."),
            ("When does {name2} play?", "{name2} plays every {day2}.", "{he2} plays on {day2}."),
            ("Who plays {sport2}?", "{name2} plays {sport2}.", "It is {name2}."),
            ("Where does {name3} go?", "{name3} goes to the {place}.", "To the {place}."),
        ),
    ),
    _facts(
        "clothes",
        (
            "{name} wore a {colour} coat and a {colour2} hat to the party in {town}. {name2} came in a "
            "{colour3} dress and brought some {food}.",
            "At the party in {town}, {name2} wore a {colour3} dress, and {name} wore a {colour} coat. "
            "{name} also had a {colour2} hat. {name2} had made {food}.",
            "The guests at the party in {town} ate the {food} that {name2} brought. {his2} dress was "
            "{colour3}. {name} had a {colour2} hat and a {colour} coat.",
        ),
        (
            ("Which colour was the coat?", "The coat was {colour}.", "It was {colour}."),
            ("Which colour was the hat?", "The hat was {colour2}.", "It was {colour2}."),
            ("What did {name2} bring?", "{name2} brought {food}.", "It was {food}."),
            ("Where was the party?", "The party was in {town}.", "In {town}."),
        ),
    ),
    _facts(
        "train",
        (
            "The train from {town} to {town2} leaves at {hour} o'clock and takes {few} hours. {name} takes "
            "it every {day} to see {his} {relation}.",
            "Every {day}, {name} sits in the train to {town2}. It leaves {town} at {hour} o'clock and takes "
            "{few} hours. {his} {relation} waits at the station.",
            "{name} sees {his} {relation} in {town2} every {day}. The way from {town} takes {few} hours by "
            "train. The train leaves at {hour} o'clock.",
        ),
        (
            ("How long does the train take?", "The train takes {few} hours.", "It takes {few} hours."),
            ("When does the train leave?", "It leaves at {hour} o'clock.", "At {hour} o'clock."),
            ("Where does the train go?", "The train goes to {town2}.", "It goes to {town2}."),
            ("Who is in {town2}?", "The {relation} of {name} is there.", "{name}'s {relation} is there."),
        ),
    ),
    _facts(
        "class",
        (
            "There are {sum} children in the class of {name}. {many} of them walk to school and {few} come "
            "by bus. They learn to play the {music} on {day}.",
            "{name} teaches {sum} children. On {day} they play the {music}. {few} children come by bus, and "
            "the other {many} walk to school.",
            "On {day}, the children in the class of {name} play the {music}. {many} walk to school and "
            "{few} take the bus, so there are {sum} children.",
        ),
        (
            (
                "How many children are in the class?",
                "There are {sum} children.",
                "The class has {sum} children.",
            ),
            ("How many children come by bus?", "{few} children come by bus.", "{few} children take the bus."),
            ("How many children walk?", "{many} children walk to school.", "{many} of the children walk."),
            ("What do they play on {day}?", "They play the {music}.", "The {music}."),
        ),
    ),
    _facts(
        "borrowing",
        (
            "{name} lent a {thing} to {name2}, who wants to use it at the {place}. {name2} will give it "
            "back on {day}, together with some {fruit}.",
            "{name2} needs a {thing} at the {place}. {name} lent {him2} one. On {day}, {name2} will bring "
            "it back with some {fruit} to say thank you.",
            "On {day}, {name} will get back the {thing} that {he} lent to {name2}. {name2} uses it at the "
            "{place} and will bring {fruit} as thanks.",
        ),
        (
            ("Who lent the {thing}?", "{name} lent the {thing}.", "It was {name}."),
            ("What did {name2} borrow?", "{name2} borrowed a {thing}.", "{he2} borrowed a {thing}."),
            ("When will it come back?", "It will come back on {day}.", "On {day}."),
        ),
        held_out=True,
    ),
    _facts(
        "repair",
        (
            "The {thing} of {name} broke on {day}. {name2}, a {job} from {town}, repaired it in {few} hours "
            "and wanted only a cup of {drink}.",
            "{name2} is a {job} from {town}. On {day} {he2} repaired a {thing} for {name}. The work took "
            "{few} hours, and {he2} got a cup of {drink} for it.",
            "On {day}, {name} had a broken {thing}. After {few} hours it was whole again, because {name2}, "
            "a {job} from {town}, had repaired it for a cup of {drink}.",
        ),
        (
            ("Who repaired the {thing}?", "{name2} repaired the {thing}.", "It was {name2}."),
            ("What was broken?", "The {thing} was broken.", "It was the {thing}."),
            ("How long did the work take?", "The work took {few} hours.", "It took {few} hours."),
        ),
        held_out=True,
    ),
    _facts(
        "prize",
        (
            "At the fair in {town}, {name} won a {colour} {thing}, and {name2} won a {animal}. The fair was "
            "in {month}, and {many} people won nothing.",
            "In {month} there was a fair in {town}. {name2} won a {animal}. The other prize, a {colour} "
            "{thing}, went to {name}, and {many} people got nothing.",
            "The prizes at the fair in {town} were a {colour} {thing} and a {animal}. {name} won the first, "
            "{name2} the second. In {month}, {many} people went home without a prize.",
        ),
        (
            ("Who won the {animal}?", "{name2} won the {animal}.", "It was {name2}."),
            ("What did {name} win?", "{name} won a {colour} {thing}.", "A {colour} {thing}."),
            ("Where was the fair?", "The fair was in {town}.", "In {town}."),
        ),
        held_out=True,
    ),
)
