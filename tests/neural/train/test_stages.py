"""A training that starts from an adapter begins with its factors, and compares preferences with it and not with the base."""

import json
import math
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from torch.nn.functional import logsigmoid
from transformers import AutoModelForCausalLM

from harness import plugins
from harness.checkpoints.adapter import CONFIG, WEIGHTS
from harness.errors import AdapterError, StepError
from harness.neural import lora, objectives
from harness.neural.load import Base
from harness.neural.train import batches, train
from harness.plugins.files import plugin_file
from harness.types import Prompt, Recipe
from tests.neural.encoders import make_encoder
from tests.neural.lora import test_heads as heads
from tests.neural.lora.test_kinds import BY_DAY, SMALL
from tests.neural.train.test_preferences import RECIPE, Stop, encoded, examples, losses
from tests.suite.test_stages import ASKING

ANSWERS = replace(RECIPE, objective={"name": "answers"})
STILL: dict[str, Any] = {"learning_rate": 0.0}  # a suite may not say so; it shows where training begins
TOLD = examples(12)
# Sums in another order and in batches of other widths, of log-likelihoods up to some tens of nats in float32.
ALIKE = 1e-5


def first_stage(base: Base, folder: Path, recipe: Recipe = ANSWERS) -> Path:
    train(base, TOLD, [], recipe, 0, folder / "first")
    return folder / "first" / "adapter"


def weights(adapter: Path) -> dict[str, torch.Tensor]:
    return load_file(adapter / WEIGHTS)


def test_the_first_loss_is_ln_2_and_a_rate_of_zero_changes_nothing(base: Base, tmp_path: Path) -> None:
    start = first_stage(base, tmp_path)
    still = train(base, TOLD, TOLD[:4], replace(RECIPE, **STILL), 9, tmp_path / "second", start=start)
    assert losses(tmp_path / "second") == pytest.approx([math.log(2)] * RECIPE.steps, abs=ALIKE)
    assert still.best_validation_loss == pytest.approx(math.log(2), abs=ALIKE)
    for file in (WEIGHTS, CONFIG):
        assert (tmp_path / "second" / "adapter" / file).read_bytes() == (start / file).read_bytes()


def test_the_base_is_the_same_afterwards(llama: Base, tmp_path: Path) -> None:
    before = {name: tensor.clone() for name, tensor in llama.model.state_dict().items()}
    train(llama, TOLD, [], RECIPE, 0, tmp_path / "second", start=first_stage(llama, tmp_path))
    after = llama.model.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())


def test_answers_go_on_where_the_first_stage_ended(llama: Base, tmp_path: Path) -> None:
    """The first loss of the second stage is that of the trained adapter, not that of the base."""
    start = first_stage(llama, tmp_path)
    train(llama, TOLD, [], ANSWERS, 0, tmp_path / "second", start=start)
    items = [objectives.find("answers").encode(llama, example, ANSWERS) for example in TOLD]
    objective, settings = objectives.of(ANSWERS, llama.architecture)
    sizes = [objective.size(item) for item in items]
    first = next(batches.batches_from(1, sizes, ANSWERS.batch_size, 0))
    batch = [items[at] for at in first]
    with torch.no_grad(), lora.adapted(llama, start):
        loss = objective.loss(llama, batch, settings, llama.model, None).item()
    found = losses(tmp_path / "second")
    assert found[0] == pytest.approx(loss / sum(map(objective.weight, batch)), rel=1e-5)
    assert found[0] < losses(tmp_path / "first")[0]


def likelihood(model: Any, prompt: tuple[int, ...], answer: tuple[int, ...]) -> torch.Tensor:
    """The log-likelihood of an answer, one row by itself."""
    logits = model(input_ids=torch.tensor([prompt + answer])).logits[0, len(prompt) - 1 : -1]
    return logits.log_softmax(dim=1)[range(len(answer)), list(answer)].sum()


