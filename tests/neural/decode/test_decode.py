"""Answers are the model's own, whatever company a prompt keeps in its batch."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    BartConfig,
    MambaConfig,
    PreTrainedConfig,
    PreTrainedTokenizerFast,
)

from harness.digest import text_digest
from harness.errors import ModelError
from harness.neural.decode import batch as batch_module
from harness.neural.decode import write
from harness.neural.decode.plain import has_slots
from harness.neural.decode.sessions import LEAST_PREFIX, SESSION, common_prefix, sessions
from harness.neural.encode import encode, room
from harness.neural.load import Base
from harness.neural.memory import Budget, affordable_tokens, bytes_per_token
from harness.neural.room import rows_that_fit
from harness.types import Decode, Generation, Prompt

TWELVE = Decode(max_new_tokens=12)
SAMPLED = Decode(max_new_tokens=12, temperature=0.8, top_p=0.9, seed=3)


def often_ending(base: Base) -> Base:
    """The same model, which ends at any of many tokens: rows of a batch are done at different times."""
    return replace(base, ends=frozenset({base.tokenizer.eos_token_id, *range(5, len(base.tokenizer), 9)}))


def told(generations: list[Generation]) -> dict[str, Generation]:
    return {generation.sample_id: generation for generation in generations}


@pytest.mark.slow
@pytest.mark.parametrize("decode", [TWELVE, SAMPLED], ids=["greedy", "sampled"])
def test_answers_do_not_depend_on_the_batch(base: Base, prompts: list[Prompt], decode: Decode) -> None:
    base = often_ending(base)
    alone = told(list(write(base, prompts, decode, "keep-start", Budget(1))))
    assert alone.keys() == {prompt.sample_id for prompt in prompts}
    assert len({one.output_tokens for one in alone.values()}) > 2
    for budget in (150, 400, 1200, 100_000):
        assert told(list(write(base, prompts, decode, "keep-start", Budget(budget)))) == alone


@pytest.mark.slow
def test_greedy_answers_are_those_of_transformers_own_generate(base: Base, prompts: list[Prompt]) -> None:
    ends = often_ending(base).ends
    ours = told(list(write(replace(base, ends=ends), prompts, TWELVE, "keep-start", Budget(100_000))))
    for prompt in prompts:
        encoded = encode(base, prompt, "keep-start", room(base, 12))
        assert encoded is not None
        ids = torch.tensor([encoded.ids])
        greedy = {
            "do_sample": False,
            "max_new_tokens": 12,
            "eos_token_id": sorted(ends),
            "pad_token_id": base.pad,
        }
        model: Any = base.model
        out = model.generate(ids, attention_mask=torch.ones_like(ids), **greedy)[0].tolist()
        new = out[1:] if base.architecture.name == "seq2seq" else out[len(encoded.ids) :]
        text = base.tokenizer.decode([token for token in new if token not in ends], skip_special_tokens=True)
        assert ours[prompt.sample_id].text == text.strip()


def test_a_generation_counts_tokens_and_says_why_it_ended(llama: Base, prompts: list[Prompt]) -> None:
    cut = told(list(write(llama, prompts, TWELVE, "keep-start", Budget(4000))))["s3"]
    encoded = encode(llama, prompts[3], "keep-start", None)
    assert encoded is not None
    assert (cut.finish, cut.output_tokens, cut.truncated_tokens) == ("length", 12, 0)
    assert cut.prompt_tokens == len(encoded.ids)
    assert cut.prompt_digest == text_digest(prompts[3].text)
    done = told(list(write(often_ending(llama), prompts, TWELVE, "keep-start", Budget(4000))))
    assert {one.finish for one in done.values()} == {"stop", "length"}
    assert all(one.output_tokens < 12 for one in done.values() if one.finish == "stop")


def test_a_stop_string_ends_an_answer_and_is_cut_from_it(base: Base, prompts: list[Prompt]) -> None:
    for whole in write(base, prompts[:4], TWELVE, "keep-start", Budget(4000)):
        prompt = next(prompt for prompt in prompts if prompt.sample_id == whole.sample_id)
        stop = whole.text[3:5]
        (cut,) = write(base, [prompt], replace(TWELVE, stop=(stop,)), "keep-start", Budget(4000))
        assert cut.finish == "stop"
        assert cut.text == whole.text.partition(stop)[0].strip()
        assert cut.output_tokens < whole.output_tokens


@pytest.mark.parametrize("begin", ["\n", " \n\n", "\u3000\n"])
def test_leading_whitespace_does_not_end_an_answer(
    folders: Callable[..., Path], open_base: Callable[..., Base], prompts: list[Prompt], begin: str
) -> None:
    """A base that begins with a line feed is asked for the line that follows; the task may ask otherwise."""
    base = open_base(folders("falcon"))
    written = f"{begin}Anna will bring\nBen cannot"
    says(base, base.tokenizer(written).input_ids)
    line = Decode(max_new_tokens=40, stop=("\n",))
    (answer,) = write(base, prompts[:1], line, "keep-start", Budget(4000))
    assert (answer.text, answer.finish) == ("Anna will bring", "stop")
    assert answer.output_tokens < len(base.tokenizer(written).input_ids)
    kept = replace(line, leading_whitespace="keep")
    (answer,) = write(base, prompts[:1], kept, "keep-start", Budget(4000))
    assert (answer.text, answer.finish) == ("", "stop")


def test_a_stop_string_of_whitespace_ends_an_answer_after_any_number_of_blanks(
    folders: Callable[..., Path], open_base: Callable[..., Base], prompts: list[Prompt]
) -> None:
    base = open_base(folders("falcon"))
    written = base.tokenizer("Anna" + " " * 40 + "\n\n").input_ids
    says(base, [*written, *base.tokenizer("Ben").input_ids * 20])
    (answer,) = write(base, prompts[:1], Decode(max_new_tokens=90, stop=("\n\n",)), "refuse", Budget(4000))
    assert (answer.text, answer.finish) == ("Anna", "stop")
    assert answer.output_tokens == len(written)


def says(base: Base, tokens: list[int]) -> None:
    """Makes the model write these tokens, whatever it is asked."""
    first: list[int] = []

    def write_next(module: torch.nn.Module, args: object, said: dict[str, object], read: object) -> object:
        position = int(said["position_ids"].max())  # type: ignore[attr-defined]
        first[:] = first or [position]
        logits = read.logits.zero_()  # type: ignore[attr-defined]
        logits[..., tokens[(position - first[0]) % len(tokens)]] = 1.0
        return read

    base.model.register_forward_hook(write_next, with_kwargs=True)


@pytest.mark.parametrize("decode", [TWELVE, SAMPLED], ids=["greedy", "sampled"])
@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_logits_that_are_not_finite_end_the_step_by_name(
    base: Base, prompts: list[Prompt], decode: Decode, number: float
) -> None:
    with torch.no_grad():
        base.model.get_output_embeddings().weight[7] = number
    with pytest.raises(
        ModelError, match=r"in float32: sample 's\d+': the logits of token 1 .* are NaN or infinite"
    ):
        list(write(base, prompts, decode, "keep-start", Budget(4000)))


@pytest.mark.parametrize("look", [1, 3], ids=lambda look: f"every {look} tokens")
def test_logits_of_rows_that_are_done_are_nobodys(
    llama: Base, prompts: list[Prompt], look: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NaN that comes after the end of every answer is not looked at; NaN before it is, whenever it comes."""
    wanted = list(write(llama, prompts[:4], TWELVE, "keep-start", Budget(4000)))
    calls, last = 0, sys.maxsize

    def spoil(module: torch.nn.Module, args: object, read: object) -> None:
        nonlocal calls
        calls += 1
        if calls > last:
            read.logits[:] = float("nan")  # type: ignore[attr-defined]

    hook = llama.model.register_forward_hook(spoil)
    list(write(llama, prompts[:4], TWELVE, "keep-start", Budget(4000)))
    needed = calls
    monkeypatch.setitem(batch_module.LOOK, "cpu", look)
    calls, last = 0, needed
    assert list(write(llama, prompts[:4], TWELVE, "keep-start", Budget(4000))) == wanted
    calls, last = 0, needed - 1
    with pytest.raises(ModelError, match="the logits of token 12"):
        list(write(llama, prompts[:4], TWELVE, "keep-start", Budget(4000)))
    hook.remove()


