"""Define the records of a suite."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal

from harness.digest import IF_SET, NEVER
from harness.types.fields import Kept, Spread, Withheld

Split = Literal["train", "validation", "test"]

Share = Literal["text", "scores"]

Shape = Literal["messages", "sharegpt", "alpaca", "pairs", "columns"]

Overflow = Literal["keep-start", "keep-end", "refuse"]

FAMILY_ERROR = 0.05  # of gates, by default


@dataclass(frozen=True, slots=True)
class Uri:
    """A uri in two parts: `hub:OWNER/NAME` has the scheme `hub` and the place `OWNER/NAME`."""

    scheme: str
    place: str  # empty if no text follows the scheme

    @classmethod
    def parse(cls, text: str) -> "Uri":
        """Return the two parts of a uri."""
        scheme, _, place = text.partition(":")
        return cls(scheme, place)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a task's samples come from, and which column has which role."""

    uri: str  # "file:PATH" | "hub:OWNER/NAME[@REVISION]" | "embedded:NAME" | "lm_eval:PATH"
    # id, input, reference -> column; for reference also several columns
    columns: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    # train, validation, test -> file or split, or a part of its rows: "data.json[:90%]"
    splits: Mapping[str, str] = field(default_factory=dict)
    config: str | None = None  # a hub data set's configuration
    licence: str | None = None  # of the texts; NC or ND: only ids and numbers leave the machine
    share: Share | None = None  # what may leave the machine; None: decided by uri and licence
    # The labels of a classification, in order; the reference column holds a label or its number, from 0
    labels: tuple[str, ...] = field(default=(), metadata=IF_SET)
    # What a row looks like (harness/tasks/shapes.py); None: found from its columns where the task names none
    shape: Shape | None = field(default=None, metadata=IF_SET)
    # Of a task file of lm-evaluation-harness: examples before each prompt. None: its num_fewshot
    shots: int | None = field(default=None, metadata=IF_SET)
    # Of a task file of lm-evaluation-harness: run the Python functions that it names
    trust_code: bool = field(default=False, metadata=IF_SET)

    def columns_of(self, key: str) -> tuple[str, ...]:
        """Return the columns of a key; a key that is not named is the name of its column."""
        found = self.columns.get(key, key)
        return (found,) if isinstance(found, str) else found


