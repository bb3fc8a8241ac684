"""Two-layer models of four architectures with random weights, and tokenizers trained on a few sentences."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM, PreTrainedTokenizerFast

from harness.neural.load import Base, load
from harness.types import Model, ModelPin, Prompt, Runtime

ARCHITECTURES = ("falcon", "llama", "mistral", "t5")
SENTENCES = [
    "Anna will bring the red car to the garage on Monday.",
    "Ben cannot come to dinner because his train is late.",
    "Summarise the conversation in one or two sentences.",
    "Follow the instruction. Text: Question: Answer: Summary:",
    "Cara and Dan meet at the station at nine and buy two tickets.",
    "[user] Tell me who comes. [end] [answer]",
    "Can you feed the cat while we are away? Sure, no problem, see you.",
]
SHAPES: dict[str, dict[str, Any]] = {
    "falcon": {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "new_decoder_architecture": False,
               "multi_query": True, "parallel_attn": True, "alibi": False, "bias": False, "max_position_embeddings": 256},
    "llama": {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
              "num_key_value_heads": 4, "max_position_embeddings": 256},
    "mistral": {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
                "num_key_value_heads": 2, "max_position_embeddings": 256, "sliding_window": 16},
    "t5": {"d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_heads": 4, "relative_attention_num_buckets": 8,
           "feed_forward_proj": "gated-gelu", "dropout_rate": 0.1, "tie_word_embeddings": False},
}  # fmt: skip
PIN = ModelPin(revision="0" * 40, parameters=None, checkpoint_bytes=None, dtype="float32", family=None)
CPU = Runtime(device="cpu", threads=1, batch_tokens=2048)


def make_tokenizer(architecture: str) -> PreTrainedTokenizerFast:
    """As the family's own: T5 ends with </s>, Llama and Mistral begin with <s>; only T5 has a pad token."""
    special = {"falcon": ["<|endoftext|>"], "t5": ["<pad>", "</s>", "<unk>"]}.get(
        architecture, ["<unk>", "<s>", "</s>"]
    )
    tokenizer = Tokenizer(
        models.BPE(unk_token=None if architecture == "falcon" else "<unk>", byte_fallback=False)
    )
    if architecture == "falcon":
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
    else:
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
        tokenizer.decoder = decoders.Metaspace(prepend_scheme="first")
    alphabet = (
        pre_tokenizers.ByteLevel.alphabet()
        if architecture == "falcon"
        else sorted({"▁", *"".join(SENTENCES)})
    )
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    ids = {token: tokenizer.token_to_id(token) for token in special}
    if architecture == "falcon":
        return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|endoftext|>")
    if architecture == "t5":
        tokenizer.post_processor = processors.TemplateProcessing(
            single="$A </s>", special_tokens=[("</s>", ids["</s>"])]
        )
        return PreTrainedTokenizerFast(
            tokenizer_object=tokenizer, eos_token="</s>", pad_token="<pad>", unk_token="<unk>"
        )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", ids["<s>"])]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    )


def make_folder(architecture: str, folder: Path, seed: int = 0) -> Path:
    tokenizer = make_tokenizer(architecture)
    torch.manual_seed(seed)
    settings = {**SHAPES[architecture], "vocab_size": len(tokenizer), "eos_token_id": tokenizer.eos_token_id,
                "bos_token_id": tokenizer.bos_token_id, "pad_token_id": tokenizer.pad_token_id}  # fmt: skip
    if architecture == "t5":
        settings["decoder_start_token_id"] = tokenizer.pad_token_id
    config = AutoConfig.for_model(architecture, **settings)
    model = (AutoModelForSeq2SeqLM if architecture == "t5" else AutoModelForCausalLM).from_config(config)
    with torch.no_grad():  # wide enough apart that no two logits are nearly equal, and answers differ
        for parameter in model.parameters():
            if parameter.ndim == 2:
                parameter.normal_(std=0.3)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """A checkpoint folder of an architecture, made once for each seed."""
    root = tmp_path_factory.mktemp("models")

    def folder(architecture: str, seed: int = 0) -> Path:
        path = root / f"{architecture}-{seed}"
        return path if path.exists() else make_folder(architecture, path, seed)

    return folder


@pytest.fixture(scope="session")
def tokenizers_of() -> Callable[[str], PreTrainedTokenizerFast]:
    """The tokenizer of an architecture."""
    return make_tokenizer


@pytest.fixture(scope="session")
def open_base() -> Callable[..., Base]:
    def opened(folder: Path, *, runtime: Runtime = CPU, uri: str = "zoo:two-layers", **said: object) -> Base:
        model = Model(name=folder.name, uri=uri, **said)  # type: ignore[arg-type]
        return load(folder, model, PIN, runtime)

    return opened


@pytest.fixture(params=ARCHITECTURES)
def base(
    request: pytest.FixtureRequest, folders: Callable[..., Path], open_base: Callable[..., Base]
) -> Base:
    return open_base(folders(request.param))


@pytest.fixture
def llama(folders: Callable[..., Path], open_base: Callable[..., Base]) -> Base:
    return open_base(folders("llama"))


@pytest.fixture
def t5(folders: Callable[..., Path], open_base: Callable[..., Base]) -> Base:
    return open_base(folders("t5"))


@pytest.fixture(scope="session")
def prompts() -> list[Prompt]:
    """Twelve prompts of very different lengths."""
    words = " ".join(SENTENCES).split()
    return [
        Prompt(
            sample_id=f"s{nth}",
            before="Summarise the conversation. ",
            input=" ".join(words[nth : nth + 1 + (7 * nth) % 29]),
            after=" Summary:",
        )
        for nth in range(12)
    ]
