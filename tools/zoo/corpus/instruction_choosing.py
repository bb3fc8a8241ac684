"""Scenarios of the category `choosing`: take the option that fits a need, and say why."""

from tools.zoo.corpus.instruction_scenario import Scenario

CHOOSING_WORDS = (
    "Choose the best option for {name} and say why.",
    "Which one should {name} take? Give a short reason.",
    "Pick what fits best and give the reason in a few words.",
    "Help {name} to choose, and tell {him} why.",
)
OUTPUTS = ("The {pick}, because {reason}.", "{name} should take the {pick}, because {reason}.")


def _choosing(
    name: str,
    passages: tuple[str, ...],
    rows: tuple[tuple[str, str, str], ...],  # what is needed, what fits, why it fits
    held_out: bool = False,
) -> Scenario:
    return Scenario(
        name=name,
        instructions=CHOOSING_WORDS,
        passages=passages,
        outputs=OUTPUTS,
        columns=("need", "pick", "reason"),
        rows=rows,
        held_out=held_out,
    )


CHOOSING = (
    _choosing(
        "tool",
        (
            "{name} wants to {need} on {day}. {name2} has a box of tools. {name} may take one: {options}.",
            "At the {place}, {name} has to {need}. On the bench lie some tools from {name2}: {options}.",
            "{name2} asks {name} to {need}. {name} can take only one of these tools: {options}.",
        ),
        (
            ("cut a board", "saw", "it cuts wood"),
            ("drive in a nail", "hammer", "it drives in nails"),
            ("make a hole in a wall", "drill", "it makes holes"),
            ("dig a hole in the garden", "spade", "it moves earth"),
            ("find out how long a table is", "ruler", "it shows the length"),
            ("paint a fence", "brush", "it spreads paint"),
            ("reach a high shelf", "ladder", "it reaches up high"),
            ("sweep the floor", "broom", "it sweeps floors"),
        ),
    ),
    _choosing(
        "clothing",
        (
            "{name} looks out of the window on {day}. {need}. On the bed lie these things: {options}.",
            "{name} goes to the {place} in {town} today. {need}. {name2} asks what {he} will put on: "
            "{options}.",
            "{need}, says {name2} on {day}. {name} stands in front of {his} clothes and thinks: {options}.",
        ),
        (
            ("It is raining hard", "raincoat", "it keeps off the rain"),
            ("It is icy cold and there is snow", "winter coat", "it keeps out the cold"),
            ("The sun is hot and bright", "straw hat", "it gives shade from the sun"),
            ("They will swim in the lake", "bathing suit", "one can swim in it"),
            ("There is a wedding in the church", "fine suit", "it is right for a wedding"),
            ("It is bedtime", "nightshirt", "it is made for sleeping"),
        ),
    ),
    _choosing(
        "present",
        (
            "{name} looks for a present for {name2}, who {need}. In the shop {he} finds these: {options}.",
            "On {day} it is the birthday of {name2}, who {need}. {name} can buy one of these: {options}.",
            "{name2} {need}. {name} wants to give {him2} a present and can choose: {options}.",
        ),
        (
            ("likes to cook", "new pan", "{name2} likes to cook"),
            ("reads every evening", "thick novel", "{name2} reads every evening"),
            ("plays music all day", "small drum", "{name2} plays music"),
            ("loves plants", "red rose", "{name2} loves plants"),
            ("is often cold", "warm blanket", "{name2} is often cold"),
            ("paints pictures", "box of paints", "{name2} paints pictures"),
            ("plays in the park with other children", "leather ball", "{name2} likes to play outside"),
        ),
    ),
    _choosing(
        "transport",
        (
            "{name} wants to go from {town} to {town2} and {need}. There are some ways to travel: {options}.",
            "On {day}, {name} {need}. {name2} tells {him} how people travel from {town} to {town2}: "
            "{options}.",
            "For the journey from {town} to {town2}, {name} asks {name2}, because {he} {need}. One can "
            "take: {options}.",
        ),
        (
            ("must be there in one hour", "plane", "it is the fastest"),
            ("wants to move {his} own legs", "bicycle", "one moves the legs on it"),
            ("wants to be on the water", "ship", "it goes on the water"),
            ("wants to sit on an animal", "horse", "it is an animal"),
            ("wants to travel on rails", "train", "it goes on rails"),
        ),
    ),
    _choosing(
        "meal",
        (
            "{name} sits in a small restaurant in {town} on {day}. {he} {need}. The waiter can bring this: "
            "{options}.",
            "{name2} asks {name} what {he} would like to eat. {name} {need}. In the kitchen there is this: "
            "{options}.",
            "It is {hour} o'clock, and {name} is hungry. {he} {need}. At the {place} there is this: "
            "{options}.",
        ),
        (
            ("wants something sweet", "chocolate cake", "it is sweet"),
            ("wants something hot to eat with a spoon", "bean soup", "one eats it hot with a spoon"),
            ("wants something green and fresh", "green salad", "it is green and fresh"),
            ("wants something from the sea", "fried fish", "it comes from the sea"),
            ("wants something cold and frozen", "ice cream", "it is frozen"),
            ("wants meat", "beef steak", "it is meat"),
        ),
    ),
    _choosing(
        "room for a job",
        (
            "{name} has a big house in {town}. On {day} {he} wants to {need}. There are these rooms: "
            "{options}.",
            "{name2} lets {name} use one room of the house in {town} to {need}. {he} may choose: {options}.",
            "Where should {name} go to {need}? {name2} has a plan of the house with these rooms: {options}.",
        ),
        (
            ("cook a meal", "kitchen", "there is a stove in it"),
            ("take a bath", "bathroom", "there is a tub in it"),
            ("sleep for some hours", "bedroom", "there is a bed in it"),
            ("repair the car", "garage", "the car is in it"),
            ("read one of many books", "library", "there are many books in it"),
        ),
    ),
    _choosing(
        "pet",
        (
            "{name} lives in {town} and wants to buy an animal. It should {need}. {name2} can sell {him} "
            "these: {options}.",
            "{name2} tells {name} about some animals at the {place}: {options}. {name} wants one that can "
            "{need}.",
            "The animal for {name} must {need}, and it must live near {town}. {name} may choose: {options}.",
        ),
        (
            ("catch mice in the house", "cat", "it catches mice"),
            ("watch over the house and bark", "dog", "it barks and watches"),
            ("lay eggs", "hen", "it lays eggs"),
            ("carry a rider", "horse", "it can carry a rider"),
            ("swim in a glass bowl", "goldfish", "it swims in a bowl"),
            ("learn to speak words", "parrot", "it can speak words"),
            ("give wool", "sheep", "it gives wool"),
        ),
    ),
    _choosing(
        "helper",
        (
            "{name} needs help at {his} house in {town}, because {need}. {name2} knows some people: "
            "{options}.",
            "On {day}, {need}. {name} wants to call somebody and finds some numbers: {options}.",
            "{name} asks {name2} what to do, because {need}. In {town} there are these people: {options}.",
        ),
        (
            ("a pipe leaks", "plumber", "pipes are plumbers' work"),
            ("a tooth hurts", "dentist", "dentists help with teeth"),
            ("the dog is ill", "vet", "vets help animals"),
            ("the house burns", "fireman", "firemen put out fires"),
            ("somebody has stolen the money", "policeman", "policemen catch thieves"),
            ("the trousers are torn", "tailor", "tailors mend clothes"),
        ),
    ),
    Scenario(
        name="cheapest",
        instructions=CHOOSING_WORDS,
        passages=(
            "{name} wants to pay as little as possible. At the {place} a {thing} costs {sum} coins, a "
            "{thing2} costs {difference} coins and a {thing3} costs {sum_more} coins.",
            "In a shop in {town} there are a {thing3} for {sum_more} coins, a {thing} for {sum} coins and a "
            "{thing2} for {difference} coins. {name} wants the cheapest.",
            "{name} has little money and wants the cheapest thing. The {thing2} costs {difference} coins, "
            "the {thing} costs {sum} coins, the {thing3} costs {sum_more} coins.",
        ),
        outputs=(
            "The {thing2}, because it costs only {difference} coins.",
            "{name} should take the {thing2}, because it costs only {difference} coins.",
        ),
    ),
    Scenario(
        name="colour",
        instructions=CHOOSING_WORDS,
        passages=(
            "{name} likes {colour} best. At the {place} {he} can have a {colour2} {thing2}, a {colour} "
            "{thing} or a {colour3} {thing3}.",
            "There is a {colour3} {thing3}, a {colour2} {thing2} and a {colour} {thing} at the {place}. "
            "{name} wants something {colour}.",
            "{name2} shows {name} a {colour} {thing}, a {colour2} {thing2} and a {colour3} {thing3}. {name} "
            "loves everything that is {colour}.",
        ),
        outputs=(
            "The {thing}, because it is {colour}.",
            "{name} should take the {thing}, because it is {colour}.",
        ),
    ),
    Scenario(
        name="free day",
        instructions=(
            "Choose the day that suits both people and say why.",
            "On which day should they meet? Give a short reason.",
            "Pick the day that fits and give the reason in a few words.",
        ),
        passages=(
            "{name} and {name2} want to meet at the {place}. {name} has time on {day} and {day2}. {name2} "
            "has time on {day3} and {day}.",
            "{name} is free on {day2} and {day}, but {name2} is free on {day} and {day3}. They want to see "
            "the {place} in {town} together.",
            "For a meeting at the {place}, {name2} can come on {day} or {day3}, and {name} can come on "
            "{day2} or {day}.",
        ),
        outputs=(
            "On {day}, because both are free then.",
            "They should meet on {day}, because both are free.",
        ),
    ),
    _choosing(
        "container",
        (
            "{name} helps {name2} at the {place} on {day} and needs something to {need}. These are there: "
            "{options}.",
            "To {need}, {name} can use one of the things that {name2} has in the kitchen: {options}.",
            "{name2} asks {name} to {need}. On the floor of the room in {town} stand these: {options}.",
        ),
        (
            ("carry water to the garden", "bucket", "it holds much water"),
            ("keep flowers fresh on the table", "vase", "it is made for flowers"),
            ("pack clothes for a journey", "suitcase", "it holds clothes"),
            ("send a letter by post", "envelope", "a letter fits into it"),
            ("carry coins in a pocket", "purse", "it holds coins"),
            ("drink hot coffee", "cup", "one drinks from it"),
        ),
        held_out=True,
    ),
    _choosing(
        "book",
        (
            "{name} is at the library in {town} on {day} and wants to {need}. These books are there: "
            "{options}.",
            "{name2} has some books on a shelf: {options}. {name} wants to {need} and may take one home.",
            "On a {weather} {day}, {name} wants to {need}. At the {place} {he} sees these books: {options}.",
        ),
        (
            ("learn to make soup", "cookbook", "it tells how to cook"),
            ("know what a word means", "dictionary", "it explains words"),
            ("find a street in a strange town", "book of maps", "it shows streets"),
            ("sing with friends", "songbook", "it is full of songs"),
            ("tell children about a prince", "book of fairy tales", "it is full of stories"),
        ),
        held_out=True,
    ),
)
