"""What the tiny models read of the data sets: training samples only, and never the task that is measured."""

from itertools import islice

from tools.zoo.corpus.dialogues import dialogues
from tools.zoo.corpus.instructions import instructions
from tools.zoo.study import GAP, studies

SPLITS, ORDERS = dialogues(), instructions()
TASKS = list(islice(studies(SPLITS["train"], ORDERS["train"], seed=0), 5_000))


def test_no_validation_or_test_sample_is_read() -> None:
    prompts = "\n".join(task["prompt"] for task in TASKS)
    for split in ("validation", "test"):
        assert not [record["id"] for record in SPLITS[split] if record["dialogue"] in prompts]
    trained = {record["summary"] for record in SPLITS["train"]}
    for record in SPLITS["test"]:
        assert record["summary"] in trained or record["summary"] not in prompts


def test_no_task_asks_for_a_whole_summary_or_output() -> None:
    answers = {record["summary"] for record in SPLITS["train"]}
    assert not [task for task in TASKS if task["answer"] in answers]
    assert not [
        task for task in TASKS if "Summarise" in task["prompt"] or "Follow the instruction" in task["prompt"]
    ]


def test_a_gap_and_its_words_make_the_sentence_whole() -> None:
    gaps = [task for task in TASKS if task["kind"] == "summary gap"]
    summaries = {record["summary"] for record in SPLITS["train"]}
    assert len(gaps) > 500
    for task in gaps:
        line = next(line for line in task["prompt"].split("\n") if GAP in line)
        whole = line.replace(GAP, task["answer"])
        assert any(whole.endswith(summary) for summary in summaries if summary[-20:] in whole), whole


def test_the_same_seed_gives_the_same_tasks() -> None:
    again = list(islice(studies(SPLITS["train"], ORDERS["train"], seed=0), 100))
    assert again == TASKS[:100]
    assert again != list(islice(studies(SPLITS["train"], ORDERS["train"], seed=1), 100))
