"""Any metric of Hugging Face `evaluate`, by name ("accuracy", "OWNER/NAME") or by the path of its script.

Such a metric sees all answers at once and returns numbers: there are no rows, so no interval and no
comparison. Its script is a program: to name a script on the hub is to run what its owner put there.
"""

import inspect
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from numbers import Real
from pathlib import Path
from typing import Any

from harness.digest import text_digest
from harness.errors import HubError, SuiteError
from harness.metrics import Metric
from harness.types import Generation, Sample


def score_names(argument: str) -> tuple[str, ...]:
    """Return the name of the metric's only number; the names of several numbers are known only after it ran."""
    return (f"evaluate:{Path(argument).stem}",)


def metric(argument: str) -> Metric:
    """Return the metric of this name on the hub, or of a script at this path."""
    (name,) = score_names(argument)
    module = _module(argument)
    script = text_digest(Path(inspect.getfile(type(module))).read_text(encoding="utf-8"))

    def corpus(samples: Sequence[Sample], generations: Sequence[Generation]) -> Mapping[str, float]:
        predictions, references = _inputs(module, name, samples, generations)
        try:
            output = module.compute(predictions=predictions, references=references)
        except Exception as error:  # the script is foreign: what it may raise cannot be known
            raise SuiteError(
                f"{name}: the metric failed on {len(samples)} answers: {_line(error)}"
            ) from error
        return _numbers(output, name, len(samples))

    return Metric(
        names=(name,),
        signature=f"{name}|nrefs:var|script:{script}|version:{version('evaluate')}",
        unit="raw",
        corpus=corpus,
    )


def _module(argument: str) -> Any:
    """Return the loaded module with a fixed seed; without a seed it would use numpy's global state."""
    try:
        import evaluate
    except ModuleNotFoundError as error:
        raise SuiteError(
            f"evaluate:{argument}: needs a package; pip install 'finetune-harness[evaluate]'"
        ) from error
    path = Path(argument)
    if path.suffix == ".py" and not path.is_file():
        raise SuiteError(
            f"evaluate:{argument}: no such file; give the path of a metric's script or its name on the hub"
        )
    try:
        return evaluate.load(argument, keep_in_memory=True, seed=0)
    except FileNotFoundError as error:  # raised for an unknown name, and also when the hub is out of reach
        raise HubError(
            f"evaluate:{argument}: found neither here nor on the hub (or the hub cannot be reached); "
            f"give the path of its script, evaluate:PATH/{path.stem}.py"
        ) from error
    except Exception as error:  # the script is foreign: what it may raise cannot be known
        raise SuiteError(f"evaluate:{argument}: cannot be loaded: {_line(error)}") from error


def _inputs(
    module: Any, name: str, samples: Sequence[Sample], generations: Sequence[Generation]
) -> tuple[list[Any], list[Any]]:
    """Return answers and references in a shape that the metric declares, with all references if it takes several."""
    shapes = module.features if isinstance(module.features, list) else [module.features]
    for shape in sorted(shapes, key=lambda shape: not _is_list(shape.get("references"))):
        answer, reference = shape.get("predictions"), shape.get("references")
        several = _is_list(reference)
        if set(shape) != {"predictions", "references"} or not (_takes(answer) and _takes(_item(reference))):
            continue
        if not several and any(len(sample.references) > 1 for sample in samples):
            raise SuiteError(f"{name}: takes one reference, and a sample has several; leave the metric out")
        predictions = [
            _cast(generation.text, answer, f"{name}: the answer to sample {generation.sample_id!r}")
            for generation in generations
        ]
        references = [
            [
                _cast(text, _item(reference), f"{name}: the reference of sample {sample.id!r}")
                for text in sample.references
            ]
            for sample in samples
        ]
        return predictions, references if several else [first for (first,) in references]
    raise SuiteError(f"{name}: takes {shapes[0]}, not texts or numbers as `predictions` and `references`")


def _is_list(feature: Any) -> bool:
    return hasattr(feature, "feature")


def _item(feature: Any) -> Any:
    return feature.feature if _is_list(feature) else feature


def _takes(feature: Any) -> bool:
    kind = getattr(feature, "dtype", None)
    return isinstance(kind, str) and kind.rstrip("0123456789") in (
        "string",
        "large_string",
        "int",
        "uint",
        "float",
    )


def _cast(text: str, feature: Any, where: str) -> str | int | float:
    kind = feature.dtype.rstrip("0123456789")
    if kind.endswith("string"):
        return text
    try:
        return float(text) if kind == "float" else int(text)
    except ValueError as error:
        raise SuiteError(f"{where} is {text[:60]!r}, and the metric takes {feature.dtype}") from error


def _numbers(output: Any, name: str, n: int) -> dict[str, float]:
    """Return the numbers of the output; if it has none, the means of its lists with a number for each sample (BERTScore)."""
    found = {key: float(value) for key, value in dict(output or {}).items() if _is_number(value)}
    if not found:
        lists = {key: list(value) for key, value in dict(output or {}).items() if isinstance(value, Sequence)}
        lists = {
            key: value for key, value in lists.items() if len(value) == n and all(map(_is_number, value))
        }
        found = {key: sum(map(float, value)) / n for key, value in lists.items()}
    if not found:
        raise SuiteError(f"{name}: gave no number; it returned {str(output)[:80]}")
    if len(found) == 1:
        return {name: next(iter(found.values()))}
    return {f"{name}.{key}": value for key, value in found.items()}


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _line(error: Exception) -> str:
    """Return the error's type and the first line of its message."""
    return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
