"""An encoder learns labels and numbers under the same laws as a model that writes: batches, validation, kills."""

import math
import os
import signal
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
from torch.nn.functional import cross_entropy, mse_loss

from harness.checkpoints.adapter import WEIGHTS
from harness.errors import DataError, ModelError, StepError
from harness.neural import lora
from harness.neural.load import Base
from harness.neural.objectives import Example, TrainedHead
from harness.neural.objectives.labels import OBJECTIVE
from harness.neural.train import train
from harness.types import Prompt, Recipe
from tests.neural.encoders import make_encoder
from tests.neural.lora.test_heads import LABELS, RECIPE, examples, numbers
from tests.neural.rounding import learnt_apart
from tests.neural.train.test_train import LEARNT_ALIKE, Stop, curve, same


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_encoder("albert", tmp_path_factory.mktemp("labels") / "albert")


@pytest.fixture
def base(folder: Path, open_base: Callable[..., Base]) -> Base:
    return open_base(folder)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "adapter" / WEIGHTS)


def loss_of(base: Base, told: list[Example], trained: TrainedHead) -> float:
    items = [OBJECTIVE.encode(base, example, RECIPE) for example in told]
    with torch.no_grad():
        return OBJECTIVE.loss(base, items, trained, base.model, None).item()


def test_the_loss_is_torchs_own_over_the_logits_of_each_row(base: Base, prompts: list[Prompt]) -> None:
    """Cross-entropy of the label's position; for numbers the squared error in standard deviations."""
    assert OBJECTIVE.head is not None
    for told in (examples(prompts), numbers(prompts)):
        trained = OBJECTIVE.head(told)
        attached = lora.attach(base, RECIPE, 0, trained)
        wanted = 0.0
        with torch.no_grad():
            for example in told:
                ids = torch.tensor([base.tokenizer(example.prompt.text).input_ids])
                logits = base.model(input_ids=ids).logits
                if trained.labels:
                    wanted += cross_entropy(logits, torch.tensor([LABELS.index(example.answer)])).item()
                else:
                    error = mse_loss(logits[0, 0], torch.tensor(float(example.answer))).item()
                    wanted += error / trained.spread**2
        # float32 over two layers: a batch with padding sums in another order, by some 1e-6 of each of 12 losses
        assert loss_of(base, told, trained) == pytest.approx(wanted, rel=1e-4)
        attached.detach()


def test_a_head_of_numbers_begins_at_their_mean(base: Base, prompts: list[Prompt]) -> None:
    told = numbers(prompts)
    assert OBJECTIVE.head is not None
    trained = OBJECTIVE.head(told)
    assert trained.mean == pytest.approx(5000)
    assert trained.spread == pytest.approx(1000 * math.sqrt(2 / 3))
    assert OBJECTIVE.head(told[:1]).spread == 1.0  # equal numbers have no spread to divide by


@pytest.mark.parametrize(
    "change", [{"micro_batch_size": 1}, {"micro_batch_size": 3}, {"gradient_checkpointing": True}], ids=str
)
def test_how_a_batch_is_computed_does_not_change_what_is_learnt(
    open_base: Callable[..., Base], prompts: list[Prompt], tmp_path: Path, change: dict[str, object]
) -> None:
    base = open_base(make_encoder("bert", tmp_path / "bert"))
    recipe = replace(RECIPE, steps=3, dropout=0.0, batch_size=6)
    told = examples(prompts)
    train(base, told, [], recipe, 0, tmp_path / "plain")
    train(base, told, [], replace(recipe, **change), 0, tmp_path / "other")  # type: ignore[arg-type]
    assert OBJECTIVE.head is not None
    attached = lora.attach(base, recipe, 0, OBJECTIVE.head(told))
    beginning = attached.tensors()
    attached.detach()
    assert learnt_apart(weights(tmp_path / "plain"), weights(tmp_path / "other"), beginning) < LEARNT_ALIKE


@pytest.mark.parametrize("asked", ["labels", "numbers"])
@pytest.mark.parametrize("change", [{}, {"precision": "bfloat16"}], ids=str)
def test_an_interrupted_run_ends_with_the_same_weights(
    base: Base, prompts: list[Prompt], tmp_path: Path, asked: str, change: dict[str, object]
) -> None:
    told = examples(prompts) if asked == "labels" else numbers(prompts)
    recipe = replace(RECIPE, **change)  # type: ignore[arg-type]
    whole = train(base, told, told[:3], recipe, 3, tmp_path / "whole")

    def stop(step: int, steps: int, loss: float | None) -> None:
        if step == 5:
            raise Stop

    with pytest.raises(Stop):
        train(base, told, told[:3], recipe, 3, tmp_path / "resumed", stop)
    resumed = train(base, told, told[:3], recipe, 3, tmp_path / "resumed")
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "resumed"))
    assert replace(resumed, seconds=0) == replace(whole, seconds=0)
    losses = [[{**point, "seconds": 0} for point in curve(tmp_path / name)] for name in ("whole", "resumed")]
    assert losses[0] == losses[1]
    measured = {point["step"]: point["validation_loss"] for point in losses[0] if "validation_loss" in point}
    assert whole.best_step == min(measured, key=lambda step: measured[step])