def test_a_checkpoints_own_sampling_is_not_followed(llama: Base, prompts: list[Prompt]) -> None:
    greedy = list(write(llama, prompts, TWELVE, "keep-start", Budget(4000)))
    said = llama.model.generation_config
    said.do_sample, said.temperature, said.top_k, said.repetition_penalty = True, 5.0, 50, 2.0
    assert list(write(llama, prompts, TWELVE, "keep-start", Budget(4000))) == greedy


def test_sampling_follows_its_seed_and_top_p(llama: Base, prompts: list[Prompt]) -> None:
    def ask(decode: Decode) -> dict[str, Generation]:
        return told(list(write(llama, prompts, decode, "keep-start", Budget(4000))))

    assert ask(SAMPLED) == ask(SAMPLED)
    assert ask(SAMPLED) != ask(replace(SAMPLED, seed=4))
    assert ask(replace(SAMPLED, top_p=1e-6)) == ask(TWELVE)


@pytest.mark.slow
def test_whoever_goes_on_after_a_crash_gets_the_missing_answers_bit_for_bit(
    base: Base, prompts: list[Prompt]
) -> None:
    whole = list(write(base, prompts, SAMPLED, "keep-start", Budget(400)))
    for told_before in (1, 5, 11):
        done = {generation.sample_id for generation in whole[:told_before]}
        assert list(write(base, prompts, SAMPLED, "keep-start", Budget(400), done)) == whole[told_before:]


