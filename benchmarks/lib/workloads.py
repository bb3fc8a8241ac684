"""What the benchmarks ask: three tasks over text that the zoo's programs write, the same bytes each time.

    summaries   a long chat in, a sentence out               about 150 tokens in, 15 out
    chats       a chat's beginning in, the rest of it out    about 60 in, 80 out
    questions   a short passage and a question in, a phrase out; asked with examples that all prompts share

`documents` is what the benchmarks' models were trained on, with other seeds than what is asked of them.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random

from tools.zoo.corpus.dialogues import dialogues
from tools.zoo.corpus.instructions import instructions

SUMMARY = (
    "Read the whole conversation, then tell in one sentence what it was about.\n\n{dialogue}\n\nSummary:"
)
CHAT = "Go on with the conversation until its end.\n\nSummary: {summary}\n\n{beginning}\n\nGo on:"
QUESTION = "Instruction: {instruction}\nText: {input}\nAnswer:"
LONG_CHAT = 80  # words
BEGINNING = 30  # words of a chat that stand in its prompt, summary apart
SHORT_BEGINNING = 8  # words, where the rest is what counts
LONG_REST = 48  # words
SIZES = {"train": 2000, "validation": 200, "test": 400}
Row = Mapping[str, str]  # id, prompt, answer


def summaries(seed: int, *, shortest: int = 0) -> Iterator[Row]:
    """Chats of at least so many words, each with its summary."""
    for chat in _chats(seed):
        if len(chat["dialogue"].split()) >= shortest:
            yield {"prompt": SUMMARY.format(dialogue=chat["dialogue"]), "answer": chat["summary"]}


def chats(seed: int, *, beginning: int = BEGINNING, shortest: int = 8) -> Iterator[Row]:
    """Chats whose rest has at least so many words. The rest is one line: "|" stands for a new one."""
    for chat in _chats(seed):
        lines = chat["dialogue"].split("\n")
        cut, words = 0, 0
        while cut < len(lines) and words < beginning:
            words += len(lines[cut].split())
            cut += 1
        rest = " | ".join(lines[cut:])
        if len(rest.split()) >= shortest:
            prompt = CHAT.format(summary=chat["summary"], beginning="\n".join(lines[:cut]))
            yield {"prompt": prompt, "answer": rest}


def questions(seed: int) -> Iterator[Row]:
    while True:
        for split in instructions(seed).values():
            for row in split:
                prompt = QUESTION.format(instruction=row["instruction"], input=row["input"])
                yield {"prompt": prompt, "answer": row["output"]}
        seed += 1


def documents(seed: int) -> Iterator[Row]:
    """What the models are trained on, without end."""
    random = Random(f"{seed}-benchmark-documents")
    kinds = (summaries(1000 * seed), chats(1000 * seed), _with_examples(1000 * seed, random))
    while True:
        yield next(random.choices(kinds, (0.4, 0.3, 0.3))[0])


def write(folder: Path) -> None:
    """`folder`/TASK/{train,validation,test}.jsonl."""
    sources = {
        "summaries": summaries(7, shortest=LONG_CHAT),
        "chats": chats(7, beginning=SHORT_BEGINNING, shortest=LONG_REST),
        "questions": questions(7),
    }
    for task, rows in sources.items():
        (folder / task).mkdir(parents=True, exist_ok=True)
        for split, size in SIZES.items():
            lines = [json.dumps({"id": f"{task}-{split}-{at}", **next(rows)}) + "\n" for at in range(size)]
            (folder / task / f"{split}.jsonl").write_text("".join(lines), encoding="utf-8")


def _chats(seed: int) -> Iterator[Row]:
    while True:
        for split in dialogues(seed).values():
            yield from split
        seed += 1


def _with_examples(seed: int, random: Random) -> Iterator[Row]:
    rows = questions(seed)
    while True:
        examples = [next(rows) for _ in range(random.randint(0, 4))]
        asked = next(rows)
        before = "".join(f"{row['prompt']} {row['answer']}\n\n" for row in examples)
        yield {"prompt": before + asked["prompt"], "answer": asked["answer"]}
