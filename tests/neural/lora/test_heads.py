"""Heads of encoders: trained here, they are the same in plain peft and transformers, and the other way round."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from harness.checkpoints.adapter import CONFIG, WEIGHTS
from harness.checkpoints.folder import ADAPTER_RECORD
from harness.errors import AdapterError, ModelError
from harness.neural import lora
from harness.neural.head import outputs
from harness.neural.huggingface import HuggingFace
from harness.neural.load import Base
from harness.neural.memory import Budget
from harness.neural.objectives import Example
from harness.neural.train import train
from harness.types import Prompt, Recipe
from tests.neural.encoders import ENCODERS, make_encoder

LABELS = ("late", "early", "on time")
RECIPE = Recipe(
    name="test",
    rank=4,
    alpha=8,
    steps=8,
    batch_size=4,
    learning_rate=1e-2,
    targets=("q", "v"),
    dropout=0.1,
)
# Two layers of 32 in float32: factors merged into a matrix, or beside it, round apart by some 1e-6 of logits up to 5.
LIKE_PEFT = 1e-5


def asked(prompts: Sequence[Prompt], labels: tuple[str, ...] = LABELS) -> list[Prompt]:
    return [replace(prompt, options=labels) for prompt in prompts]


def examples(prompts: Sequence[Prompt], labels: tuple[str, ...] = LABELS) -> list[Example]:
    return [
        Example(id=prompt.sample_id, prompt=prompt, answer=labels[n % len(labels)], labels=labels)
        for n, prompt in enumerate(prompts)
    ]


def numbers(prompts: Sequence[Prompt], scale: float = 1000.0) -> list[Example]:
    return [
        Example(id=prompt.sample_id, prompt=prompt, answer=str(scale * (4 + n % 3)))
        for n, prompt in enumerate(prompts)
    ]


def values(base: Base, prompts: Sequence[Prompt]) -> dict[str, torch.Tensor]:
    found = outputs(base, prompts, "keep-start", Budget(2000))
    return {output.sample_id: torch.tensor(output.values) for output in found}


def apart(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> float:
    assert one.keys() == other.keys()
    return max(float((one[name] - other[name]).abs().max()) for name in one)


def plainly(folder: Path, adapter: Path, prompts: Sequence[Prompt], count: int) -> dict[str, torch.Tensor]:
    """Logits by plain transformers and peft, one prompt at a time."""
    plain = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=count).eval()
    return of_peft(PeftModel.from_pretrained(plain, str(adapter)).eval(), folder, prompts)


def of_peft(model: Any, folder: Path, prompts: Sequence[Prompt]) -> dict[str, torch.Tensor]:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    with torch.no_grad():
        return {
            prompt.sample_id: model(**tokenizer(prompt.text, return_tensors="pt")).logits[0]
            for prompt in prompts
        }


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    root = tmp_path_factory.mktemp("encoders")

    def place(kind: str, **said: Any) -> Path:
        folder = root / f"{kind}-{'-'.join(f'{key}{value}' for key, value in said.items())}"
        return folder if folder.exists() else make_encoder(kind, folder, **said)

    return place


@pytest.mark.parametrize("kind", ENCODERS)
@pytest.mark.parametrize("targets", [("q", "v"), ("all-linear",)], ids=str)
def test_a_trained_adapter_gives_the_same_logits_in_plain_peft(
    places: Callable[..., Path],
    open_base: Callable[..., Base],
    prompts: list[Prompt],
    tmp_path: Path,
    kind: str,
    targets: tuple[str, ...],
) -> None:
    base = open_base(places(kind))
    before = {name: tensor.clone() for name, tensor in base.model.state_dict().items()}
    told = examples(prompts)
    trained = train(base, told, told[:4], replace(RECIPE, targets=targets), 0, tmp_path)
    after = base.model.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(tensor, before[name]) for name, tensor in after.items())
    assert trained.trainable_parameters == sum(
        tensor.numel() for tensor in load_file(tmp_path / "adapter" / WEIGHTS).values()
    )
    with lora.adapted(base, tmp_path / "adapter"):
        ours = values(base, prompts)
    theirs = plainly(places(kind), tmp_path / "adapter", prompts, len(LABELS))
    assert apart(ours, theirs) < LIKE_PEFT
    said = json.loads((tmp_path / "adapter" / CONFIG).read_text())
    assert said["task_type"] == "SEQ_CLS" and "classifier" in said["modules_to_save"]
    assert json.loads((tmp_path / "adapter" / ADAPTER_RECORD).read_text())["labels"] == list(LABELS)
    assert all(torch.equal(tensor, before[name]) for name, tensor in base.model.state_dict().items())


@pytest.mark.parametrize("kind", ENCODERS)
@pytest.mark.parametrize("said", [{}, {"use_dora": True}], ids=str)
def test_an_adapter_of_plain_peft_gives_the_same_logits_here(
    places: Callable[..., Path],
    open_base: Callable[..., Base],
    prompts: list[Prompt],
    tmp_path: Path,
    kind: str,
    said: dict[str, Any],
) -> None:
    folder = places(kind, pooler=True)
    plain = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=5).eval()
    targets = ["q_lin", "v_lin"] if kind == "distilbert" else ["query", "value"]
    torch.manual_seed(1)
    config = LoraConfig(task_type="SEQ_CLS", r=4, lora_alpha=8, target_modules=targets, **said)
    theirs: Any = get_peft_model(plain, config).eval()
    with torch.no_grad():
        for parameter in theirs.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn_like(parameter) * 0.1)
    theirs.save_pretrained(str(tmp_path))
    lora.check_fit(open_base(folder), tmp_path)  # a base that is not used again
    base = open_base(folder)
    before = {name: tensor.clone() for name, tensor in base.model.state_dict().items()}
    with lora.adapted(base, tmp_path):
        ours = values(base, prompts)
    assert apart(ours, of_peft(theirs, folder, prompts)) < LIKE_PEFT
    assert all(torch.equal(tensor, before[name]) for name, tensor in base.model.state_dict().items())


@pytest.mark.parametrize("kind", ENCODERS)
def test_numbers_of_any_size_are_learnt_and_the_saved_head_gives_the_number_itself(
    places: Callable[..., Path],
    open_base: Callable[..., Base],
    prompts: list[Prompt],
    tmp_path: Path,
    kind: str,
) -> None:
    base, told = open_base(places(kind)), numbers(prompts[:6])
    recipe = replace(RECIPE, steps=80, dropout=0.0)
    trained = train(base, told, told, recipe, 0, tmp_path)
    assert trained.best_validation_loss is not None and trained.best_validation_loss < 0.1
    with lora.adapted(base, tmp_path / "adapter"):
        ours = values(base, prompts[:6])
    wanted = {example.id: float(example.answer) for example in told}
    assert all(abs(float(ours[name]) - number) < 600 for name, number in wanted.items())  # 4000 to 6000
    theirs = plainly(places(kind), tmp_path / "adapter", prompts[:6], 1)
    assert apart(ours, theirs) < 1000 * LIKE_PEFT


def test_a_checkpoints_own_head_takes_part_only_where_it_fits(
    places: Callable[..., Path], open_base: Callable[..., Base], prompts: list[Prompt], tmp_path: Path
) -> None:
    """RoBERTa's head has a map before the labels': it starts as the checkpoint has it; that of the labels is new."""
    base = open_base(places("roberta", labels=2))
    assert base.head == ("classifier",) and not base.missing
    attached = lora.attach(base, RECIPE, 0, _head())
    found = attached.tensors()
    attached.detach()
    own = base.model.state_dict()
    assert torch.equal(found["base_model.model.classifier.dense.weight"], own["classifier.dense.weight"])
    assert found["base_model.model.classifier.out_proj.weight"].shape == (3, 32)


def _head() -> Any:
    from harness.neural.objectives import labels

    assert labels.OBJECTIVE.head is not None
    return labels.OBJECTIVE.head(
        [
            Example(
                id="1",
                prompt=Prompt(sample_id="1", before="", input="", after=""),
                answer="late",
                labels=LABELS,
            )
        ]
    )


def test_a_new_head_is_a_function_of_the_seed(
    places: Callable[..., Path], open_base: Callable[..., Base]
) -> None:
    drawn = []
    for seed, noise in ((3, 1), (3, 2), (4, 1)):
        torch.manual_seed(noise)
        base = open_base(places("bert"))
        attached = lora.attach(base, RECIPE, seed, _head())
        drawn.append(attached.tensors())
        attached.detach()
    one, same, other = drawn
    assert {name.rpartition(".lora_")[0] or name for name in one} >= {
        "base_model.model.classifier.weight",
        "base_model.model.bert.pooler.dense.weight",
    }
    assert all(torch.equal(tensor, same[name]) for name, tensor in one.items())
    assert not torch.equal(
        one["base_model.model.classifier.weight"], other["base_model.model.classifier.weight"]
    )


def test_heads_for_other_labels_and_a_base_alone_are_refused_by_name(
    places: Callable[..., Path], open_base: Callable[..., Base], prompts: list[Prompt], tmp_path: Path
) -> None:
    base = open_base(places("bert"))
    train(base, examples(prompts), [], replace(RECIPE, steps=1), 0, tmp_path)
    adapter = tmp_path / "adapter"
    backend = HuggingFace(base, 2000)
    right = list(backend.head(asked(prompts), "keep-start", adapter))
    assert len(right) == len(prompts)
    for labels, said in (
        (
            ("late", "early"),
            "trained for the labels late, early, on time, the task asks for the labels late, early;",
        ),
        (("early", "late", "on time"), "asks for the labels early, late, on time"),
        ((), "trained for the labels late, early, on time, the task asks for a number"),
    ):
        with pytest.raises(AdapterError, match=said):
            list(backend.head(asked(prompts, labels), "keep-start", adapter))
    (adapter / ADAPTER_RECORD).unlink()  # as an adapter of plain peft, which has no names of labels
    backend = HuggingFace(base, 2000)
    assert list(backend.head(asked(prompts), "keep-start", adapter)) == right
    with pytest.raises(
        AdapterError, match="its head has 3 outputs, the task asks for the labels late, early;"
    ):
        list(backend.head(asked(prompts, ("late", "early")), "keep-start", adapter))
    with pytest.raises(AdapterError, match="no trained head of its own"):
        list(backend.head(asked(prompts), "keep-start", None))


def test_an_adapter_without_the_head_that_the_base_lacks_is_refused(
    places: Callable[..., Path], open_base: Callable[..., Base], prompts: list[Prompt], tmp_path: Path
) -> None:
    """plain peft saves no pooler: it trained on one that was random, and is gone."""
    plain = AutoModelForSequenceClassification.from_pretrained(places("bert"), num_labels=3)
    get_peft_model(plain, LoraConfig(task_type="SEQ_CLS", target_modules=["query"])).save_pretrained(
        str(tmp_path)
    )
    base = open_base(places("bert"))
    for use in (lambda: lora.check_fit(base, tmp_path), lambda: lora.adapted(base, tmp_path).__enter__()):
        with pytest.raises(
            AdapterError, match=r"brings no bert\.pooler \(modules_to_save: classifier, score\)"
        ):
            use()


def test_answers_do_not_depend_on_batches_or_on_what_is_done(
    places: Callable[..., Path], open_base: Callable[..., Base], prompts: list[Prompt], tmp_path: Path
) -> None:
    base = open_base(places("roberta"))
    train(base, examples(prompts), [], replace(RECIPE, steps=2), 0, tmp_path)
    with lora.adapted(base, tmp_path / "adapter"):
        whole = list(outputs(base, prompts, "keep-start", Budget(2000)))
        alone = list(outputs(base, prompts, "keep-start", Budget(1)))
        done = {output.sample_id for output in whole[:5]}
        rest = list(outputs(base, prompts, "keep-start", Budget(2000), done))
    assert rest == whole[5:]
    assert [output.prompt_tokens for output in whole] == sorted(
        (output.prompt_tokens for output in whole), reverse=True
    )
    one, other = ({o.sample_id: torch.tensor(o.values) for o in found} for found in (whole, alone))
    assert apart(one, other) < LIKE_PEFT


def test_a_prompt_that_is_too_long_is_shortened_or_refused_and_a_roberta_reads_512_of_its_514_positions(
    places: Callable[..., Path], open_base: Callable[..., Base], prompts: list[Prompt], tmp_path: Path
) -> None:
    base = open_base(places("roberta"))
    assert base.window == 128  # of 130 positions, the first two of which belong to padding
    train(base, examples(prompts), [], replace(RECIPE, steps=1), 0, tmp_path)
    long = [replace(prompts[0], input="Anna and Ben " * 100)]
    with lora.adapted(base, tmp_path / "adapter"):
        (shortened,) = outputs(base, long, "keep-start", Budget(2000))
        (refused,) = outputs(base, long, "refuse", Budget(2000))
    assert shortened.prompt_tokens <= 128 and shortened.truncated_tokens > 0 and len(shortened.values) == 3
    assert refused.values == ()


def test_a_head_computes_in_float32_on_a_base_in_bfloat16(
    places: Callable[..., Path], open_base: Callable[..., Base], prompts: list[Prompt], tmp_path: Path
) -> None:
    for kind in ENCODERS:
        base = open_base(places(kind), dtype="bfloat16")
        told = examples(prompts)
        train(base, told, told[:3], replace(RECIPE, steps=4), 0, tmp_path / kind)
        found = load_file(tmp_path / kind / "adapter" / WEIGHTS)
        assert {tensor.dtype for tensor in found.values()} == {torch.float32}
        with lora.adapted(base, tmp_path / kind / "adapter"):
            assert all(output.isfinite().all() for output in values(base, prompts).values())


def test_outputs_of_a_head_that_are_not_finite_end_the_step_by_name(
    places: Callable[..., Path], open_base: Callable[..., Base], prompts: list[Prompt], tmp_path: Path
) -> None:
    """A NaN is greater than no output: the first label would be the answer to every sample."""
    base = open_base(places("bert"))
    train(base, examples(prompts), [], replace(RECIPE, steps=1), 0, tmp_path)
    with torch.no_grad():
        embeddings: Any = base.model.get_input_embeddings()
        embeddings.weight.fill_(float("nan"))
    with (
        lora.adapted(base, tmp_path / "adapter"),
        pytest.raises(ModelError, match=r"sample '.*': outputs of the head are NaN or infinite"),
    ):
        list(outputs(base, prompts, "keep-start", Budget(2000)))
