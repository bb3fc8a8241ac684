"""Which checkpoints can write an answer, by config.json alone: no weights are read and no library is imported.

transformers silently loads a RobertaForMaskedLM as a RobertaForCausalLM, and that model answers with meaningless text.
"""

import re
from collections.abc import Mapping
from typing import Any

INSTEAD = "name a decoder (GPT, Llama, Mistral …) or an encoder-decoder (T5, BART …) in its place"
# Encoders, whose tokens see both sides; an encoder that transformers can turn into a decoder then has `is_decoder: true`.
# A test compares the list with transformers' own tables.
ENCODERS = frozenset(
    "albert bert big_bird camembert convbert data2vec-text deberta deberta-v2 distilbert electra ernie esm esmc eurobert "
    "flaubert fnet funnel gte ibert jina_embeddings_v3 layoutlm longformer luke megatron-bert mobilebert modernbert "
    "modernvbert mpnet mra neomme nomic_bert nystromformer perceiver rembert roberta roberta-prelayernorm roc_bert "
    "roformer squeezebert tapas ultrabert ultravbert xlm-roberta xlm-roberta-xl xmod yoso".split()
)
# The part after "For" in the name of an architecture: what such a model does, and what it is for.
MADE_FOR: Mapping[str, tuple[str, str]] = {
    "MaskedLM": ("an encoder that fills in masked words", "labelling texts or embedding them"),
    "PreTraining": ("an encoder as its pretraining left it", "labelling texts or embedding them"),
    "SequenceClassification": ("a classifier, which gives a text a label or a score", "labelling texts"),
    "TokenClassification": ("a tagger, which labels every word", "finding names and other spans in texts"),
    "QuestionAnswering": ("an extractor, which marks an answer in a given text", "finding answers in texts"),
    "MultipleChoice": ("a chooser, which scores given answers", "choosing among answers"),
    "NextSentencePrediction": (
        "a classifier of pairs of sentences",
        "telling which sentences follow another",
    ),
    "RewardModel": ("a reward model, which gives an answer a score", "judging answers"),
    "ImageClassification": ("a classifier of pictures", "labelling pictures"),
}
WRITING = ("CausalLM", "ConditionalGeneration", "TextToText", "Seq2SeqLM", "TextGeneration", "LM")
_TASK = re.compile(r"For([A-Z]\w*)$")
_HEAD = re.compile(r"(LMHeadModel|WithLMHead|WithLMHeadModel|LMHead|GenerationDecoder|DoubleHeadsModel)$")


def why_not(config: Mapping[str, Any]) -> str | None:
    """Return what the checkpoint is and what to use instead where it cannot write answers; None where it may.

    `architectures` decides; without it, `model_type`. A bare model (LlamaModel) may: whether its head is stored, or tied
    to the embedding, is known once the names of its tensors are compared.
    """
    found = config.get("architectures")
    names = [name for name in found if isinstance(name, str)] if isinstance(found, list) else []
    kind = str(config.get("model_type", ""))
    writes = any(map(_writes, names))
    encoder = kind in ENCODERS
    if encoder and config.get("is_decoder") is not True:
        return _encoder(kind, names)
    made_for = next((match for name in names if (match := _TASK.search(name))), None)
    if writes or made_for is None or (made_for[1] == "PreTraining" and not encoder):
        return None
    return _sentence(made_for.string, *_purpose(made_for[1]))


def is_encoder(config: Mapping[str, Any]) -> bool:
    """Return whether the checkpoint is an encoder of text, which gives labels or numbers by a head and writes nothing."""
    return config.get("model_type") in ENCODERS and config.get("is_decoder") is not True


def _writes(name: str) -> bool:
    task = _TASK.search(name)
    return task[1] in WRITING if task else _HEAD.search(name) is not None


def _encoder(kind: str, names: list[str]) -> str:
    name = names[0] if names else f"model of type {kind}"
    task = _TASK.search(name)
    if _writes(name):
        return (
            f"is a {name} whose config.json does not say `is_decoder: true`: an encoder, whose tokens see those that "
            f"follow, so it cannot write answers; if it was trained as a decoder, set it there, otherwise {INSTEAD}"
        )
    if task:
        return _sentence(name, *_purpose(task[1]))
    return _sentence(name, "an encoder without a head", "embedding texts")


def _purpose(task: str) -> tuple[str, str]:
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", task).lower()
    return MADE_FOR.get(task, (f"made for {words}", words))


def _sentence(name: str, what: str, use: str) -> str:
    article = "an" if name[0] in "AEIOU" else "a"
    return f"is {article} {name}, {what}; it cannot write answers. Use it for {use}, or {INSTEAD}"
