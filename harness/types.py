"""The nouns of the harness: frozen records, checked once at the border, believed ever after.

Quality scores and their differences are on 0 to 100; log-probabilities are in nats; times in seconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Split = Literal["train", "validation", "test"]
Share = Literal["text", "scores"]
Overflow = Literal["keep-start", "keep-end", "refuse"]
Finish = Literal["stop", "length", "refused"]
State = Literal["done", "kept", "failed", "skipped", "busy", "lost"]  # the last two: another process has it
FAMILY_ERROR = 0.05  # of gates, where nothing else is said
Word = Literal["pass", "fail", "inconclusive", "invalid"]


# What a suite says.


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

    drop: float  # points; a sample that falls by more is counted
    samples: int | None = None  # exactly one of: at most so many of the samples that were asked
    percent: float | None = None  # at most so many of a hundred, of samples like these


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What must hold of every system that the patterns name: one rule or several, each with a verdict of its own."""

    name: str | None = None
    task: str = "*"  # patterns with * and ?
    model: str = "*"
    adapter: str = "*"  # "base" for a model without one
    recipe: str | None = None  # instead of each adapter, the mean over the seeds of recipes so named
    metric: str | None = None  # a pattern; None: the task's primary
    against: str | None = (
        None  # "base", or a baseline's file; None: the baseline given by hand, else the base
    )
    where: Mapping[str, str] = field(default_factory=dict)  # only samples with these values in their columns
    by: str | None = (
        None  # a column, each of whose values is judged alone; "length": thirds by words of input
    )
    hardware: str | None = None  # a pattern: where the costs below were agreed
    min_value: float | None = None
    max_drop: float | None = None  # points
    max_relative_drop: float | None = None  # percent of what it is compared with
    must_beat: bool = False
    max_worse_samples: WorseSamples | None = None
    min_tokens_per_second: float | None = None
    max_adapter_megabytes: float | None = None
    max_train_seconds: float | None = None
    max_delta_ratio: float | None = None  # of any layer: Frobenius norms of the update and of the weights
    alpha_within: tuple[float, float] | None = None  # the median over layers, merged with the adapter
    max_intruder_dimensions: int | None = None  # of any layer


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


# What a plan is made of.


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPin:
    """What a model's name means today."""

    revision: str  # hub commit, or digest of the files
    parameters: int | None  # counted from the files, None where they could not be read
    checkpoint_bytes: int | None
    dtype: Literal["float32", "bfloat16", "float16"]
    family: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pins:
    """What the outside world holds today: everything a plan may depend on besides the suite."""

    device: Literal["cpu", "cuda"]
    models: Mapping[str, ModelPin]
    sources: Mapping[str, str]  # task -> revision or digest of its data
    adapters: Mapping[str, str]  # adapter -> revision or digest
    libraries: Mapping[str, str]  # distribution -> version
    test_samples: Mapping[str, int]  # task -> samples in its test split
    baselines: Mapping[str, str] = field(
        default_factory=dict
    )  # file that a gate names -> digest, or "missing"
    scripts: Mapping[str, str] = field(default_factory=dict)  # metric that is a file of the user's -> digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One piece of work, named by everything that can move its result."""

    id: str  # 16 hex digits
    kind: str
    spec: object  # the frozen record that steps/KIND.py declares
    needs: tuple[str, ...] = ()  # ids, in the order the step's spec expects them
    lane: str | None = None  # the base model it shares; None: light work
    label: str = ""  # for people; not part of the id
    lineage: str = ""  # equal for steps that may continue each other's answers


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All steps of a suite, needs before what needs them."""

    suite: Suite
    pins: Pins
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """How the work is done; never hashed."""

    device: str = "cpu"  # "cpu" | "cuda" | "cuda:1"
    workers: int = 1  # 0: in this process
    threads: int = 1  # per worker
    batch_tokens: int = 65536  # prompt and answer tokens in flight at once; fewer where memory is short
    offline: bool = False
    allow_remote_code: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a step ended."""

    step: str
    state: State
    seconds: float = 0.0
    peak_bytes: int = 0  # resident memory of the process that ran it
    reason: str = ""
    log: str = ""  # path of the step's log