@dataclass(frozen=True, slots=True, kw_only=True)
class Decode:
    """Decoding settings: how a model writes an answer."""

    max_new_tokens: int = 64  # an answer ends here at the latest
    temperature: float = 0.0  # 0 = greedy: the likeliest token each time
    top_p: float = 1.0  # used when temperature > 0: the likeliest tokens that have this chance together
    stop: tuple[str, ...] = ()  # strings that end an answer and are cut from it
    leading_whitespace: Literal["drop", "keep"] = "drop"  # keep: a stop string in it ends the answer at once
    seed: int = 0  # used when temperature > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """How models of one family are asked, where that differs from the task's own prompt and system text."""

    prompt: str | None = None  # None: the task's own
    system: str | None = None  # None: the task's own; "": none


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """Scores that others published for a task's data, shown below the task's own."""

    system: Kept[str]  # "flan-t5-base, fully tuned"
    source: Kept[str]  # where it was published
    settings: Kept[str] = ""  # how it was measured
    scores: Kept[Mapping[str, float]]  # score -> value: {rouge1: 47.2}
    comparable: Kept[bool] = False  # measured as the task measures, on the same samples
    why: Kept[str] = ""  # why it can be compared, or cannot


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerJudge:
    """A model that judges answers, and how it is asked: it chooses one of a few options for each answer."""

    model: str  # a model of the suite
    # What it is asked: $answer exactly once, $question, $reference and, for pairs, $other; $$ for a dollar
    prompt: str
    finds: str  # what it looks for in an answer, in plural: "refusals"
    adapter: str | None = None  # an adapter of that model in the suite; None: the base
    options: tuple[str, ...] = (
        "1",
        "2",
        "3",
        "4",
        "5",
    )  # what it chooses from; of pairs: the first, the second
    counts: tuple[str, ...] = ("4", "5")  # the options that say that an answer has it
    # Each answer is judged beside the base's answer to the same sample, in both orders
    pairs: bool = False
    # likelihood: the likeliest option, or an encoder's head; write: the first option in what it writes
    by: Literal["likelihood", "write"] = "likelihood"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task: where its samples are, how they are asked, and how answers are scored."""

    name: str
    source: Source  # where the samples come from
    # What a model is asked: $input exactly once, $NAME for another column, $$ for a dollar (string.Template)
    prompt: str
    metrics: tuple[str, ...]  # with settings: "bleu(tokenize=zh)"; a file: its name, "asks.py"
    primary: str  # the metric that decides
    kind: str = "generate"  # what is asked of a model, and how an answer is read
    about: str = ""
    shots: int = 0  # examples before every prompt, for base and adapter alike
    decode: Decode = field(default_factory=Decode)  # how an answer is written
    overflow: Overflow = "keep-start"  # which end of $input stays when a prompt is too long
    cluster: str | None = None  # column whose equal values are resampled together
    trivial: tuple[str, ...] = ()  # "lead-3", "copy": trivial rules that are scored beside the models
    allow_empty: bool = False  # an empty answer may be right: systems with many of them are judged by gates
    # Settings of the kind, by name
    settings: Mapping[str, Any] = field(default_factory=dict, metadata=IF_SET)
    # What a model is told before all else: the system role of its chat template, or text before the prompt
    system: str = field(default="", metadata=IF_SET)
    # Name of a family -> how its models are asked
    by_family: Mapping[str, Wording] = field(default_factory=dict, metadata=IF_SET)
    # What others published for this data; the report shows it beside the task's own scores
    published: tuple[Published, ...] = field(default=(), metadata=IF_SET)
    # The model that the metric `judge` asks about each answer
    judge: AnswerJudge | None = field(default=None, metadata=IF_SET)
    # Labelled answers, `file:PATH`, by which the errors of judges among the metrics are measured
    calibrate: str | None = field(default=None, metadata=IF_SET)

    def for_family(self, family: str | None) -> "Task":
        """Return the task as models of a family are asked it."""
        own = self.by_family.get(family or "", Wording())
        return replace(
            self,
            prompt=self.prompt if own.prompt is None else own.prompt,
            system=self.system if own.system is None else own.system,
            by_family={},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """What a server asks for its tokens."""

    input: float  # for a million tokens of prompts
    output: float  # for a million tokens of answers
    currency: str = "USD"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """How a server is asked for a model. No setting moves an answer."""

    key: str | None = None  # name of the environment variable with the key, never the key itself
    tokenizer: str | None = None  # uri of a model whose tokens the server must count: hub, file or zoo
    at_once: int = 8  # requests in flight
    timeout: float = 120.0  # seconds for one try
    retries: int = 6  # further tries after a failure, each after a longer pause
    patience: float = 600.0  # seconds that one request waits while the server says 429, too many requests
    prices: Prices | None = None  # None: tokens are counted, money is not


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A pretrained base model."""

    name: str
    # "hub:OWNER/NAME" | "file:PATH" | "zoo:NAME" | "http://HOST/v1#MODEL" | "echo:RULE"; as written: checkpoints/written.py
    uri: str
    revision: str | None = None  # a hub commit; None is resolved when the plan is made
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"  # auto: float32 on cpu, else bfloat16
    quantization: Literal["none", "int8", "nf4", "fp4"] = "none"  # 8 or 4 bits a weight in memory
    family: str | None = None  # None: found from the checkpoint's config
    chat: Literal["auto", "on", "off"] = "auto"  # auto: the tokenizer's chat template where it has one
    trust_remote_code: bool = False  # run the checkpoint's own code, if --allow-remote-code is given too
    server: ServerSettings | None = field(
        default=None, metadata=NEVER
    )  # how a server is asked; None: as by default


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """The adapter whose training a recipe goes on with: that of another recipe, on the same model."""

    recipe: str  # the name of a recipe of the suite
    task: str | None = None  # the task that it was trained on; None: the same task


BY_LOSS, BY_PRIMARY = "loss", "primary"  # what a recipe's `choose_by` may say beside the name of a score


