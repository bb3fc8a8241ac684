"""Votes in a suite: which suites may have them, what they leave as it was, and what a RESULT says of them."""

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness import backends, kinds
from harness.backends import Backend, open_backend
from harness.plan.plan import plan
from harness.results import read, redact
from harness.tasks.extracts import Extraction
from harness.tasks.votes import elected
from harness.types import Decode, Generation, Model, ModelPin, Prompt, Runtime, Task
from tests.cli.words import harness
from tests.plan.test_ids import PINS, SUITE

SAMPLED = Decode(max_new_tokens=24, temperature=0.9, stop=("\n\n",))
TASK = Task(
    name="sums",
    source=SUITE.tasks[0].source,
    prompt="Question: $input\nAnswer step by step:\n",
    metrics=("extract",),
    primary="extract",
    decode=SAMPLED,
)
VOTED = replace(TASK, settings={"votes": 5})
TINY = Model(name="tiny", uri="zoo:llama2-tiny")
PIN = ModelPin(
    revision="0",
    parameters=None,
    checkpoint_bytes=None,
    dtype="float32",
    family="llama",
    architecture="causal",
)
PROMPTS = [
    Prompt(
        sample_id=str(n), before="Question: ", input=f"Ann has {n} apples and buys {n}.", after="\nAnswer:"
    )
    for n in range(3, 7)
]
SUITE_FILE = """
tasks:
  - name: sums
    source: {{uri: "embedded:reasoning", columns: {{id: id, input: question, reference: answer}}, licence: Apache-2.0}}
    prompt: "Question: $input\\nAnswer step by step:\\n"
    decode: {decode}
    settings: {settings}
    metrics: {metrics}
    primary: {primary}
models: [{{name: tiny, uri: "{uri}"}}]
weights: false
limit: 6
"""


def asked(
    task: Task, batch_tokens: int, prompts: list[Prompt] = PROMPTS, done: frozenset[str] = frozenset()
) -> dict[str, Generation]:
    backend = open_backend(TINY, PIN, Runtime(device="cpu", threads=1, batch_tokens=batch_tokens))
    try:
        found = kinds.find("generate").answers["write"](backend, prompts, task, None, done)
        return {generation.sample_id: generation for generation in found}
    finally:
        backend.close()


@pytest.mark.slow
def test_draws_differ_are_the_same_again_and_do_not_depend_on_the_batch() -> None:
    whole = asked(VOTED, 100_000)
    assert asked(VOTED, 200) == whole == asked(VOTED, 100_000)
    assert asked(VOTED, 100_000, PROMPTS[:1])["3"] == whole["3"]
    assert asked(VOTED, 100_000, done=frozenset({"3", "4"})) == {key: whole[key] for key in ("5", "6")}
    for generation in whole.values():
        assert len({ballot.text for ballot in generation.ballots}) > 1
    single = asked(TASK, 100_000)
    assert {key: each.text for key, each in single.items()} == {
        key: each.ballots[0].text for key, each in whole.items()
    }
    assert asked(replace(VOTED, decode=replace(SAMPLED, seed=1)), 100_000) != whole
    for key, generation in whole.items():
        drawn = [
            Generation(
                sample_id=key, text=ballot.text, output_tokens=ballot.output_tokens, finish=ballot.finish
            )
            for ballot in generation.ballots
        ]
        assert elected(key, drawn, Extraction()).text == generation.text


