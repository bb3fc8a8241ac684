"""Write docs/hardware.md: the GPU memory that suite `samsum`'s models need with the shipped recipes, from configs alone.

    python -m tools.hardware.write

`configs.json` has the sizes in the models' public config.json, and where these are.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from harness import families
from harness.checkpoints.shape import shape
from harness.neural import room
from harness.plan.memory import Answering, Loaded, Memory, Training, answering, batch_tokens, training
from harness.suite.load import load_recipes
from harness.types import Recipe, Runtime

PAGE = Path(__file__).parents[2] / "docs" / "hardware.md"
CONFIGS = Path(__file__).with_name("configs.json")
RECIPES = ("lora-r8", "lora-r16", "lora-r16-24gb", "lora-r64")
CARDS = (8, 12, 16, 24, 32, 40, 48, 80, 141)  # GB of memory that GPUs are sold with
PROMPT, ANSWER, SAMPLES = (
    928,
    96,
    512,
)  # tokens: the recipes' 1,024 in all, task `samsum`'s longest answers; a block
INTRODUCTION = """\
# Which GPU is needed?

Every number on this page is **estimated**, from the models' public config.json alone; none was measured on a GPU.
`harness plan SUITE --device cuda` estimates the same for your own suite, with the lengths of your own texts.
`python -m tools.hardware.write` writes this page.

Peak memory in GB, the weights and CUDA's own 0.5 GB included.

- *Answering*: prompts of 928 tokens and answers of up to 96, as many at once as the keys and values of a quarter of a
  24 GB card hold. With less memory, fewer are answered at once, and it takes longer. In brackets: one at a time.
- *Training*, by recipe: every example is as long as the recipe's `max_tokens` of 1,024 allows, which is the worst case.
- *Card*: the smallest that GPUs are sold with on which training by lora-r16-24gb and answering one prompt at a time fit,
  with 5 % to spare.

"""


def loaded(name: str, entry: dict[str, Any], quantization: str) -> Loaded:
    """Return a model as it is in the memory of a GPU."""
    sizes = shape(entry["config"], name)
    return Loaded(
        shape=sizes,
        family=families.find(entry["family"]),
        parameters=sizes.parameters,
        dtype="bfloat16",
        quantization=quantization,
        device="cuda",
    )


def asked(model: Loaded, card_bytes: int, samples: int = SAMPLES) -> Memory:
    """Return the memory of answering on a card."""
    budget = batch_tokens(model, card_bytes, Runtime().batch_tokens, workers=1)
    return answering(
        model,
        Answering(
            samples=samples,
            longest=PROMPT,
            answer_tokens=ANSWER,
            batch_tokens=budget,
            read_tokens=room.read_tokens("cuda", 1),
        ),
    )


def trained(model: Loaded, recipe: Recipe) -> Memory:
    """Return the memory of training by a recipe, every example as long as it may be."""
    return training(
        model,
        Training(
            recipe=recipe,
            rows=recipe.micro_batch_size or recipe.batch_size,
            longest=recipe.max_tokens,
            answer=ANSWER,
            checked=recipe.validation_samples * recipe.max_tokens,
        ),
    )


def card(needs: Sequence[Memory]) -> str:
    """Return the smallest card that each need fits on with 5 % to spare."""
    most = max(need.bytes for need in needs) / 0.95e9
    return next((f"{size} GB" for size in CARDS if size >= most), f"over {CARDS[-1]} GB")


def lines() -> Iterator[str]:
    """Yield the lines of the page."""
    recipes = [load_recipes(name)[0] for name in RECIPES]
    yield from INTRODUCTION.splitlines()
    yield f"| model | weights as | weights | answering | {' | '.join(RECIPES)} | card |"
    yield "|---|---|--:|--:|" + "--:|" * (len(RECIPES) + 1)
    for name, entry in json.loads(CONFIGS.read_text(encoding="utf-8")).items():
        for quantization in ("none", "nf4"):
            model = loaded(name, entry, quantization)
            one, many = asked(model, 24_000_000_000, samples=1), asked(model, 24_000_000_000)
            needs = [trained(model, recipe) for recipe in recipes]
            cells = [
                f"[{name}](https://{entry['source']})",
                "bfloat16" if quantization == "none" else quantization,
                f"{model.weights / 1e9:.1f}",
                f"{many.bytes / 1e9:.1f} ({one.bytes / 1e9:.1f})",
                *(f"{need.bytes / 1e9:.1f}" for need in needs),
                card([one, needs[RECIPES.index("lora-r16-24gb")]]),
            ]
            yield f"| {' | '.join(cells)} |"


def page() -> str:
    """Return the whole page."""
    return "\n".join(lines()) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
