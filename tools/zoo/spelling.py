"""Tokenizers for the tiny models, trained in the way of each family's own."""

import json
from collections import Counter
from collections.abc import Iterable
from math import log
from pathlib import Path
from typing import TYPE_CHECKING

from tools.zoo.architectures import Spelling

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from tokenizers.normalizers import Normalizer

UNKNOWN = "<unk>"
SPECIAL: dict[Spelling, dict[str, str]] = {
    "byte-level": {"pad_token": "<|pad|>", "eos_token": "<|endoftext|>"},
    "sentencepiece-bpe": {
        "unk_token": UNKNOWN,
        "bos_token": "<s>",
        "eos_token": "</s>",
        "pad_token": "<pad>",
    },
    "unigram": {"pad_token": "<pad>", "eos_token": "</s>", "unk_token": UNKNOWN},
}


def train_tokenizer(spelling: Spelling, vocabulary: int, texts: Iterable[str]) -> "Tokenizer":
    """Return a tokenizer whose special tokens come first; padding and end-of-sequence differ."""
    special = list(SPECIAL[spelling].values())
    if spelling == "byte-level":
        return _byte_level(vocabulary, special, texts)
    if spelling == "sentencepiece-bpe":
        return _sentencepiece_bpe(vocabulary, special, texts)
    return _unigram(vocabulary, special, texts)


def _byte_level(vocabulary: int, special: list[str], texts: Iterable[str]) -> "Tokenizer":
    """Falcon's: bytes, punctuation apart, digits one by one, nothing added at either end."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Punctuation("contiguous"),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
            pre_tokenizers.Digits(individual_digits=True),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def _sentencepiece_bpe(vocabulary: int, special: list[str], texts: Iterable[str]) -> "Tokenizer":
    """Llama's: a bar for a blank, bytes for what the alphabet lacks (the end of a line, for one), <s> in front."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.BPE(unk_token=UNKNOWN, byte_fallback=True, fuse_unk=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="first", split=True),
            pre_tokenizers.Split(Regex(r"[\p{P}\p{N}&&[^']]"), "isolated"),
        ]
    )
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    in_bytes = [f"<0x{byte:02X}>" for byte in range(256)]
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary, special_tokens=[*special, *in_bytes], show_progress=False
    )
    # A line's end must not enter the alphabet: here any sign that stands alone will do in its place.
    tokenizer.train_from_iterator((text.replace("\n", ".") for text in texts), trainer)
    # The trainer marks the bytes as special, which would cut them from decoded text.
    written = json.loads(tokenizer.to_str())
    written["added_tokens"] = written["added_tokens"][: len(special)]
    tokenizer = Tokenizer.from_str(json.dumps(written))
    bos = ("<s>", tokenizer.token_to_id("<s>"))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s> $B", special_tokens=[bos]
    )
    return tokenizer


def _unigram(vocabulary: int, special: list[str], texts: Iterable[str]) -> "Tokenizer":
    """T5's: white space of any kind is one bar, pieces by a unigram model (Kudo 2018), </s> at the end.

    The pieces are found by merging and weighed by how often merging uses them: on so little text the library's own
    unigram trainer drops words as common as "is".
    """
    from tokenizers import normalizers, processors

    tokenizer = unigram_of_merges(vocabulary, special, texts, normalizers.NFKC(), UNKNOWN)
    eos = ("</s>", tokenizer.token_to_id("</s>"))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[eos]
    )
    return tokenizer


def unigram_of_merges(
    vocabulary: int,
    special: list[str],
    texts: Iterable[str],
    normalizer: "Normalizer",
    unknown: str,
    alphabet: Iterable[str] = (),  # signs that are pieces even if no text has them
) -> "Tokenizer":
    """Return a unigram tokenizer of pieces found by merging, which puts no special token around a text."""
    from tokenizers import (
        Regex,
        Tokenizer,
        decoders,
        models,
        pre_tokenizers,
        trainers,
    )

    texts = list(texts)
    merging = Tokenizer(models.BPE(unk_token=unknown))
    merging.normalizer = normalizer
    merging.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.WhitespaceSplit(),
            pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always", split=True),
            pre_tokenizers.Split(Regex(r"[\p{P}\p{N}&&[^']]"), "isolated"),
        ]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary, special_tokens=special, initial_alphabet=list(alphabet), show_progress=False
    )
    merging.train_from_iterator(texts, trainer)
    used = Counter(piece for one in merging.encode_batch(texts) for piece in one.ids)
    pieces = sorted(merging.get_vocab().items(), key=lambda piece: piece[1])
    total = sum(used.values()) + len(pieces)
    weighed = [(piece, 0.0 if piece in special else log((used[at] + 1) / total)) for piece, at in pieces]

    tokenizer = Tokenizer(models.Unigram(weighed, unk_id=special.index(unknown)))
    tokenizer.normalizer = merging.normalizer
    tokenizer.pre_tokenizer = merging.pre_tokenizer
    tokenizer.add_special_tokens(special)
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always", split=True)
    return tokenizer


def save_tokenizer(tokenizer: "Tokenizer", spelling: Spelling, longest: int, folder: Path) -> None:
    """Write the three files that transformers reads, in the hub's layout."""
    special = SPECIAL[spelling]
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "clean_up_tokenization_spaces": False,
        "model_max_length": longest,
        "model_input_names": ["input_ids", "attention_mask"],
        **special,
    }
    tokenizer.save(str(folder / "tokenizer.json"))
    for name, content in (("tokenizer_config.json", settings), ("special_tokens_map.json", special)):
        (folder / name).write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
