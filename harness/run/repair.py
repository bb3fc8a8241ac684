"""What of a plan is still to do, and what of it was damaged since it was done."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from harness.errors import StoreError
from harness.run.intact import Inspector
from harness.run.store import Store, in_use, relatives, set_aside
from harness.types import Plan, Step


def missing(plan: Plan, store: Store) -> list[Step]:
    """Return the steps that have to run: not finished, and needed by something that has to run.

    The last step is the goal, and so is each that was found damaged: it had been finished.
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
    """Look at the plan's finished steps, and put aside those that are damaged; return a line for each.

    Every file is looked at by its size, and by its digest unless it is large; a large one is read where a step that is to
    run needs it. Steps of other plans, whose answers a step is to continue, are looked at as well.
    """
    inspector, found = Inspector(), list[str]()
    labels = {step.id: step.label for step in plan.steps}
    while True:
        todo = missing(plan, store)
        used = {need for step in todo for need in step.needs}
        used |= {folder.name for step in todo for folder in relatives(store, step.lineage)}
        lines = []
        for step in sorted(filter(store.has, used | labels.keys())):
            if said := inspector.damage(store.done(step), large=step in used):
                then = "it is done again" if step in labels else "its answers are not continued"
                lines.append(f"{put_aside(store, step, labels.get(step, 'another run'), said)}; {then}")
        if not lines:
            return found
        found += lines  # what is to be done again may need more


def put_aside(store: Store, step: str, label: str, said: str) -> str:
    """Move a damaged step out of the way; return a line that names it."""
    what = f"damaged: {label} ({step}): {said}"
    try:
        place = set_aside(store, step)
    except OSError as error:
        raise StoreError(
            f"--store {store.root}: {what}; it cannot be moved out of the way: {error.strerror}"
        ) from error
    return f"{what}; moved to {place or store.root / 'damaged'}"


@contextmanager
def claimed(plan: Plan, store: Store) -> Iterator[None]:
    """Keep `store prune` from the plan's steps for as long as the block runs.

    Where the store cannot be written, raise StoreError if there is anything to do; else nothing is written.
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
