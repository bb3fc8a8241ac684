"""The trainer learns, counts what it says, and a run that was killed ends as one that was not."""

import json
import math
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from harness.checkpoints.adapter import WEIGHTS
from harness.errors import ModelError, StepError
from harness.files.json_lines import to_json
from harness.neural import lora
from harness.neural.decode import write
from harness.neural.encode import pair
from harness.neural.load import Base
from harness.neural.memory import Budget
from harness.neural.objectives import Example
from harness.neural.objectives.answers import summed_loss
from harness.neural.rungs import validation_steps
from harness.neural.train import train
from harness.neural.train.loop import Judge
from harness.neural.train.schedule import schedule
from harness.types import Decode, Prompt, Recipe
from tests.neural.rounding import learnt_apart, rounding

RECIPE = Recipe(
    name="test", rank=4, alpha=8, dropout=0.1, steps=8, batch_size=4, learning_rate=5e-3, targets=("q", "v")
)


# Of the way that factors go in a few steps. Rounding leaves 1e-6 to 2e-5; a batch that weighs its samples otherwise, 0.5.
LEARNT_ALIKE = 1e-3


def examples(prompts: list[Prompt]) -> list[Example]:
    answers = [
        "Anna brings the car.",
        "Ben is late.",
        "Cara and Dan buy two tickets and meet at the station.",
    ]
    return [Example(id=p.sample_id, prompt=p, answer=answers[n % 3]) for n, p in enumerate(prompts)]


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "adapter" / WEIGHTS)


def beginning(base: Base, recipe: Recipe, seed: int) -> dict[str, torch.Tensor]:
    """The factors before the first step."""
    attached = lora.attach(base, recipe, seed)
    found = attached.tensors()
    attached.detach()
    return found


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def curve(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / "curve.jsonl").read_text().splitlines()]


@pytest.mark.slow
def test_an_adapter_learns_its_answers_and_when_to_stop(
    base: Base, prompts: list[Prompt], tmp_path: Path
) -> None:
    told = examples(prompts)[:4]
    recipe = replace(
        RECIPE, steps=100, learning_rate=1e-2, rank=16, alpha=32, dropout=0.0, targets=("all-linear",)
    )
    trained = train(base, told, told, recipe, 0, tmp_path)
    assert trained.best_validation_loss is not None
    assert trained.best_validation_loss < 0.3
    with lora.adapted(base, tmp_path / "adapter"):
        answers = list(write(base, prompts[:4], Decode(max_new_tokens=60), "keep-start", Budget(2000)))
    wanted = {example.id: example.answer for example in told}
    assert {one.sample_id: one.text for one in answers} == wanted
    assert {one.finish for one in answers} == {"stop"}


def test_a_training_leaves_records_and_a_base_that_is_the_same_bit_for_bit(
    base: Base, prompts: list[Prompt], tmp_path: Path
) -> None:
    before = {name: tensor.clone() for name, tensor in base.model.state_dict().items()}
    steps: list[tuple[int, int]] = []
    trained = train(
        base,
        examples(prompts),
        examples(prompts[:3]),
        RECIPE,
        0,
        tmp_path,
        lambda step, total, _: steps.append((step, total)),
    )
    after = base.model.state_dict()
    assert same(before, after)
    assert not base.model.training
    assert steps == [(step, 8) for step in range(9)]
    assert (trained.steps, trained.samples_seen, trained.skipped, trained.truncated) == (8, 32, (), 0)
    assert trained.examples == len(prompts)
    assert trained.trainable_parameters == sum(tensor.numel() for tensor in weights(tmp_path).values())
    points = curve(tmp_path)
    assert [point["step"] for point in points] == list(range(1, 9))
    measured = {point["step"]: point["validation_loss"] for point in points if "validation_loss" in point}
    assert sorted(measured) == [2, 4, 6, 8]
    assert trained.best_step == min(measured, key=lambda step: measured[step])
    assert trained.best_validation_loss == measured[trained.best_step]
    assert {path.name for path in tmp_path.iterdir()} == {"adapter", "curve.jsonl"}


def test_a_second_adapter_on_the_same_base_is_what_it_is_on_a_fresh_one(
    folders: Callable[..., Path], open_base: Callable[..., Base], prompts: list[Prompt], tmp_path: Path
) -> None:
    used, fresh = open_base(folders("mistral")), open_base(folders("mistral"))
    train(used, examples(prompts), [], replace(RECIPE, steps=3), 7, tmp_path / "first")
    train(used, examples(prompts), [], replace(RECIPE, steps=3), 0, tmp_path / "second")
    train(fresh, examples(prompts), [], replace(RECIPE, steps=3), 0, tmp_path / "alone")
    assert same(weights(tmp_path / "second"), weights(tmp_path / "alone"))
    assert not same(weights(tmp_path / "first"), weights(tmp_path / "second"))


