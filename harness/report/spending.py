"""What a task's section says of the tokens that a server counted, and of their price."""

from collections.abc import Iterable

from harness import text as words
from harness.results import Result
from harness.results.costs import Costs, currency
from harness.types import System


def spending(result: Result, task: str, of: Iterable[tuple[System, Costs]]) -> tuple[str, ...]:
    """Return a line for each system that a server answered for: tokens, and money where the suite names prices."""
    lines = []
    for system, costs in of:
        if costs.input_tokens is None or costs.output_tokens is None:
            continue
        said = f"{costs.input_tokens:,.0f} tokens asked and {costs.output_tokens:,.0f} answered"
        if costs.money is not None:
            said += f" cost {money(costs.money)} {currency(result.costs, system, task)}"
        lines.append(f"{words.system(system)}: {said}, counted by the server over all tries.")
    return tuple(lines)


def money(value: float) -> str:
    """Return an amount of money with at least two decimals, and two digits that are not 0."""
    digits = 2
    while 0 < value < 10.0 ** (1 - digits) and digits < 12:
        digits += 1
    return f"{value:,.{digits}f}"