# What a run finds.


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One question with its reference answers."""

    id: str
    input: str
    references: tuple[str, ...]
    choices: tuple[str, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)  # every other column, as text


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What is asked of a model: text before the input, the input, text after it.

    Only `input` may be shortened when the whole is too long.
    """

    sample_id: str
    before: str
    input: str
    after: str

    @property
    def text(self) -> str:
        return self.before + self.input + self.after


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """What a model answered to one sample."""

    sample_id: str
    text: str
    prompt_tokens: int = 0
    output_tokens: int = 0
    truncated_tokens: int = 0  # tokens cut from the input
    finish: Finish = "stop"
    prompt_digest: str = ""
    logprob: float | None = None  # nats, sum over the answer's tokens


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class System:
    """Who answered: a base, a base with an adapter, or a trivial rule."""

    model: str  # "trivial:NAME" for a rule
    adapter: str | None = None
    shots: int = 0

    def __str__(self) -> str:
        name = f"{self.model} + {self.adapter}" if self.adapter else self.model
        return f"{name} ({self.shots}-shot)" if self.shots else name


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One number for one system on one task."""

    task: str
    system: System
    metric: str
    primary: bool
    signature: str
    unit: str
    better: Literal["higher", "lower"]
    value: float
    low: float | None  # 95 % bootstrap interval; None where the metric is no function of sums
    high: float | None
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One paired difference: candidate minus baseline, on the same samples."""

    task: str
    metric: str
    baseline: System
    candidate: System
    difference: float
    low: float  # 95 % paired bootstrap interval
    high: float
    p: float  # approximate randomisation, two-sided
    p_holm: float | None  # None: exploratory, outside every family
    family: str | None
    test: str
    detectable: float  # smallest difference found with 80 % power at this n
    n: int
    better: int | None = None  # samples on which the candidate does better by itself; None in older results
    worse: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeScore:
    """A recipe over its seeds: what its adapters score on the mean, and how far that is from their base."""

    task: str
    model: str
    recipe: str
    trained_on: str | None
    metric: str
    seeds: tuple[int, ...]
    value: float  # mean over seeds
    low: float | None  # 95 %; None where two seeds say too little
    high: float | None
    difference: float | None  # to the base, None where it was not asked
    difference_low: float | None
    difference_high: float | None
    method: str  # how the intervals were made, in words
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What one system was asked and answered, by digests: equal ones were asked alike, or answered alike."""

    task: str
    system: System
    prompts: str  # of all prompts as they were written, in order; empty for a trivial rule
    texts: str  # of all answers
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one rule of a gate says of one system on one task."""

    gate: str  # its name, or the rule in words: "max_drop 1.0"
    rule: str  # the gate's field: "max_drop"
    verdict: Word
    because: str  # a sentence with the numbers
    subject: str  # who is judged: "llama2-tiny + quickstart"
    task: str | None = None  # None: of the adapter alone, whatever the task
    system: System | None = None  # None: a recipe, or a gate that names nothing
    metric: str | None = None
    slice: str | None = None  # "category = reasoning"
    against: str | None = None  # "base", or a baseline's file
    value: float | None = None  # what was measured: a difference, a score, a count, a cost
    low: float | None = None  # 95 %
    high: float | None = None
    limit: str | None = None  # what the rule asks, in words: "1.0", "2 samples", "2 to 6"
    n: int | None = None
    needed: int | None = None  # samples that would probably decide, where it is inconclusive
    innocent: float | None = (
        None  # chance that an adapter as good as what it is compared with passes at this n
    )
    innocent_needs: int | None = None  # samples from which that chance is 80 %


@dataclass(frozen=True, slots=True, kw_only=True)
class Regression:
    """One sample that fell, for people who want to see what broke."""

    task: str
    system: System
    against: str  # "base", or a baseline's file
    metric: str
    sample_id: str
    before: float  # the metric on this sample alone
    after: float
    prompt: str | None = None  # texts only where the source's `share` allows
    reference: str | None = None
    answer_before: str | None = None
    answer_after: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Every verdict on one result."""

    name: str  # the suite's
    verdicts: tuple[Verdict, ...]
    regressions: tuple[Regression, ...] = ()  # worst first
    remarks: tuple[str, ...] = ()  # "baseline made with torch 2.13.0, here 2.14.0"
    family_error: float = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """One measured quantity; never resampled."""

    step: str
    system: System
    task: str | None
    quantity: str  # "train", "generate", "peak memory", "adapter size", "trainable parameters"
    unit: str
    value: float
    hardware: str
    workers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Density:
    """A histogram of log10 λ in bins of equal width; eigenvalues under the first edge are left out."""

    low: float  # the first edge
    high: float  # the last
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightRow:
    """What the spectrum of one matrix says; a layer without numbers says why."""

    model: str
    adapter: str | None
    part: Literal["W", "delta", "merged"]
    layer: str
    role: str
    status: str  # "analysed" | "tied to X" | "too few eigenvalues" | "failed: …" | "zero"
    rows: int
    cols: int
    eigenvalues: int
    numbers: Mapping[str, float]  # alpha, lambda_max, … under WeightWatcher's names
    density: Density | None = None  # of the eigenvalues, where there are enough for a power law
    quantised: str | None = None  # what the base's numbers were before they were floats again: "int8", "nf4"


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something that went other than planned: nothing is dropped silently."""

    kind: str  # "truncated", "empty", "cut short", "inert", "overlap", "layer skipped", "step failed"
    where: str
    count: int
    of: int
    detail: str = ""
    samples: tuple[str, ...] = ()  # ids, the first few
