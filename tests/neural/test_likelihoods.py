"""Likelihoods equal those of a plain forward pass, one option at a time, on every architecture and in every batch."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM

from harness.errors import ModelError
from harness.neural import likelihoods as module
from harness.neural.architectures import writing
from harness.neural.likelihoods import Window, likelihoods, rolling, windows
from harness.neural.load import Base
from harness.neural.memory import Budget
from harness.types import Likelihoods, Prompt

DECODER = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
           "num_key_value_heads": 2, "head_dim": 8, "max_position_embeddings": 128}  # fmt: skip
FALCON = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
KINDS: dict[str, dict[str, Any]] = {
    "gpt2": {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 128},
    "gpt_neox": {**DECODER, "rotary_pct": 0.5},
    "gptj": {"n_embd": 32, "n_layer": 2, "n_head": 4, "rotary_dim": 8, "n_positions": 128},
    "llama": DECODER,
    "mistral": {**DECODER, "sliding_window": 8},
    "qwen2": DECODER,
    "qwen3": DECODER,
    "phi3": {**DECODER, "max_position_embeddings": 256, "pad_token_id": 0, "original_max_position_embeddings": 40,
             "rope_parameters": {"rope_type": "longrope", "rope_theta": 10_000.0, "short_factor": [1.0] * 4,
                                 "long_factor": [3.0, 4.0, 5.0, 6.0], "original_max_position_embeddings": 40}},
    "phi": {**DECODER, "num_key_value_heads": 4},
    "gemma2": {**DECODER, "sliding_window": 8},
    "gemma3_text": {**DECODER, "sliding_window": 8, "layer_types": ["sliding_attention", "full_attention"]},
    "opt": {"hidden_size": 32, "ffn_dim": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
            "word_embed_proj_dim": 32, "max_position_embeddings": 128},
    "bloom": {"hidden_size": 32, "n_layer": 2, "n_head": 4},
    "mpt": {"d_model": 32, "n_layers": 2, "n_heads": 4},
    "falcon": {**FALCON, "multi_query": True, "parallel_attn": True, "alibi": False},
    "falcon-40b": {**FALCON, "new_decoder_architecture": True, "num_kv_heads": 2, "alibi": False},
    "falcon-rw": {**FALCON, "multi_query": False, "parallel_attn": False, "alibi": True, "bias": True},
    "mamba": {"hidden_size": 32, "num_hidden_layers": 2, "state_size": 8},
    "t5": {"d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_heads": 4, "decoder_start_token_id": 0},
    "bart": {"d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 4, "pad_token_id": 0,
             "decoder_attention_heads": 4, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64,
             "max_position_embeddings": 128},
}  # fmt: skip


# Some classes compute rotations, biases or states in float32, whatever the type of the model.
def close(wanted: Any) -> Any:
    return pytest.approx(wanted, rel=1e-6, abs=1e-9)


SHARED = "Follow the instruction. Text: Cara and Dan meet at the station at nine and buy two tickets. "
ASKED = [
    ("a", SHARED + "Who comes?", ("Anna", "Ben and Cara", "the red car", "Dan")),
    ("b", SHARED + "Question: Can you feed the cat while we are away? Answer:", ("Sure, no problem", "No")),
    ("c", SHARED + "x", ("on Monday", "to the garage on Monday", "late")),
    ("d", SHARED + "Tell me who comes to dinner because his train is late. Summary:", ("Ben", "Anna")),
]


@pytest.fixture
def of_kind(
    open_base: Callable[..., Base], tokenizers_of: Callable[[str], Any], tmp_path: Path
) -> Callable[..., Base]:
    """A random model of two layers in float64."""

    def made(name: str, **more: Any) -> Base:
        tokenizer = tokenizers_of("falcon")
        torch.manual_seed(0)
        eos = tokenizer.eos_token_id
        tokens = {"vocab_size": len(tokenizer), "eos_token_id": eos, "bos_token_id": eos, "pad_token_id": eos}
        config = AutoConfig.for_model(name.partition("-")[0], **(tokens | KINDS[name] | more))
        automatic = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
        model = automatic.from_config(config)
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.ndim == 2:
                    parameter.normal_(std=0.2)
        model.save_pretrained(tmp_path / name)
        tokenizer.save_pretrained(tmp_path / name)
        base = open_base(tmp_path / name)
        base.model.double()
        return replace(base, dtype=torch.float64)

    return made


def prompts(asked: Sequence[tuple[str, str, tuple[str, ...]]] = ASKED) -> list[Prompt]:
    return [
        Prompt(sample_id=name, before="", input=text, after="", options=options)
        for name, text, options in asked
    ]


@torch.no_grad()
def plain(base: Base, text: str, option: str) -> float:
    """The log-likelihood of an option by one forward pass of transformers, without cache or padding."""
    tokens = base.tokenizer
    answer = writing(base).answer_ids(base, text, option)
    if base.model.config.is_encoder_decoder:
        start = base.model.config.decoder_start_token_id
        read = torch.tensor([[start, *answer[:-1]]])
        logits = base.model(
            input_ids=tokens(text, return_tensors="pt").input_ids, decoder_input_ids=read
        ).logits[0]
    else:
        before = tokens(text).input_ids or [base.end]
        logits = base.model(input_ids=torch.tensor([[*before, *answer]])).logits[0, len(before) - 1 : -1]
    chances = logits.log_softmax(dim=-1)
    return float(chances[torch.arange(len(answer)), torch.tensor(answer)].sum())


@pytest.mark.parametrize("name", KINDS)
def test_they_are_those_of_one_plain_forward_pass_for_each_option(
    name: str, of_kind: Callable[..., Base]
) -> None:
    base = of_kind(name)
    found = {one.sample_id: one for one in likelihoods(base, prompts(), "keep-start", Budget(10_000))}
    for sample, text, options in ASKED:
        wanted = [plain(base, text, option) for option in options]
        assert [option.logprob for option in found[sample].options] == close(wanted)
        assert [option.tokens for option in found[sample].options] == [
            len(writing(base).answer_ids(base, text, option)) for option in options
        ]


@pytest.mark.parametrize("budget", [1, 200, 700])
@pytest.mark.parametrize("name", ["llama", "mistral", "t5"])
def test_they_do_not_depend_on_the_batch(name: str, budget: int, of_kind: Callable[..., Base]) -> None:
    base = of_kind(name)
    whole = {one.sample_id: one for one in likelihoods(base, prompts(), "keep-start", Budget(10_000))}
    for one in likelihoods(base, prompts(), "keep-start", Budget(budget)):
        known = [option.logprob for option in whole[one.sample_id].options]
        assert [option.logprob for option in one.options] == pytest.approx(known, abs=1e-9)


def test_what_is_done_is_left_out_and_the_rest_is_the_same_to_the_last_bit(
    of_kind: Callable[..., Base],
) -> None:
    base = of_kind("llama")
    whole = [*likelihoods(base, prompts(), "keep-start", Budget(300))]
    rest = [*likelihoods(base, prompts(), "keep-start", Budget(300), {"a", "d"})]
    assert rest == [one for one in whole if one.sample_id not in ("a", "d")]


def test_an_empty_prompt_begins_with_the_token_that_ends_answers(of_kind: Callable[..., Base]) -> None:
    base = of_kind("gpt2")
    (found,) = likelihoods(base, prompts([("e", "", ("Anna", "Ben"))]), "keep-start", Budget(100))
    assert [option.logprob for option in found.options] == pytest.approx(
        [plain(base, "", option) for option in ("Anna", "Ben")], abs=1e-9
    )


def test_a_long_prompt_is_shortened_for_its_longest_option_or_refused(of_kind: Callable[..., Base]) -> None:
    base = of_kind("gpt2", n_positions=32)
    long = prompts(
        [("long", "Anna will bring the red car. " * 20, ("Ben", "Cara and Dan meet at the station"))]
    )
    (short,) = likelihoods(base, long, "keep-end", Budget(100))
    assert short.truncated_tokens > 0
    assert short.prompt_tokens + max(option.tokens for option in short.options) == 32 + 1
    assert [*likelihoods(base, long, "refuse", Budget(100))] == [Likelihoods(sample_id="long", options=())]


@pytest.mark.parametrize("before", ["Who comes? ", ""])
def test_an_option_longer_than_the_window_refuses_its_sample_and_no_other(
    before: str, of_kind: Callable[..., Base]
) -> None:
    base = of_kind("gpt2", n_positions=32)
    asked = prompts([("long", before, ("Ben", "Cara and Dan " * 30)), ("short", before, ("Ben", "Dan"))])
    found = {one.sample_id: one.options for one in likelihoods(base, asked, "keep-start", Budget(100))}
    assert found["long"] == ()
    assert [option.logprob for option in found["short"]] == pytest.approx(
        [plain(base, before, option) for option in ("Ben", "Dan")], abs=1e-5
    )


def test_when_memory_runs_out_the_batch_is_halved(
    of_kind: Callable[..., Base], monkeypatch: pytest.MonkeyPatch
) -> None:
    base, whole = of_kind("llama"), module._sums

    def sums(base: Base, batch: Sequence[Any], begun: Any) -> list[float]:
        if len(batch) > 1:
            raise torch.OutOfMemoryError
        return whole(base, batch, begun)

    wanted = [*likelihoods(base, prompts(), "keep-start", Budget(10_000))]
    monkeypatch.setattr(module, "_sums", sums)
    budget = Budget(10_000)
    found = [*likelihoods(base, prompts(), "keep-start", budget)]
    assert [one.sample_id for one in found] == [one.sample_id for one in wanted]
    assert budget.halvings == 3


def test_likelihoods_that_are_not_finite_end_the_step_by_name(of_kind: Callable[..., Base]) -> None:
    base = of_kind("llama")
    with torch.no_grad():
        embeddings: Any = base.model.get_input_embeddings()
        embeddings.weight[5] = math.nan
    asked = prompts([("bad", base.tokenizer.decode([5]), ("Anna", "Ben"))])
    with pytest.raises(ModelError, match=r"sample 'bad': log-likelihoods are NaN or infinite"):
        list(likelihoods(base, asked, "keep-start", Budget(100)))


TEXT = " ".join(text for _, text, _ in ASKED)


@pytest.mark.parametrize("name", [name for name in KINDS if name not in ("t5", "bart")])
def test_a_text_that_fits_has_the_likelihood_of_one_forward_pass(
    name: str, of_kind: Callable[..., Base], monkeypatch: pytest.MonkeyPatch
) -> None:
    base = of_kind(name)
    monkeypatch.setitem(module.PIECE_BYTES, "cpu", 4 * len(base.tokenizer) * 7)  # pieces of seven tokens
    short = TEXT[:250]
    ids = base.tokenizer(short, add_special_tokens=False).input_ids
    assert len(ids) < (base.window or 1000)
    (found,) = rolling(base, prompts([("t", "", (short,))]), Budget(100))
    with torch.no_grad():
        logits = base.model(input_ids=torch.tensor([[base.end, *ids]])).logits[0, :-1]
    wanted = logits.log_softmax(dim=-1)[torch.arange(len(ids)), torch.tensor(ids)].sum()
    assert found.options[0].logprob == close(float(wanted))
    assert found.options[0].tokens == len(ids)


def test_the_windows_of_a_long_text_ask_for_each_token_once_and_are_lm_evals() -> None:
    tokens = tuple(range(10))
    found = list(windows("t", tokens, -1, 4))
    assert [window.asked for window in found] == [(0, 1, 2, 3), (4, 5, 6, 7), (8, 9)]
    # The expected windows are those of lm_eval.utils.get_rolling_token_windows(range(10), -1, 4, 1).
    assert [(window.given + window.asked)[:-1] for window in found] == [
        (-1, 0, 1, 2),
        (3, 4, 5, 6),
        (5, 6, 7, 8),
    ]
    assert list(windows("t", (1, 2), -1, None)) == [Window(sample="t", given=(-1,), asked=(1, 2))]


def test_a_text_longer_than_the_window_is_the_sum_of_its_windows(of_kind: Callable[..., Base]) -> None:
    base = of_kind("gpt2", n_positions=32)
    ids = base.tokenizer(TEXT, add_special_tokens=False).input_ids
    (found,) = rolling(base, prompts([("t", "", (TEXT,))]), Budget(100))
    wanted = 0.0
    with torch.no_grad():
        for window in windows("t", tuple(ids), base.end or 0, 32):
            read = torch.tensor([(window.given + window.asked)[:-1]])
            chances = base.model(input_ids=read).logits[0, -len(window.asked) :].log_softmax(dim=-1)
            wanted += float(chances[torch.arange(len(window.asked)), torch.tensor(window.asked)].sum())
    assert found.options[0].logprob == pytest.approx(wanted, abs=1e-9)
    assert found.options[0].tokens == len(ids) > 32


@pytest.mark.parametrize("budget", [1, 100, 10_000])
def test_texts_read_together_have_the_likelihoods_of_texts_read_alone(
    budget: int, of_kind: Callable[..., Base]
) -> None:
    base = of_kind("gpt2", n_positions=32)
    asked = prompts([(name, "", (f"{text} {' '.join(options)}",)) for name, text, options in ASKED])
    asked.append(Prompt(sample_id="empty", before="", input="", after="", options=("",)))
    alone = {prompt.sample_id: next(rolling(base, [prompt], Budget(10_000))) for prompt in asked}
    together = {one.sample_id: one for one in rolling(base, asked, Budget(budget))}
    assert together.keys() == alone.keys()
    for sample, found in together.items():
        assert [option.tokens for option in found.options] == [
            option.tokens for option in alone[sample].options
        ]
        assert [option.logprob for option in found.options] == pytest.approx(
            [option.logprob for option in alone[sample].options], abs=1e-9
        )
    rest = list(rolling(base, asked, Budget(budget), {"a", "c"}))
    assert {one.sample_id for one in rest} == {"b", "d", "empty"}
    assert all(one == together[one.sample_id] for one in rest)
