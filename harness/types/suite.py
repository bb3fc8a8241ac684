"""What a suite says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from harness.digest import IF_SET
from harness.types.fields import Kept, Spread, Withheld

Split = Literal["train", "validation", "test"]

Share = Literal["text", "scores"]

Overflow = Literal["keep-start", "keep-end", "refuse"]

FAMILY_ERROR = 0.05  # of gates, where nothing else is said


@dataclass(frozen=True, slots=True)
class Uri:
    """Where something is, in two parts: `hub:OWNER/NAME` has the scheme `hub` and the place `OWNER/NAME`."""

    scheme: str
    place: str  # empty where nothing follows the scheme

    @classmethod
    def parse(cls, text: str) -> "Uri":
        """Return the two parts of a uri."""
        scheme, _, place = text.partition(":")
        return cls(scheme, place)


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
    metrics: tuple[str, ...]  # with settings: "bleu(tokenize=zh)"; a file: its absolute path
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
    # What training lowers: its name, and beside it its settings.
    objective: Mapping[str, Any] = field(default_factory=lambda: {"name": "answers"}, metadata=IF_SET)


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
class Gate:
    """Demands on every system that the patterns name: one rule or several, each with a verdict of its own."""

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
    hardware: Kept[str | None] = None  # a pattern: where limits of costs were agreed
    # Name of a rule -> its limit as plain data: {"max_drop": 1.0}. A suite writes these beside the other keys;
    # harness/gates/rules/NAME.py says what each demands.
    rules: Kept[Spread[Mapping[str, object]]] = field(default_factory=dict)


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
    # Files of the user's own project that are plug-ins: group -> name -> absolute path.
    plugins: Mapping[str, Mapping[str, str]] = field(default_factory=dict, metadata=IF_SET)
