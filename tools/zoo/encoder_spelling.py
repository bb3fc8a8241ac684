"""Tokenizers for the tiny encoders, trained in the way of each family's own: in lower case, `[CLS]` first, `[SEP]` last."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from tools.zoo.encoders import EncoderSpelling
from tools.zoo.spelling import unigram_of_merges

if TYPE_CHECKING:
    from tokenizers import Tokenizer

# Padding first, as in the real ones.
SPECIAL: dict[EncoderSpelling, dict[str, str]] = {
    "wordpiece": {
        "pad_token": "[PAD]",
        "unk_token": "[UNK]",
        "cls_token": "[CLS]",
        "sep_token": "[SEP]",
        "mask_token": "[MASK]",
    },
    "lowercase-unigram": {
        "pad_token": "<pad>",
        "unk_token": "<unk>",
        "cls_token": "[CLS]",
        "sep_token": "[SEP]",
        "mask_token": "[MASK]",
    },
}


def train_encoder_tokenizer(spelling: EncoderSpelling, vocabulary: int, texts: Iterable[str]) -> "Tokenizer":
    """Return a tokenizer whose special tokens come first."""
    from tokenizers import processors

    special = SPECIAL[spelling]
    names = list(special.values())
    train = _wordpiece if spelling == "wordpiece" else _lowercase_unigram
    tokenizer = train(vocabulary, names, texts)
    ends = [(special[name], tokenizer.token_to_id(special[name])) for name in ("cls_token", "sep_token")]
    (first, _), (last, _) = ends
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{first}:0 $A:0 {last}:0",
        pair=f"{first}:0 $A:0 {last}:0 $B:1 {last}:1",
        special_tokens=ends,
    )
    return tokenizer


def _wordpiece(vocabulary: int, special: list[str], texts: Iterable[str]) -> "Tokenizer":
    """BERT's: words and punctuation apart, the longest known beginning first (Wu et al. 2016)."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    texts = list(texts)
    unknown = SPECIAL["wordpiece"]["unk_token"]
    tokenizer = Tokenizer(models.WordPiece(unk_token=unknown))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    # The trainer numbers the letters that stand inside words in the order of a hash table, another one in each process,
    # and breaks ties by these numbers. Given beforehand, in their own order, one corpus gives one vocabulary.
    inside = sorted({letter for text in texts for letter in tokenizer.normalizer.normalize_str(text)})
    trainer = trainers.WordPieceTrainer(
        vocab_size=vocabulary,
        special_tokens=[*special, *(f"##{letter}" for letter in inside if not letter.isspace())],
        initial_alphabet=[chr(code) for code in range(33, 127) if not chr(code).isupper()],
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    # The trainer marks them as special, which would find them in texts that hold "##".
    written = json.loads(tokenizer.to_str())
    written["added_tokens"] = written["added_tokens"][: len(special)]
    return Tokenizer.from_str(json.dumps(written))


def _lowercase_unigram(vocabulary: int, special: list[str], texts: Iterable[str]) -> "Tokenizer":
    """ALBERT's: a bar for a blank, pieces by a unigram model (Kudo 2018)."""
    from tokenizers import normalizers

    lower = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    alphabet = [chr(code) for code in range(33, 127) if not chr(code).isupper()]
    return unigram_of_merges(
        vocabulary, special, texts, lower, SPECIAL["lowercase-unigram"]["unk_token"], alphabet
    )


def save_encoder_tokenizer(
    tokenizer: "Tokenizer", spelling: EncoderSpelling, longest: int, folder: Path
) -> None:
    """Write the three files that transformers reads, in the hub's layout."""
    special = SPECIAL[spelling]
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "clean_up_tokenization_spaces": False,
        "model_max_length": longest,
        "model_input_names": ["input_ids", "token_type_ids", "attention_mask"],
        **special,
    }
    tokenizer.save(str(folder / "tokenizer.json"))
    for name, content in (("tokenizer_config.json", settings), ("special_tokens_map.json", special)):
        (folder / name).write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
