"""Training objectives: each file has an `OBJECTIVE`, which defines an example in tokens and its loss.

A recipe names an objective, `objective: {name: …}`, with its settings beside the name. The trainer owns the loop, the
schedule, checkpoints and the work of several processes. Another package's objective is found by its entry point in the group
`harness.objectives`. Suites are checked with objectives too, so no file here imports torch before a function needs it.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from harness import plugins
from harness.errors import SuiteError
from harness.files.json_lines import from_json
from harness.neural.architectures import Architecture, Reader, TorchModel
from harness.types import Overflow, Prompt, Recipe

if TYPE_CHECKING:
    import torch

AUTO = "auto"  # name of the objective that suits the model
At = Callable[..., str]  # keys below `objective` -> "FILE:LINE: recipes[0].objective.KEY"
# A block in which the base answers without its adapter.
Reference = Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A prompt and the answer to learn."""

    id: str
    prompt: Prompt
    answer: str
    overflow: Overflow = "keep-start"
    stop: str = ""  # ends the answer where the model has no end-of-sequence token
    labels: tuple[
        str, ...
    ] = ()  # of the task, one of which is the answer; empty: the answer is text, or a number
    rejected: str | None = None  # of a pair, whose chosen text is the answer; None: the example is no pair


class Item(Protocol):
    """An example in tokens, as an objective makes it."""

    @property
    def sample_id(self) -> str:
        """Return the id of the example."""

    @property
    def truncated_tokens(self) -> int:
        """Return the number of tokens that were cut from the prompt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedHead:
    """The head that is trained along with an adapter: its output is `mean + spread · (W x + b)`, saved as one linear map."""

    labels: tuple[str, ...] = ()  # an output for each; empty: one output, which is a number
    mean: float = 0.0  # of the numbers to learn
    spread: float = 1.0  # their standard deviation
    unseen: tuple[str, ...] = ()  # labels that no training example has

    @property
    def outputs(self) -> int:
        """Return the number of outputs."""
        return len(self.labels) or 1


@dataclass(frozen=True, slots=True, kw_only=True)
class NoSettings:
    """The settings of an objective that has none."""


def _any_settings(settings: Any, at: At) -> None:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """A training objective. The mean loss is the sum of the items' losses over the sum of their weights.

    Weights belong to items and not to losses: the losses of all parts of a batch, which go through the model one after
    the other, are divided by the weight of the whole batch, which is known before the first part.
    """

    name: str  # as a recipe writes it
    unit: str  # of the mean loss
    # A frozen record: the settings that a recipe may have beside the name, with their defaults.
    settings: type[Any] = NoSettings
    # Raises SuiteError where a setting is out of range; its message begins with `at("KEY")`.
    check: Callable[[Any, At], None] = _any_settings
    # An example in at most `recipe.max_tokens` tokens; None where it does not fit.
    encode: Callable[[Reader, Example, Recipe], Item | None]
    size: Callable[[Any], int]  # tokens of an item: items of similar size are learned together
    weight: Callable[[Any], float]  # of an item; a batch's losses are divided by the sum of its weights
    # Base, items, settings (or the head), module to call, reference -> the summed loss of the items, a float32 scalar.
    loss: "Callable[[TorchModel, Sequence[Any], Any, Any, Reference | None], torch.Tensor]"
    # What a model must have to be trained by it.
    needs: Literal["writing", "head"] = "writing"
    # Training examples -> the head that is trained; only where `needs` is "head".
    head: Callable[[Sequence[Example]], TrainedHead] | None = None
    needs_reference: bool = False  # whether `loss` also needs the base without its adapter
    # Base, items, settings -> the same items with what the base says of them. It is called once for each item, before the
    # first step and without the adapter, so that `loss` need not ask the reference again. None: `loss` asks each time.
    # Where a recipe has `start`, the adapter that training starts from is attached then, and is the reference.
    refer: Callable[[TorchModel, Sequence[Any], Any], Sequence[Any]] | None = None
    # What its examples are: one answer to each prompt, or a chosen and a rejected one.
    learns: Literal["answers", "pairs"] = "answers"


def names() -> tuple[str, ...]:
    """Return the names of all objectives."""
    return plugins.names("objectives")


def find(name: str, where: str = "") -> Objective:
    """Return the objective of that name; UnknownName where there is none, SuiteError where its plug-in is unsound."""
    module = plugins.find("objectives", name, where)
    objective = getattr(module, "OBJECTIVE", None)
    place = f"{where}: " if where else ""
    if not isinstance(objective, Objective):
        raise SuiteError(
            f"{place}the plug-in {name!r} ({module.__name__}) is not an objective: it has no `OBJECTIVE = "
            "harness.neural.objectives.Objective(…)`"
        )
    if objective.name != name:
        raise SuiteError(
            f"{place}the plug-in {name!r} ({module.__name__}) has another name: its OBJECTIVE is named "
            f"{objective.name!r}"
        )
    return objective


def name_of(recipe: Recipe, architecture: Architecture) -> str:
    """Return the name of a recipe's objective for a model; a recipe that names none has the one that suits the model."""
    name = str(recipe.objective["name"])
    return architecture.objective if name == AUTO else name


def of(recipe: Recipe, architecture: Architecture) -> tuple[Objective, Any]:
    """Return a recipe's objective for a model, and its settings, which were checked when the suite was read."""
    objective = find(name_of(recipe, architecture), f"recipe {recipe.name}")
    return objective, from_json(objective.settings, own_settings(recipe.objective))


def unfit(recipe: Recipe, architecture: Architecture) -> str | None:
    """Return why a recipe's objective cannot train a model, as a clause; None where it can."""
    objective = find(name_of(recipe, architecture), f"recipe {recipe.name}")
    if objective.needs == "head" and architecture.head is None:
        return f"objective {objective.name!r} trains a head for labels, and {architecture.about} has none"
    if objective.needs == "writing" and architecture.writing is None:
        return (
            f"objective {objective.name!r} trains a model to write, and {architecture.about} writes no text"
        )
    return None


def settings_of(recipe: Recipe, objective: Objective) -> Any:
    """Return a recipe's settings of an objective; the defaults where the recipe does not name it."""
    own = own_settings(recipe.objective) if recipe.objective.get("name") == objective.name else {}
    return from_json(objective.settings, own)


def own_settings(objective: Mapping[str, object]) -> dict[str, object]:
    """Return the settings that a recipe has beside its objective's name."""
    return {key: value for key, value in objective.items() if key != "name"}
