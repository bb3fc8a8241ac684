"""Find the steps of a plan that are still to do, and those that were damaged since they finished."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from harness.errors import StoreError
from harness.run.intact import Inspector
from harness.run.store import Store, in_use, relatives, set_aside
from harness.types import Plan, Step


def missing(plan: Plan, store: Store) -> list[Step]:
    """Return the steps that have to run: not finished, and needed by the goal or by another step that has to run.

    The goals are the last step, and each step that was found damaged after it had finished.
    """
    by_id = {step.id: step for step in plan.steps}
    wanted: set[str] = set()
    ahead = [plan.steps[-1].id, *store.damaged().intersection(by_id)]
    while ahead:
        step = ahead.pop()
        if step not in wanted and not store.has(step):
            wanted.add(step)
            ahead += by_id[step].needs
    return [step for step in plan.steps if step.id in wanted]


def put_damaged_aside(plan: Plan, store: Store) -> list[str]:
    """Check the plan's finished steps, and move the damaged ones out of the way; return a line for each of these.

    Every file is checked by its size, and by its digest unless it is large; a large file is read if a step that is to run
    needs it. Steps of other plans are checked as well where a step continues their answers.
    """
    inspector, found = Inspector(), list[str]()
    labels = {step.id: step.label for step in plan.steps}
    while True:
        todo = missing(plan, store)
        used = {need for step in todo for need in step.needs}
        used |= {folder.name for step in todo for folder in relatives(store, step.lineage)}
        lines = []
        for step in sorted(filter(store.has, used | labels.keys())):
            if fault := inspector.damage(store.done(step), large=step in used):
                then = "it is done again" if step in labels else "its answers are not continued"
                lines.append(f"{put_aside(store, step, labels.get(step, 'another run'), fault)}; {then}")
        if not lines:
            return found
        found += lines  # a step that is to run again may need further steps


def put_aside(store: Store, step: str, label: str, fault: str) -> str:
    """Move a damaged step out of the way; return a line that names it."""
    what = f"damaged: {label} ({step}): {fault}"
    try:
        place = set_aside(store, step)
    except OSError as error:
        raise StoreError(
            f"--store {store.root}: {what}; it cannot be moved out of the way: {error.strerror}"
        ) from error
    return f"{what}; moved to {place or store.root / 'damaged'}"


@contextmanager
def claimed(plan: Plan, store: Store) -> Iterator[None]:
    """Protect the plan's steps from `store prune` for as long as the block runs.

    Raise StoreError if the store cannot be written and steps are still to do; if none are, nothing has to be written.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(in_use(store, [step.id for step in plan.steps]))
        except OSError as error:
            if todo := missing(plan, store):
                raise StoreError(
                    f"--store {store.root}: cannot be written: {error.strerror}; {len(todo)} steps are still to do"
                ) from error
        yield
