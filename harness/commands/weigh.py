"""Analyse the weights of a model and of its adapters without suite or data; print a table, write pages and files."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import get_args

from harness import backends, families
from harness.checkpoints import adapter as lora
from harness.checkpoints.locate import locate_adapter
from harness.checkpoints.written import adapter_uri, without_revision
from harness.commands.progress import counting
from harness.errors import AdapterError, HarnessError, UnknownName
from harness.files.hardware import machine
from harness.files.json_lines import write_text, writing
from harness.plan.pins import pins
from harness.report import weight_tables
from harness.report.weighed import WeightSection, columns, section
from harness.suite.load import load_model
from harness.suite.rules import check_adapter
from harness.terminal.printed import say
from harness.types import Adapter, Model, Suite, Weighing, WeightRow
from harness.weights.analyse import AnalysisOptions, analyse
from harness.weights.cache import SpectrumCache
from harness.weights.files import check_writable, write_csv, write_parquet
from harness.weights.read import NOT_ASKED, locations


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightRequest:
    """Whose weights to analyse, and how."""

    model: str  # as the user wrote it: a uri, a path, OWNER/NAME or the name of a tiny model
    adapters: tuple[str, ...] = ()  # likewise
    against: str | None = None  # another model
    weighing: Weighing = field(default_factory=Weighing)
    layers: bool = False  # whether to print a line for each matrix too


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightFiles:
    """Files to write the analysis to."""

    html: Path | None = None
    csv: Path | None = None
    parquet: Path | None = None


# (label, number of layers if known) -> a function to call once per finished layer
Begin = Callable[[str, int | None], Callable[[], None]]


def weighing(
    roles: str | None, *, oracle: bool, split: bool, randomize: bool, intruders_up_to: int | None
) -> Weighing:
    """Return the settings from the command line; `roles` are separated by commas."""
    found = Weighing(oracle=oracle, split=split, randomize=randomize)
    if intruders_up_to is not None:
        found = replace(found, intruders_up_to=intruders_up_to)
    if roles is None:
        return found
    names = tuple(filter(None, (name.strip() for name in roles.split(","))))
    for name in names or ("",):
        if name not in get_args(families.Role):
            raise UnknownName("role", name, get_args(families.Role), "--roles")
    return replace(found, roles=names)


def weigh(asked: WeightRequest, files: WeightFiles, *, offline: bool, store: Path, command: str) -> None:
    """Print tables and write the files; raise HarnessError before the work if a file cannot be written."""
    for option, path in (("--html", files.html), ("--csv", files.csv), ("--parquet", files.parquet)):
        if path:
            check_writable(path, option)
    models, adapters = named(asked, offline=offline)
    with counting() as begin:
        rows = list(_rows(models, adapters, asked.weighing, begin, offline=offline, store=store))
    found = section(rows, (models[0].name, models[1].name) if len(models) > 1 else None)
    weight_tables.show(found, layers=asked.layers)
    if files.csv:
        with writing(files.csv):
            write_csv(rows, files.csv)
    if files.parquet:
        with writing(files.parquet):
            write_parquet(rows, files.parquet)
    if files.html:
        with writing(files.html):
            _write_page(found, files.html, _title(models, adapters), command)
    for path in filter(None, (files.html, files.csv, files.parquet)):
        say(f"written  {path}")


def named(asked: WeightRequest, *, offline: bool) -> tuple[list[Model], dict[str, Path]]:
    """Return the models, and the adapters' folders by name; all names differ."""
    if (Path(asked.model) / "result.json").is_file():
        raise HarnessError(
            f"{asked.model}: a RESULT folder: add --against-scores, or name a model: a folder or hub:OWNER/NAME"
        )
    models = [load_model(asked.model)]
    if asked.against is not None:
        models.append(load_model(asked.against, f"--against {asked.against}"))
    for model in models:
        if backends.of(model).folder is None:
            raise HarnessError(
                f"{model.uri}: no weights: {backends.of(model).about}; name a model: zoo:NAME, a folder or hub:OWNER/NAME"
            )
    if len({model.name for model in models}) < len(models):
        names = _distinct([model.uri for model in models])
        models = [replace(model, name=name) for model, name in zip(models, names, strict=True)]
    folders = {}
    for place in asked.adapters:
        uri = adapter_uri(place, Path.cwd(), f"--adapter {place}")
        folders[uri] = _adapter(uri, f"--adapter {place}", offline)
    return models, dict(zip(_distinct(list(folders)), folders.values(), strict=True))


def _adapter(uri: str, where: str, offline: bool) -> Path:
    """Return the folder of an adapter; raise AdapterError if there is no such folder."""
    bare, revision = without_revision(uri)
    adapter = Adapter(name="adapter", base="", uri=bare)
    check_adapter(adapter, lambda *keys: where)
    folder = locate_adapter(adapter, revision, offline=offline)
    if not folder.is_dir():
        raise AdapterError(f"{where}: no such folder; an adapter is a folder in PEFT's layout")
    lora.read_settings(folder, "weighed")
    return folder


def _distinct(uris: Sequence[str]) -> list[str]:
    """Return names that differ: as much of each path's end as needed, such as `run-1/final` and `run-2/final`."""
    parts = [uri.partition(":")[2].strip("/").split("/") for uri in uris]
    for length in range(1, max(map(len, parts), default=0) + 1):
        names = ["/".join(part[-length:]) for part in parts]
        if len({*names}) == len(names):
            return names
    return [f"{'/'.join(part)}#{number}" for number, part in enumerate(parts, 1)]


def _rows(
    models: Sequence[Model],
    adapters: dict[str, Path],
    weighing: Weighing,
    begin: Begin,
    *,
    offline: bool,
    store: Path,
) -> Iterator[WeightRow]:
    """Yield the rows of the base, then for each adapter those of ΔW and W + ΔW, then those of the other model."""
    found = pins(
        Suite(name="weigh", tasks=(), models=tuple(models)), offline=offline, cache=store / "digests.json"
    )
    options = AnalysisOptions(threads=machine().cores, cache=SpectrumCache(store / "findings"))
    for model in models:
        pin = found.models[model.name]
        folder, family = backends.folder(model, pin, offline=offline), families.find(pin.family or "generic")
        parts: list[tuple[str | None, Path | None]] = [(None, None)]
        if model is models[0]:
            parts += adapters.items()
        for name, adapter in parts:
            total = _layers(folder, family, weighing) if adapter is None else None
            done = begin(model.name if name is None else f"{model.name} + {name}", total)
            for row in analyse(
                folder,
                family,
                adapter,
                model=model.name,
                adapter_name=name,
                weighing=weighing,
                options=options,
            ):
                if row.status != NOT_ASKED:
                    done()
                yield row


def _layers(folder: Path, family: families.Family, weighing: Weighing) -> int:
    """Return the number of layers to analyse, by the names of the tensors."""
    found = locations(folder, family, split=weighing.split)
    return sum(location.role in weighing.roles for location in found)


def _title(models: Sequence[Model], adapters: dict[str, Path]) -> str:
    first = (
        " + ".join([models[0].name, *adapters])
        if len(adapters) < 3
        else f"{models[0].name} + {len(adapters)} adapters"
    )
    return " beside ".join([first, *(model.name for model in models[1:])])


def _write_page(found: WeightSection, path: Path, title: str, command: str) -> None:
    from harness.report import drawing

    with drawing.pen() as pen:
        from harness.report import figures, html

        drawn = figures.draw_weights(found, pen)
        page = html.render_weights(found, drawn, title, columns(found.rows), command)
        write_text(path, page)