def test_votes_move_the_answers_of_their_task_and_nothing_else() -> None:
    def ids(task: Task) -> dict[str, set[str]]:
        steps = plan(replace(SUITE, tasks=(replace(task, name="chats"),)), PINS).steps
        return {
            kind: {step.id for step in steps if step.kind == kind} for kind in ("load", "train", "generate")
        }

    one, five = ids(TASK), ids(VOTED)
    assert (one["load"], one["train"]) == (five["load"], five["train"])
    assert one["generate"].isdisjoint(five["generate"])
    assert ids(replace(TASK, settings={"votes": 1}))["train"] == one["train"]
    text = replace(VOTED, metrics=("extract(kind=text)",), primary="extract(kind=text)")
    assert ids(text)["generate"].isdisjoint(five["generate"])  # the metric counts the votes
    assert ids(replace(VOTED, metrics=("exact", "extract")))["generate"] == five["generate"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HARNESS_STORE", str(tmp_path / "store"))
    return tmp_path


def suite(
    settings: str = "{votes: 3}",
    decode: str = "{max_new_tokens: 24, temperature: 0.9}",
    metrics: str = "[extract]",
    primary: str = "extract",
    uri: str = "zoo:llama2-tiny",
) -> str:
    text = SUITE_FILE.format(settings=settings, decode=decode, metrics=metrics, primary=primary, uri=uri)
    Path("small.yaml").write_text(text)
    return "small.yaml"


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (
            {"decode": "{max_new_tokens: 8}"},
            "small.yaml:7: tasks[0].settings.votes: found 3 votes with temperature 0, where all answers to a prompt are the "
            "same; set decode.temperature, such as 0.7",
        ),
        ({"settings": "{votes: 0}"}, "tasks[0].settings.votes: found the number 0; give 1 or more"),
        ({"settings": "{vots: 3}"}, "tasks[0].settings.vots: no key named 'vots'; did you mean 'votes'"),
        ({"settings": "{votes: many}"}, "settings.votes: found the text 'many'; give a whole number"),
        (
            {"metrics": "[exact]", "primary": "exact"},
            "the metric 'extract' says which result an answer votes for, and the task has none; give it once under",
        ),
        ({"metrics": "[extract, extract: {which: first}]"}, "the task has 2 of them; give it once"),
    ],
)
def test_a_vote_that_cannot_be_is_refused(
    here: Path, capsys: pytest.CaptureFixture[str], keys: dict[str, str], message: str
) -> None:
    done = harness(capsys, "check", suite(**keys), "--device", "cpu")
    assert done.code == 2
    assert message in " ".join(done.err.split())


def test_a_backend_that_does_not_say_how_it_draws_is_refused_by_name() -> None:
    assert backends.lacks_draws(TINY) is backends.lacks_draws(Model(name="copy", uri="echo:copy")) is None
    assert not Backend(schemes=("parrot",), about="they are birds", open=lambda *given: None).draws_by_id


@pytest.mark.slow
def test_a_result_says_how_many_answers_a_vote_decided(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    planned = harness(capsys, "plan", suite(), "--device", "cpu")
    assert (
        "task sums: 3 answers to each prompt are sampled for a vote, 18 in all: up to 432 new tokens, 3 times those of one"
        in " ".join(planned.out.split())
    )
    done = harness(capsys, "run", suite(), "--workers", "0", "--device", "cpu", "--out", "R")
    assert done.code in (0, 4), done.err
    with gzip.open(here / "R" / "generations.jsonl.gz", "rt") as file:
        lines = [json.loads(line) for line in file]
    assert {len(line["ballots"]) for line in lines} == {3}
    notes = {note.kind: note for note in read(Path("R")).notes}
    tallies = [[ballot["result"] for ballot in line["ballots"]] for line in lines]
    ties = sum(
        results.count(0) == results.count(1) == 1 for results in tallies
    )  # of three, more than one each is no tie
    decided = sum({*results} != {None} for results in tallies) - ties
    for kind, count in (("vote", decided), ("tie", ties), ("no vote", sum(None in each for each in tallies))):
        assert (notes[kind].count if kind in notes else 0) == count
    said = f"a vote of 3 sampled answers decided {decided} of 6 answers"
    for page in ("report.md", "report.html"):
        text = " ".join((here / "R" / page).read_text().split())
        assert said in text.replace("\N{NO-BREAK SPACE}", " ")
    assert harness(capsys, "verify", "R").code == 0
    again = harness(capsys, "run", suite(), "--workers", "0", "--device", "cpu", "--out", "R2")
    assert again.code == done.code
    with gzip.open(here / "R2" / "generations.jsonl.gz", "rt") as file:
        assert [json.loads(line) for line in file] == lines


@pytest.mark.slow
def test_a_copy_without_texts_keeps_how_the_answers_voted(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = Path(suite(uri="echo:copy")).read_text().replace("licence: Apache-2.0", "share: scores")
    Path("small.yaml").write_text(text)
    done = harness(capsys, "run", "small.yaml", "--workers", "0", "--device", "cpu", "--out", "R")
    assert done.code in (0, 4), done.err
    redact.copy(Path("R"), Path("C"))
    with gzip.open(here / "C" / "generations.jsonl.gz", "rt") as file:
        for line in map(json.loads, file):
            assert [(ballot["text"], ballot["found"]) for ballot in line["ballots"]] == [("", "")] * 3
            assert len({ballot["result"] for ballot in line["ballots"]}) == 1