def test_the_loss_is_transformers_own_over_the_answers_tokens(base: Base, prompts: list[Prompt]) -> None:
    """Their mean over labels of one row, summed over rows; no row of theirs has padding."""
    pairs = [pair(base, p, "Cara and Dan buy two tickets.", "keep-start", 500) for p in prompts[:5]]
    batch = [one for one in pairs if one is not None]
    wanted = 0.0
    for one in batch:
        if base.architecture.name == "seq2seq":
            ids, labels = torch.tensor([one.prompt]), torch.tensor([one.answer])
        else:
            ids = torch.tensor([one.prompt + one.answer])
            labels = torch.tensor([[-100] * len(one.prompt) + list(one.answer)])
        wanted += base.model(input_ids=ids, labels=labels).loss.item() * len(one.answer)
    apart = rounding(base.model, lambda: summed_loss(base, batch))
    assert summed_loss(base, batch).item() == pytest.approx(wanted, rel=0, abs=apart)


def test_a_text_without_a_prompt_is_learnt_too(base: Base) -> None:
    """Falcon puts no BOS before it: all of its tokens but the first have something before them."""
    text = "Cara and Dan meet at the station at nine and buy two tickets."
    alone = Prompt(sample_id="s", before="", input="", after="", options=(text,))
    one = pair(base, alone, text, "keep-start", 500)
    assert one is not None
    if base.architecture.name == "seq2seq":
        wanted = base.model(input_ids=torch.tensor([one.prompt]), labels=torch.tensor([one.answer])).loss
    else:
        ids = torch.tensor([one.prompt + one.answer])
        wanted = base.model(input_ids=ids, labels=ids).loss  # which predicts nothing for the first token
    apart = rounding(base.model, lambda: summed_loss(base, [one]))
    loss = summed_loss(base, [one]).item()
    assert loss == pytest.approx(wanted.item() * len(one.answer), rel=0, abs=apart)
    assert loss > 10 * apart


@pytest.mark.slow
@pytest.mark.parametrize(
    "change", [{"micro_batch_size": 1}, {"micro_batch_size": 3}, {"gradient_checkpointing": True}], ids=str
)
def test_how_a_batch_is_computed_does_not_change_what_is_learnt(
    base: Base, prompts: list[Prompt], tmp_path: Path, change: dict[str, object]
) -> None:
    recipe = replace(RECIPE, steps=3, dropout=0.0)
    train(base, examples(prompts), [], recipe, 0, tmp_path / "plain")
    train(base, examples(prompts), [], replace(recipe, **change), 0, tmp_path / "other")  # type: ignore[arg-type]
    one, other = weights(tmp_path / "plain"), weights(tmp_path / "other")
    assert learnt_apart(one, other, beginning(base, recipe, 0)) < LEARNT_ALIKE
    assert not base.model.is_activation_checkpointing