def test_a_prompt_that_does_not_fit_is_refused_and_the_others_are_answered(
    llama: Base, prompts: list[Prompt]
) -> None:
    long = replace(prompts[0], sample_id="long", input="Anna and Ben. " * 100)
    answers = told(list(write(llama, [*prompts[:2], long], TWELVE, "refuse", Budget(4000))))
    assert (answers["long"].finish, answers["long"].text) == ("refused", "")
    assert len(answers) == 3
    (shortened,) = write(llama, [long], TWELVE, "keep-end", Budget(4000))
    assert shortened.truncated_tokens > 0
    assert shortened.prompt_tokens + 12 == 256 + 1  # the last new token is never read
    assert shortened.prompt_digest != text_digest(long.text)


def test_sessions_are_a_few_boards_long_and_leave_nobody_out() -> None:
    lengths = [5, 90, 30, 31, 29, 7, 300, 6, *[20] * 20]
    found = sessions(lengths, 10, 100)
    assert sorted(at for session in found for at in session) == list(range(28))
    assert found[0] == [
        6,
        1,
        3,
        2,
    ]  # the longest leaves room for one row on the board, and a session is four boards
    for session in found:
        assert len(session) <= SESSION * rows_that_fit(lengths[session[0]] + 10, 100)
        assert lengths[session[0]] == max(lengths[at] for at in session)


