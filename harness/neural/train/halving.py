"""Successive halving: the combinations of a sweep train rung by rung, and at the last rung one adapter is left.

Every combination trains as it would by itself: the learning rate's schedule is that of the whole training, and a rung is one
of its own measurements. So the adapter that is left equals, byte for byte, one that was trained by its settings alone.
Each combination has a checkpoint, and who was dropped is in a file that is replaced at each rung, so a kill loses little.
"""

import math
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.errors import Diverged, StepError
from harness.files.json_lines import from_json, read_json, to_json, write_json
from harness.neural import curve
from harness.neural.load import Base
from harness.neural.objectives import Example, Item
from harness.neural.rungs import Rung, combinations, enough_measurements, rungs, total_steps
from harness.neural.train import Trained, saved, trained
from harness.neural.train.checkpoint import RunState
from harness.neural.train.lessons import Lessons, lessons, training
from harness.neural.train.loop import Judge
from harness.types import Combination, Recipe

FOLDER = "combinations"  # of each combination's checkpoint and curve, while the group trains
DROPPED = "dropped.json"
Say = Callable[[int, int, str], None]  # steps taken, of all combinations' steps, and what is going on


@dataclass(slots=True)
class Dropped:
    """Who was dropped so far, which is kept in a file."""

    rung: int = 0  # the last that is over
    combinations: list[Combination] = field(default_factory=list)
    seconds: float = 0.0  # of their training
    winner: Combination | None = None  # after the last rung

    def names(self) -> set[str]:
        """Return the names of the combinations that were dropped."""
        return {combination.name for combination in self.combinations}


def train_halved(
    base: Base,
    examples: Sequence[Example],
    validation: Sequence[Example],
    recipe: Recipe,  # with a sweep and halving
    seed: int,
    folder: Path,  # gets adapter/ and curve.jsonl; combinations/ while it runs, which `tidy` removes
    say: Say = lambda done, of, what: None,
    judge: Judge | None = None,  # compares in place of the validation loss
) -> tuple[Trained, tuple[Combination, ...]]:
    """Train all combinations, rung by rung, and return the outcome of the one that is left, and a line for each.

    The seconds are those of all combinations. Raises StepError if all that are left at a rung diverge.
    """
    learnt = lessons(base, examples, validation, recipe)
    if not learnt.checks:
        raise StepError(
            f"none of {len(validation)} validation samples fits max_tokens: {recipe.max_tokens}; raise it, since "
            "combinations are compared on them"
        )
    group = Group(learnt, recipe, seed, folder / FOLDER, judge, say)
    for number, rung in enumerate(group.rungs, start=1):
        group.climb(number, rung)
    return group.finish(folder)


def tidy(folder: Path) -> None:
    """Remove what a group needs only while it trains."""
    shutil.rmtree(folder / FOLDER, ignore_errors=True)


