"""docs/families.md: the model families that the harness knows, and what each was proved on."""

import json
from collections.abc import Iterable

from harness import families, plugins
from harness.families import Family
from harness.files import shipped
from tests.families.variants import VARIANTS
from tools.docs.tables import code, table

ROLES = ("q", "k", "v", "o", "feed-forward")
BEGINS = {"bos": "BOS", "none": "no token", "varies": "as the checkpoint's"}
HEAD = """# Model families

A family says how a kind of checkpoint names its matrices: which of them a recipe's `targets` mean, and which role each has
in `harness weigh`. A checkpoint's `model_type` decides its family, unless the suite's model has a `family:`. A model type
that no family lists is `generic`, which knows the usual names. One more family is [one file of data](extending.md).

Some families were tuned from another, on a format of their own: they have the other's matrices, and their checkpoints are
known by their names on the hub. A model from a folder says `family: meditron`. A task writes the format under `by_family:`.
Where a task has none for such a family, its models are asked in the words of the family that it was tuned from, or in the
task's own. `harness check` and `harness plan` say which models are asked in the words of a family, and
`harness show TASK --model M --family F` prints them.
"""
PROVED = """## What each was proved on

The tests build each variant from a small random configuration, and ask it and train on it as a run does:

- Answers to prompts of different lengths in one batch are those of transformers' `generate`, one prompt at a time.
- An adapter for each role is trained here and gives the same logits in plain peft. An adapter of plain peft gives the same
  logits here.
- Each matrix has a role, and the targets of a role are the matrices of that role. The parts of a fused matrix are what the
  model's own code makes of it.

The third column names the variants whose prompts in these tests are longer than their sliding window. The tiny models of the
zoo are trained ones. No test reads a checkpoint of the hub: the tests run without a network.
"""
HABITS = """## Padding, special tokens, chats

- **Padding** depends on the architecture and not on the family. The harness pads prompts on the right when it reads them,
  and no token sees the padding. For `generate` of transformers, pad decoders on the left and encoder-decoders on the right.
- **BOS** comes from the checkpoint's own tokenizer: where the tokenizer puts BOS before a text, a prompt of a decoder begins
  with exactly one. `harness check` warns where a family's models are trained with BOS and a prompt does not begin with it.
- **Chats**: a prompt goes through the tokenizer's chat template where there is one (`chat: auto`). For a checkpoint without
  a template that was tuned on a format of its own, write the format into the task's `prompt`, or for its family alone under
  `by_family:`.
"""


def page() -> str:
    """Return the page."""
    known = [families.find(name) for name in plugins.own_names("families")]
    return "\n".join(
        [
            HEAD,
            table(
                ("Family", "Model types", "Examples on the hub", "Architecture", "A text begins with"),
                map(_what, known),
            ),
            "\n## Matrices\n",
            "Names are the ends of modules' names. Of a fused matrix, a recipe can only train the whole.\n",
            table(("Family", *ROLES, "Fused"), map(_matrices, known)),
            "\n## Notes\n",
            *(f"- **{family.name}**: {family.notes}" for family in known if family.notes),
            f"\n{HABITS}\n{PROVED}",
            table(
                ("Family", "Random configurations", "Beyond a sliding window", "Tiny trained models"),
                map(_proved, known),
            ),
            "",
        ]
    )


def _codes(names: Iterable[str]) -> str:
    return ", ".join(map(code, names))


def _what(family: Family) -> tuple[str, ...]:
    if family.tuned_from:
        types = f"{code(family.tuned_from)}'s, of {_codes(family.repositories)} on the hub"
    else:
        types = _codes(family.model_types) or "all others"
    return code(family.name), types, _codes(family.checkpoints), family.architecture, BEGINS[family.begins]


def _matrices(family: Family) -> tuple[str, ...]:
    fused = "; ".join(
        f"{code(name)}: {', '.join(how.parts)} in {how.layout if how.layout != 'equal' else 'equal blocks'}"
        for name, how in family.fused.items()
    )
    return code(family.name), *(_codes(family.targets.get(role, ())) for role in ROLES), fused


def _proved(family: Family) -> tuple[str, ...]:
    built = {name: variant for name, variant in VARIANTS.items() if variant.family == family.name}
    tiny = [name for name in shipped.zoo_names() if _family_of(name) == family.name]
    sliding = [name for name, variant in built.items() if variant.slides]
    return code(family.name), *(", ".join(names) for names in (built, sliding, tiny))


def _family_of(tiny: str) -> str:
    config = json.loads((shipped.zoo_folder(tiny) / "config.json").read_text(encoding="utf-8"))
    return families.of(config["model_type"]).name
