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
        yield _cost(part, step, folder, "training time", "s", trained["seconds"])
        yield _cost(part, step, folder, "trainable parameters", "parameters", trained["trainable_parameters"])
        yield _cost(part, step, folder, "adapter size", "MB", size / 1e6)
        yield _cost(
            part, step, folder, "peak memory", "MB", read_json(folder / "step.json")["peak_bytes"] / 1e6
        )
    for part, step, folder in found.folders("generate"):
        cost = read_json(folder / "cost.json")
        yield _cost(part, step, folder, "generation time", "s", cost["seconds"])
        if cost["output_tokens"]:
            speed = cost["output_tokens"] / cost["seconds"]
            yield _cost(part, step, folder, "generation speed", "tokens/s", speed)
        yield _cost(
            part, step, folder, "peak memory", "MB", read_json(folder / "step.json")["peak_bytes"] / 1e6
        )


def _cost(part: Part, step: str, folder: Path, quantity: str, unit: str, value: float) -> Cost:
    record = read_json(folder / "step.json")
    assert part.system is not None
    return Cost(
        step=step,
        system=part.system,
        task=part.task or None,
        quantity=quantity,
        unit=unit,
        value=value,
        hardware=record["hardware"],
        workers=record["workers"],
    )
