"""What the weights say without data: of a base, or of an adapter's update and of both together."""

from dataclasses import dataclass

from harness.files.json_lines import to_json, write_json
from harness.run.steps import Bench, UsedAdapter, UsedModel, adapter_folder, model_folder
from harness.run.store import Store
from harness.types import Weighing

VERSION = 3
LIBRARIES = ("weightwatcher", "numpy", "scipy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spectra:
    """Needs an adapter's training, where it was trained here."""

    used: UsedModel
    adapter: UsedAdapter | None
    name: str | None  # the adapter's
    weighing: Weighing


def run(spec: Spectra, bench: Bench) -> None:
    from harness import families
    from harness.weights.analyse import Look, analyse
    from harness.weights.kept import Kept

    folder = model_folder(spec.used, bench)
    family = families.find(spec.used.pin.family or "generic")
    look = Look(threads=bench.runtime.threads, kept=Kept(Store(bench.folder.parents[1]).findings))
    rows = []
    for row in analyse(
        folder,
        family,
        adapter_folder(spec.adapter, bench),
        model=spec.used.model.name,
        adapter_name=spec.name,
        weighing=spec.weighing,
        look=look,
    ):
        rows.append(row)
        bench.progress(len(rows), len(rows))
    write_json(bench.folder / "weights.json", [to_json(row) for row in rows])
