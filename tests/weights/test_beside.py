from typing import Literal

from harness.types import WeightRow
from harness.weights.beside import beside


def row(
    model: str, layer: str, alpha: float | None, role: str = "q", part: Literal["W", "merged"] = "W"
) -> WeightRow:
    numbers = {} if alpha is None else {"alpha": alpha, "lambda_max": 2 * alpha}
    return WeightRow(
        model=model, adapter=None, part=part, layer=layer, role=role,
        status="zero" if alpha is None else "analysed", rows=9, cols=9, eigenvalues=9, numbers=numbers,
    )  # fmt: skip


def test_layers_of_one_name_that_both_have_an_alpha_for_are_paired() -> None:
    rows = [row("a", "l.0", 3.0), row("a", "l.1", 4.0), row("a", "l.2", None), row("a", "l.3", 3.0)]
    rows += [row("b", "l.0", 2.0), row("b", "l.1", 7.0), row("b", "l.2", 3.0), row("b", "other", 3.0)]
    rows += [row("a", "l.0", 9.0, part="merged"), row("c", "l.0", 1.5)]
    found = beside(rows, "a", "b")
    assert [(one.layer, one.difference, one.lambda_ratio) for one in found.layers] == [
        ("l.1", -3.0, 4 / 7),
        ("l.0", 1.0, 1.5),
    ]


def test_a_role_that_one_of_them_lacks_is_there_all_the_same() -> None:
    found = beside([row("a", "x", 3.0, "qkv"), row("b", "y", 4.0, "q")], "a", "b")
    assert [(one.role, one.one is None, one.other is None) for one in found.roles] == [
        ("qkv", False, True),
        ("q", True, False),
    ]
