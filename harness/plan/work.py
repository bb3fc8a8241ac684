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
from harness.plan.memory import AnsweringBatches, Loaded, TrainingBatches, kept_bytes
from harness.types import Recipe

# Time of the calls of one attention with its part of the layer, in calls of numpy on few numbers: Python, torch and
# transformers together. A step of decoding takes some 0.9 ms of a layer more than its numbers explain.
LAYER_CALLS = 1500
# Times that what a layer keeps of a token is read and written, forward and backward, or forward alone.
TRAINING_PASSES, READING_PASSES = 8.0, 4.0
# Activation functions take four times as long as a product of numbers (silu in float32: 5.5 against 22 GB/s).
FUNCTION_PASSES = 4 * 2.0
# Share of the speed of thin products that attention reaches (27 of 57 GFLOP/s, 4 heads of 32, forward and backward), and of
# that with a mask.
ATTENTION, MASKED = 0.5, 0.5
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
    return math.pow(speed.narrow, 1 - at) * math.pow(speed.wide, at)


def answering_seconds(
    loaded: Loaded, batches: AnsweringBatches, prompts: Sequence[int], answers: Sequence[int], speed: Speed
) -> float:
    """Return the seconds that the answers to some prompts take."""
    if not prompts:
        return 0.0
    return reading_seconds(loaded, batches, prompts, speed) + _writing(
        loaded, batches, prompts, answers, speed
    )


def reading_seconds(loaded: Loaded, batches: AnsweringBatches, prompts: Sequence[int], speed: Speed) -> float:
    """Return the seconds in which prompts are read, all that is done where no answer is written."""
    shape, tokens = loaded.shape, sum(prompts)
    layers = shape.encoder_layers or shape.layers
    matrices = shape.encoder_parameters or shape.decoder_parameters
    arithmetic = 2 * tokens * matrices + 2 * len(prompts) * shape.head_parameters
    attention = layers * 4 * sum(prompt**2 for prompt in prompts) * shape.queries
    passes = max(1.0, tokens / batches.read_tokens)
    return (
        arithmetic / flops(speed, shape.hidden)
        + attention / _attention_flops(loaded, speed)
        + tokens * layers * _passes(loaded) * loaded.width / speed.stream
        + passes * layers * LAYER_CALLS * speed.call
    )


def _writing(
    loaded: Loaded, batches: AnsweringBatches, prompts: Sequence[int], answers: Sequence[int], speed: Speed
) -> float:
    """Return the seconds in which answers are written: rows finish at different times, and the longest row decides."""
    shape, written = loaded.shape, sum(answers)
    columns = sum(prompts) / len(prompts) + written / len(answers) / 2
    steps = max(max(answers), written / batches.rows)
    attentions = shape.layers * (2 if shape.encoder_layers else 1)
    matrices = shape.decoder_parameters + shape.head_parameters
    keys = written * columns * shape.cached * (1 if not shape.encoder_layers else 2)
    return (
        max(
            2 * written * matrices / flops(speed, shape.hidden),
            steps * matrices * loaded.width / speed.stream,
        )
        + (keys + written * shape.layers * _passes(loaded)) * loaded.width / speed.stream
        + steps * attentions * LAYER_CALLS * speed.call
    )


def training_seconds(loaded: Loaded, batches: TrainingBatches, examples: Examples, speed: Speed) -> float:
    """Return the seconds that training takes, with the measurements of the validation loss."""
    recipe = batches.recipe
    prompt = sum(examples.prompts) / len(examples.prompts)
    answer = sum(examples.answers) / len(examples.answers)
    learnt = _sample_seconds(loaded, recipe, prompt, answer, speed, learns=True)
    checked = _sample_seconds(loaded, recipe, prompt, answer, speed, learns=False)
    parts = math.ceil(recipe.batch_size / batches.rows)
    shape = loaded.shape
    attentions = shape.encoder_layers + shape.layers * (2 if shape.encoder_layers else 1)
    calls = 3 * parts * attentions * LAYER_CALLS * speed.call
    factors = recipe.rank * _sides(loaded, recipe)
    optimiser = OPTIMISER_PASSES * 4 * factors / speed.stream
    step = recipe.batch_size * learnt + parts * _forming(loaded, recipe, speed) + calls + optimiser
    return examples.steps * step + examples.validations * examples.checked * checked


def _sample_seconds(
    loaded: Loaded, recipe: Recipe, prompt: float, answer: float, speed: Speed, *, learns: bool
) -> float:
    """Return the seconds of one sample: forward and, if it learns, backward."""
    shape, tokens = loaded.shape, prompt + answer
    rate, width = flops(speed, shape.hidden), loaded.width
    if shape.encoder_layers:
        arithmetic = 2 * (prompt * shape.encoder_parameters + answer * shape.decoder_parameters)
        seen = shape.encoder_layers * prompt**2 + shape.layers * answer * (answer + prompt)
        layers = shape.layers + shape.encoder_layers
        through = (shape.encoder_layers * prompt + shape.layers * answer) / layers  # tokens of a layer
    else:
        arithmetic = 2 * tokens * shape.decoder_parameters
        seen, layers, through = shape.layers * tokens**2, shape.layers, tokens
    attention = 4 * seen * shape.queries
    head = 2 * answer * shape.head_parameters
    logits = answer * shape.vocabulary * width
    forward = (
        (arithmetic + head) / rate
        + attention / _attention_flops(loaded, speed)
        + (through * layers * _passes(loaded) * width + 4 * logits) / speed.stream
    )
    if not learns:
        return forward
    again = forward if recipe.gradient_checkpointing else 0.0
    factors = 4 * tokens * recipe.rank * _sides(loaded, recipe)
    kept = kept_bytes(loaded, recipe, prompt, answer, width)
    functions = through * layers * shape.feed_forward * width * FUNCTION_PASSES * 2.5
    both = (
        2 * (arithmetic + head) / rate
        + factors / speed.thin
        + 3 * attention / _attention_flops(loaded, speed)
        + (TRAINING_PASSES * kept + functions + 12 * logits) / speed.stream
    )
    return both + again


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


def _attention_flops(loaded: Loaded, speed: Speed) -> float:
    return ATTENTION * speed.thin * (MASKED if loaded.shape.masked else 1.0)


def _passes(loaded: Loaded) -> float:
    """Return the numbers of a token that a layer reads and writes without gradients."""
    shape = loaded.shape
    states = 4 * shape.hidden + 2 * shape.queries + 2 * shape.keys
    wide = (3 if shape.gated else 2) * shape.feed_forward
    functions = FUNCTION_PASSES * shape.feed_forward * (2 if shape.composed else 1)
    return READING_PASSES * (states + wide) + functions


def read_tokens(loaded: Loaded, threads: int) -> int:
    """Return how many tokens of prompts one forward pass reads."""
    return room.read_tokens(loaded.device, threads)
