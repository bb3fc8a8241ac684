"""Prompt and answer fill a model's window to its last position, and no row reads past it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast

from harness.checkpoints.window import context_window
from harness.errors import ModelError
from harness.neural.architectures import find, room_of
from harness.neural.decode import batch as batch_module
from harness.neural.decode import write
from harness.neural.encode import encode, pair, room
from harness.neural.load import Base
from harness.neural.memory import Budget
from harness.neural.objectives.answers import summed_loss
from harness.types import Decode, Generation, Prompt

WINDOW, ANSWER = 11, 6
SIX = Decode(max_new_tokens=ANSWER)
KINDS: dict[str, dict[str, Any]] = {
    "gpt2": {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": WINDOW},
    "gpt_neo": {"hidden_size": 32, "num_layers": 2, "num_heads": 4, "attention_types": [[["global"], 2]],
                "max_position_embeddings": WINDOW},
    "gptj": {"n_embd": 32, "n_layer": 2, "n_head": 4, "rotary_dim": 8, "n_positions": WINDOW},
    "opt": {"hidden_size": 32, "ffn_dim": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
            "word_embed_proj_dim": 32, "max_position_embeddings": WINDOW},
    "mpt": {"d_model": 32, "n_layers": 2, "n_heads": 4, "max_seq_len": WINDOW},
    "llama": {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
              "max_position_embeddings": WINDOW},
    "mistral": {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
                "num_key_value_heads": 2, "max_position_embeddings": WINDOW, "sliding_window": 4},
}  # fmt: skip


@pytest.fixture
def small(
    tokenizers_of: Callable[[str], PreTrainedTokenizerFast], open_base: Callable[..., Base], tmp_path: Path
) -> Callable[[str], Base]:
    """A two-layer model of a kind whose window is eleven tokens; its tokenizer puts no token before a text."""

    def made(kind: str) -> Base:
        tokenizer = tokenizers_of("falcon")
        torch.manual_seed(0)
        eos = tokenizer.eos_token_id
        config = AutoConfig.for_model(
            kind,
            **KINDS[kind],
            vocab_size=len(tokenizer),
            eos_token_id=eos,
            bos_token_id=eos,
            pad_token_id=eos,
        )
        model = AutoModelForCausalLM.from_config(config)
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.ndim == 2:
                    parameter.normal_(std=0.3)
        model.save_pretrained(tmp_path / kind)
        tokenizer.save_pretrained(tmp_path / kind)
        return replace(open_base(tmp_path / kind), ends=frozenset({eos}))

    return made


def asked(base: Base, tokens: int, number: int) -> Prompt:
    """A prompt of exactly so many tokens, each a letter."""
    letters = "abcdefghijklmnop"
    text = "".join(letters[(number + 3 * at) % len(letters)] + " " for at in range(tokens))[: 2 * tokens - 1]
    prompt = Prompt(sample_id=f"s{number}", before="", input=text.replace(" ", "-")[:tokens], after="")
    encoded = encode(base, prompt, "refuse", None)
    assert encoded is not None
    if len(encoded.ids) != tokens:  # two letters became one token
        return asked(base, tokens, number + 1)
    return prompt


def by_generate(base: Base, prompt: Prompt, decode: Decode) -> str:
    encoded = encode(base, prompt, "refuse", None)
    assert encoded is not None
    ids = torch.tensor([encoded.ids])
    said = {"do_sample": False, "max_new_tokens": decode.max_new_tokens, "eos_token_id": sorted(base.ends)}
    model: Any = base.model
    out = model.generate(ids, attention_mask=torch.ones_like(ids), pad_token_id=base.pad, **said)[0]
    new = [token for token in out[len(encoded.ids) :].tolist() if token not in base.ends]
    text: str = base.tokenizer.decode(new, skip_special_tokens=True)
    return text.strip()


@pytest.mark.slow
@pytest.mark.parametrize("look", [1, 8], ids=lambda look: f"every {look} tokens")
@pytest.mark.parametrize("kind", KINDS)
def test_a_prompt_and_its_answer_fill_the_window_to_the_last_position(
    kind: str, look: int, small: Callable[[str], Base], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eleven positions read six tokens of a prompt and five of six new ones: the last is never read."""
    monkeypatch.setitem(batch_module.LOOK, "cpu", look)
    base = small(kind)
    assert base.window == WINDOW
    assert room(base, ANSWER) == WINDOW - ANSWER + 1
    prompts = {one.sample_id: one for one in (asked(base, 6 - nth % 3, 20 * nth) for nth in range(12))}
    answers = {one.sample_id: one for one in write(base, [*prompts.values()], SIX, "refuse", Budget(400))}
    assert answers.keys() == prompts.keys()
    for name, answer in answers.items():
        assert answer.finish in ("stop", "length")
        assert answer.truncated_tokens == 0
        assert answer.text == by_generate(base, prompts[name], SIX)
    assert any(one.prompt_tokens == 6 and one.output_tokens == 6 for one in answers.values())


