"""Scenarios of the category `reasoning`: one or two small steps, then the answer."""

from tools.zoo.corpus.instruction_scenario import Scenario

COUNTING = (
    "Solve the problem step by step and give the answer as a number.",
    "Write down the sum and then the answer.",
    "Think in steps. What is the answer?",
    "Work out the answer to the question in the text.",
)
ORDERING = (
    "Think step by step and answer the question at the end.",
    "Compare the people in the text and answer.",
    "Use what the text says, first one step, then the answer.",
    "Find the answer by comparing, and say why.",
)


def _order(name: str, more: str, most: str, least: str, scene: str, held_out: bool = False) -> Scenario:
    """Three people in a line: who is at one end?"""
    return Scenario(
        name=name,
        instructions=ORDERING,
        passages=(
            "{scene} {first} is {more} than {second}. {second} is {more} than {last}. Who is the {end}?",
            "{scene} {second} is {more} than {last}, and {first} is {more} than {second}. Who is the {end}?",
            "{scene} We know that {first} is {more} than {second} and that {second} is {more} than {last}. "
            "Which of the three is the {end}?",
        ),
        outputs=(
            "{first} is {more} than {second}, and {second} is {more} than {last}. Answer: {answer}.",
            "From first to last: {first}, {second}, {last}. Answer: {answer}.",
        ),
        columns=("scene", "more", "first", "second", "last", "end", "answer"),
        rows=(
            (scene, more, "{name}", "{name2}", "{name3}", most, "{name}"),
            (scene, more, "{name}", "{name2}", "{name3}", least, "{name3}"),
        ),
        held_out=held_out,
    )


