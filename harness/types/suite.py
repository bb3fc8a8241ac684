"""What a suite says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from harness.types.fields import Kept, Withheld

Split = Literal["train", "validation", "test"]

Share = Literal["text", "scores"]

Overflow = Literal["keep-start", "keep-end", "refuse"]

FAMILY_ERROR = 0.05  # of gates, where nothing else is said


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where samples come from, and which column is what."""

    uri: str  # "file:PATH" | "hub:OWNER/NAME[@REVISION]" | "embedded:NAME"
    columns: Mapping[str, str] = field(default_factory=dict)  # id, input, reference -> column
    splits: Mapping[str, str] = field(default_factory=dict)  # train, validation, test -> file or split
    config: str | None = None  # a hub data set's configuration
    licence: str | None = None
    share: Share | None = None  # what may leave the machine; None: decided by uri and licence


@dataclass(frozen=True, slots=True, kw_only=True)
class Decode:
    """How the model is asked to write."""

    max_new_tokens: int = 64
    temperature: float = 0.0  # 0 = greedy
    top_p: float = 1.0
    stop: tuple[str, ...] = ()  # strings that end an answer and are cut from it
    leading_whitespace: Literal["drop", "keep"] = "drop"  # keep: a stop string in it ends the answer at once
    seed: int = 0  # used when temperature > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One kind of question, where its samples are, and how answers are judged."""

    name: str
    source: Source
    prompt: str  # string.Template: $input and any other column
    metrics: tuple[str, ...]
    primary: str  # the metric that decides
    kind: str = "generate"
    about: str = ""
    shots: int = 0  # examples before every prompt, for base and adapter alike
    decode: Decode = field(default_factory=Decode)
    overflow: Overflow = "keep-start"  # which end of $input stays when a prompt is too long
    cluster: str | None = None  # column whose equal values are resampled together
    trivial: tuple[str, ...] = ()  # "lead-3", "copy": what a program without a model scores
    allow_empty: bool = False  # an empty answer may be right: systems with many of them are judged by gates


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A pretrained base model."""

    name: str
    uri: str  # "hub:OWNER/NAME" | "file:PATH" | "zoo:NAME" | "echo:RULE"
    revision: str | None = None  # a hub commit; None is resolved when the plan is made
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"  # auto: float32 on cpu, else bfloat16
    quantization: Literal["none", "int8", "nf4"] = "none"
    family: str | None = None  # None: told by the checkpoint's config
    chat: Literal["auto", "on", "off"] = "auto"  # auto: the tokenizer's chat template where it has one
    trust_remote_code: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How an adapter is trained."""

    name: str
    rank: int = 16
    alpha: float = 32.0
    dropout: float = 0.0
    targets: tuple[str, ...] = ("q", "v")  # roles of the family, or ("all-linear",)
    rslora: bool = False
    epochs: float | None = None  # exactly one of epochs and steps
    steps: int | None = None
    batch_size: int = 16  # samples per optimiser step
    micro_batch_size: int | None = None  # samples per forward pass; None: batch_size
    learning_rate: float = 2e-4
    schedule: Literal["constant", "linear", "cosine"] = "cosine"
    warmup: float = 0.03  # share of all steps
    weight_decay: float = 0.0
    max_grad_norm: float = 1.0
    max_tokens: int = 1024  # prompt and answer together, in training
    max_samples: int | None = None  # training samples; None: all
    validation_samples: int = 64  # used to choose the checkpoint; 0: keep the last
    validations: int = 4  # how often in a run the validation loss is measured
    gradient_checkpointing: bool = False
    precision: Literal["auto", "float32", "bfloat16"] = (
        "auto"  # what the base computes in; auto: its own dtype
    )
    seeds: tuple[int, ...] = (0,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    """An adapter that exists already."""

    name: str
    base: str  # a model's name in the suite
    uri: str  # "hub:OWNER/NAME" | "file:PATH"
    revision: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighing:
    """How weights are looked at."""

    roles: tuple[str, ...] = ("q", "k", "v", "o", "qkv", "feed-forward")  # whose matrices are analysed
    oracle: bool = False  # by the weightwatcher package itself
    split: bool = False  # a fused matrix as the parts that it holds
    randomize: bool = False  # also what the same entries in another order give
    seed: int = 0  # of that order
    intruders_up_to: int = 1024  # the longer side of a matrix: its singular vectors are computed and not kept


@dataclass(frozen=True, slots=True, kw_only=True)
class WorseSamples:
    """How many samples may fall: many small gains must not hide a broken class."""

    drop: Kept[float]  # points; a sample that falls by more is counted
    samples: Kept[int | None] = None  # exactly one of: at most so many of the samples that were asked
    percent: Kept[float | None] = None  # at most so many of a hundred, of samples like these


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What must hold of every system that the patterns name: one rule or several, each with a verdict of its own."""

    name: Kept[str | None] = None
    task: Kept[str] = "*"  # patterns with * and ?
    model: Kept[str] = "*"
    adapter: Kept[str] = "*"  # "base" for a model without one
    recipe: Kept[str | None] = None  # instead of each adapter, the mean over the seeds of recipes so named
    metric: Kept[str | None] = None  # a pattern; None: the task's primary
    # "base", or a baseline's file; None: the baseline given by hand, else the base
    against: Kept[str | None] = None
    # Only samples with these values in their columns: a copy without the values cannot be judged by the gate.
    where: Annotated[Mapping[str, str], Withheld(instead="withheld")] = field(default_factory=dict)
    # A column, each of whose values is judged alone; "length": thirds by words of input
    by: Kept[str | None] = None
    hardware: Kept[str | None] = None  # a pattern: where the costs below were agreed
    min_value: Kept[float | None] = None
    max_drop: Kept[float | None] = None  # points
    max_relative_drop: Kept[float | None] = None  # percent of what it is compared with
    must_beat: Kept[bool] = False
    max_worse_samples: Kept[WorseSamples | None] = None
    min_tokens_per_second: Kept[float | None] = None
    max_adapter_megabytes: Kept[float | None] = None
    max_train_seconds: Kept[float | None] = None
    # Of any layer: Frobenius norms of the update and of the weights
    max_delta_ratio: Kept[float | None] = None
    alpha_within: Kept[tuple[float, float] | None] = None  # the median over layers, merged with the adapter
    max_intruder_dimensions: Kept[int | None] = None  # of any layer


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """What is asked: which tasks, of which models, with which adapters."""

    name: str
    tasks: tuple[Task, ...]
    models: tuple[Model, ...]
    recipes: tuple[Recipe, ...] = ()
    adapters: tuple[Adapter, ...] = ()
    train_on: tuple[str, ...] = ()  # names of tasks
    across: tuple[str, ...] | Literal["all", "own"] | None = None  # None: all up to four tasks, else own
    base_shots: tuple[int, ...] = (0,)
    weights: Weighing | None = Weighing()
    gates: tuple[Gate, ...] = ()
    family_error: float = FAMILY_ERROR  # chance that any of the gates fails where nothing is wrong
    limit: int | None = None  # test samples per task
    about: str = ""
