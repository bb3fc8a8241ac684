"""How finished steps of a store compare with what their sizes give: the ratios that later steps' times are corrected by."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from harness.files.json_lines import from_json, to_json
from harness.plan import expected
from harness.plan.costs import StepCost
from harness.plan.expected import Tokens
from harness.plan.known import Known
from harness.run.steps.compare import Compare
from harness.run.steps.foreign import ForeignScore
from harness.run.steps.generate import Generate
from harness.run.steps.load import Load
from harness.run.steps.report import Report
from harness.run.steps.score import ScoreAnswers
from harness.run.steps.spectra import Spectra
from harness.run.steps.train import Train
from harness.types import Model, Step

SPECS: Mapping[str, type[Any]] = {
    "load": Load,
    "train": Train,
    "generate": Generate,
    "score": ScoreAnswers,
    "foreign": ForeignScore,
    "spectra": Spectra,
    "compare": Compare,
    "report": Report,
}
# A worker starts and imports torch and transformers: Python's work, which goes as fast as calls do.
OPENING_CALLS = 15e6
CALL_SECONDS = 4e-7  # of a call, where the speed of the machine is not known
READ_BYTES = 1e9  # a second, of a checkpoint into memory
# Fields of a spec that do not change the memory of a step; the model is named beside them.
IDLE = frozenset({"seed", "used"})

Key = tuple[str, str]  # kind of step; its model with what moves its speed, empty for a step without one


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What finished steps say of this machine."""

    ratios: Mapping[Key, float]  # measured seconds over given seconds, the median
    openings: Mapping[str, float]  # model -> seconds in which a new worker imports its libraries and opens it
    peaks: Mapping[str, int]  # the settings that memory depends on -> peak bytes of a worker

    @classmethod
    def of(cls, facts: Known, costs: Iterable[StepCost]) -> "Past":
        """Return what the costs of finished steps say."""
        ratios: dict[Key, list[float]] = {}
        openings: dict[str, float] = {}
        peaks: dict[str, int] = {}
        for cost in costs:
            model = _model(cost.spec)
            if cost.threads == facts.runtime.threads and (given := _given(facts, cost)):
                ratios.setdefault((cost.kind, model), []).append(cost.seconds / given)
            openings[model] = max(openings.get(model, 0.0), cost.opening_seconds)
            if cost.workers == facts.runtime.workers and facts.plan.pins.device == "cpu":
                settings = _settings(cost.kind, cost.spec)
                peaks[settings] = max(peaks.get(settings, 0), cost.peak_bytes)
        return cls(
            ratios={key: median(found) for key, found in ratios.items()}, openings=openings, peaks=peaks
        )

    def ratio(self, step: Step) -> float | None:
        """Return how many times longer steps of this kind and model took than their sizes give; None if none has run."""
        return self.ratios.get((step.kind, _model(to_json(step.spec))))

    def peak(self, step: Step) -> int:
        """Return the peak memory of a finished step with the same settings; 0 if the store has no such step."""
        return self.peaks.get(_settings(step.kind, to_json(step.spec)), 0)

    def opening(self, facts: Known, lane: str, *, first: bool) -> float:
        """Return the seconds until a worker has opened a lane's model; `first`: it has opened no other model before."""
        loaded = facts.loaded.get(lane)
        if loaded is None:
            return 0.0
        reading = loaded.weights / READ_BYTES
        if not first:
            return reading
        # Two models of a suite may have the same weights, so the name is looked for, and not the weights.
        key = next(_key(facts, model) for model in facts.plan.suite.models if model.name == lane)
        return (
            self.openings.get(key, 0.0)
            or OPENING_CALLS * (facts.speed.call if facts.speed else CALL_SECONDS) + reading
        )


def _given(facts: Known, cost: StepCost) -> float | None:
    """Return the seconds that a finished step's sizes give; None if these are not known any more."""
    if cost.kind not in SPECS:
        return None
    with suppress(ValueError, KeyError):  # a record of an older version
        spec = from_json(SPECS[cost.kind], cost.spec)
        if isinstance(spec, Generate | Train | Spectra):
            name = _models(facts)[_model(cost.spec)]  # in this plan the model may have another name
            spec = replace(spec, used=replace(spec.used, model=replace(spec.used.model, name=name)))
        tokens = Tokens(prompts=cost.prompts, answers=cost.answers)
        if isinstance(spec, Generate) and not cost.prompts:
            return None
        return expected.seconds(facts, spec, _task(facts, spec), tokens)
    return None


def _task(facts: Known, spec: object) -> str | None:
    """Return the name of the task that a finished training step was about, if this plan trains on it too."""
    if not isinstance(spec, Train):
        return None
    alike = {
        facts.task_of(step.id)
        for step in facts.plan.steps
        if isinstance(step.spec, Train) and step.spec.task == spec.task
    }
    return alike.pop() if len(alike) == 1 else None  # two tasks may differ in nothing but their data


def _models(facts: Known) -> dict[str, str]:
    """Return the name of each model of the plan, by what moves its speed."""
    return {_key(facts, model): model.name for model in facts.plan.suite.models}


def _key(facts: Known, model: Model) -> str:
    """Return what moves the speed of a model."""
    pin = facts.plan.pins.models[model.name]
    return _named(model.uri, pin.revision, pin.dtype, model.quantization, facts.plan.pins.device)


def _model(spec: Mapping[str, Any]) -> str:
    used = spec.get("used")
    if not used:
        return ""
    model, pin = used["model"], used["pin"]
    return _named(model["uri"], pin["revision"], pin["dtype"], model["quantization"], spec.get("device", ""))


def _named(uri: str, revision: str, dtype: str, quantization: str, device: str) -> str:
    return f"{uri}@{revision} {dtype} {quantization} {device}"


def _settings(kind: str, spec: Mapping[str, Any]) -> str:
    """Return the settings of a step that its memory depends on, as a text."""
    return f"{kind} {_model(spec)} { ({name: value for name, value in spec.items() if name not in IDLE}) }"
