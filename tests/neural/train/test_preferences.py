"""Learning from preferences has the loss that its papers give, with the base as the reference, for every architecture."""

import json
import math
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn.functional import log_softmax

from harness.errors import DataError
from harness.neural import lora, objectives
from harness.neural.load import Base
from harness.neural.objectives import Example
from harness.neural.objectives.preferences import Preference, PreferencesSettings
from harness.neural.train import batches, train
from harness.types import Prompt, Recipe

WORDS = "Anna will bring the red car to the garage on Monday because Ben and Cara meet at the station".split()
RECIPE = Recipe(
    name="r", rank=4, alpha=8, steps=6, batch_size=4, learning_rate=0.02, targets=("all-linear",), schedule="constant",
    warmup=0.0, validation_samples=0, objective={"name": "preferences"},
)  # fmt: skip


def examples(count: int) -> list[Example]:
    return [
        Example(
            id=str(n),
            prompt=Prompt(
                sample_id=str(n), before="Follow. ", input=" ".join(WORDS[n % 9 : n % 9 + 3 + n % 5]), after=" Answer:"
            ),
            answer=" ".join(WORDS[n % 7 : n % 7 + 2 + n % 4]),
            rejected="Ben is late" + " again" * (n % 3),
        )
        for n in range(count)
    ]  # fmt: skip


def encoded(base: Base, some: Sequence[Example], recipe: Recipe = RECIPE) -> list[Preference]:
    found = [objectives.find("preferences").encode(base, example, recipe) for example in some]
    assert all(item is not None for item in found)
    return found  # type: ignore[return-value]


@torch.no_grad()
def logprob(base: Base, prompt: tuple[int, ...], answer: tuple[int, ...]) -> float:
    """The log-likelihood of an answer, one row by itself, through transformers alone and in float64 from its logits on."""
    if base.architecture.name == "seq2seq":
        start = base.model.config.decoder_start_token_id
        logits = base.model(
            input_ids=torch.tensor([prompt]), decoder_input_ids=torch.tensor([(start, *answer[:-1])])
        ).logits[0]
    else:
        logits = base.model(input_ids=torch.tensor([prompt + answer])).logits[0, len(prompt) - 1 : -1]
    chosen = log_softmax(logits.double(), dim=1)[range(len(answer)), list(answer)]
    return float(chosen.sum())


def by_hand(policy: list[float], reference: list[float], lengths: list[int], how: str, beta: float) -> float:
    """Equation 7 of Rafailov et al. 2023, and equation 17 of Azar et al. 2023 with means over tokens."""
    gains = [one - other for one, other in zip(policy, reference, strict=True)]
    if how == "sigmoid":
        return math.log1p(math.exp(-beta * (gains[0] - gains[1])))
    chosen, rejected = (gain / length for gain, length in zip(gains, lengths, strict=True))
    return (chosen - rejected - 1 / (2 * beta)) ** 2


@pytest.mark.parametrize("how", ["sigmoid", "ipo"])
@pytest.mark.parametrize("beta", [0.1, 0.7])
def test_the_loss_is_that_of_the_papers(base: Base, how: Any, beta: float) -> None:
    objective, settings = objectives.find("preferences"), PreferencesSettings(loss=how, beta=beta)
    items = encoded(base, examples(6))
    rows = [(row.prompt, row.answer) for item in items for row in (item.chosen, item.rejected)]
    reference = [logprob(base, *row) for row in rows]
    attached = lora.attach(base, RECIPE, 0)
    try:
        with torch.no_grad():
            for parameter in attached.parameters:
                parameter.add_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)) * 0.1)
        policy = [logprob(base, *row) for row in rows]
        found = objective.loss(base, items, settings, base.model, attached.off).item()
    finally:
        attached.detach()
    assert max(abs(one - other) for one, other in zip(policy, reference, strict=True)) > 0.5
    lengths = [len(answer) for _, answer in rows]
    wanted = sum(
        by_hand(policy[at : at + 2], reference[at : at + 2], lengths[at : at + 2], how, beta)
        for at in range(0, len(rows), 2)
    )
    # Logits in float32 are off by some 1e-6 of sizes up to 10, sums of 20 of them by 1e-4; ipo squares a margin of 5.
    assert found == pytest.approx(wanted, rel=1e-4, abs=1e-4)


