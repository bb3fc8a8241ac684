"""Analyse weights without data: those of a base, or an adapter's update alone and merged with its base."""

from dataclasses import dataclass

from harness.files.json_lines import from_json, read_json, to_json, write_json
from harness.run.steps import (
    Contribution,
    Finished,
    StepContext,
    UsedAdapter,
    UsedModel,
    adapter_folder,
    model_folder,
)
from harness.types import Note, Weighing, WeightRow
from harness.weights.finite import NOT_FINITE

VERSION = 3
LIBRARIES = ("weightwatcher", "numpy", "scipy")
LANE = True
TOLERANT = False
WEIGHTS = "weights.json"
FILES = (WEIGHTS,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spectra:
    """The settings of the analysis. The step needs an adapter's training step, if the adapter is trained here."""

    used: UsedModel
    adapter: UsedAdapter | None
    name: str | None  # the adapter's
    weighing: Weighing


def run(spec: Spectra, context: StepContext) -> None:
    """Write a row for each matrix that is analysed or skipped."""
    from harness import families
    from harness.weights.analyse import AnalysisOptions, analyse
    from harness.weights.cache import SpectrumCache

    folder = model_folder(spec.used, context)
    family = families.find(spec.used.pin.family or "generic")
    options = AnalysisOptions(threads=context.runtime.threads, cache=SpectrumCache(context.spectra))
    rows = []
    for row in analyse(
        folder,
        family,
        adapter_folder(spec.adapter, context),
        model=spec.used.model.name,
        adapter_name=spec.name,
        weighing=spec.weighing,
        options=options,
    ):
        rows.append(row)
        context.progress(len(rows), 0)
    write_json(context.folder / WEIGHTS, [to_json(row) for row in rows])


def contributes(finished: Finished) -> Contribution:
    """Return the rows of all layers, and notes on the layers without numbers."""
    rows = tuple(from_json(WeightRow, row) for row in read_json(finished.folder / WEIGHTS))
    bad = [row for row in rows if row.status.startswith(NOT_FINITE) and row.part != "merged"]
    failed = [row for row in rows if row.status.startswith(("failed", "too few"))]
    return Contribution(
        weights=rows,
        notes=tuple(
            Note(
                kind=kind,
                where=finished.where,
                count=len(found),
                of=len(rows),
                detail=f"{found[0].layer}: {found[0].status}",
            )
            for kind, found in ((NOT_FINITE, bad), ("layer skipped", failed))
            if found
        ),
    )
