"""The program on a model card asks in the words of the model's family, and with the task's system text."""

import ast

import pytest

from harness.report.loading import loading
from harness.results import ModelFacts, TaskFacts

TASK = TaskFacts(
    name="t",
    primary="f1",
    metrics=("f1",),
    prompt="Sum up: $input",
    system='Be "brief".',
    by_family={"t5": {"prompt": "summarize $tone: $input", "system": ""}},
)


@pytest.mark.parametrize(
    ("family", "chat", "said", "unsaid"),
    [
        ("llama", "auto", ["Sum up: $input", '{"role": "system", "content": system}', "else:"], "summarize"),
        ("llama", "off", ["Sum up: $input", 'prompt = system + "\\n\\n" + prompt'], "apply_chat_template"),
        ("t5", "auto", ["summarize $tone: $input", 'tone="…"'], "system"),
    ],
)
def test_a_cards_program_asks_as_the_model_was_asked(
    family: str, chat: str, said: list[str], unsaid: str
) -> None:
    model = ModelFacts(name="m", uri="hub:a/b", family=family, chat=chat)  # type: ignore[arg-type]
    program = loading(model, None, TASK)
    ast.parse(program)
    for part in said:
        assert part in program
    assert unsaid not in program
