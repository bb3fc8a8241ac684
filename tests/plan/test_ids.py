"""The ids of steps stay what they were: a store that holds a finished step is asked for it by its id."""

from harness.plan.plan import plan
from harness.types import Decode, Model, ModelPin, Pins, Recipe, Source, Suite, Task

SUITE = Suite(
    name="small",
    tasks=(
        Task(
            name="chats",
            source=Source(uri="file:/data/chats", columns={"input": "dialogue", "reference": "summary"}),
            prompt="Sum up.\n\n$input\n\nSummary:",
            metrics=("rouge", "exact"),
            primary="rougeL",
            decode=Decode(max_new_tokens=32, stop=("\n",)),
            trivial=("lead-3",),
        ),
    ),
    models=(Model(name="copy", uri="echo:copy"), Model(name="tiny", uri="zoo:llama2-tiny")),
    recipes=(Recipe(name="r8", rank=8, steps=10),),
    train_on=("chats",),
)
PINS = Pins(
    device="cpu",
    models={
        "copy": ModelPin(
            revision="0a1b", parameters=None, checkpoint_bytes=None, dtype="float32", family=None
        ),
        "tiny": ModelPin(
            revision="2c3d", parameters=1000, checkpoint_bytes=4000, dtype="float32", family="llama"
        ),
    },
    sources={"chats": "4e5f"},
    adapters={},
    libraries={
        "torch": "2.6.0",
        "transformers": "5.0.0",
        "tokenizers": "0.22.0",
        "peft": "0.21.0",
        "accelerate": "1.2.0",
        "sacrebleu": "2.5.0",
        "rouge_score": "0.1.2",
        "numpy": "2.0.0",
        "scipy": "1.14.0",
        "weightwatcher": "0.7.7",
    },
    test_samples={"chats": 600},
)

# Computed before models had backends. A step whose VERSION is raised gets another id, and so does what needs it.
IDS = [
    ("load chats", "eae412ed03bbea03"),
    ("train tiny + r8", "22e4c48aacdec96f"),
    ("generate chats, copy", "37c7f5f8f7cd3b56"),
    ("generate chats, copy", "76b9edc72e3144fb"),
    ("generate chats, tiny", "6075c36fed0e90e2"),
    ("generate chats, tiny", "1cb98c50a3ca2cf5"),
    ("generate chats, tiny + r8", "46f10c9f9f8bef33"),
    ("generate chats, tiny + r8", "b2cba84fdf7a8be2"),
    ("weigh tiny", "4825010e86080741"),
    ("weigh tiny + r8", "2569d82c0316a5dc"),
]


def test_ids_of_echo_and_tiny_models_are_what_they_were() -> None:
    steps = plan(SUITE, PINS).steps
    found = [(step.label, step.id) for step in steps if step.kind in ("load", "train", "generate", "spectra")]
    assert found == IDS
