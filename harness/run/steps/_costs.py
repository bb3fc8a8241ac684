"""What a run cost, as it was measured."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from harness.files.json_lines import read_json
from harness.run.steps._findings import Findings, Part
from harness.types import Cost, System


@dataclass(frozen=True, slots=True)
class Measured:
    """One quantity of a step."""

    quantity: str
    unit: str
    value: float


def costs(found: Findings) -> Iterator[Cost]:
    """What was measured, step by step; never resampled."""
    sized: set[System | None] = set()
    for part, step, folder in found.folders("train"):
        trained = read_json(folder / "trained.json")
        size = (folder / "adapter" / "adapter_model.safetensors").stat().st_size
        sized.add(part.system)
        yield from _costs(
            part,
            step,
            folder,
            Measured("training time", "s", trained["seconds"]),
            Measured("trainable parameters", "parameters", trained["trainable_parameters"]),
            Measured("adapter size", "MB", size / 1e6),
            _peak(folder),
        )
    for part, step, folder in found.folders("generate"):
        cost = read_json(folder / "cost.json")
        measured = [Measured("generation time", "s", cost["seconds"])]
        if cost["output_tokens"]:
            speed = cost["output_tokens"] / cost["seconds"]
            measured.append(Measured("generation speed", "tokens/s", speed))
        yield from _costs(part, step, folder, *measured, _peak(folder))
        if cost.get("adapter_bytes") and part.system not in sized:  # it was not trained here
            sized.add(part.system)
            whole = Measured("adapter size", "MB", cost["adapter_bytes"] / 1e6)
            yield from _costs(replace(part, task=""), step, folder, whole)


def _peak(folder: Path) -> Measured:
    return Measured("peak memory", "MB", read_json(folder / "step.json")["peak_bytes"] / 1e6)


def _costs(part: Part, step: str, folder: Path, *measured: Measured) -> Iterator[Cost]:
    record = read_json(folder / "step.json")
    assert part.system is not None
    for one in measured:
        yield Cost(
            step=step,
            system=part.system,
            task=part.task or None,
            quantity=one.quantity,
            unit=one.unit,
            value=one.value,
            hardware=record["hardware"],
            workers=record["workers"],
        )