class Stop(Exception):
    """The power goes out."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stop_after", "change"),
    [
        (1, {}),
        (2, {}),
        (5, {}),
        (7, {}),
        (5, {"dropout": 0.0}),
        (5, {"precision": "bfloat16"}),
        (5, {"dropout": 0.0, "precision": "bfloat16", "gradient_checkpointing": True}),
    ],
    ids=str,
)
def test_an_interrupted_run_ends_with_the_same_weights(
    base: Base, prompts: list[Prompt], tmp_path: Path, stop_after: int, change: dict[str, object]
) -> None:
    told, checks = examples(prompts), examples(prompts[:3])
    recipe = replace(RECIPE, **change)  # type: ignore[arg-type]
    whole = train(base, told, checks, recipe, 3, tmp_path / "whole")

    def stop(step: int, steps: int, loss: float | None) -> None:
        if step == stop_after:
            raise Stop

    with pytest.raises(Stop):
        train(base, told, checks, recipe, 3, tmp_path / "resumed", stop)
    begun: list[int] = []
    resumed = train(
        base, told, checks, recipe, 3, tmp_path / "resumed", lambda step, steps, loss: begun.append(step)
    )
    assert begun[0] == stop_after // 2 * 2  # there is a checkpoint at every validation
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "resumed"))
    assert replace(resumed, seconds=0) == replace(whole, seconds=0)
    losses = [[{**point, "seconds": 0} for point in curve(tmp_path / name)] for name in ("whole", "resumed")]
    assert losses[0] == losses[1]


def judged(*scores: float, lower_is_better: bool = False) -> Judge:
    """A judge that gives one score after another."""
    left = iter(scores)
    return Judge(score=lambda: next(left), lower_is_better=lower_is_better)


NAN = float("nan")


@pytest.mark.parametrize(
    ("scores", "lower", "best"),
    [
        ((1, 3, 2, 2), False, 4),
        ((3, 1, 2, 2), True, 4),
        ((1, 1, 1, 1), False, None),  # all equal: the loss decides
        ((NAN, 2, NAN, 1), False, 4),
        ((NAN, NAN, NAN, NAN), False, 8),
    ],
)
def test_the_checkpoint_is_the_one_with_the_best_score(
    llama: Base,
    prompts: list[Prompt],
    tmp_path: Path,
    scores: tuple[float, ...],
    lower: bool,
    best: int | None,
) -> None:
    told = examples(prompts)
    trained = train(llama, told, told[:3], RECIPE, 0, tmp_path, judge=judged(*scores, lower_is_better=lower))
    measured = [point for point in curve(tmp_path) if "validation_loss" in point]
    assert [point["validation_score"] for point in measured] == pytest.approx(scores, nan_ok=True)
    losses = {int(point["step"]): point["validation_loss"] for point in measured}
    assert trained.best_step == (min(losses, key=losses.__getitem__) if best is None else best)
    if not all(map(math.isnan, scores)):
        assert trained.best_validation_loss == losses[trained.best_step]


def test_patience_ends_a_training_also_after_a_kill(
    llama: Base, prompts: list[Prompt], tmp_path: Path
) -> None:
    told, recipe = examples(prompts), replace(RECIPE, patience=2)
    whole = train(llama, told, told[:3], recipe, 0, tmp_path / "whole", judge=judged(1, 3, 2, 2, 9))
    assert (whole.best_step, whole.steps, whole.planned) == (4, 8, 8)
    recipe = replace(recipe, steps=16, validations=8)
    ended = train(llama, told, told[:3], recipe, 0, tmp_path / "ended", judge=judged(1, 3, 2, 2, 9, 9, 9, 9))
    assert (ended.best_step, ended.steps, ended.planned, len(curve(tmp_path / "ended"))) == (4, 8, 16, 8)

    def stop(step: int, steps: int, loss: float | None) -> None:
        if step == 7:
            raise Stop

    with pytest.raises(Stop):
        train(llama, told, told[:3], recipe, 0, tmp_path / "killed", stop, judged(1, 3, 2))
    again = train(llama, told, told[:3], recipe, 0, tmp_path / "killed", judge=judged(2, 9))
    assert replace(again, seconds=0) == replace(ended, seconds=0)
    assert same(weights(tmp_path / "ended"), weights(tmp_path / "killed"))


@pytest.mark.slow
def test_a_killed_process_takes_nothing_along(
    llama: Base, folders: Callable[..., Path], prompts: list[Prompt], tmp_path: Path
) -> None:
    told = examples(prompts)
    recipe = replace(RECIPE, steps=40, validations=20)
    train(llama, told, told[:3], recipe, 3, tmp_path / "whole")
    program = textwrap.dedent(f"""
        import sys, time
        from pathlib import Path
        from harness.neural.load import load
        from harness.neural.objectives import Example
        from harness.neural.train import train
        from harness.files.json_lines import from_json
        from harness.types import Model, ModelPin, Recipe, Runtime
        import json
        told = [from_json(Example, one) for one in json.loads(Path({str(tmp_path / "told.json")!r}).read_text())]
        pin = ModelPin(revision="", parameters=None, checkpoint_bytes=None, dtype="float32", family=None)
        base = load(Path({str(folders("llama"))!r}), Model(name="llama", uri="zoo:two-layers"), pin, Runtime())
        recipe = from_json(Recipe, json.loads({json.dumps(to_json(recipe))!r}))
        train(base, told, told[:3], recipe, 3, Path({str(tmp_path / "killed")!r}), lambda step, steps, loss: time.sleep(0.1))
    """)
    (tmp_path / "told.json").write_text(json.dumps([to_json(one) for one in told]))
    process = subprocess.Popen([sys.executable, "-c", program])
    deadline = time.monotonic() + 60
    while not (tmp_path / "killed" / "checkpoint.safetensors").exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    begun: list[int] = []
    train(llama, told, told[:3], recipe, 3, tmp_path / "killed", lambda step, steps, loss: begun.append(step))
    assert begun[0] >= 2
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "killed"))


def test_a_loss_that_is_no_number_stops_and_names_step_and_samples(
    llama: Base, prompts: list[Prompt], tmp_path: Path
) -> None:
    recipe = replace(RECIPE, learning_rate=1e30, warmup=0.0, max_grad_norm=1e30)
    with pytest.raises(StepError, match=r"training step \d of 8: .* (on samples s\d|validation loss is nan)"):
        train(llama, examples(prompts), examples(prompts[:2]), recipe, 0, tmp_path)
    assert not hasattr(llama.model, "peft_config")
    assert not (tmp_path / "adapter").exists()


def test_a_base_whose_weights_are_not_finite_is_told_from_a_learning_rate_that_is_too_high(
    llama: Base, prompts: list[Prompt], tmp_path: Path
) -> None:
    with torch.no_grad():
        llama.model.get_output_embeddings().weight[7] = float("nan")
    with pytest.raises(
        StepError, match=r"training step 1 of .*zoo:two-layers's own logits are not finite: .*harness weigh"
    ):
        train(llama, examples(prompts), [], RECIPE, 0, tmp_path)


def test_examples_that_do_not_fit_are_counted_and_named(
    llama: Base, prompts: list[Prompt], tmp_path: Path
) -> None:
    told = examples(prompts)
    told[1] = replace(told[1], prompt=replace(told[1].prompt, input="Anna and Ben. " * 90))
    told[2] = replace(told[2], answer="Anna and Ben. " * 90)
    trained = train(llama, told, [], replace(RECIPE, steps=1, max_tokens=200), 0, tmp_path)
    assert trained.truncated == 1
    assert trained.skipped == ("s2",)
    assert trained.best_validation_loss is None
    assert trained.best_step == 1
    with pytest.raises(StepError, match="none of 12 training examples fits max_tokens: 4"):
        train(llama, told, [], replace(RECIPE, max_tokens=4), 0, tmp_path)


def test_training_in_bfloat16_keeps_the_factors_in_float32(
    folders: Callable[..., Path], open_base: Callable[..., Base], prompts: list[Prompt], tmp_path: Path
) -> None:
    base = open_base(folders("llama"), dtype="bfloat16")
    train(base, examples(prompts)[:4], [], replace(RECIPE, steps=12), 0, tmp_path)
    assert {tensor.dtype for tensor in weights(tmp_path).values()} == {torch.float32}
    points = curve(tmp_path)
    assert points[-1]["loss"] < points[0]["loss"]


@pytest.mark.slow
@pytest.mark.parametrize(("own", "precision"), [("float32", "bfloat16"), ("bfloat16", "float32")])
def test_a_recipes_precision_is_what_the_base_computes_in_while_it_trains(
    base: Base,
    folders: Callable[..., Path],
    open_base: Callable[..., Base],
    prompts: list[Prompt],
    tmp_path: Path,
    own: str,
    precision: str,
) -> None:
    """The other type's loss is near; the factors are in float32; the base is afterwards what it was, bit for bit."""
    base = open_base(folders(base.family.name), dtype=own)
    before = {name: tensor.clone() for name, tensor in base.model.state_dict().items()}
    recipe = replace(RECIPE, steps=12, dropout=0.0)
    told = examples(prompts)[:4]
    train(base, told, told, recipe, 0, tmp_path / "own")
    train(base, told, told, replace(recipe, precision=precision), 0, tmp_path / "other")  # type: ignore[arg-type]
    assert same(before, base.model.state_dict())
    assert {tensor.dtype for tensor in weights(tmp_path / "other").values()} == {torch.float32}
    assert not same(weights(tmp_path / "own"), weights(tmp_path / "other"))
    one, other = curve(tmp_path / "own"), curve(tmp_path / "other")
    # bfloat16 keeps 8 bits: a loss is a sum of logits that are each off by some 0.4 %, before and after a step.
    assert [point["loss"] for point in other] == pytest.approx([point["loss"] for point in one], rel=0.05)
    assert other[-1]["validation_loss"] < other[0]["loss"]