def test_without_an_adapter_nothing_is_preferred(llama: Base) -> None:
    items = encoded(llama, examples(5))
    attached = lora.attach(llama, RECIPE, 0)
    try:
        for settings, each in (
            (PreferencesSettings(), math.log(2)),
            (PreferencesSettings(loss="ipo", beta=0.25), 4.0),
        ):
            loss = objectives.find("preferences").loss(llama, items, settings, llama.model, attached.off)
            assert loss.item() == pytest.approx(5 * each, rel=1e-5)  # B is zero: both are the same sums
    finally:
        attached.detach()


def test_what_the_base_says_is_asked_once_and_kept(llama: Base, tmp_path: Path) -> None:
    """The base reads every pair once before the first step: a step then costs one forward pass."""
    objective = objectives.find("preferences")
    assert objective.refer is not None
    items = encoded(llama, examples(5))
    referred = objective.refer(llama, items, PreferencesSettings())
    for item in referred:
        wanted = [logprob(llama, row.prompt, row.answer) for row in (item.chosen, item.rejected)]
        assert item.reference == pytest.approx(wanted, abs=1e-4)

    def never() -> Any:
        raise AssertionError("the reference is asked again")

    objective.loss(llama, referred, PreferencesSettings(), llama.model, never)
    calls = 0

    def counted(*_: object) -> None:
        nonlocal calls
        calls += 1

    hook = llama.model.register_forward_hook(counted)
    train(llama, examples(8), [], replace(RECIPE, steps=6), 0, tmp_path)
    hook.remove()
    assert calls == 6 + 1  # all eight pairs fit one batch


@pytest.mark.parametrize("how", ["sigmoid", "ipo"])
def test_it_makes_chosen_answers_likelier_than_the_base_does(base: Base, how: str, tmp_path: Path) -> None:
    told = examples(8)
    recipe = replace(RECIPE, steps=12, objective={"name": "preferences", "loss": how})
    train(base, told, told, recipe, 0, tmp_path)
    items = encoded(base, told)
    rows = [(row.prompt, row.answer) for item in items for row in (item.chosen, item.rejected)]
    before = [logprob(base, *row) for row in rows]
    with lora.adapted(base, tmp_path / "adapter"):
        after = [logprob(base, *row) for row in rows]
    gains = [one - other for one, other in zip(after, before, strict=True)]
    assert sum(gains[at] > gains[at + 1] for at in range(0, len(gains), 2)) == len(items)


def test_both_answers_follow_the_same_prompt(llama: Base) -> None:
    """A prompt that is too long is shortened once, by the longer of both answers."""
    told = replace(examples(5)[4], answer="Anna", rejected="Anna will bring the red car to the garage")
    whole = encoded(llama, [told])[0]
    (item,) = encoded(llama, [told], replace(RECIPE, max_tokens=whole.rejected.tokens - 3))
    assert item.chosen.prompt == item.rejected.prompt and item.truncated_tokens > 0
    assert item.rejected.tokens <= whole.rejected.tokens - 3


@pytest.mark.parametrize(
    ("rejected", "answer"),
    [
        (None, "training sample '0' has one answer, and objective 'preferences' learns from two"),
        (
            WORDS[0] + " " + WORDS[1],
            "training sample '0': the chosen and the rejected answer are equal; drop",
        ),
    ],
)
def test_pairs_that_say_nothing_are_refused(llama: Base, rejected: str | None, answer: str) -> None:
    with pytest.raises(DataError, match=answer):
        encoded(llama, [replace(examples(1)[0], rejected=rejected)])


def losses(folder: Path) -> list[float]:
    return [json.loads(line)["loss"] for line in (folder / "curve.jsonl").read_text().splitlines()]


def test_a_batch_in_parts_has_the_same_losses(
    open_base: Callable[..., Base], folders: Callable[..., Path], tmp_path: Path
) -> None:
    base = open_base(folders("llama"))
    train(base, examples(8), [], RECIPE, 0, tmp_path / "whole")
    train(base, examples(8), [], replace(RECIPE, micro_batch_size=1), 0, tmp_path / "parts")
    # Sums in another order, and Adam's steps after them
    assert losses(tmp_path / "parts") == pytest.approx(losses(tmp_path / "whole"), abs=2e-4)


