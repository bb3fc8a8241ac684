"""The notebook in examples/: it runs from top to bottom, and its outputs are those of a run.

`python tests/test_notebook.py` runs it and writes its outputs again.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

NOTEBOOK = Path(__file__).parent.parent / "examples" / "notebook.ipynb"


def executed(folder: Path) -> Any:
    """Return the notebook with the outputs of a run in a folder."""
    import nbformat
    from nbclient import NotebookClient

    os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"
    book = nbformat.read(NOTEBOOK, as_version=4)
    client = NotebookClient(
        book, timeout=600, kernel_name="python3", resources={"metadata": {"path": folder}}
    )
    client.execute()
    for cell in book.cells:
        cell["metadata"].pop("execution", None)  # times of day
    return book


def outputs(book: Any) -> list[Any]:
    return [output for cell in book["cells"] for output in cell.get("outputs", ())]


def text(book: Any) -> str:
    """Everything that a notebook printed or showed as text."""
    found = []
    for output in outputs(book):
        parts = [output.get("text", ""), output.get("data", {}).get("text/plain", "")]
        found += ["".join(part) for part in parts]
    return "\n".join(found)


def test_the_kept_outputs_are_whole_and_name_no_folder_of_a_machine() -> None:
    book = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    cells = [cell for cell in book["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in cells] == [*range(1, len(cells) + 1)]
    assert not [output for output in outputs(book) if output["output_type"] in ("error", "stream")
                and output.get("name") != "stdout"]  # fmt: skip
    assert "/tmp/" not in json.dumps(book) and "/home/" not in json.dumps(book)
    assert any("image/svg+xml" in output.get("data", {}) for output in outputs(book))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_notebook_runs_from_top_to_bottom(tmp_path: Path) -> None:
    book = executed(tmp_path)
    assert not [output for output in outputs(book) if output["output_type"] == "error"]
    said = text(book)
    assert "pass  better than its base" in said and "pass  small enough" in said
    assert (tmp_path / "reports" / "out" / "notebook" / "report.html").is_file()
    assert any("image/svg+xml" in output.get("data", {}) for output in outputs(book))
    assert any("quick" in output.get("data", {}).get("text/html", "") for output in outputs(book))


if __name__ == "__main__":
    import nbformat

    nbformat.write(executed(Path(sys.argv[1])), NOTEBOOK)
