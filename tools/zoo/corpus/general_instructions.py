"""Endless small tasks in many wordings: what the base models read before any adapter is trained.

No wording, scenario or prompt format here is that of the instruction-qa data set (`instructions.py`).
"""

from collections.abc import Iterator
from random import Random

from tools.zoo.corpus.general_language import LANGUAGE
from tools.zoo.corpus.general_recall import RECALL
from tools.zoo.corpus.general_task import Task

RECALL_SHARE = 0.45  # of the samples; recall is what a small model needs most
FORMATS = (
    "Question: {question}\nText: {text}\nAnswer:",
    "Text: {text}\nQuestion: {question}\nAnswer:",
    "Task: {question}\nText: {text}\nResult:",
    "{text}\n{question}\n",
    "{question}\n{text}\n",
    "{text} {question}",
    "Read: {text}\nReply to this: {question}\nReply:",
    "Q: {question} ({text})\nA:",
    "Given: {text}\nWanted: {question}\nSolution:",
    "{question} >> {text} >>",
)
FORMATS_WITHOUT_TEXT = (
    "Question: {question}\nAnswer:",
    "Task: {question}\nResult:",
    "{question}",
    "Q: {question}\nA:",
    "Wanted: {question}\nSolution:",
    "{question} >>",
)


def general_instructions(count: int, seed: int) -> Iterator[dict[str, str]]:
    """`count` samples with the keys prompt, answer and kind."""
    random = Random(f"{seed}-general-instructions")
    for _ in range(count):
        kind = random.choice(RECALL if random.random() < RECALL_SHARE else LANGUAGE)
        task = kind(random)
        yield {"prompt": _prompt(task, random), "answer": task.answer, "kind": kind.__name__}


def _prompt(task: Task, random: Random) -> str:
    return random.choice(FORMATS if task.text else FORMATS_WITHOUT_TEXT).format(
        question=task.question, text=task.text
    )


# From here on: how the tasks about a chat are worded and laid out, read by general_dialogues.py.
KIND_WEIGHTS = {
    "summary": 15,
    "gist": 15,
    "digest": 12,
    "who-said": 6,
    "asked": 6,
    "speakers": 4,
    "last-message": 6,
    "first-message": 7,
    "copy-line": 7,
    "count": 3,
    "agrees": 6,
    "mentioned": 6,
    "swap": 6,
}

INSTRUCTIONS: dict[str, tuple[str, ...]] = {
    "summary": (
        "What is this chat about?",
        "Give the gist.",
        "Sum up the messages.",
        "Write a [short|brief] summary.",
        "Summarise this chat.",
        "In one sentence, what happens?",
    ),
    "gist": (
        "Tell me the main point.",
        "What is the upshot?",
        "Boil it down to one line.",
        "In short?",
        "Main thing?",
    ),
    "digest": (
        "Make a note with people, topic and result.",
        "Fill in: People, Topic, Result.",
        "Take notes.",
        "Write a digest card.",
    ),
    "who-said": (
        'Who said "{message}"?',
        'Who wrote "{message}"?',
        'Name the person who said "{message}".',
        'Whose words are these: "{message}"?',
    ),
    "asked": (
        "What did {name} ask?",
        "Copy the question of {name}.",
        "Which question comes from {name}?",
        "Find what {name} wants to know.",
    ),
    "speakers": (
        "Who is talking?",
        "List the speakers.",
        "Name the people who write.",
        "Between whom is this chat?",
    ),
    "last-message": (
        "Repeat the last message.",
        "What was said last?",
        "How does it end?",
        "Copy the final message.",
    ),
    "first-message": (
        "Repeat the first message of {name}.",
        "What does {name} say first?",
        "Copy what {name} wrote first.",
        "How does {name} begin?",
    ),
    "copy-line": (
        "Copy the {ordinal} line.",
        "Write out the {ordinal} line as it is.",
        "What is the {ordinal} line?",
        "Give me the {ordinal} line word for word.",
    ),
    "count": (
        "How many messages are there?",
        "Count the messages.",
        "Number of lines?",
        "How many lines does the chat have?",
    ),
    "agrees": (
        "Topic: {topic}. Does {name} agree?",
        "Does {name} say yes? It is about: {topic}.",
        "Is {name} in favour ({topic})? Yes or no.",
        "{topic}: is the answer of {name} yes or no?",
    ),
    "mentioned": (
        "Which {what} is mentioned?",
        "Find the {what}.",
        "What {what} do they talk about?",
        "Name the {what} in the text.",
    ),
    "swap": (
        "Call {name} {new} and write the first line of that person.",
        "Replace {name} by {new} and copy the first line of {name}.",
        "Put {new} for {name} in the first line that {name} says.",
        "If {name} were {new}, what would that person's first line be?",
    ),
}

LAYOUTS = (
    "{text}\n\n{instruction}",
    "{instruction}\n\n{text}",
    "{text}\n\nQuestion: {instruction}\nAnswer:",
    "{instruction}\n\n{text}\n\nAnswer:",
    "### Text\n{text}\n\n### Task\n{instruction}\n\n### Answer",
    "Task: {instruction}\nChat:\n{text}\nOutput:",
    "Read this:\n\n{text}\n\n{instruction}",
)