def test_rows_that_are_done_do_not_read_past_the_window_while_others_are_written(
    small: Callable[[str], Base],
) -> None:
    """One prompt is as long as it may be, and done when rows of shorter ones have taken free places beside it."""
    base = small("gpt2")
    prompts = [asked(base, 6, 0), *(asked(base, 1 + nth % 2, 20 * nth) for nth in range(1, 40))]
    answers: list[Generation] = list(write(base, prompts, SIX, "refuse", Budget(43 * 12)))
    assert len(answers) == 40


def test_answers_longer_than_the_window_are_refused_by_name(small: Callable[[str], Base]) -> None:
    base = small("gpt2")
    prompt = asked(base, 1, 0)
    (whole,) = write(base, [prompt], Decode(max_new_tokens=WINDOW), "refuse", Budget(400))
    assert whole.output_tokens == WINDOW or whole.finish == "stop"
    with pytest.raises(
        ModelError, match="answers of 12 tokens leave no room for a prompt in its window of 11"
    ):
        list(write(base, [prompt], Decode(max_new_tokens=WINDOW + 1), "refuse", Budget(400)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_training_example_fills_the_window_to_the_last_position(
    kind: str, small: Callable[[str], Base]
) -> None:
    """The answer's last token is a label and never read."""
    base = small(kind)
    prompt = asked(base, 6, 0)
    learnt = pair(base, prompt, "k-l", "refuse", 100)
    assert learnt is not None
    fill = WINDOW + 1 - len(learnt.answer)
    prompt = asked(base, fill, 0)
    learnt = pair(base, prompt, "k-l", "keep-start", 100)
    assert learnt is not None
    assert (learnt.truncated_tokens, learnt.tokens) == (0, WINDOW + 1)
    longer = pair(base, asked(base, fill + 1, 0), "k-l", "keep-start", 100)
    assert longer is not None
    assert (longer.truncated_tokens, longer.tokens) == (1, WINDOW + 1)
    assert pair(base, prompt, "k-l" * 20, "keep-start", 100) is None
    short = replace(learnt, prompt=learnt.prompt[:2])
    together, alone = summed_loss(base, [learnt, short]), summed_loss(base, [short])
    assert torch.isfinite(together)
    torch.testing.assert_close(together - summed_loss(base, [learnt]), alone, rtol=1e-4, atol=1e-4)


def test_the_room_for_a_prompt_counts_what_is_read() -> None:
    def of(window: int | None, tokens: int, architecture: str = "causal") -> int | None:
        return room_of(find(architecture), window, tokens, "m")

    assert [of(11, tokens) for tokens in (0, 1, 6, 11)] == [11, 11, 6, 1]
    assert (of(None, 6), of(11, 6, "seq2seq")) == (None, 11)


def test_the_window_is_what_the_configuration_gives() -> None:
    assert context_window({"n_positions": 1024}) == 1024
    assert context_window({"text_config": {"max_position_embeddings": 11}}) == 11
    assert context_window({"n_positions": 512, "relative_attention_num_buckets": 32}) is None
    assert context_window({"max_position_embeddings": "many"}) is None
    assert context_window({}) is None