def test_losses_and_factors_are_those_of_plain_peft_with_a_frozen_copy(
    open_base: Callable[..., Base], folders: Callable[..., Path], tmp_path: Path
) -> None:
    """Plain transformers, peft and torch: two adapters are loaded from the first stage, and one of them is the reference."""
    folder, beta = folders("llama"), 0.1
    base = open_base(folder)
    start = first_stage(base, tmp_path)
    recipe = replace(RECIPE, steps=10, learning_rate=5e-3)
    train(base, TOLD, [], recipe, 0, tmp_path / "second", start=start)

    plain = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    model = PeftModel.from_pretrained(plain, str(start), is_trainable=True).eval()
    model.load_adapter(str(start), "reference")
    items = encoded(base, TOLD, recipe)
    sizes = [objectives.find("preferences").size(item) for item in items]
    order = batches.batches_from(1, sizes, recipe.batch_size, 0)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=recipe.learning_rate, weight_decay=0.0)
    found = []
    for _ in range(recipe.steps or 0):
        rows = [row for at in next(order) for row in (items[at].chosen, items[at].rejected)]
        model.set_adapter("reference")
        with torch.no_grad():
            before = torch.stack([likelihood(model, row.prompt, row.answer) for row in rows])
        model.set_adapter("default")
        after = torch.stack([likelihood(model, row.prompt, row.answer) for row in rows])
        gains = (after - before).view(-1, 2)
        loss = -logsigmoid(beta * (gains[:, 0] - gains[:, 1])).mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, recipe.max_grad_norm)
        optimizer.step()
        found.append(loss.item())
    assert found[0] == pytest.approx(math.log(2), abs=1e-6) and found[-1] < 0.6
    # As near as the losses are to TRL's
    assert losses(tmp_path / "second") == pytest.approx(found, abs=1e-4)
    model.save_pretrained(str(tmp_path / "plain"), selected_adapters=["default"])
    ours, theirs = weights(tmp_path / "second" / "adapter"), weights(tmp_path / "plain")
    assert ours.keys() == theirs.keys()
    # Adam divides by the root of a mean of squares: rounding moves numbers with tiny gradients by parts of a step.
    assert max(float((ours[name] - theirs[name]).abs().max()) for name in ours) < 0.1 * recipe.learning_rate


@pytest.mark.parametrize("objective", ["preferences", "answers"])
def test_an_interrupted_second_stage_ends_with_the_same_bytes(
    base: Base, tmp_path: Path, objective: str
) -> None:
    """Its reference is computed again from the start, and not from the factors of the checkpoint."""
    start = first_stage(base, tmp_path)
    recipe = replace(RECIPE, dropout=0.1, objective={"name": objective})

    def stop(step: int, steps: int, loss: float | None) -> None:
        if step == 5:
            raise Stop

    whole = train(base, TOLD, TOLD[:3], recipe, 3, tmp_path / "whole", start=start)
    with pytest.raises(Stop):
        train(base, TOLD, TOLD[:3], recipe, 3, tmp_path / "resumed", stop, start=start)
    begun: list[int] = []
    resumed = train(
        base,
        TOLD,
        TOLD[:3],
        recipe,
        3,
        tmp_path / "resumed",
        lambda step, *_: begun.append(step),
        start=start,
    )
    assert begun[0] > 1
    assert replace(resumed, seconds=0) == replace(whole, seconds=0)
    assert losses(tmp_path / "resumed") == losses(tmp_path / "whole")
    file = Path("adapter", WEIGHTS)
    assert (tmp_path / "whole" / file).read_bytes() == (tmp_path / "resumed" / file).read_bytes()


@pytest.mark.slow
def test_a_second_stage_killed_by_the_system_ends_with_the_same_bytes(
    folders: Callable[..., Path], open_base: Callable[..., Base], tmp_path: Path
) -> None:
    folder = folders("llama")
    base = open_base(folder)
    start = first_stage(base, tmp_path)
    recipe = replace(RECIPE, steps=40, validations=20)
    train(base, TOLD, TOLD[:3], recipe, 3, tmp_path / "whole", start=start)
    program = textwrap.dedent(f"""
        import time
        from dataclasses import replace
        from pathlib import Path
        from harness.neural.load import load
        from harness.neural.train import train
        from harness.types import Model
        from tests.neural.conftest import CPU, PIN
        from tests.neural.train.test_stages import RECIPE, TOLD
        base = load(Path({str(folder)!r}), Model(name="llama", uri="zoo:two-layers"), PIN, CPU)
        recipe = replace(RECIPE, steps=40, validations=20)
        slowly = lambda *said: time.sleep(0.1)
        train(base, TOLD, TOLD[:3], recipe, 3, Path({str(tmp_path / "killed")!r}), slowly, start=Path({str(start)!r}))
    """)
    process = subprocess.Popen([sys.executable, "-c", program], cwd=Path(__file__).parents[3])
    deadline = time.monotonic() + 120
    while not (tmp_path / "killed" / "checkpoint.safetensors").exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    begun: list[int] = []
    train(
        base, TOLD, TOLD[:3], recipe, 3, tmp_path / "killed", lambda step, *_: begun.append(step), start=start
    )
    assert begun[0] >= 2
    file = Path("adapter", WEIGHTS)
    assert (tmp_path / "whole" / file).read_bytes() == (tmp_path / "killed" / file).read_bytes()