def test_no_prompts_have_no_answers(llama: Base) -> None:
    assert list(write(llama, [], TWELVE, "keep-start", Budget(4000))) == []


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_batch_too_large_for_the_gpu_is_halved(
    folders: Callable[..., Path], open_base: Callable[..., Base], prompts: list[Prompt]
) -> None:
    from harness.types import Runtime

    base = open_base(folders("llama"), runtime=Runtime(device="cuda"), dtype="float32")
    wanted = told(list(write(base, prompts, TWELVE, "keep-start", Budget(4000))))
    many = [
        replace(prompt, sample_id=f"{prompt.sample_id}-{nth}") for prompt in prompts for nth in range(2000)
    ]
    _, total = torch.cuda.mem_get_info()
    torch.cuda.set_per_process_memory_fraction(200e6 / total)
    try:
        answers = told(list(write(base, many, TWELVE, "keep-start", Budget(10_000_000))))
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert len(answers) == len(many)
    assert sum(answers[f"{name}-0"].text == one.text for name, one in wanted.items()) >= 11


@pytest.mark.slow
@pytest.mark.parametrize("look", [1, 3, 8], ids=lambda look: f"every {look} tokens")
def test_a_beginning_that_all_prompts_share_is_read_once_and_changes_nothing(
    base: Base, prompts: list[Prompt], look: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a GPU tokens are looked at only now and then: that changes nothing either."""
    base = often_ending(base)
    shared = "Cara and Dan meet at the station at nine and buy two tickets. Ben cannot come. " * 2
    asked = [replace(prompt, before=shared + prompt.before) for prompt in prompts]
    alone = told([one for prompt in asked for one in write(base, [prompt], SAMPLED, "keep-start", Budget(1))])
    ids = [encode(base, prompt, "keep-start", None).ids for prompt in asked]
    assert len(common_prefix(ids)) > LEAST_PREFIX
    monkeypatch.setitem(batch_module.LOOK, "cpu", look)
    for budget in (150, 700, 100_000):
        assert told(list(write(base, asked, SAMPLED, "keep-start", Budget(budget)))) == alone


def test_the_common_prefix_leaves_every_prompt_a_token() -> None:
    long = tuple(range(40))
    assert common_prefix([long, long[:30], long[:35]]) == long[:29]
    assert common_prefix([long, (*long[:20], 99, 98)]) == long[:20]
    assert common_prefix([long, long[:10]]) == ()  # not worth a forward pass
    assert common_prefix([long]) == common_prefix([]) == ()


@pytest.mark.slow
def test_memory_that_does_not_suffice_halves_the_budget_and_loses_no_answer(
    base: Base, prompts: list[Prompt]
) -> None:
    base = often_ending(base)
    wanted = told(list(write(base, prompts, TWELVE, "keep-start", Budget(100_000))))

    def refuse(module: torch.nn.Module, args: tuple[object, ...], said: dict[str, torch.Tensor]) -> None:
        rows = len(said.get("input_ids", said.get("decoder_input_ids")))
        if rows > 3:
            raise torch.OutOfMemoryError(f"{rows} rows")

    hook = base.model.register_forward_pre_hook(refuse, with_kwargs=True)
    budget = Budget(100_000)
    try:
        assert told(list(write(base, prompts, TWELVE, "keep-start", budget))) == wanted
    finally:
        hook.remove()
    assert budget.halvings == 2  # 12 rows, 6, 3
    assert budget.tokens < 1000


@pytest.mark.slow
def test_one_row_that_does_not_fit_is_an_error(llama: Base, prompts: list[Prompt]) -> None:
    def refuse(module: torch.nn.Module, args: object) -> None:
        raise torch.OutOfMemoryError("not even one")

    hook = llama.model.register_forward_pre_hook(refuse)
    try:
        with pytest.raises(torch.OutOfMemoryError, match="not even one"):
            list(write(llama, prompts, TWELVE, "keep-start", Budget(4000)))
    finally:
        hook.remove()


def test_other_errors_are_not_taken_for_a_lack_of_memory(llama: Base, prompts: list[Prompt]) -> None:
    def refuse(module: torch.nn.Module, args: object) -> None:
        raise RuntimeError("shapes do not match")

    hook = llama.model.register_forward_pre_hook(refuse)
    try:
        with pytest.raises(RuntimeError, match="shapes do not match"):
            list(write(llama, prompts, TWELVE, "keep-start", Budget(4000)))
    finally:
        hook.remove()


def test_the_budget_holds_to_the_memory(base: Base, prompts: list[Prompt]) -> None:
    """What a token's keys and values take is what a cache that has read tokens holds."""
    (one, _) = prompts[0], prompts[1]
    ids = torch.tensor([encode(base, one, "keep-start", None).ids])
    start = {"decoder_input_ids": ids} if base.architecture.name == "seq2seq" else {}
    cache = base.model(input_ids=ids, use_cache=True, **start).past_key_values
    layers = cache.self_attention_cache.layers if base.architecture.name == "seq2seq" else cache.layers
    cut = min(ids.shape[1], getattr(base.model.config, "sliding_window", None) or ids.shape[1])
    held = sum(layer.keys.nbytes + layer.values.nbytes for layer in layers)
    assert held / min(layers[0].keys.shape[-2], max(cut, 1)) == bytes_per_token(base)
    assert affordable_tokens(base, workers=2) == pytest.approx(affordable_tokens(base, workers=1) / 2, abs=1)


def test_a_vocabulary_padded_past_the_tokenizer_is_asked_as_it_is(
    folders: Callable[..., Path], open_base: Callable[..., Base], prompts: list[Prompt], tmp_path: Path
) -> None:
    """Rows of the embedding that no token has stay, and an answer may even hold one."""
    base = open_base(folders("llama"))
    base.model.resize_token_embeddings(len(base.tokenizer) + 300)
    with torch.no_grad():
        base.model.lm_head.weight.normal_(std=0.3)
    base.model.save_pretrained(tmp_path)
    base.tokenizer.save_pretrained(tmp_path)
    padded = open_base(tmp_path)
    assert padded.model.config.vocab_size == len(padded.tokenizer) + 300
    test_greedy_answers_are_those_of_transformers_own_generate(padded, prompts)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["bart", "mamba"])
