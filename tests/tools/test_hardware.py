"""The page of hardware needs is what the formulas give now."""

from tools.hardware import write


def test_the_page_is_up_to_date() -> None:
    assert write.PAGE.read_text(encoding="utf-8") == write.page(), "python -m tools.hardware.write"


def test_the_models_and_recipes_of_suite_samsum_fit_a_gpu_of_24_gb_as_it_promises() -> None:
    rows = [line.split(" | ") for line in write.page().splitlines() if "](https" in line]
    promised = [row for row in rows if row[1] == "nf4" or "flan-t5-base" in row[0]]
    assert len(promised) >= 5
    for row in promised:
        most = max(float(row[3].split()[0]), float(row[6]))
        assert most < 0.95 * 24, row
