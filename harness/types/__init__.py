"""Define the harness's records. They are frozen, and checked once, where they are read.

Quality scores and their differences are on 0 to 100; log-probabilities are in nats; times in seconds.
"""

from harness.types.finding import Answers, Comparison, Cost, Density, Note, RecipeScore, Score, WeightRow
from harness.types.plan import HAS_RESULT, DeviceKind, ModelPin, Outcome, Pins, Plan, Runtime, State, Step
from harness.types.sample import Finish, Generation, Prompt, Sample, System
from harness.types.suite import (
    FAMILY_ERROR,
    Adapter,
    Decode,
    Gate,
    Model,
    Overflow,
    Recipe,
    Share,
    Source,
    Split,
    Suite,
    Task,
    Uri,
    Weighing,
)
from harness.types.verdict import Judgement, Regression, Verdict, Word

__all__ = [
    "FAMILY_ERROR",
    "HAS_RESULT",
    "Adapter",
    "Answers",
    "Comparison",
    "Cost",
    "Decode",
    "Density",
    "DeviceKind",
    "Finish",
    "Gate",
    "Generation",
    "Judgement",
    "Model",
    "ModelPin",
    "Note",
    "Outcome",
    "Overflow",
    "Pins",
    "Plan",
    "Prompt",
    "Recipe",
    "RecipeScore",
    "Regression",
    "Runtime",
    "Sample",
    "Score",
    "Share",
    "Source",
    "Split",
    "State",
    "Step",
    "Suite",
    "System",
    "Task",
    "Uri",
    "Verdict",
    "Weighing",
    "WeightRow",
    "Word",
]