def test_a_model_whose_rows_cannot_come_and_go_is_asked_the_plain_way(
    kind: str,
    tokenizers_of: Callable[[str], PreTrainedTokenizerFast],
    open_base: Callable[..., Base],
    prompts: list[Prompt],
    tmp_path: Path,
) -> None:
    """BART counts positions from the batch's start, and a state-space model remembers no columns."""
    tokenizer = tokenizers_of("t5" if kind == "bart" else "llama")
    ids: dict[str, Any] = {
        "vocab_size": len(tokenizer),
        "eos_token_id": tokenizer.eos_token_id,
        "bos_token_id": tokenizer.bos_token_id,
    }
    if kind == "bart":
        ids |= {"decoder_start_token_id": 0, "pad_token_id": 0, "forced_eos_token_id": None}
        config: PreTrainedConfig = BartConfig(
            d_model=32, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2, decoder_attention_heads=2,
            encoder_ffn_dim=32, decoder_ffn_dim=32, max_position_embeddings=256, **ids,
        )  # fmt: skip
    else:
        config = MambaConfig(hidden_size=32, num_hidden_layers=2, state_size=4, **ids)
    torch.manual_seed(0)
    model = (AutoModelForSeq2SeqLM if kind == "bart" else AutoModelForCausalLM).from_config(config)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 2:
                parameter.normal_(std=0.3)
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    base = open_base(tmp_path)
    assert not has_slots(base)
    test_greedy_answers_are_those_of_transformers_own_generate(base, prompts)
    with pytest.raises(ModelError, match="only answer greedily"):
        list(write(base, prompts, SAMPLED, "keep-start", Budget(4000)))
    with torch.no_grad():
        embedding: Any = base.model.get_input_embeddings()
        embedding.weight[:] = float("nan")
    with pytest.raises(ModelError, match="the logits of token 1 of the answer are NaN or infinite"):
        list(write(base, prompts, TWELVE, "keep-start", Budget(4000)))
