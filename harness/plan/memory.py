"""The memory that a model needs to answer and to be trained, part by part, from its sizes and the batches alone."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from harness.checkpoints.shape import ModelSizes
from harness.families import Family
from harness.neural import room
from harness.plan.adapted import Group, adapted, trainable_parameters
from harness.types import Recipe

WIDTHS = {"float32": 4, "bfloat16": 2, "float16": 2}  # bytes of a number
# Bytes of a number of a quantised matrix. nf4: 4 bits, 8 bits of scale for 64 numbers, and their own scale for 256 of these
# (Dettmers et al. 2023, section 3); int8: 8 bits and a scale for each row.
FOUR_BITS = 0.5 + 1 / 64 + 4 / (64 * 256)
QUANTISED = {"nf4": FOUR_BITS, "fp4": FOUR_BITS, "int8": 1.0}
# Resident memory of a worker's libraries: 439 MB after importing torch 2.13 (CPU), transformers, peft and accelerate; 457 to
# 485 MB at the end of the tiniest steps of workers, whose models and batches took under 10 MB.
LIBRARIES = 480_000_000
# What CUDA and its libraries keep on a GPU for one process, beside torch's own tensors (NVIDIA: 300 to 600 MB).
CUDA = 500_000_000
# A process keeps memory that it has freed if later blocks have other sizes. After 100 steps with batches of all lengths,
# the quickstart's workers held 1.1 (Llama) to 2.0 (Falcon) times the activations of the longest batch.
HEAP = 1.5
LEFT = "left of earlier work"  # name of the part that a worker still holds of what it did before
# Larger blocks go back to the system: after training SmolLM2-135M with a peak of 2.4 GB, its answers took 1.5 GB
# (`make bench-plan`).
LEFT_AT_MOST = 256_000_000
ADAM = 4  # float32 numbers for each factor's number: itself, its gradient and the optimiser's two moments


# Where a number comes from: a finished step of this machine, or sizes and the measured speed of this machine.
Basis = Literal["measured here", "estimated", "estimated from the data sheet"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of the memory that some work needs."""

    name: str
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """The memory that a worker, or a GPU, needs for some work at its peak."""

    parts: tuple[Part, ...]  # as they are estimated
    bytes: int  # their sum; if measured: the peak of a finished step
    basis: Basis
    heap: bool  # True: memory of a process, which keeps freed memory; False: memory of a GPU


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A model as a worker has it in memory."""

    shape: ModelSizes
    family: Family
    parameters: int
    dtype: str  # that it computes in
    quantization: str
    device: str  # "cpu" | "cuda"
    writes: bool = (
        True  # False: an encoder alone, which keeps no keys and values and has no head over its vocabulary
    )

    @property
    def width(self) -> int:
        """Return the bytes of a number that it computes with."""
        return WIDTHS[self.dtype]

    @property
    def weights(self) -> int:
        """Return the bytes of the weights. A quantisation leaves the embedding and the head as they are."""
        if self.quantization == "none":
            return self.parameters * self.width
        kept = self.shape.embedding_parameters
        return int((self.parameters - kept) * QUANTISED[self.quantization] + kept * self.width)

    @property
    def own(self) -> Part:
        """Return what the libraries themselves take."""
        return Part(name="libraries", bytes=LIBRARIES if self.device == "cpu" else CUDA)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweringBatches:
    """The batches in which prompts are answered."""

    samples: int  # of the largest block
    longest: int  # prompt, in tokens
    answer_tokens: int  # at most
    batch_tokens: int  # the budget
    read_tokens: int  # of prompts, in one forward pass

    @property
    def rows(self) -> int:
        """Return how many answers are in progress at once."""
        return min(self.samples, room.rows_that_fit(self.longest + self.answer_tokens, self.batch_tokens))


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingBatches:
    """The batches in which an adapter is trained."""

    recipe: Recipe
    rows: int  # in one forward pass
    longest: int  # example, prompt and answer together, in tokens
    answer: int  # tokens of the longest example's answer
    checked: int  # tokens of all validation samples together


def batch_tokens(loaded: Loaded, total_bytes: int, most: int, workers: int) -> int:
    """Return the budget of tokens in flight on a machine, or a GPU, with this memory."""
    of_token = loaded.shape.cached * loaded.width
    return min(most, room.affordable(total_bytes, of_token, loaded.device, workers))


def answering(loaded: Loaded, batches: AnsweringBatches) -> Memory:
    """Return the peak of answering."""
    shape, width, rows = loaded.shape, loaded.width, batches.rows
    if not loaded.writes:
        tokens = max(batches.longest, min(batches.read_tokens, batches.samples * batches.longest))
        return _memory(loaded, Part(name="activations", bytes=tokens * _of_layer(shape) * width))
    columns = batches.longest + batches.answer_tokens
    if shape.encoder_layers:  # the decoder's columns are those of the answer; the prompt's are the encoder's
        columns += 1
    kept = rows * columns * shape.cached * width
    # A mask makes attention copy the keys and values of one layer for each of the heads that share them.
    spread = 2 * rows * columns * shape.queries * width if shape.shared_heads < shape.heads else 0
    read = min(batches.read_tokens, rows * batches.longest) * (shape.cached + _of_layer(shape)) * width
    logits = 2 * rows * shape.vocabulary * width
    return _memory(
        loaded,
        Part(name="keys and values", bytes=kept),
        Part(name="activations", bytes=max(spread, read)),
        Part(name="logits", bytes=logits),
    )


def training(loaded: Loaded, batches: TrainingBatches) -> Memory:
    """Return the peak of training."""
    recipe, shape = batches.recipe, loaded.shape
    width = loaded.width if recipe.precision == "auto" else WIDTHS[recipe.precision]
    factors = trainable_parameters(shape, loaded.family, recipe.targets, recipe.rank)
    prompt = batches.longest - batches.answer
    of_sample = kept_bytes(loaded, recipe, prompt, batches.answer, width)
    if recipe.gradient_checkpointing:  # the states between layers, and all of one layer
        layers = shape.layers + shape.encoder_layers
        of_sample = batches.longest * layers * shape.hidden * width + of_sample // max(1, layers)
    asked = batches.answer if loaded.writes else 0  # tokens that have logits over the vocabulary
    learnt = batches.rows * of_sample, batches.rows * asked * _of_logits(shape, width)
    checked = min(room.VALIDATION_TOKENS, batches.checked)
    share = asked / max(1, batches.longest)
    validated = checked * _of_layer(shape) * width, int(checked * share) * shape.vocabulary * (width + 8)
    activations, logits = max(learnt, validated, key=sum)
    best = 1 if loaded.device == "cpu" else 0  # the factors of the best checkpoint are kept on the CPU
    return _memory(
        loaded,
        Part(name="activations", bytes=int(activations * (HEAP if loaded.device == "cpu" else 1.0))),
        Part(name="logits", bytes=int(logits)),
        Part(name="factors, optimiser", bytes=(ADAM + best) * 4 * factors),
    )


def after(earlier: Sequence[Memory], memory: Memory) -> Memory:
    """Return the peak of work in a process that did other work before: a process keeps some memory that it has freed.

    A measured peak has it already, and on a GPU freed memory is used again.
    """
    left = min(LEFT_AT_MOST, max((work.bytes for work in earlier), default=0) - memory.bytes)
    if left <= 0 or memory.basis == "measured here" or not memory.heap:
        return memory
    return replace(memory, parts=(*memory.parts, Part(name=LEFT, bytes=left)), bytes=memory.bytes + left)


def kept_bytes(loaded: Loaded, recipe: Recipe, prompt: float, answer: float, width: int) -> int:
    """Return the bytes that all layers keep of one sample for the backward pass; prompt and answer are in tokens.

    What torch's functions and this package's own (neural/kernels.py, neural/lora/linear.py) save in a forward pass: the
    input of each norm, queries, keys, values and output of attention, what an activation function and a gate multiply,
    and the input of each map with factors.
    """
    shape = loaded.shape
    once = recipe.dropout == 0 and loaded.quantization == "none"  # maps of one input share what they keep
    one = (
        shape.hidden  # input of the norm
        + 2 * shape.queries  # queries, and the output
        + 2 * shape.keys
    )
    if shape.keeps_attention:
        one += int(shape.heads * (prompt + answer)) + 2 * shape.queries
    wide = shape.hidden + ((3 if shape.gated else 1) + (3 if shape.composed else 0)) * shape.feed_forward
    layer = adapted(shape, loaded.family, recipe.targets)
    inputs = (
        layer.attention[:1] if once else layer.attention
    )  # the output's input is attention's output, already kept
    of_attention = one * width + _inputs(inputs, once, recipe.dropout > 0, width)
    of_feed_forward = wide * width + _inputs(layer.feed_forward, once, recipe.dropout > 0, width)
    if not shape.encoder_layers:
        return int((prompt + answer) * shape.layers * (of_attention + of_feed_forward))
    crossing = 2 * prompt * shape.keys * width  # the decoder's keys and values of the prompt
    decoder = shape.layers * (answer * (2 * of_attention + of_feed_forward) + crossing)
    return int(decoder + shape.encoder_layers * prompt * (of_attention + of_feed_forward))


def _inputs(groups: Sequence[Group], once: bool, drops: bool, width: int) -> int:
    """Return the bytes of the inputs that maps with factors keep of one token; dropout keeps a mask of bytes too."""
    if once:
        return width * sum(group[0][1] for group in groups if group)
    return (width + drops) * sum(columns for group in groups for _, columns in group)


def _of_layer(shape: ModelSizes) -> int:
    """Return the numbers that one layer has in memory of one token without gradients."""
    of_attention = 3 * shape.hidden + 2 * shape.queries + 2 * shape.keys
    of_feed_forward = 2 * shape.hidden + (3 if shape.gated else 2) * shape.feed_forward
    return max(of_attention, of_feed_forward)


def _of_logits(shape: ModelSizes, width: int) -> int:
    """Return the bytes that the loss has in memory of one answer token: logits, in float32 too, and two more in float32."""
    return shape.vocabulary * (8 + (4 if width == 4 else width + 4))


def _memory(loaded: Loaded, *parts: Part) -> Memory:
    whole = (Part(name="weights", bytes=loaded.weights), *parts, loaded.own)
    total = sum(part.bytes for part in whole)
    return Memory(parts=whole, bytes=total, basis="estimated", heap=loaded.device == "cpu")