def test_training_in_float16_is_refused_and_says_what_would_do(
    folders: Callable[..., Path], open_base: Callable[..., Base], prompts: list[Prompt], tmp_path: Path
) -> None:
    base = open_base(folders("llama"), dtype="float16")
    with pytest.raises(ModelError, match="underflow in float16; train with precision: bfloat16 or float32"):
        train(base, examples(prompts), [], RECIPE, 0, tmp_path)
    before = {name: tensor.clone() for name, tensor in base.model.state_dict().items()}
    train(base, examples(prompts), [], replace(RECIPE, steps=1, precision="float32"), 0, tmp_path)
    assert same(before, base.model.state_dict())


@pytest.mark.parametrize("checkpointing", [False, True])
def test_what_lies_below_the_first_factors_has_no_graph(
    llama: Base, prompts: list[Prompt], tmp_path: Path, checkpointing: bool
) -> None:
    """And what lies above has one, or nothing would be learnt."""
    seen: dict[str, set[bool]] = {}

    def watch(name: str) -> Callable[..., None]:
        return lambda module, given, answer: (
            seen.setdefault(name, set()).add(answer.requires_grad) if torch.is_grad_enabled() else None
        )

    names = ("model.embed_tokens", "model.layers.0.input_layernorm", "model.layers.0.self_attn.k_proj",
             "model.layers.0.self_attn.o_proj", "model.layers.1.input_layernorm")  # fmt: skip
    hooks = [llama.model.get_submodule(name).register_forward_hook(watch(name)) for name in names]
    recipe = replace(RECIPE, steps=1, targets=("q",), gradient_checkpointing=checkpointing)
    train(llama, examples(prompts), [], recipe, 0, tmp_path)
    for hook in hooks:
        hook.remove()
    assert seen == {name: {name in names[3:]} for name in names}