PEERS = Path(__file__).parents[3] / ".bench" / "peers" / "bin" / "python"


@pytest.mark.slow
@pytest.mark.skipif(not PEERS.exists(), reason="TRL is in the peers' environment: make bench-peers")
@pytest.mark.parametrize(
    ("how", "beta", "staged"), [("sigmoid", 0.1, False), ("ipo", 0.3, False), ("sigmoid", 0.1, True)]
)
def test_the_first_ten_losses_are_those_of_trl(
    open_base: Callable[..., Base],
    folders: Callable[..., Path],
    tmp_path: Path,
    how: str,
    beta: float,
    staged: bool,  # the adapter was trained on the chosen answers before, and a frozen copy of it is TRL's reference
) -> None:
    """TRL's DPOTrainer, given the same pairs in the same order, and the same first values of the factors."""
    model, told = folders("llama"), examples(40)
    base = open_base(model)
    recipe = replace(
        RECIPE, steps=10, learning_rate=5e-3, objective={"name": "preferences", "loss": how, "beta": beta}
    )
    start = None
    if staged:
        start = tmp_path / "start"
        train(base, told, [], replace(recipe, objective={"name": "answers"}), 0, tmp_path / "first")
        (tmp_path / "first" / "adapter").rename(start)
    train(base, told, [], recipe, 0, tmp_path / "ours", start=start)
    if not staged:
        attached = lora.attach(base, recipe, 0)
        lora.save(attached, base, tmp_path / "start")
        attached.detach()
    items = encoded(base, told, recipe)
    sizes = [objectives.find("preferences").size(item) for item in items]
    order = [at for batch in batches.order(sizes, recipe.batch_size, 0, 0) for at in batch]
    pairs = [
        {
            "prompt": told[at].prompt.text,
            "chosen": f" {told[at].answer}",
            "rejected": f" {told[at].rejected}",
        }
        for at in order
    ]
    said = {
        "model": str(model), "adapter": str(tmp_path / "start"), "pairs": pairs, "batch_size": recipe.batch_size,
        "steps": recipe.steps, "learning_rate": recipe.learning_rate, "beta": beta, "loss": how,
    }  # fmt: skip
    (tmp_path / "told.json").write_text(json.dumps(said))
    program = Path(__file__).with_name("trl_dpo.py")
    run = subprocess.run([PEERS, program, tmp_path], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    found = json.loads((tmp_path / "losses.json").read_text())
    first = items[order[0]]
    assert found["first"] == [
        list(part) for part in (first.chosen.prompt, first.chosen.answer, first.rejected.answer)
    ]
    ours = losses(tmp_path / "ours")
    assert len(ours) == 10 and ours[0] != pytest.approx(ours[-1], rel=0.01)
    assert how == "ipo" or ours[0] == pytest.approx(math.log(2), abs=1e-6)
    apart = max(abs(one - other) for one, other in zip(ours, found["losses"], strict=True))
    print(
        f"{how}, {'after answers' if staged else 'from the base'}: losses at most {apart:.0e} apart over ten steps"
    )
    assert apart <= 1e-4


class Stop(Exception):
    pass


def test_an_interrupted_run_ends_with_the_same_weights(base: Base, tmp_path: Path) -> None:
    told = examples(12)
    recipe = replace(RECIPE, dropout=0.1)
    whole = train(base, told, told[:3], recipe, 3, tmp_path / "whole")

    def stop(step: int, steps: int, loss: float | None) -> None:
        if step == 5:
            raise Stop

    with pytest.raises(Stop):
        train(base, told, told[:3], recipe, 3, tmp_path / "resumed", stop)
    begun: list[int] = []
    resumed = train(
        base, told, told[:3], recipe, 3, tmp_path / "resumed", lambda step, *_: begun.append(step)
    )
    assert begun[0] > 1
    assert replace(resumed, seconds=0) == replace(whole, seconds=0)
    file = Path("adapter", "adapter_model.safetensors")
    assert (tmp_path / "whole" / file).read_bytes() == (tmp_path / "resumed" / file).read_bytes()
