"""RoBERTa and its descendants: encoders with BERT's names, positions that begin behind the padding token, no pooler."""

from dataclasses import replace

from harness.families import bert

FAMILY = replace(bert.FAMILY, name="roberta", model_types=("roberta", "xlm-roberta", "camembert"))