@pytest.mark.slow
def test_two_processes_learn_what_one_learns(
    llama: Base, folders: Callable[..., Path], prompts: list[Prompt], tmp_path: Path
) -> None:
    """As `accelerate launch` starts them: each has half of every batch, and of the last one only the first has any."""
    told = examples(prompts)[:9]
    (tmp_path / "told.json").write_text(json.dumps([to_json(one) for one in told]))
    program = textwrap.dedent(f"""
        import json, sys
        from pathlib import Path
        from harness.neural.load import load
        from harness.neural.objectives import Example
        from harness.neural.train import train
        from harness.files.json_lines import from_json
        from harness.types import Model, ModelPin, Recipe, Runtime
        told = [from_json(Example, one) for one in json.loads(Path({str(tmp_path / "told.json")!r}).read_text())]
        pin = ModelPin(revision="", parameters=None, checkpoint_bytes=None, dtype="float32", family=None)
        base = load(Path({str(folders("llama"))!r}), Model(name="llama", uri="zoo:two-layers"), pin, Runtime())
        recipe = from_json(Recipe, json.loads(sys.argv[1]))
        train(base, told, told[:3], recipe, 3, Path(sys.argv[2]))
    """)
    recipe = replace(RECIPE, steps=6, dropout=0.0, micro_batch_size=1)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def start(out: Path, **more: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-c", program, json.dumps(to_json(recipe)), str(out)]
        return subprocess.Popen(command, env=os.environ | more)

    world = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    processes = [start(tmp_path / "two", RANK=str(nth), LOCAL_RANK=str(nth), **world) for nth in range(2)]
    train(llama, told, told[:3], recipe, 3, tmp_path / "one")
    assert [process.wait(timeout=120) for process in processes] == [0, 0]
    one, two = weights(tmp_path / "one"), weights(tmp_path / "two")
    assert learnt_apart(one, two, beginning(llama, recipe, 3)) < LEARNT_ALIKE
    losses = [[point["loss"] for point in curve(tmp_path / name)] for name in ("one", "two")]
    assert losses[0] == pytest.approx(losses[1], rel=LEARNT_ALIKE)
    assert len(losses[1]) == 6


@pytest.mark.parametrize(
    ("kind", "warmup", "expected"),
    [
        ("constant", 0.0, [1, 1, 1, 1]),
        ("linear", 0.0, [0.8, 0.6, 0.4, 0.2]),
        ("linear", 0.5, [0.5, 1, 2 / 3, 1 / 3]),
        ("cosine", 0.25, [1, 0.853553, 0.5, 0.146447]),  # (1 + cos(pi k / 4)) / 2
    ],
)
def test_the_learning_rates_schedule(kind: str, warmup: float, expected: list[float]) -> None:
    recipe = replace(RECIPE, schedule=kind, warmup=warmup)  # type: ignore[arg-type]
    if kind == "linear" and warmup == 0.0:
        expected = [1.0 * left / 5 for left in (4, 3, 2, 1)]
    assert [schedule(step, 4, recipe) for step in range(1, 5)] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("steps", "count", "expected"),
    [(100, 4, {25, 50, 75, 100}), (10, 3, {3, 7, 10}), (2, 4, {1, 2}), (5, 1, {5})],
)
def test_validations_are_spread_over_the_run(steps: int, count: int, expected: set[int]) -> None:
    assert validation_steps(steps, replace(RECIPE, validations=count)) == expected
