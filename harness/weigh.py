"""One model's weights, and an adapter's, as a table: no suite and no data."""

from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from harness import families
from harness.pins import locate, pins
from harness.suite import load_model
from harness.types import Suite, Weighing, WeightRow
from harness.weights.analyse import analyse

NUMBERS = ("alpha", "D", "sigma", "lambda_max", "stable_rank", "log_norm", "alpha_weighted", "delta_ratio")


def weigh(model_uri: str, adapter: Path | None, *, offline: bool, cache: Path) -> list[WeightRow]:
    """The rows of the base, then those of the adapter's update and of both together."""
    model = load_model(model_uri)
    pin = pins(Suite(name="weigh", tasks=(), models=(model,)), offline=offline, cache=cache).models[
        model.name
    ]
    folder, family = locate(model, pin, offline=offline), families.find(pin.family or "generic")
    rows = list(analyse(folder, family, None, model=model.name, adapter_name=None, weighing=Weighing()))
    if adapter is not None:
        rows += analyse(
            folder, family, adapter, model=model.name, adapter_name=adapter.name, weighing=Weighing()
        )
    return rows


def table(rows: Sequence[WeightRow]) -> Table:
    shown = [name for name in NUMBERS if any(name in row.numbers for row in rows)]
    drawn = Table("part", "layer", "role", "shape", "status", *shown, box=None)
    for row in rows:
        numbers = (f"{row.numbers[name]:.3f}" if name in row.numbers else "" for name in shown)
        drawn.add_row(row.part, row.layer, row.role, f"{row.rows}×{row.cols}", row.status, *numbers)
    return drawn
