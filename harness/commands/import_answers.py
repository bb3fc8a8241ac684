"""Make a RESULT of the answers that other programs wrote: their samples, our scores and comparisons.

What we can compute is computed from the answers and compared with the other program's number. A score that we cannot compute
is kept as the rows that the program gave, by the metric `theirs`.
"""

import math
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from harness import kinds, metrics
from harness import text as words
from harness._version import __version__
from harness.errors import DataError, HarnessError
from harness.files.hardware import machine
from harness.files.json_lines import to_json, writing
from harness.files.zipped import write_zipped
from harness.imports import NOT_IMPORTED, GivenScore, ImportedAnswers, ImportOptions, format_named, read
from harness.plugins import use as use_files
from harness.plugins.choice import parse
from harness.results import AdapterFacts, ModelFacts, Result, RunFacts, SuiteFacts, TaskFacts, document
from harness.results.digests import InputDigests
from harness.results.document import BESIDE, NAME, read_document, write_document
from harness.results.odd import place as of_system
from harness.results.rows import Key, Rows, write_rows
from harness.results.written import generation_line, sample_line
from harness.run import target
from harness.run.steps.compare import answer
from harness.run.steps.report import inert
from harness.run.steps.score import ScoreAnswers, scored
from harness.scoring import comparisons as pairs
from harness.scoring import warned
from harness.scoring.accumulate import Tally
from harness.scoring.clusters import numbered
from harness.scoring.questions import Cell, questions
from harness.suite.load import metric_named
from harness.suite.rules import check_name
from harness.types import Comparison, Generation, Note, Sample, Score, System

SEED = 0  # of resampling
SAME = 1e-9  # largest difference, on the other program's scale, of two numbers that are the same
OTHER_NUMBER, LEFT_OUT = "other number", "left out"  # kinds of notes
FIRST = 5  # samples that a note names
ROWS, SAMPLES, GENERATIONS = BESIDE


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinedTask:
    """A task with the systems that answered the same samples of it."""

    facts: TaskFacts
    samples: tuple[Sample, ...]
    answers: Mapping[System, tuple[Generation, ...]]  # in the samples' order
    sources: Mapping[System, ImportedAnswers]
    plugins: tuple[str, ...]
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredTask:
    """The scores, rows and comparisons of a task."""

    task: JoinedTask
    scores: tuple[Score, ...]
    comparisons: tuple[Comparison, ...]
    rows: Mapping[Key, Rows]
    notes: tuple[Note, ...]


def import_answers(
    name: str,
    places: Sequence[Path],
    out: Path,
    options: ImportOptions,
    systems: Sequence[str] = (),  # a name for each place: "MODEL" or "MODEL+ADAPTER"
    command: str = "",
) -> Result:
    """Publish a RESULT of the answers in these files or folders at `out`, with its pages, and return it."""
    target.refuse(out, "-o")
    _refuse_options(name, options, places, systems)
    use_files(())
    options = replace(options, metric=tuple(map(_named, options.metric)))
    found = [
        _renamed(answers, system)
        for place, system in zip(places, systems or [""] * len(places), strict=True)
        for answers in read(name, place, options)
    ]
    for answers in found:
        _refuse_unwritable_names(answers)
    _refuse_replacing(out, found)
    joined = [_joined(task, [each for each in found if each.task.name == task]) for task in _tasks(found)]
    scored_tasks = [_scored(task) for task in joined]
    with TemporaryDirectory() as beside:
        folder = Path(beside)
        result = _write(folder, out.resolve().name, found, scored_tasks, command)
        from harness.report import render

        render(folder)
        with writing(out, "-o"):
            target.publish(folder, out)
    return replace(result, folder=out)


def lines(result: Result) -> Iterator[str]:
    """Yield a line for each score."""
    for score in result.scores:
        metric = words.metric(score.metric)
        yield f"{words.visible(score.task)}  {metric}  {words.system(score.system)}  {words.score(score)}"


def remarks(result: Result) -> Iterator[str]:
    """Yield a line for each number that differs, and for what was left out."""
    for note in result.notes:
        if note.kind in (OTHER_NUMBER, LEFT_OUT, NOT_IMPORTED):
            yield f"{words.visible(note.where)}: {words.visible(note.detail)} ({note.count:,} of {note.of:,})"


