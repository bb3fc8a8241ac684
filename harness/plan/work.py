"""How long answering and training take, from sizes, batches and the speed of the machine: arithmetic, memory and calls.

Products of matrices are bound by arithmetic, all else by reading and writing memory; a small model's work is bound by the
number of calls. The three are added: on one processor they do not overlap.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.files.speed import NARROW, WIDE, Speed
from harness.neural import room
from harness.plan.adapted import adapted, sides
from harness.plan.memory import Answering, Loaded, Training, kept_bytes
from harness.types import Recipe

# Seconds of a layer's calls in a step of decoding, in numpy calls on few numbers: Python, torch and transformers together.
LAYER_CALLS = 600
# Times that training reads and writes what a layer keeps of a token, forward and backward.
TRAINING_PASSES = 6.0
READING_PASSES = 3.0
OPTIMISER_PASSES = 10.0  # of the factors' numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """The examples of training, in tokens."""

    prompts: Sequence[int]
    answers: Sequence[int]
    checked: int  # validation samples
    validations: int  # how often their loss is measured
    steps: int  # of the optimiser


def flops(speed: Speed, side: int) -> float:
    """Return the floating-point operations a second of products with matrices of this side."""
    at = math.log(min(max(side, NARROW), WIDE) / NARROW) / math.log(WIDE / NARROW)
    return speed.narrow ** (1 - at) * speed.wide**at


def answering_seconds(
    loaded: Loaded, batches: Answering, prompts: Sequence[int], answers: Sequence[int], speed: Speed
) -> float:
    """Return the seconds that the answers to some prompts take."""
    shape, tokens = loaded.shape, sum(prompts)
    if not prompts:
        return 0.0
    rate = flops(speed, shape.hidden)
    passes = max(1.0, tokens / batches.read_tokens)
    layers = shape.layers + shape.encoder_layers
    read = shape.encoder_parameters or shape.decoder_parameters
    arithmetic = 2 * tokens * read + 2 * len(prompts) * shape.head_parameters
    arithmetic += sum(2 * prompt**2 for prompt in prompts) * shape.queries * layers
    reading = (
        arithmetic / rate
        + READING_PASSES * tokens * _states(loaded) / speed.stream
        + passes * layers * LAYER_CALLS * speed.call
    )
    mean = sum(answers) / len(answers)
    columns = tokens / len(prompts) + mean / 2
    written = sum(answers)
    steps = max(batches.answer_tokens, written / batches.rows)
    step_weights = (shape.decoder_parameters + shape.head_parameters) * loaded.width
    arithmetic = 2 * written * (shape.decoder_parameters + shape.head_parameters)
    seen = written * columns * shape.cached * loaded.width
    writing = (
        max(arithmetic / rate, steps * step_weights / speed.stream)
        + (seen + READING_PASSES * written * _states(loaded)) / speed.stream
        + steps * shape.layers * LAYER_CALLS * speed.call
    )
    return reading + writing


def training_seconds(loaded: Loaded, batches: Training, examples: Examples, speed: Speed) -> float:
    """Return the seconds that training takes, with the measurements of the validation loss."""
    recipe = batches.recipe
    prompt = sum(examples.prompts) / len(examples.prompts)
    answer = sum(examples.answers) / len(examples.answers)
    learnt = _sample_seconds(loaded, recipe, prompt, answer, speed, learns=True)
    checked = _sample_seconds(loaded, recipe, prompt, answer, speed, learns=False)
    parts = math.ceil(recipe.batch_size / batches.rows)
    calls = 3 * parts * loaded.shape.layers * LAYER_CALLS * speed.call
    factors = recipe.rank * _sides(loaded, recipe)
    optimiser = OPTIMISER_PASSES * 4 * factors / speed.stream
    step = recipe.batch_size * learnt + parts * _forming(loaded, recipe, speed) + calls + optimiser
    return examples.steps * step + examples.validations * examples.checked * checked


def _sample_seconds(
    loaded: Loaded, recipe: Recipe, prompt: float, answer: float, speed: Speed, *, learns: bool
) -> float:
    """Return the seconds of one sample: forward and, if it learns, backward."""
    shape, tokens = loaded.shape, prompt + answer
    rate = flops(speed, shape.hidden)
    width = loaded.width
    if shape.encoder_layers:
        arithmetic = 2 * (prompt * shape.encoder_parameters + answer * shape.decoder_parameters)
        seen = shape.encoder_layers * prompt**2 + shape.layers * answer * (answer + prompt)
        layers = (shape.encoder_layers * prompt + shape.layers * answer) / (
            shape.layers + shape.encoder_layers
        )
    else:
        arithmetic = 2 * tokens * shape.decoder_parameters
        seen, layers = shape.layers * tokens**2, tokens
    attention = 4 * seen * shape.queries
    head = 2 * answer * shape.head_parameters
    kept = layers * kept_bytes(loaded, recipe, math.ceil(tokens), width)
    logits = answer * shape.vocabulary * width
    if not learns:
        return (arithmetic + attention + head) / rate + (kept + 3 * logits) / speed.stream
    forward = 2 if recipe.gradient_checkpointing else 1
    factors = 4 * tokens * recipe.rank * _sides(loaded, recipe)
    total = (1 + forward) * arithmetic + (2 + forward) * attention + 2 * head + factors
    return total / rate + (TRAINING_PASSES * forward * kept + 8 * logits) / speed.stream


def _forming(loaded: Loaded, recipe: Recipe, speed: Speed) -> float:
    """Return the seconds in which W + scale·B·A is formed, forward and backward, of every matrix with factors."""
    if loaded.width != 4 or recipe.dropout or loaded.quantization != "none":
        return 0.0
    layer = adapted(loaded.shape, loaded.family, recipe.targets)
    numbers = sum(
        rows * columns for group in (*layer.attention, *layer.feed_forward) for rows, columns in group
    )
    numbers *= loaded.shape.layers + loaded.shape.encoder_layers
    return 2 * numbers * (2 * recipe.rank / flops(speed, loaded.shape.hidden) + 12 / speed.stream)


def _sides(loaded: Loaded, recipe: Recipe) -> int:
    layer = adapted(loaded.shape, loaded.family, recipe.targets)
    return (sides(layer.attention) + sides(layer.feed_forward)) * (
        loaded.shape.layers + loaded.shape.encoder_layers
    )


def _states(loaded: Loaded) -> int:
    """Return the bytes of a token's states in all layers, without gradients."""
    shape = loaded.shape
    layer = (
        4 * shape.hidden + 2 * shape.queries + 2 * shape.keys + (3 if shape.gated else 2) * shape.feed_forward
    )
    return (shape.encoder_layers or shape.layers) * layer * loaded.width


def read_tokens(loaded: Loaded, threads: int) -> int:
    """Return how many tokens of prompts one forward pass reads."""
    return room.read_tokens(loaded.device, threads)
