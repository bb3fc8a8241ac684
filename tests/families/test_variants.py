"""Every family, in each form that people use: answers are plain transformers', and every matrix has its role."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from transformers import AutoTokenizer, GenerationConfig
from transformers.pytorch_utils import Conv1D

from harness import families, plugins
from harness.checkpoints.shape import shape
from harness.checkpoints.shards import stored
from harness.neural.decode.sessions import common_prefix
from harness.neural.encode import encode
from harness.neural.examine import examine
from harness.neural.huggingface import HuggingFace
from harness.neural.load import Base
from harness.neural.lora.config import targeted
from harness.plan.adapted import trainable_parameters
from harness.types import Decode, Generation, Model, Prompt, Runtime
from harness.weights.read import LINEAR, locations
from tests.families.building import each, prompts
from tests.families.variants import VARIANTS
from tests.neural.conftest import PIN

EIGHT = Decode(max_new_tokens=8)
NO_ROLE = ("norm", "ln_", "bias", "embed_positions", "wpe")  # in the names of what is no matrix of a layer
ROLES = ("q", "k", "v", "o", "feed-forward")


def test_every_family_has_a_variant_and_every_variant_its_family() -> None:
    written = {
        name
        for name in plugins.own_names("families")
        if families.find(name).architecture != "encoder" and families.find(name).tuned_from is None
    }
    assert {variant.family for variant in VARIANTS.values()} == written - {"generic"}
    assert all(
        any(each.quick for each in VARIANTS.values() if each.family == name) for name in written - {"generic"}
    )
    for variant in VARIANTS.values():
        assert families.of(variant.model_type).name == variant.family


def answered(base: Base, asked: Sequence[Prompt], tokens: int = 2000) -> list[Generation]:
    """The answers as a run gets them, with the quicker kernels of the `hf` backend."""
    backend = HuggingFace(base, tokens)
    try:
        return list(backend.write(asked, EIGHT, "refuse", None))
    finally:
        backend.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", each())
def test_answers_in_one_batch_are_those_of_plain_generate_one_at_a_time(
    name: str, opened: Callable[[str], Base], plain: Callable[..., Any], folder_of: Callable[[str], Path]
) -> None:
    base = opened(name)
    assert base.family.name == VARIANTS[name].family
    assert base.architecture.name == base.family.architecture
    seq2seq = base.architecture.name == "seq2seq"
    asked, wanted, longest = prompts(), {}, 0
    tokenizer, model = AutoTokenizer.from_pretrained(folder_of(name)), plain(name)
    forced = model.generation_config.forced_bos_token_id
    model.generation_config = GenerationConfig(forced_bos_token_id=forced)
    for prompt in asked:
        read = tokenizer(prompt.text, return_tensors="pt", return_token_type_ids=False)
        longest = max(longest, read["input_ids"].shape[1])
        written = model.generate(
            **read,
            max_new_tokens=EIGHT.max_new_tokens,
            do_sample=False,
            pad_token_id=base.pad,
            decoder_start_token_id=getattr(model.config, "decoder_start_token_id", None),
        )[0].tolist()
        wanted[prompt.sample_id] = written[1 if seq2seq else read["input_ids"].shape[1] :]
    # Rows are done at different times, and others take their places.
    ends = frozenset({base.tokenizer.eos_token_id, wanted["s0"][2], wanted["s1"][5], wanted["s4"][4]})
    rows = answered(replace(base, ends=ends), asked, tokens=350)
    assert len(rows) == len(asked)
    assert len({row.output_tokens for row in rows}) > 1
    assert not VARIANTS[name].slides or longest > 2 * 16
    if not seq2seq:  # what all prompts begin with is read once
        assert common_prefix(
            [coded.ids for prompt in asked if (coded := encode(base, prompt, "refuse", None))]
        )
    for row in rows:
        tokens = wanted[row.sample_id]
        end = next((at for at, token in enumerate(tokens) if token in ends), len(tokens))
        text = str(tokenizer.decode(tokens[:end], skip_special_tokens=True))
        assert (row.text, row.output_tokens) == (text.strip(), end)


def linear_maps(base: Base) -> dict[str, nn.Module]:
    head = base.model.get_output_embeddings()
    return {
        name: module
        for name, module in base.model.named_modules()
        if isinstance(module, nn.Linear | Conv1D) and module is not head
    }


@pytest.mark.parametrize("name", each())
def test_every_matrix_has_its_role_and_recipes_find_it(
    name: str, opened: Callable[[str], Base], folder_of: Callable[[str], Path]
) -> None:
    base, folder = opened(name), folder_of(name)
    family = base.family
    found = {location.name: location.role for location in locations(folder, family)}
    assert found
    assert not [at for at, role in found.items() if role == "other" and not any(no in at for no in NO_ROLE)]
    maps = {at: families.role(family, at) for at in linear_maps(base)}
    between = {
        at for at in maps if at.endswith(("project_in", "project_out"))
    }  # beside OPT's narrow embedding
    assert {role for at, role in maps.items() if at not in between} <= {*LINEAR}
    assert {at for at, role in found.items() if role in LINEAR} == maps.keys() - between
    for role in ROLES:
        asked = {role, "qkv"} if role in ("q", "k", "v") else {role}
        expected = {at for at, its in maps.items() if its in asked}
        assert targeted(base.model, families.lora_targets(family, (role,))).keys() == expected
        assert expected
    layers = len({at.rpartition(".")[0] for at, role in maps.items() if role == "o"})
    assert len([at for at, role in maps.items() if role in ("q", "qkv")]) == layers


@pytest.mark.parametrize("name", each())
def test_a_plan_counts_the_factors_that_training_makes(
    name: str, opened: Callable[[str], Base], folder_of: Callable[[str], Path]
) -> None:
    base = opened(name)
    sizes = shape(json.loads((folder_of(name) / "config.json").read_text()))
    for roles in (*((role,) for role in ROLES), ("q", "v")):
        modules = targeted(base.model, families.lora_targets(base.family, roles)).values()
        real = sum(sum(module.get_parameter("weight").shape) for module in modules)
        assert trainable_parameters(sizes, base.family, roles, rank=3) == 3 * real


def test_the_matrices_of_a_checkpoint_are_those_of_the_model(
    opened: Callable[[str], Base], folder_of: Callable[[str], Path]
) -> None:
    """Names in the files are those that the model has, so that roles and targets mean the same matrices."""
    for name in ("falcon-7b", "gpt2", "pythia"):
        names = {parameter.removesuffix(".weight") for parameter in stored(folder_of(name))}
        assert linear_maps(opened(name)).keys() <= names


def test_a_tokenizer_without_bos_is_warned_of_where_the_family_begins_with_it(
    folder_of: Callable[[str], Path], tmp_path: Path
) -> None:
    def warnings(folder: Path) -> list[str]:
        return list(examine(folder, Model(name="m", uri=f"file:{folder}"), PIN, Runtime(), {}))

    for name in ("gemma2", "mistral", "opt", "bart-base"):
        assert warnings(folder_of(name)) == []
    for path in folder_of("gemma2").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    tokenizer.backend_tokenizer.post_processor = None
    tokenizer.save_pretrained(tmp_path)
    (warning,) = warnings(tmp_path)
    assert warning.startswith("its prompts do not begin with BOS, as those of a model of family gemma2 do")


@pytest.mark.slow
def test_a_checkpoints_own_generation_settings_do_not_move_answers_of_generate(
    opened: Callable[[str], Base],
) -> None:
    """As BART's: beams, a least length, no repeated words and a forced end."""
    base, asked = opened("bart-base"), prompts(3)
    greedy = answered(base, asked)
    own = base.model.generation_config
    assert own is not None
    own.num_beams, own.min_length, own.no_repeat_ngram_size = 4, 9, 2
    own.forced_eos_token_id, own.repetition_penalty = base.tokenizer.eos_token_id, 3.0
    assert answered(base, asked) == greedy
    assert base.model.generation_config is own
    assert torch.is_grad_enabled()
