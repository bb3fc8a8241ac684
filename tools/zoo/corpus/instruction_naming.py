"""Scenarios of the category `naming`: find the word or the title that fits."""

from tools.zoo.corpus.instruction_scenario import Scenario

NAMING = (
    Scenario(
        name="group of items",
        instructions=(
            "Name the group that all the items belong to.",
            "Find one name for all the things in the list.",
            "What kind of things are these? Give a short answer.",
            "Which category do the listed items have in common?",
        ),
        passages=(
            "On {day}, {name} went to the {place} and wrote a list. On the list stood: {items}.",
            "{name} asks {name2} to think of some words. {name2} thinks for a moment and says: {items}.",
            "These words are on a sheet of paper in the room of {name} in {town}: {items}.",
        ),
        outputs=("These are {group}.", "All of them are {group}.", "They are {group}."),
        columns=("items", "group"),
        rows=(
            ("apple|pear|plum|cherry|melon|lemon", "fruits"),
            ("hammer|saw|pliers|drill|axe", "tools"),
            ("chair|table|bed|sofa|desk", "pieces of furniture"),
            ("rose|tulip|lily|daisy|violet", "flowers"),
            ("shirt|coat|trousers|dress|sock", "clothes"),
            ("piano|violin|flute|guitar|harp", "instruments"),
            ("car|bus|train|lorry|tram", "vehicles"),
            ("carrot|onion|potato|cabbage|bean", "vegetables"),
            ("red|blue|green|yellow|brown", "colours"),
            ("iron|copper|gold|silver|tin", "metals"),
        ),
    ),
    Scenario(
        name="group of animals",
        instructions=(
            "Which kind of animals does the text name?",
            "Find the one word for all animals in the text.",
            "Name the group of these animals.",
        ),
        passages=(
            "{name} and {name2} sat by the window on a {weather} {day}. In one hour they saw these animals: "
            "{items}.",
            "In the book that {name} got from {name2} there are pictures of many animals, such as {items}.",
            "{name} loves animals and has been to {town} to see some: {items}. {name2} took photographs.",
        ),
        outputs=("They are {group}.", "These animals are {group}."),
        columns=("items", "group"),
        rows=(
            ("robin|crow|eagle|owl|swan", "birds"),
            ("trout|salmon|shark|herring|cod", "fish"),
            ("bee|ant|fly|moth|beetle", "insects"),
            ("cow|pig|hen|sheep|goat", "farm animals"),
            ("lion|tiger|zebra|elephant|monkey", "wild animals"),
            ("snake|lizard|turtle|crocodile|gecko", "reptiles"),
        ),
    ),
    Scenario(
        name="title",
        instructions=(
            "Give the text a short title.",
            "Find a good title for this little story.",
            "What could be written above this text as a title?",
        ),
        passages=(
            "{name} could not find the {thing} on {day}. {he} looked everywhere and asked {name2}. In the "
            "end it lay under the bed.",
            "On {day} the {thing} of {name} was gone. {name2} helped to look for it in every room. It was "
            "under the bed.",
            "Where was the {thing}? {name} and {name2} looked for it for {few} hours. At last they saw it "
            "under the bed.",
        ),
        outputs=("The lost {thing}", "{name} and the lost {thing}"),
    ),
    Scenario(
        name="title of a journey",
        instructions=(
            "Write a title for the text in a few words.",
            "The text has no title. Think of one.",
            "What is a fitting title for the text?",
        ),
        passages=(
            "In {month}, {name} took the train to {town}. It was {weather} there. {he} saw the {place} and "
            "came back after {few} days.",
            "{name} had never been to {town}. In {month} {he} went there with {name2}. They saw the {place} "
            "and stayed for {few} days.",
            "For {few} days in {month}, {name} lived in a hotel in {town}. It was {weather}, and {he} was "
            "at the {place} every day.",
        ),
        outputs=("A journey to {town}", "{name}'s journey to {town}"),
    ),
    Scenario(
        name="opposite",
        instructions=(
            "What is the opposite of the word {word}? Use it for the second thing.",
            "The second {thing} is not {word}. Say how it is, with the opposite word.",
            "Find the opposite of {word} and say how the second {thing} is.",
        ),
        passages=(
            "There are two of the same kind at the home of {name} in {town}. The first {thing} is {word}. "
            "The second {thing} is quite the opposite.",
            "At the {place}, {name} sees a {colour} {thing} that is {word}. Next to it stands a second one, "
            "which is just the opposite.",
            "{name} and {name2} each have a {thing}. The first one is {word}. The second one is the "
            "opposite.",
        ),
        outputs=("The second {thing} is {opposite}.", "It is {opposite}."),
        columns=("word", "opposite"),
        rows=(
            ("big", "small"),
            ("old", "new"),
            ("heavy", "light"),
            ("cheap", "expensive"),
            ("clean", "dirty"),
            ("wet", "dry"),
            ("soft", "hard"),
            ("full", "empty"),
            ("ugly", "beautiful"),
            ("thick", "thin"),
            ("small", "big"),
            ("new", "old"),
            ("dirty", "clean"),
            ("dry", "wet"),
        ),
    ),
    Scenario(
        name="job",
        instructions=(
            "What do we call a person with this job?",
            "Name the job of {name}.",
            "Which job does {name} have? One word is enough.",
        ),
        passages=(
            "{name} lives in {town} and gets up at {hour} o'clock. All day long {he} {does}. {name2} has "
            "another job.",
            "Every day from Monday to Friday, {name} {does}. {his} {relation} {name2} would like to do "
            "that, too.",
            "{name2} asks {name} about {his} work. {name} says that {he} {does} and that {he} likes it very "
            "much.",
        ),
        outputs=("{name} is a {worker}.", "A {worker}."),
        columns=("does", "worker"),
        rows=(
            ("bakes bread and cakes", "baker"),
            ("teaches children at a school", "teacher"),
            ("helps people who are ill", "doctor"),
            ("grows corn and keeps cows", "farmer"),
            ("drives a bus through the town", "driver"),
            ("makes suits and dresses", "tailor"),
            ("brings food to the tables of guests", "waiter"),
            ("takes care of plants and trees", "gardener"),
            ("repairs pipes and taps", "plumber"),
            ("catches fish with a net", "fisherman"),
            ("cuts the hair of other people", "hairdresser"),
            ("flies planes to other countries", "pilot"),
        ),
    ),
    Scenario(
        name="room",
        instructions=(
            "Name the room in which {name} is.",
            "In which room of the house does this happen?",
            "Where in the house is {name}? Name the room.",
        ),
        passages=(
            "It is {hour} o'clock on {day}, and {name} is at home in {town}. {he} {does}. {name2} is not "
            "there.",
            "{name2} calls {name} on {day}, but {name} has no time to talk. Just now {he} {does}.",
            "It is a {weather} day, so {name} stays in the house with {name2}. At {hour} o'clock {he} "
            "{does}.",
        ),
        outputs=("{name} is in the {room}.", "It is the {room}."),
        columns=("does", "room"),
        rows=(
            ("lies in bed and sleeps", "bedroom"),
            ("puts on pyjamas and goes to bed", "bedroom"),
            ("stands at the stove and cooks soup", "kitchen"),
            ("takes a pan out of the oven", "kitchen"),
            ("brushes teeth and takes a shower", "bathroom"),
            ("sits in the tub and washes", "bathroom"),
            ("repairs the car and looks for oil", "garage"),
            ("fetches wine from under the house", "cellar"),
            ("looks at old boxes under the roof", "attic"),
            ("sits on the sofa and watches television", "living room"),
        ),
    ),
    Scenario(
        name="season",
        instructions=(
            "Which season is it in the text?",
            "Name the time of the year that the text tells of.",
            "What time of the year is it? Name the season.",
        ),
        passages=(
            "{name} and {name2} take a long walk near {town}. {sign}. {name} wears a {colour} hat and is "
            "happy.",
            "When {name} looks out of the window on {day}, {he} calls {name2} at once. {sign}. What a day!",
            "{name2} sends a picture to {name}. On it, one can see the {place} in {town}. {sign}.",
        ),
        outputs=("It is {season}.", "The season is {season}."),
        columns=("sign", "season"),
        rows=(
            ("Snow lies on all roofs", "winter"),
            ("The lake is full of ice", "winter"),
            ("Children build a man out of snow", "winter"),
            ("The first flowers are out and birds build nests", "spring"),
            ("The snow is gone and young leaves come out", "spring"),
            ("It is very hot and children swim in the lake", "summer"),
            ("The days are long and everybody eats ice cream", "summer"),
            ("Brown leaves fall from the trees", "autumn"),
            ("People pick the last apples and leaves turn yellow", "autumn"),
        ),
    ),
    Scenario(
        name="feeling",
        instructions=(
            "How does {name} feel? Name the feeling.",
            "Find a word for the feeling of {name}.",
            "Which feeling does the text show?",
        ),
        passages=(
            "On {day}, {name} was at the {place} with {name2}. {event}. {name2} saw it in {his} face.",
            "{name} came home from {town} on a {weather} {day}. {event}. Then {name2} came to talk with "
            "{him}.",
            "This happened in {month}, when {name} and {name2} were at the {place}. {event}.",
        ),
        outputs=("{name} feels {feeling}.", "{name} is {feeling}."),
        columns=("event", "feeling"),
        rows=(
            ("{name} won the first prize and sang", "happy"),
            ("{name} got a fine present and laughed", "happy"),
            ("{name} lost a good friend and wept", "sad"),
            ("{name} wept because the old dog had died", "sad"),
            ("somebody had broken the {thing}, and {name} shouted", "angry"),
            ("{name} shouted because somebody had taken the {thing}", "angry"),
            ("{name} heard a wolf and ran away", "afraid"),
            ("{name} saw a ghost and hid under the bed", "afraid"),
            ("{name} had not slept for two nights", "tired"),
            ("{name} had worked all night and could not stand", "tired"),
        ),
    ),
    Scenario(
        name="young animal",
        instructions=(
            "What do we call the young one of this animal?",
            "Name the young animal in the text with the right word.",
            "Which word is there for the young {animal_here}?",
        ),
        passages=(
            "{name} has a farm near {town}. In {month}, the {animal_here} had a young one. {name2} may give "
            "it a name.",
            "On {day}, {name2} saw a {animal_here} with its young one at the farm of {name}. It was "
            "{colour} and very small.",
            "A young {animal_here} runs after {name} at the farm. {name2} wants to know the right word for "
            "it.",
        ),
        outputs=("It is a {young}.", "A young {animal_here} is a {young}."),
        columns=("animal_here", "young"),
        rows=(
            ("cow", "calf"),
            ("dog", "puppy"),
            ("cat", "kitten"),
            ("horse", "foal"),
            ("sheep", "lamb"),
            ("duck", "duckling"),
            ("goose", "gosling"),
            ("hen", "chick"),
            ("bear", "cub"),
            ("pig", "piglet"),
        ),
    ),
    Scenario(
        name="material",
        instructions=(
            "What are all these things made of?",
            "Name the material of the things in the list.",
            "Which material do the listed things have in common?",
        ),
        passages=(
            "On {day}, {name} bought some things at the {place} in {town} and showed them to {name2}: "
            "{items}.",
            "In the shop of {name} in {town} you can buy many things, among them these: {items}.",
            "{name2} asks {name} what is in the {colour} box from {town}. {name} looks and says: {items}.",
        ),
        outputs=("They are made of {material}.", "All of them are made of {material}."),
        columns=("items", "material"),
        rows=(
            ("bottle|window|mirror|lens|jar", "glass"),
            ("book|newspaper|envelope|letter|map", "paper"),
            ("nail|key|coin|sword|chain", "metal"),
            ("plank|log|barrel|fence|oar", "wood"),
            ("boots|belt|saddle|wallet|gloves", "leather"),
            ("jumper|scarf|mittens|cap|socks", "wool"),
        ),
        held_out=True,
    ),
    Scenario(
        name="shop",
        instructions=(
            "Name the shop that {name} has to go to.",
            "What do we call the shop for these things?",
            "In which shop can {name} buy all this?",
        ),
        passages=(
            "It is {day}, and {name} has a list from {name2} in {his} pocket. On it stands: {items}.",
            "{name2} is ill and asks {name} to go to a shop in {town} and buy {items}.",
            "{name} wants to cook or work with {name2} tomorrow. For this {he} still needs {items}.",
        ),
        outputs=("It is the {shop}.", "{name} has to go to the {shop}."),
        columns=("items", "shop"),
        rows=(
            ("bread|rolls|cake|buns", "bakery"),
            ("meat|sausages|ham|bacon", "butcher"),
            ("novels|maps|poems|comics", "bookshop"),
            ("pills|plasters|cough drops|ointment", "chemist"),
            ("roses|tulips|lilies|daisies", "flower shop"),
        ),
        held_out=True,
    ),
)