KINDS: Mapping[str, Mapping[str, Any]] = {
    **{kind: {"type": kind, **SMALL.get(kind, {})} for kind in BY_DAY},
    "dora": {"use_dora": True},
    "patterns": {"rank_pattern": {"q_proj": 2}, "alpha_pattern": {"q_proj": 16}},
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_adapter_can_be_trained_on(llama: Base, tmp_path: Path, kind: str) -> None:
    """With another seed too, training begins as the base answers with the trained adapter."""
    recipe = replace(ANSWERS, steps=3, peft=KINDS[kind])
    start = first_stage(llama, tmp_path, recipe)
    second = replace(RECIPE, steps=3, peft=KINDS[kind], **STILL)
    train(llama, TOLD, [], second, 5, tmp_path / "second", start=start)
    assert losses(tmp_path / "second") == pytest.approx([math.log(2)] * 3, abs=ALIKE)
    if kind != "ADALORA":  # which drops ranks by itself
        found, wanted = weights(tmp_path / "second" / "adapter"), weights(start)
        assert found.keys() == wanted.keys()
        assert all(torch.equal(found[name], wanted[name]) for name in found)
    rows = [row for item in encoded(llama, TOLD[:3], second) for row in (item.chosen, item.rejected)]

    def said() -> list[float]:
        with torch.no_grad():
            return [likelihood(llama.model, row.prompt, row.answer).item() for row in rows]

    with lora.adapted(llama, start):
        wanted_likelihoods = said()
    attached = lora.attach(llama, replace(second, epochs=None), 5)
    try:
        lora.begin(attached, llama, start)
        begun = said()
    finally:
        attached.detach()
    assert begun == pytest.approx(wanted_likelihoods, abs=1e-3)
    assert begun != pytest.approx(said(), abs=1e-3)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_encoder("bert", tmp_path_factory.mktemp("stages") / "bert")


def test_a_head_goes_on_too(
    encoder: Path, open_base: Callable[..., Base], prompts: list[Prompt], tmp_path: Path
) -> None:
    base = open_base(encoder)
    for name, told in (("labels", heads.examples(prompts)), ("numbers", heads.numbers(prompts))):
        train(base, told, [], heads.RECIPE, 0, tmp_path / name / "first")
        start = tmp_path / name / "first" / "adapter"
        still = replace(heads.RECIPE, **STILL)
        train(base, told, [], still, 4, tmp_path / name / "second", start=start)
        found, wanted = weights(tmp_path / name / "second" / "adapter"), weights(start)
        assert found.keys() == wanted.keys()
        for key, tensor in found.items():
            # The scale of numbers goes out of the head and into it again, each time rounded to float32.
            assert torch.allclose(tensor, wanted[key], rtol=1e-6 if name == "numbers" else 0.0, atol=0.0), key


def test_a_head_for_other_labels_is_refused(
    encoder: Path, open_base: Callable[..., Base], prompts: list[Prompt], tmp_path: Path
) -> None:
    base = open_base(encoder)
    train(base, heads.examples(prompts), [], heads.RECIPE, 0, tmp_path / "first")
    other = heads.examples(prompts, ("early", "late", "on time"))
    with pytest.raises(
        AdapterError, match="its head was trained for the labels late, early, on time, the task"
    ):
        train(base, other, [], heads.RECIPE, 0, tmp_path / "second", start=tmp_path / "first" / "adapter")


def test_factors_of_another_rank_are_refused(llama: Base, tmp_path: Path) -> None:
    start = first_stage(llama, tmp_path)
    with pytest.raises(AdapterError, match="the model needs") as refused:
        train(llama, TOLD, [], replace(RECIPE, rank=8), 0, tmp_path / "second", start=start)
    assert "\n" not in str(refused.value)


def test_an_adapter_of_another_base_is_refused(
    folders: Callable[..., Path], open_base: Callable[..., Base], tmp_path: Path
) -> None:
    start = first_stage(open_base(folders("llama")), tmp_path)
    record = json.loads((start / "harness.json").read_text())
    (start / "harness.json").write_text(json.dumps({**record, "digest": "0" * 64}))
    with pytest.raises(AdapterError, match="was trained on"):
        train(open_base(folders("llama")), TOLD, [], RECIPE, 0, tmp_path / "second", start=start)


def test_an_objective_that_asks_at_every_step_cannot_have_the_start_as_its_reference(
    llama: Base, tmp_path: Path
) -> None:
    (tmp_path / "asking.py").write_text(ASKING)
    plugins.use([plugin_file("objectives", tmp_path / "asking.py")])
    try:
        with pytest.raises(StepError, match="asks the base at every step, and not the adapter"):
            asking = replace(RECIPE, objective={"name": "asking"})
            train(llama, TOLD, [], asking, 0, tmp_path / "second", start=tmp_path)
    finally:
        plugins.use(())