def _refuse_replacing(out: Path, found: Sequence[ImportedAnswers]) -> None:
    """Raise HarnessError if a RESULT lies at `out` that this import would not make again."""
    if not (out / NAME).exists():
        return
    manifest = read_document(out, changed=True).get("manifest", {})
    before = {file.get("digest") for file in manifest.get("imported", ())}
    if manifest.get("rescored") or before != {answers.file.digest for answers in found}:
        added = ", with metrics that were added to it" if manifest.get("rescored") else ""
        raise HarnessError(
            f"-o {out}: holds another RESULT, of {str(manifest.get('created') or 'an unknown time')[:25]}{added}; "
            "name another folder, or remove that one first"
        )


# What was asked for.


def _refuse_options(
    name: str, options: ImportOptions, places: Sequence[Path], systems: Sequence[str]
) -> None:
    """Raise HarnessError for an option that the format does not take, or for names that are not one for each place."""
    taken = format_named(name).OPTIONS
    for option, value in to_json(options).items():
        if value and option not in taken:
            known = ", ".join(f"--{each}" for each in taken) or "none of them"
            raise HarnessError(f"--{option}: import {name} does not take it; it takes {known}")
    for option, given in (
        ("task", options.task),
        *(("system", part) for name in systems for part in name.split("+") if part),
    ):
        if given is not None:
            check_name(given, lambda *_, option=option: f"--{option}")
    if systems and len(systems) != len(places):
        raise HarnessError(
            f"--system: found {words.plural(len(systems), 'name')} for {words.plural(len(places), 'input')}; "
            "give one for each, in their order"
        )


def _named(metric: str) -> str:
    """Return a metric of the command line as a task would name it."""
    where = f"--metric {metric}"
    return metric_named(parse(metric, where), Path.cwd(), lambda *keys: ": ".join([where, *map(str, keys)]))


def _renamed(found: ImportedAnswers, name: str) -> ImportedAnswers:
    """Return the answers with the name that the user gave their system; a filter's name stays."""
    if not name:
        return found
    model, _, adapter = name.partition("+")
    if not model or (not adapter and "+" in name):
        raise HarnessError(f"--system {name}: found an empty name; write MODEL or MODEL+ADAPTER")
    _, bracket, of_filter = found.system.model.partition(" [")
    system = System(model=model + bracket + of_filter, adapter=adapter or None)
    facts = replace(found.model, name=system.model)
    own = None
    if system.adapter is not None:
        known = found.adapter or AdapterFacts(name=system.adapter, model=system.model)
        own = replace(known, name=system.adapter, model=system.model)
    return replace(found, system=system, model=facts, adapter=own)


def _refuse_unwritable_names(found: ImportedAnswers) -> None:
    """Raise DataError for a name or an id that is no Unicode text: rows.parquet cannot hold it."""
    system = found.system
    names = (found.task.name, system.model, system.adapter or "", *(sample.id for sample in found.samples))
    for name in names:
        try:
            name.encode()
        except UnicodeEncodeError as error:
            raise DataError(f"{found.where}: found the name {name!r}, which is no text; rename it") from error


# Tasks.


def _tasks(found: Sequence[ImportedAnswers]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.task.name for each in found))


def _joined(name: str, found: Sequence[ImportedAnswers]) -> JoinedTask:
    """Return the task with all of its systems, on the samples that all of them answered."""
    first = found[0]
    for other in found[1:]:
        _refuse_other_task(first, other)
    sources: dict[System, ImportedAnswers] = {}
    least = min(each.task.shots for each in found)
    for each in found:
        shots = each.task.shots - least
        system = replace(each.system, shots=each.task.shots if shots else 0)
        if system in sources:
            raise DataError(
                f"{each.where}: found {system} on {name}, as in {sources[system].where}; give the inputs other names: "
                "--system NAME, once for each"
            )
        sources[system] = each
    shared = set.intersection(*({sample.id for sample in each.samples} for each in found))
    if not shared:
        raise DataError(
            f"{found[1].where}: found no sample of {name} that {first.where} has too; import the two one by one"
        )
    samples = tuple(sample for sample in first.samples if sample.id in shared)
    plugins, unkept = _metrics(found)
    if not plugins:
        raise DataError(
            f"{first.where}: found no score of {name} that can be kept or computed; name --metric"
        )
    answers = {}
    notes = [note for each in found for note in each.notes]
    for system, each in sources.items():
        by_id = {answer.sample_id: answer for answer in each.answers}
        answers[system] = tuple(by_id[sample.id] for sample in samples)
        where = of_system(name, system)
        if left := len(each.samples) - len(samples):
            detail = "samples left out, because not every system answered them"
            notes.append(Note(kind=LEFT_OUT, where=where, count=left, of=len(each.samples), detail=detail))
    notes += [Note(kind=NOT_IMPORTED, where=name, count=1, of=len(found), detail=said) for said in unkept]
    return JoinedTask(
        facts=_facts(name, found, plugins, least),
        samples=samples,
        answers=answers,
        sources=sources,
        plugins=plugins,
        notes=tuple(dict.fromkeys(notes)),
    )