class Group:
    """All combinations of a sweep, while they train."""

    def __init__(
        self, learnt: Lessons, recipe: Recipe, seed: int, folder: Path, judge: Judge | None, say: Say
    ) -> None:
        self.learnt, self.recipe, self.seed, self.folder = learnt, recipe, seed, folder
        self.judge, self.say = judge, say
        self.combinations = combinations(recipe)
        self.places = {name: place for place, name in enumerate(self.combinations)}
        steps = learnt.steps(recipe)
        self.rungs = rungs(recipe, steps)
        if len({rung.step for rung in self.rungs}) < len(self.rungs):
            assert recipe.halving is not None
            raise StepError(
                f"{len(self.rungs)} rungs in {steps} steps fall on each other; take at least "
                f"{enough_measurements(recipe.halving)} steps, or lower `rungs`"
            )
        self.total, self.over = total_steps(recipe, steps), 0  # steps; those of rungs that are over
        self.states: dict[str, RunState] = {}  # of those that are left, at the rung
        self.first = True
        self.items: dict[str, tuple[Sequence[Item], Sequence[Item]]] = {}
        kept = folder / DROPPED
        self.dropped = Dropped()
        if kept.is_file():
            self.dropped = from_json(Dropped, read_json(kept))

    def climb(self, number: int, rung: Rung) -> None:
        """Train all that are left to a rung, and drop the worst; do nothing where an earlier try has done it."""
        before = self.rungs[number - 2].step if number > 1 else 0
        if number > self.dropped.rung:
            left = [name for name in self.combinations if name not in self.dropped.names()]
            for place, name in enumerate(left):
                self.advance(name, number, rung, self.over + place * (rung.step - before) - before)
            self.compare(number, rung)
        self.over += rung.compared * (rung.step - before)

    def advance(self, name: str, number: int, rung: Rung, over: int) -> None:
        """Train one combination to a rung; drop it if it diverges. `over` + its step are the steps taken by all."""
        what = f"rung {number} of {len(self.rungs)}, {name}"

        def progress(step: int, steps: int, loss: float | None) -> None:
            self.say(over + step, self.total, what if loss is None else f"{what}: loss {loss:.3g}")

        with training(self.learnt, self.combinations[name], self.seed, self.folder / name, self.judge) as run:
            self.first = run.first
            if name not in self.items:
                self.items[name] = (run.referred(self.learnt.items), run.referred(self.learnt.checks))
            run.resume()
            try:
                run.train(*self.items[name], progress, until=rung.step)
            except Diverged as error:
                self.states[name] = replace(run.at)
                self.drop(replace(self.line(name, number), diverged=error.what))
                self.keep()
                return
            if run.first and run.at.step == run.steps:  # at an earlier rung the training has saved it
                run.save()
            self.states[name] = replace(run.at)

    def compare(self, number: int, rung: Rung) -> None:
        """Drop all but the best of those that came to a rung; of equal ones, the first stays."""
        if not self.states:
            self.refuse()
        ranked = sorted(self.states, key=lambda name: (self.order(self.states[name]), self.places[name]))
        lines = [
            replace(self.line(name, number), place=place, compared=len(ranked))
            for place, name in enumerate(ranked, start=1)
        ]
        for line in lines[rung.kept :]:
            self.drop(line)
        self.dropped.rung = number
        if number == len(self.rungs):
            self.dropped.winner = replace(lines[0], kept=True)
        self.keep()

    def order(self, state: RunState) -> tuple[float, float]:
        """Return what combinations are sorted by, the best first: the best score so far, then its loss."""
        if self.judge is None:
            return 0.0, state.best_loss
        if state.best_score is None:
            return math.inf, state.best_loss
        return state.best_score * (1 if self.judge.lower_is_better else -1), state.best_loss

    def line(self, name: str, number: int) -> Combination:
        """Return a combination's line of the table, before it is compared at a rung."""
        at, own = self.states[name], self.combinations[name]
        value = "validation_loss" if self.judge is None else "validation_score"
        measured = [(int(point["step"]), point.get(value)) for point in curve.read(self.folder / name)]
        return Combination(
            name=name,
            settings={key: float(getattr(own, key)) for key in self.recipe.sweep},
            steps=at.step,
            rung=number,
            best_step=at.best_step or None,
            validation_loss=at.best_loss if math.isfinite(at.best_loss) else None,
            validation_score=at.best_score,
            measurements=tuple(
                (step, found) for step, found in measured if found is not None and math.isfinite(found)
            ),
        )

    def drop(self, line: Combination) -> None:
        """Drop a combination: its line is kept, and its checkpoint is not needed any more."""
        state = self.states.pop(line.name, None)
        self.items.pop(line.name, None)
        self.dropped.combinations.append(line)
        self.dropped.seconds += 0.0 if state is None else state.seconds

    def keep(self) -> None:
        """Write who was dropped to the file, and remove their checkpoints."""
        if not self.first:
            return
        write_json(self.folder / DROPPED, to_json(self.dropped))
        for name in self.dropped.names():
            for file in (self.folder / name).glob("checkpoint.*"):
                file.unlink()

    def refuse(self) -> None:
        """Raise StepError: all combinations that were left diverged."""
        gone = [one for one in self.dropped.combinations if one.diverged]
        said = "; ".join(f"{one.name}: {one.diverged}" for one in gone)
        every = (
            "every combination" if len(gone) == len(self.combinations) else "every combination that was left"
        )
        at_once = all(one.steps == 0 for one in gone)  # the factors have no effect at the first step
        remedy = (
            "look for such weights of the base with `harness weigh`" if at_once else "lower learning_rate"
        )
        raise StepError(f"{every} diverged: {said}; {remedy}")

    def finish(self, folder: Path) -> tuple[Trained, tuple[Combination, ...]]:
        """Save the adapter of the combination that is left."""
        winner = self.dropped.winner
        assert winner is not None
        own = self.folder / winner.name
        with training(self.learnt, self.combinations[winner.name], self.seed, own, self.judge) as run:
            run.resume()
            saved(run, self.learnt, folder)
            found = trained(run, self.learnt)
            if run.first:
                shutil.copyfile(own / curve.FILE, folder / curve.FILE)
            run.accelerator.wait_for_everyone()  # what the first process reads is removed next
        lines = {line.name: line for line in (*self.dropped.combinations, winner)}
        seconds = found.seconds + self.dropped.seconds
        return replace(found, seconds=seconds), tuple(lines[name] for name in self.combinations)
