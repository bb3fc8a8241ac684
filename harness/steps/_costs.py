"""What a run cost, as it was measured."""

from collections.abc import Iterator
from pathlib import Path

from harness.records import read_json
from harness.steps._findings import Findings, Part
from harness.types import Cost


def costs(found: Findings) -> Iterator[Cost]:
    """What was measured, step by step; never resampled."""
    for part, step, folder in found.folders("train"):
        trained = read_json(folder / "trained.json")
        size = (folder / "adapter" / "adapter_model.safetensors").stat().st_size
        yield from _costs(
            part,
            step,
            folder,
            ("training time", "s", trained["seconds"]),
            ("trainable parameters", "parameters", trained["trainable_parameters"]),
            ("adapter size", "MB", size / 1e6),
        )
    for part, step, folder in found.folders("generate"):
        cost = read_json(folder / "cost.json")
        measured = [("generation time", "s", cost["seconds"])]
        if cost["output_tokens"]:
            measured.append(("generation speed", "tokens/s", cost["output_tokens"] / cost["seconds"]))
        yield from _costs(part, step, folder, *measured)


def _costs(part: Part, step: str, folder: Path, *measured: tuple[str, str, float]) -> Iterator[Cost]:
    """What a step measured itself, and its peak of memory."""
    record = read_json(folder / "step.json")
    assert part.system is not None
    for quantity, unit, value in (*measured, ("peak memory", "MB", record["peak_bytes"] / 1e6)):
        yield Cost(
            step=step,
            system=part.system,
            task=part.task or None,
            quantity=quantity,
            unit=unit,
            value=value,
            hardware=record["hardware"],
            workers=record["workers"],
        )