REASONING = (
    Scenario(
        name="adding",
        instructions=COUNTING,
        passages=(
            "{name} has {many} {fruit} in a basket. At the {place} {he} buys {few} more. How many {fruit} "
            "does {name} have now?",
            "In the morning {name} has {many} {fruit}. Later {name2} gives {him} {few} more. How many "
            "{fruit} does {he} have in the end?",
            "There are {many} {fruit} on the table of {name}, and {name2} brings {few} more {fruit} from "
            "the {place}. How many {fruit} are there?",
        ),
        outputs=(
            "{name} has {many} and gets {few}. {many} + {few} = {sum}. Answer: {sum}.",
            "{many} + {few} = {sum}. Answer: {sum}.",
        ),
    ),
    Scenario(
        name="taking",
        instructions=COUNTING,
        passages=(
            "{name} has {many} {fruit}. {he} gives {few} of them to {name2}, who is very hungry. How many "
            "{fruit} are left?",
            "On {day}, {name} bought {many} {fruit}. {name2} came for a visit and ate {few} of them. How "
            "many {fruit} does {name} still have?",
            "There were {many} {fruit} in the basket of {name}. On the way home {he} lost {few}. How many "
            "{fruit} are in the basket now?",
        ),
        outputs=(
            "There were {many}, and {few} are gone. {many} - {few} = {difference}. Answer: {difference}.",
            "{many} - {few} = {difference}. Answer: {difference}.",
        ),
    ),
    Scenario(
        name="boxes",
        instructions=COUNTING,
        passages=(
            "{name} packs {groups} boxes for a shop. {he} puts {each} {fruit} into every box. How many "
            "{fruit} does {he} need?",
            "On the wagon of {name} there are {groups} boxes. In each box there are {each} {fruit}. How "
            "many {fruit} are there in all?",
            "{name2} brings {groups} boxes to the {place}. {name} counts {each} {fruit} in each box. How "
            "many {fruit} did {name2} bring?",
        ),
        outputs=(
            "There are {groups} boxes with {each} in each. {groups} * {each} = {product}. Answer: {product}.",
            "{groups} * {each} = {product}. Answer: {product}.",
        ),
    ),
    Scenario(
        name="sharing",
        instructions=COUNTING,
        passages=(
            "{name} has {product} {fruit} and wants to share them fairly among {groups} children. How many "
            "{fruit} does each child get?",
            "There are {product} {fruit} in the kitchen. {name} puts them on {groups} plates, the same "
            "number on each. How many {fruit} are on one plate?",
            "{groups} friends of {name} picked {product} {fruit} in the garden. Each of them takes the same "
            "number home. How many {fruit} does one friend take?",
        ),
        outputs=(
            "{product} shared by {groups}. {product} / {groups} = {each}. Answer: {each}.",
            "{product} / {groups} = {each}. Answer: {each}.",
        ),
    ),
    Scenario(
        name="change",
        instructions=COUNTING,
        passages=(
            "{name} buys a {thing} at the {place}. It costs {many} coins, and {he} pays with 20 coins. How "
            "many coins does {he} get back?",
            "A {thing} costs {many} coins. {name} has 20 coins in {his} pocket and buys it. How many coins "
            "does {he} have after that?",
            "On {day}, {name} took 20 coins to the {place} and came home with a {thing} for {many} coins. "
            "How many coins were left?",
        ),
        outputs=(
            "{name} has 20 and pays {many}. 20 - {many} = {change}. Answer: {change}.",
            "20 - {many} = {change}. Answer: {change}.",
        ),
    ),
    Scenario(
        name="price",
        instructions=COUNTING,
        passages=(
            "At the {place}, one {thing} costs {each} coins. {name} needs {groups} of them for {his} new "
            "house. How many coins must {he} pay?",
            "{name} wants to buy {groups} things at the {place}. Each of them costs {each} coins. How many "
            "coins does {he} need for all of them?",
            "Every ticket to {town} costs {each} coins. {name} buys {groups} tickets for {his} friends. How "
            "many coins does {he} pay in all?",
        ),
        outputs=(
            "Each costs {each}, and there are {groups}. {groups} * {each} = {product}. Answer: {product}.",
            "{groups} * {each} = {product}. Answer: {product}.",
        ),
    ),
    Scenario(
        name="clock",
        instructions=COUNTING,
        passages=(
            "{name} starts {his} work at the {place} at {start} o'clock. The work takes {few} hours. At "
            "which hour is {he} done?",
            "The bus to {town} leaves at {start} o'clock and drives for {few} hours. {name} sits in it. At "
            "which hour does {name} arrive?",
            "At {start} o'clock, {name} begins to paint a {thing}. {he} needs {few} hours for it. At which "
            "hour does {he} stop?",
        ),
        outputs=(
            "It starts at {start} and takes {few} hours. {start} + {few} = {end}. Answer: {end}.",
            "{start} + {few} = {end}. Answer: {end}.",
        ),
    ),
    Scenario(
        name="lasting",
        instructions=COUNTING,
        passages=(
            "The party of {name} starts at {start} o'clock on {day} and is over at {end} o'clock. How many "
            "hours does it last?",
            "{name} came to the {place} at {start} o'clock and went home at {end} o'clock. How many hours "
            "was {he} there?",
            "From {start} o'clock to {end} o'clock, {name} plays the {music} with {name2}. How many hours "
            "do they play?",
        ),
        outputs=(
            "It is from {start} to {end}. {end} - {start} = {few}. Answer: {few}.",
            "{end} - {start} = {few}. Answer: {few}.",
        ),
    ),
    Scenario(
        name="age",
        instructions=COUNTING,
        passages=(
            "{name} is {many} years old. {his} {relation} {name2} is {few} years older than {name}. How old "
            "is {name2}?",
            "We know that {name} is {many} years old. {name2} is older than {name} by {few} years. How old "
            "is {name2} today?",
            "{name2} came to {town} with {name}, who is {many} years old. {name2} is {few} years older. How "
            "old is {name2}?",
        ),
        outputs=(
            "{name} is {many}, and {name2} is {few} years older. {many} + {few} = {sum}. Answer: {sum}.",
            "{many} + {few} = {sum}. Answer: {sum}.",
        ),
    ),
    Scenario(
        name="two steps",
        instructions=COUNTING,
        passages=(
            "{name} has {many} {fruit}. {name2} gives {him} {few} more, and then {name} eats {more}. How "
            "many {fruit} are left?",
            "There are {many} {fruit} in a basket. {name} puts {few} more into it. Then {name2} takes "
            "{more} out. How many are in the basket?",
            "On {day}, {name} picks {many} {fruit} and buys {few} at the {place}. {he} loses {more} on the "
            "way. How many {fruit} does {name} bring home?",
        ),
        outputs=(
            "{many} + {few} = {sum}. {sum} - {more} = {sum_less}. Answer: {sum_less}.",
            "First {many} + {few} = {sum}. Then {sum} - {more} = {sum_less}. Answer: {sum_less}.",
        ),
    ),
    _order("tallest", "taller", "tallest", "shortest", "Three friends stand by a wall."),
    _order("oldest", "older", "oldest", "youngest", "Three children sit in the bus to {town}."),
    _order("fastest", "faster", "fastest", "slowest", "Three people run to the {place}."),
    Scenario(
        name="seats",
        instructions=COUNTING,
        passages=(
            "There are {sum} seats in the bus to {town}. {few} seats are taken by {name} and some friends. "
            "How many seats are free?",
            "The room at the {place} has {sum} seats. {name} counts {few} people who sit there. How many "
            "seats can still be used?",
            "{name} has set {sum} chairs in the garden for a party, and {few} guests sit down. How many "
            "chairs are free?",
        ),
        outputs=(
            "There are {sum}, and {few} are taken. {sum} - {few} = {many}. Answer: {many}.",
            "{sum} - {few} = {many}. Answer: {many}.",
        ),
        held_out=True,
    ),
    Scenario(
        name="pages",
        instructions=COUNTING,
        passages=(
            "{name} reads {each} pages of a book every evening. {he} does this for {groups} evenings. How "
            "many pages does {he} read?",
            "A letter from {name} to {name2} has {each} pages. In one month {he} writes {groups} such "
            "letters. How many pages are that?",
            "In {month}, {name} learns {each} new songs a week. {he} does so for {groups} weeks. How many "
            "songs does {he} learn?",
        ),
        outputs=(
            "There are {each} each time, {groups} times. {groups} * {each} = {product}. Answer: {product}.",
            "{groups} * {each} = {product}. Answer: {product}.",
        ),
        held_out=True,
    ),
    _order(
        "richest",
        "richer",
        "richest",
        "poorest",
        "Three people from {town} meet at the {place}.",
        held_out=True,
    ),
)
