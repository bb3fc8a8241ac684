"""Two-layer models of four architectures with random weights, and tokenizers trained on a few sentences."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
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
    "Can you feed the cat while we are away? Sure, no problem, see you.",
]
SHAPES = {
    "falcon": {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "new_decoder_architecture": False,
               "multi_query": True, "parallel_attn": True, "alibi": False, "bias": False, "max_position_embeddings": 128},
    "llama": {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
              "num_key_value_heads": 4, "max_position_embeddings": 128},
    "mistral": {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
                "num_key_value_heads": 2, "max_position_embeddings": 128, "sliding_window": 16},
    "t5": {"d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_heads": 4, "relative_attention_num_buckets": 8,
           "feed_forward_proj": "gated-gelu", "dropout_rate": 0.1, "tie_word_embeddings": False},
}  # fmt: skip
PIN = ModelPin(revision="0" * 40, parameters=None, checkpoint_bytes=None, dtype="float32", family=None)
CPU = Runtime(device="cpu", threads=1, batch_tokens=2048)


def make_tokenizer(architecture: str) -> PreTrainedTokenizerFast:
    """As the family's own: T5 ends with </s>, Llama and Mistral begin with <s> and have no pad token, Falcon has only an end."""
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
        tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
        tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.Fuse()])
    alphabet = (
        pre_tokenizers.ByteLevel.alphabet() if architecture == "falcon" else sorted(set("".join(SENTENCES)))
    )
    trainer = trainers.BpeTrainer(
        vocab_size=300, special_tokens=special, initial_alphabet=alphabet, show_progress=False
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


def open_base(folder: Path, name: str = "") -> Base:
    model = Model(name=name or folder.name, uri=f"zoo:{name or folder.name}")
    return load(folder, model, PIN, CPU)


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    root = tmp_path_factory.mktemp("models")

    def folder(architecture: str) -> Path:
        path = root / architecture
        return path if path.exists() else make_folder(architecture, path)

    return folder


@pytest.fixture(params=ARCHITECTURES)
def base(request: pytest.FixtureRequest, folders: Callable[[str], Path]) -> Iterator[Base]:
    yield open_base(folders(request.param))


@pytest.fixture
def llama(folders: Callable[[str], Path]) -> Base:
    return open_base(folders("llama"))


def prompts(count: int) -> list[Prompt]:
    """Prompts of very different lengths."""
    words = " ".join(SENTENCES).split()
    return [
        Prompt(
            sample_id=f"s{nth}",
            before="Summarise the conversation. ",
            input=" ".join(words[nth : nth + 1 + (7 * nth) % 29]),
            after=" Summary:",
        )
        for nth in range(count)
    ]