def _refuse_other_task(one: ImportedAnswers, other: ImportedAnswers) -> None:
    """Raise DataError if two files have different documents, or kinds of answers, under the same names."""
    if one.task.kind != other.task.kind:
        raise DataError(
            f"{other.where}: found {one.task.name} as a task of kind {other.task.kind}, and {one.where} has kind "
            f"{one.task.kind}; import the two one by one"
        )
    before = {sample.id: sample for sample in one.samples}
    for sample in other.samples:
        same = before.get(sample.id)
        if same is None:
            continue
        hashes = one.documents.get(sample.id), other.documents.get(sample.id)
        what = "document" if all(hashes) and hashes[0] != hashes[1] else _unlike(same, sample, all(hashes))
        if what:
            raise DataError(
                f"{other.where}: sample {sample.id!r} of {one.task.name} has another {what} than in {one.where}; "
                "import files that were made from the same data"
            )


def _unlike(one: Sample, other: Sample, hashed: bool) -> str:
    """Return what differs between two samples of the same id; "" if nothing does."""
    if one.references != other.references or one.choices != other.choices:
        return "reference" if one.choices == other.choices else "choice"
    # Prompts of one document may differ by chat template and examples.
    return "input" if not hashed and one.input != other.input else ""


def _metrics(found: Sequence[ImportedAnswers]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the plug-ins that score every system of a task, and a sentence on each score that only some systems have."""
    plugins: dict[str, None] = {}
    unkept: list[str] = []
    given = {score.name: score for each in found for score in each.given}
    for metric in found[0].task.metrics:
        plugins[metric] = None
    for name, score in given.items():
        alike = [other for each in found for other in each.given if other.name == name]
        if score.metric is not None:
            plugins[score.metric] = None
        if score.metric is None or _any_differs(found, name):
            if len(alike) == len(found) and all(other.each for other in alike):
                plugins[score.kept] = None
            elif len(alike) < len(found):
                unkept.append(f"{name} is not kept: not every system has it")
    return tuple(plugins), tuple(unkept)


def _any_differs(found: Sequence[ImportedAnswers], name: str) -> bool:
    """Return whether our number differs from the other program's for any system, so that theirs is kept beside it."""
    for each in found:
        for score in each.given:
            if score.name == name and score.metric is not None:
                tally = _tally(score.metric, each.samples, each.answers)
                if _difference(score, tally, each.answers, whole=True) is not None:
                    return True
    return False


def _facts(name: str, found: Sequence[ImportedAnswers], plugins: tuple[str, ...], shots: int) -> TaskFacts:
    task = found[0].task
    return TaskFacts(
        name=name,
        about=task.about,
        kind=task.kind,
        primary=_primary(found, plugins),
        metrics=plugins,
        prompt="$input",
        source=task.source,
        shots=shots,
        decode=task.decode,
        cluster=task.cluster,
    )


def _primary(found: Sequence[ImportedAnswers], plugins: tuple[str, ...]) -> str:
    """Return the score that decides: of the first metric; of rouge that is rougeL."""
    names = metrics.score_names(plugins[0])
    given = found[0].given[0].score if found[0].given and not found[0].task.metrics else ""
    return given if given in names else "rougeL" if "rougeL" in names else names[0]


# Scores.


def _tally(plugin: str, samples: Sequence[Sample], answers: Sequence[Generation]) -> Tally:
    tally = Tally(metrics.load(plugin, code=metrics.NAMED))
    for sample, generation in zip(samples, answers, strict=True):
        tally.add(sample, generation)
    return tally


def _scored(task: JoinedTask) -> ScoredTask:
    """Score all systems of a task and compare them."""
    name, cluster = task.facts.name, task.facts.cluster
    together = (
        None if cluster is None else numbered(sample.metadata.get(cluster, "") for sample in task.samples)
    )
    ids = tuple(sample.id for sample in task.samples)
    scores: list[Score] = []
    rows: dict[Key, Rows] = {}
    notes: list[Note] = [*task.notes]
    tallies: dict[System, dict[str, Tally]] = {}
    for system, answers in task.answers.items():
        own = {plugin: _tally(plugin, task.samples, answers) for plugin in task.plugins}
        tallies[system] = own
        spec = ScoreAnswers(
            task=name,
            system=system,
            metrics=task.plugins,
            primary=task.facts.primary,
            cluster=cluster,
            rule=None,
            samples=len(ids),
            seed=SEED,
        )
        for plugin, tally in own.items():
            scores += scored(spec, tally, together)
            if (table := tally.rows()) is not None:
                rows[name, system, plugin] = Rows(ids=ids, stats=table)
        notes += warned.as_notes(warned.counted(own.values()), of_system(name, system))
        notes += _odd(task, system)
        notes += _differences(task, system, own)
    return ScoredTask(
        task=task,
        scores=tuple(scores),
        comparisons=tuple(_comparisons(task, tallies, together)),
        rows=rows,
        notes=tuple(notes),
    )


def _odd(task: JoinedTask, system: System) -> Iterator[Note]:
    """Yield a note for each way in which a system's answers are odd, such as empty ones."""
    answers = task.answers[system]
    for name, oddity in kinds.find(task.facts.kind).odd.items():
        if odd := [answer.sample_id for answer in answers if oddity.holds(answer)]:
            yield Note(
                kind=name,
                where=of_system(task.facts.name, system),
                count=len(odd),
                of=len(answers),
                detail=oddity.said,
                samples=tuple(odd[:FIRST]),
            )


def _differences(task: JoinedTask, system: System, tallies: Mapping[str, Tally]) -> Iterator[Note]:
    """Yield a note for each of the other program's numbers that is not ours."""
    source, answers = task.sources[system], task.answers[system]
    whole = len(answers) == len(source.answers)
    for score in source.given:
        if score.metric is None and score.each and score.kept in tallies:
            tally = tallies[score.kept]
        elif score.metric is not None and score.metric in tallies:
            tally = tallies[score.metric]
        else:
            continue
        found = _difference(score, tally, answers, whole=whole)
        if found is None:
            continue
        ours, theirs, other = found
        at = f"; {words.plural(len(other), 'answer')} with another number" if other else ""
        yield Note(
            kind=OTHER_NUMBER,
            where=of_system(task.facts.name, system),
            count=len(other) or len(answers),
            of=len(answers),
            detail=f"{score.name} is {theirs:.6g} by {source.file.program}, and {ours:.6g} computed from the answers "
            f"as {score.metric or 'their mean'}{at}",
            samples=tuple(other[:FIRST]),
        )


def _difference(
    score: GivenScore, tally: Tally, answers: Sequence[Generation], *, whole: bool
) -> tuple[float, float, list[str]] | None:
    """Return our number and theirs on their scale, and the answers with another number; None if they are the same."""
    scale = score.scale if score.metric is not None else 1.0
    ours = tally.values()[score.score or tally.metric.names[0]] / scale
    given = [answer.given.get(score.name) for answer in answers]
    numbers = [each for each in given if each is not None]
    each_given = score.each and len(numbers) == len(answers)
    theirs = score.value if whole else None
    if theirs is None:
        if not each_given:
            return None
        theirs = math.fsum(numbers) / len(numbers)
    other = _others(score, tally, answers, scale) if each_given else []
    return (ours, theirs, other) if other or abs(ours - theirs) > SAME * max(1.0, abs(theirs)) else None


def _others(score: GivenScore, tally: Tally, answers: Sequence[Generation], scale: float) -> list[str]:
    """Return the answers whose own score is another one than the other program gave them."""
    rows, value = tally.rows(), tally.metric.value
    if rows is None or value is None:
        return []
    column = tally.metric.names.index(score.score) if score.score in tally.metric.names else 0
    with np.errstate(invalid="ignore", divide="ignore"):
        own = np.asarray(value(rows))[:, column] / scale
    given = np.array([answer.given[score.name] for answer in answers])
    return [answers[place].sample_id for place in np.flatnonzero(~(np.abs(own - given) <= SAME)).tolist()]


def _comparisons(
    task: JoinedTask, tallies: Mapping[System, Mapping[str, Tally]], together: list[int] | None
) -> list[Comparison]:
    """Compare the systems of a task: adapters with their bases, bases with each other."""
    cells = tuple(
        Cell(task=task.facts.name, system=system, metrics=task.plugins, primary=task.facts.primary)
        for system in tallies
    )
    asked = questions(cells)
    loaded = {plugin: metrics.load(plugin, code=metrics.NAMED) for plugin in task.plugins}
    with_rows = {plugin: metric for plugin, metric in loaded.items() if metric.formula is not None}
    if not asked or not with_rows:
        return []
    tables = []
    for plugin, metric in with_rows.items():
        rows = [own[plugin].rows() for own in tallies.values()]
        tables.append(metric.table(np.stack([table for table in rows if table is not None], axis=1)))
    found = pairs.Scored(
        task=task.facts.name,
        systems=tuple(tallies),
        metrics=tuple(with_rows.values()),
        tables=tuple(tables),
        clusters=together,
    )
    return answer(found, list(range(len(cells))), asked, task.facts.primary, SEED) if found.tells else []


# Writing.


def _write(
    folder: Path,
    name: str,
    found: Sequence[ImportedAnswers],
    tasks: Sequence[ScoredTask],
    command: str,
) -> Result:
    """Write the data of a RESULT into an empty folder, and return its records."""
    write_rows(folder / ROWS, (entry for each in tasks for entry in each.rows.items()))
    asked = InputDigests()
    write_zipped(
        folder / SAMPLES,
        asked.samples(
            sample_line(each.task.facts.name, sample) for each in tasks for sample in each.task.samples
        ),
    )
    write_zipped(folder / GENERATIONS, asked.generations(_generations(tasks)))
    result = Result(
        folder=folder,
        suite=SuiteFacts(
            name=name,
            about=f"Answers of {words.listed(sorted({each.file.program for each in found}))}, imported.",
            tasks=tuple(replace(each.task.facts, samples=asked.of(each.task.facts.name)) for each in tasks),
            models=tuple(_models(found)),
            adapters=tuple(dict.fromkeys(each.adapter for each in found if each.adapter is not None)),
        ),
        scores=tuple(score for each in tasks for score in each.scores),
        comparisons=tuple(pair for each in tasks for pair in each.comparisons),
        answers=tuple(asked.answers()),
        notes=(*(note for each in tasks for note in each.notes), *inert(asked.answers())),
        manifest=RunFacts(
            harness=__version__,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            command=command,
            python=platform.python_version(),
            platform=platform.platform(),
            hardware=to_json(machine()),
            libraries={name: version for each in found for name, version in each.libraries.items()},
            seed=SEED,
            scripts=metrics.scripts(),
            imported=tuple(dict.fromkeys(each.file for each in found)),
        ),
    )
    write_document(folder, document(result))
    return result


def _generations(tasks: Sequence[ScoredTask]) -> Iterator[dict[str, object]]:
    for each in tasks:
        for system, answers in each.task.answers.items():
            for sample, generation in zip(each.task.samples, answers, strict=True):
                yield generation_line(each.task.facts.name, system, sample, generation)


def _models(found: Sequence[ImportedAnswers]) -> Iterator[ModelFacts]:
    """Yield each base once, as its own run describes it if there is one: a run of an adapter counts its parameters too."""
    names = dict.fromkeys(each.model.name for each in found)
    for name in names:
        own = [each for each in found if each.model.name == name]
        plain = next((each for each in own if each.adapter is None), None)
        yield plain.model if plain else replace(own[0].model, parameters=None)
