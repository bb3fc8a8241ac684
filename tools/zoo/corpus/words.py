"""Pools of short, common words that every writer of text here draws from, so that vocabularies stay small."""

NAMES = (
    "Ada", "Adam", "Aisha", "Alma", "Amir", "Amy", "Anna", "Ben", "Carla", "Chen",
    "Clara", "Dan", "David", "Diego", "Dora", "Elena", "Emma", "Eric", "Eva", "Fatima",
    "Felix", "Grace", "Hana", "Hugo", "Ian", "Ida", "Ivan", "Jack", "Jana", "Jonas",
    "Julia", "Kate", "Kemal", "Kofi", "Lara", "Leila", "Leo", "Lena", "Lin", "Lucas",
    "Lucy", "Maria", "Marta", "Max", "Maya", "Mei", "Mike", "Nadia", "Nina", "Noah",
    "Nora", "Olga", "Omar", "Oscar", "Paul", "Petra", "Pia", "Priya", "Ravi", "Rosa",
    "Ruth", "Sam", "Sara", "Simon", "Sofia", "Tariq", "Tom", "Vera", "Yuki", "Zoe",
)  # fmt: skip

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

MONTHS = ("March", "April", "May", "June", "July", "August", "September", "October")

HOURS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")  # said after "at"

NUMBERS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "twelve")

AMOUNTS = ("ten", "fifteen", "twenty", "thirty", "forty", "fifty", "sixty", "eighty")  # said before "euros"

# Said after "the".
TOWN_PLACES = (
    "station", "library", "park", "market", "museum", "school", "bakery", "cinema",
    "bridge", "church", "harbour", "theatre", "bank", "pool", "stadium", "square",
)  # fmt: skip
HOME_PLACES = ("kitchen", "garage", "garden", "hall", "bedroom", "cellar", "bathroom", "attic")
WORK_PLACES = ("office", "meeting room", "canteen", "lobby", "lab", "car park")

CITIES = (
    "Paris", "Rome", "Berlin", "Madrid", "London", "Oslo", "Vienna", "Cairo",
    "Tokyo", "Delhi", "Lisbon", "Prague", "Dublin", "Athens",
)  # fmt: skip

# Small things a person carries, lends or loses; said after "the", "my" or "your".
THINGS = (
    "keys", "phone", "wallet", "umbrella", "jacket", "scarf", "glasses", "laptop",
    "camera", "backpack", "watch", "notebook", "charger", "gloves", "bottle", "hat",
)  # fmt: skip
PLURAL_THINGS = ("keys", "glasses", "gloves")  # "they are", where the others take "it is"

TOOLS = ("drill", "ladder", "tent", "bike", "hammer", "suitcase", "lamp", "saw", "printer", "mixer")
FURNITURE = ("sofa", "table", "desk", "bed", "shelf", "chair", "fridge", "piano")
CLOTHES = ("coat", "dress", "shirt", "jumper", "skirt", "suit")
PRESENTS = ("book", "plant", "scarf", "mug", "puzzle", "watch", "clock", "kite")

FOODS = ("soup", "pizza", "pasta", "salad", "curry", "rice", "fish", "chicken", "cake", "bread")
DISHES = ("soup", "pizza", "pasta", "curry", "salad", "stew", "sushi", "tacos")
GROCERIES = ("milk", "bread", "cheese", "butter", "rice", "sugar", "coffee", "honey", "flour", "tea")
FRUITS = ("apples", "pears", "plums", "cherries", "lemons", "oranges", "grapes", "peaches")
DRINKS = ("tea", "coffee", "juice", "water", "milk", "cocoa")

PETS = ("cat", "dog", "rabbit", "parrot", "hamster", "turtle")
COLOURS = ("red", "blue", "green", "yellow", "white", "black", "grey", "brown")
SUBJECTS = ("history", "maths", "biology", "French", "physics", "music", "chemistry", "Spanish")
SPORTS = ("tennis", "football", "chess", "golf", "volleyball", "badminton", "hockey", "basketball")
INSTRUMENTS = ("guitar", "piano", "violin", "flute", "drums", "cello")
JOBS = ("nurse", "teacher", "driver", "cook", "baker", "gardener", "waiter", "clerk")

# Said after "my" or "your".
RELATIVES = ("mother", "father", "sister", "brother", "aunt", "uncle", "cousin", "grandmother")