@pytest.mark.slow
def test_a_killed_process_takes_nothing_along(
    base: Base, folder: Path, prompts: list[Prompt], tmp_path: Path
) -> None:
    told = examples(prompts)
    recipe = replace(RECIPE, steps=40, validations=20)
    train(base, told, told[:3], recipe, 3, tmp_path / "whole")
    program = textwrap.dedent(f"""
        import time
        from pathlib import Path
        from dataclasses import replace
        from harness.neural.load import load
        from harness.neural.train import train
        from harness.types import Model, Prompt
        from tests.neural.conftest import CPU, PIN
        from tests.neural.lora.test_heads import RECIPE, examples
        prompts = {[(p.sample_id, p.before, p.input, p.after) for p in prompts]!r}
        told = examples([Prompt(sample_id=a, before=b, input=c, after=d) for a, b, c, d in prompts])
        base = load(Path({str(folder)!r}), Model(name="albert", uri="zoo:two-layers"), PIN, CPU)
        recipe = replace(RECIPE, steps=40, validations=20)
        train(base, told, told[:3], recipe, 3, Path({str(tmp_path / "killed")!r}), lambda *said: time.sleep(0.1))
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
    train(base, told, told[:3], recipe, 3, tmp_path / "killed", lambda step, steps, loss: begun.append(step))
    assert begun[0] >= 2
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "killed"))


def test_a_family_that_cannot_compute_activations_again_says_so(
    base: Base, prompts: list[Prompt], tmp_path: Path
) -> None:
    recipe = replace(RECIPE, gradient_checkpointing=True)
    with pytest.raises(ModelError, match="AlbertForSequenceClassification cannot compute activations again"):
        train(base, examples(prompts), [], recipe, 0, tmp_path)


def test_albert_has_one_pair_of_factors_for_all_of_its_layers(
    base: Base, prompts: list[Prompt], tmp_path: Path
) -> None:
    told = examples(prompts)
    train(base, told, [], replace(RECIPE, steps=2, targets=("q", "feed-forward")), 0, tmp_path)
    found = weights(tmp_path)
    layer = "base_model.model.albert.encoder.albert_layer_groups.0.albert_layers.0"
    modules = {name.partition(".lora_")[0] for name in found if ".lora_" in name}
    assert modules == {f"{layer}.attention.query", f"{layer}.ffn", f"{layer}.ffn_output"}
    assert all(tensor.any() for name, tensor in found.items() if "lora_B" in name)


def test_labels_without_an_example_are_counted_and_unknown_ones_refused(
    base: Base, prompts: list[Prompt], tmp_path: Path
) -> None:
    told = examples(prompts, LABELS[:2])
    told = [replace(example, labels=(*LABELS, "never")) for example in told]
    trained = train(base, told, [], replace(RECIPE, steps=1), 0, tmp_path / "some")
    assert trained.unseen == ("on time", "never")
    told[3] = replace(told[3], answer="soon")
    with pytest.raises(
        DataError, match="training sample 's3': the label 'soon' is none of late, early, on time"
    ):
        train(base, told, [], RECIPE, 0, tmp_path / "other")
    words = [replace(example, answer="many") for example in numbers(prompts)]
    with pytest.raises(DataError, match="training sample 's0': the reference 'many' is not a number"):
        train(base, words, [], RECIPE, 0, tmp_path / "words")


def test_an_objective_that_does_not_suit_the_model_is_refused(
    base: Base, llama: Base, prompts: list[Prompt], tmp_path: Path
) -> None:
    for other, name, said in (
        (base, "answers", "'answers' trains a model to write, and an encoder writes no text"),
        (llama, "labels", "'labels' trains a head for labels, and a decoder has none"),
    ):
        recipe: Recipe = replace(RECIPE, objective={"name": name})
        with pytest.raises(StepError, match=said):
            train(other, examples(prompts), [], recipe, 0, tmp_path)
    train(
        base,
        examples(prompts),
        [],
        replace(RECIPE, steps=1, objective={"name": "labels"}),
        0,
        tmp_path / "one",
    )
    train(base, examples(prompts), [], replace(RECIPE, steps=1), 0, tmp_path / "other")
    assert same(weights(tmp_path / "one"), weights(tmp_path / "other"))