@dataclass(frozen=True, slots=True, kw_only=True)
class Halving:
    """Successive halving: the combinations of a sweep train side by side, and the worst are dropped on the way."""

    keep: str = "1/2"  # share of the combinations that goes on after each rung: 1/2, or a number such as 0.5
    rungs: int = 3  # how often the combinations are compared; the last time at the end of training


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A recipe: how an adapter is trained."""

    name: str
    about: str = field(default="", metadata=IF_SET)
    rank: int = 16
    alpha: float = 32.0  # the update is scaled by alpha / rank
    dropout: float = 0.0  # share of the update's inputs that a training step leaves out
    # Roles whose matrices get an update: q, k, v, o, feed-forward; or all-linear alone
    targets: tuple[str, ...] = ("q", "v")
    rslora: bool = False  # scale by alpha / sqrt(rank), for high ranks
    epochs: float | None = None  # passes over the training samples; exactly one of epochs and steps
    steps: int | None = None  # optimiser steps
    batch_size: int = 16  # samples per optimiser step
    micro_batch_size: int | None = None  # samples per forward pass; None: batch_size
    learning_rate: float = 2e-4  # the highest of the schedule
    # How the learning rate falls after the warm-up
    schedule: Literal["constant", "linear", "cosine"] = "cosine"
    warmup: float = 0.03  # share of all steps
    weight_decay: float = 0.0  # of AdamW
    max_grad_norm: float = 1.0  # a longer gradient is shortened to this norm
    max_tokens: int = 1024  # prompt and answer together, in training
    max_samples: int | None = None  # training samples; None: all
    validation_samples: int = 64  # used to choose the checkpoint; 0: keep the last
    validations: int = 4  # how often in a run the validation loss is measured
    # What chooses the checkpoint: loss, or a score of the task on the validation samples: its name, or primary
    choose_by: str = field(default="loss", metadata=IF_SET)
    # Training ends after so many measurements in a row without a better one; None: it takes all steps
    patience: int | None = field(default=None, metadata=IF_SET)
    gradient_checkpointing: bool = False  # less memory for more time
    # What the base computes in; auto: its own dtype.
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    seeds: tuple[int, ...] = (0,)  # an adapter for each seed
    # The objective that training lowers: its name, and its settings. auto: answers; for an encoder labels
    objective: Mapping[str, Any] = field(default_factory=lambda: {"name": "auto"}, metadata=IF_SET)
    # The kind of adapter, `type`, and its settings as peft names them; empty: LoRA as the keys above say
    peft: Mapping[str, Any] = field(default_factory=dict, metadata=IF_SET)
    # The recipe whose adapter training starts from; None: it starts at the base
    start: Start | None = field(default=None, metadata=IF_SET)
    # Of a recipe with halving alone: key -> its values in ascending order
    sweep: Mapping[str, tuple[int | float, ...]] = field(default_factory=dict, metadata=IF_SET)
    # Beside a sweep: one adapter in place of one for each combination; the others are dropped while they train
    halving: Halving | None = field(default=None, metadata=IF_SET)


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    """An adapter that exists already."""

    name: str
    base: str  # a model's name in the suite
    uri: str  # "hub:OWNER/NAME" | "file:PATH" | "http://HOST/v1#NAME", on the server of its base
    revision: str | None = None  # a hub commit; None is resolved when the plan is made


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighing:
    """How weights are analysed."""

    roles: tuple[str, ...] = ("q", "k", "v", "o", "qkv", "feed-forward")  # whose matrices are analysed
    oracle: bool = False  # analyse by the weightwatcher package itself
    split: bool = False  # analyse the parts of a fused matrix instead of the whole
    randomize: bool = False  # also analyse each matrix with its entries in random order
    seed: int = 0  # of that order
    # Longest side of matrices whose intruder dimensions are counted, which takes all singular vectors.
    intruders_up_to: int = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """A gate: one or several rules for every system that the patterns name, each rule with a verdict of its own."""

    name: Kept[str | None] = None
    task: Kept[str] = "*"  # a pattern of tasks, with * and ?
    model: Kept[str] = "*"  # a pattern of models
    adapter: Kept[str] = "*"  # a pattern of adapters; "base" for a model without one
    # Pattern of recipes: the mean over their seeds is judged, not each adapter.
    recipe: Kept[str | None] = None
    metric: Kept[str | None] = None  # a pattern; None: the task's primary
    # "base", or a baseline's file; None: the baseline given by hand, else the base
    against: Kept[str | None] = None
    # Only samples with these values in their columns: a copy without the values cannot be judged by the gate.
    where: Annotated[Mapping[str, str], Withheld(instead="withheld")] = field(default_factory=dict)
    # A column, each of whose values is judged separately; "length": thirds by words of input
    by: Kept[str | None] = None
    hardware: Kept[str | None] = None  # a pattern: the hardware that limits of costs are meant for
    # Name of a rule -> its limit as plain data: {"max_drop": 1.0}. A suite writes these beside the other keys;
    # harness/gates/rules/NAME.py defines each rule.
    rules: Kept[Spread[Mapping[str, object]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """A suite: which tasks are asked of which models and adapters, and what is demanded of the results."""

    name: str
    tasks: tuple[Task, ...]  # names or paths of task files, or whole tasks
    models: tuple[Model, ...]  # the bases
    recipes: tuple[Recipe, ...] = ()  # names or paths of recipe files, or whole recipes
    adapters: tuple[Adapter, ...] = ()  # adapters that exist already
    # Names of tasks: an adapter is trained for each model, recipe, seed and task named here
    train_on: tuple[str, ...] = ()
    # On which tasks each adapter is measured; None: all up to four tasks, else own
    across: tuple[str, ...] | Literal["all", "own"] | None = None
    # Numbers of examples before the prompts of the bases; each is measured
    base_shots: tuple[int, ...] = (0,)
    # A task of kind perplexity, on which every adapter is compared with its base: what it forgot
    forgetting: str | None = field(default=None, metadata=IF_SET)
    # How many times as large each trained adapter's update is made, to be measured on validation samples
    scales: tuple[float, ...] = field(default=(), metadata=IF_SET)
    weights: Weighing | None = Weighing()  # whether and how weights are analysed
    gates: tuple[Gate, ...] = ()  # what is demanded of the results
    family_error: float = FAMILY_ERROR  # chance that at least one gate fails although nothing is wrong
    limit: int | None = None  # test samples per task
    about: str = ""
    # Plug-ins that are files of the user's own project: group -> name -> absolute path.
    plugins: Mapping[str, Mapping[str, str]] = field(default_factory=dict, metadata=IF_SET)
