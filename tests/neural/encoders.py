"""Two-layer encoders of four families with random weights, with and without a head, and their tokenizers."""

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    AutoConfig,
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
    PreTrainedTokenizerFast,
)

from tests.neural.conftest import SENTENCES

ENCODERS = ("bert", "albert", "roberta", "distilbert")
_USUAL: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 130,
}
SHAPES: dict[str, dict[str, Any]] = {
    "bert": _USUAL,
    "albert": {**_USUAL, "embedding_size": 16},
    "roberta": {**_USUAL, "type_vocab_size": 1},
    "distilbert": {"dim": 32, "hidden_dim": 64, "n_layers": 2, "n_heads": 4, "max_position_embeddings": 130},
}


def make_encoder_tokenizer(kind: str) -> PreTrainedTokenizerFast:
    """As the family's own: RoBERTa's texts stand between <s> and </s>, the others' between [CLS] and [SEP]."""
    first, last, pad, unknown, mask = (
        ("<s>", "</s>", "<pad>", "<unk>", "<mask>")
        if kind == "roberta"
        else ("[CLS]", "[SEP]", "[PAD]", "[UNK]", "[MASK]")
    )
    special = [first, pad, last, unknown, mask] if kind == "roberta" else [pad, unknown, first, last, mask]
    tokenizer = Tokenizer(models.WordPiece(unk_token=unknown))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.train_from_iterator(
        SENTENCES, trainers.WordPieceTrainer(vocab_size=300, special_tokens=special, show_progress=False)
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{first} $A {last}",
        special_tokens=[(token, tokenizer.token_to_id(token)) for token in (first, last)],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        cls_token=first,
        sep_token=last,
        pad_token=pad,
        unk_token=unknown,
        mask_token=mask,
    )


def make_encoder(
    kind: str, folder: Path, *, labels: int | None = None, pooler: bool = False, seed: int = 0
) -> Path:
    """A checkpoint as masked words leave it, with a pooler if asked; with `labels` it has a head for as many."""
    tokenizer = make_encoder_tokenizer(kind)
    torch.manual_seed(seed)
    config = AutoConfig.for_model(
        kind, **SHAPES[kind], vocab_size=len(tokenizer), pad_token_id=tokenizer.pad_token_id
    )
    if labels:
        config.num_labels = labels
    make: Any = AutoModelForSequenceClassification if labels else AutoModelForMaskedLM
    model = make.from_config(config)
    if pooler:
        setattr(model, kind, type(getattr(model, kind))(config))
    with torch.no_grad():  # wide enough apart that no two logits are nearly equal
        for parameter in model.parameters():
            if parameter.ndim == 2:
                parameter.normal_(std=0.3)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
