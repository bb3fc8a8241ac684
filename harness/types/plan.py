"""Define the records of a plan and of its run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from harness.digest import IF_SET, NEVER
from harness.types.sample import System
from harness.types.suite import Suite

DeviceKind = Literal["cpu", "cuda"]
# busy, lost: another process has the step; waiting: the step had not ended yet when an unfinished RESULT was written
State = Literal["done", "kept", "failed", "skipped", "busy", "lost", "waiting"]
HAS_RESULT: tuple[State, ...] = ("done", "kept")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What a handshake tried at a server, and whether the server did it."""

    name: str
    proved: bool
    detail: str  # what was seen, as a clause


@dataclass(frozen=True, slots=True, kw_only=True)
class Handshake:
    """What a server showed before it was believed."""

    chat: bool  # prompts go through its chat API; else through completions
    answers_as: str | None  # the model that its answers name
    proofs: tuple[Proof, ...]
    seen: str  # digest of all that was seen and would be seen again
    earlier: bool = False  # True: not today, but the last time that the server was asked

    def proof(self, name: str) -> Proof | None:
        """Return what was tried under a name; None where it was not tried."""
        return next((proof for proof in self.proofs if proof.name == name), None)

    def proved(self, name: str) -> bool:
        """Return whether something was tried and done."""
        found = self.proof(name)
        return found is not None and found.proved


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPin:
    """What a model's name meant when the plan was made."""

    revision: str  # hub commit, or digest of the files
    parameters: int | None  # counted from the files; None if these could not be read
    checkpoint_bytes: int | None
    dtype: Literal["float32", "bfloat16", "float16"]
    family: str | None
    # True: no file of the model names an end-of-sequence token. Only known of models in a folder.
    endless: bool = field(default=False, metadata=IF_SET)
    # Name of a plug-in of neural/architectures/, which decides what the model can be asked.
    architecture: str = field(default="causal", metadata=IF_SET)
    # True: it only answers greedily, so it cannot be sampled from (harness/checkpoints/samples.py)
    greedy: bool = field(default=False, metadata=NEVER)
    # What its server showed, whose digest is the revision; None: no server, or one that was not asked (--offline)
    handshake: Handshake | None = field(default=None, metadata=NEVER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pins:
    """Everything that a plan depends on besides the suite, as it was when the plan was made."""

    device: DeviceKind
    models: Mapping[str, ModelPin]
    sources: Mapping[str, str]  # task -> revision or digest of its data
    adapters: Mapping[str, str]  # adapter -> revision or digest
    libraries: Mapping[str, str]  # distribution -> version
    test_samples: Mapping[str, int]  # task -> samples in its test split
    # File that a gate names -> digest, or "missing".
    baselines: Mapping[str, str] = field(default_factory=dict)
    # Metric that is a program of the user's, or path of a plug-in of the user's project -> digest.
    scripts: Mapping[str, str] = field(default_factory=dict)
    # Task -> the rules of reading that changed a text of its data (harness/tasks/remarks.py).
    rules: Mapping[str, tuple[str, ...]] = field(default_factory=dict, metadata=IF_SET)
    # Task -> digest of its labelled answers.
    labelled: Mapping[str, str] = field(default_factory=dict, metadata=IF_SET)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One piece of work, with an id made of everything that can move its result."""

    id: str  # 16 hex digits
    kind: str
    spec: object  # the frozen record that steps/KIND.py declares
    needs: tuple[str, ...] = ()  # ids, in the order the step's spec expects them
    lane: str | None = None  # the base model that it shares with other steps; None: light work
    label: str = ""  # for people; not part of the id
    lineage: str = ""  # equal for steps that may continue each other's answers


@dataclass(frozen=True, slots=True, kw_only=True)
class Unasked:
    """A system that cannot be asked a task, which is no fault of the suite: the cell is not applicable."""

    task: str
    system: System
    reason: str  # a clause: "zoo:bert-tiny is an encoder, which writes no text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All steps of a suite; each comes after the steps that it needs."""

    suite: Suite
    pins: Pins
    steps: tuple[Step, ...]
    unjudged: tuple[str, ...] = ()  # a sentence for each gate of the suite that the part asked for leaves out
    unasked: tuple[Unasked, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """How the work is done: settings that are part of no step's id."""

    device: str = "cpu"  # "cpu" | "cuda" | "cuda:1"
    workers: int = 1  # 0: in this process
    threads: int = 1  # per worker
    batch_tokens: int = 65536  # prompt and answer tokens in memory together; fewer if memory is short
    engine: str = "local"  # what runs the lanes, a file of run/engines/
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
