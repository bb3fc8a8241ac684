"""A RESULT folder as pandas frames."""

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from harness.results import json_lines, read_document

if TYPE_CHECKING:
    import pandas as pd


class Frames:
    """A RESULT folder as pandas frames, each made when first asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._document = read_document(folder)

    @cached_property
    def scores(self) -> "pd.DataFrame":
        """One line per task, system and metric, with its interval."""
        return self._frame("scores")

    @cached_property
    def comparisons(self) -> "pd.DataFrame":
        """Paired differences; `baseline` and `candidate` are spread over columns such as `baseline.model`."""
        import pandas as pd

        return pd.json_normalize(self._document["comparisons"])

    @cached_property
    def weights(self) -> "pd.DataFrame":
        """One line per matrix: base, update and merged."""
        return self._frame("weights")

    @cached_property
    def costs(self) -> "pd.DataFrame":
        """Seconds, memory, tokens per second, sizes."""
        return self._frame("costs")

    @cached_property
    def steps(self) -> "pd.DataFrame":
        """What the plan did."""
        return self._frame("steps")

    @cached_property
    def notes(self) -> "pd.DataFrame":
        """What went other than planned."""
        return self._frame("notes")

    @cached_property
    def curves(self) -> "pd.DataFrame":
        """How each adapter's loss fell: one line per point."""
        import pandas as pd

        points = [
            {"model": curve["model"], "adapter": curve["adapter"], **point}
            for curve in self._document.get("curves", [])
            for point in curve["points"]
        ]
        return pd.DataFrame(points)

    @cached_property
    def rows(self) -> "pd.DataFrame":
        """The sums of each sample under each metric."""
        import pandas as pd

        from harness.results.rows import open_rows

        with open_rows(self.folder):  # refuses what the file's size belies
            return pd.read_parquet(self.folder / "rows.parquet")

    @cached_property
    def generations(self) -> "pd.DataFrame":
        """Every answer."""
        import pandas as pd

        return pd.DataFrame(json_lines(self.folder / "generations.jsonl.gz"))

    @cached_property
    def samples(self) -> "pd.DataFrame":
        """Every question with its references."""
        import pandas as pd

        return pd.DataFrame(json_lines(self.folder / "samples.jsonl.gz"))

    def _frame(self, name: str) -> "pd.DataFrame":
        import pandas as pd

        return pd.DataFrame(self._document.get(name, []))

    def __repr__(self) -> str:
        return f"Frames({str(self.folder)!r}: {', '.join(self.TABLES)})"

    def _repr_html_(self) -> str:
        """The answer and the primary scores, for a notebook."""
        from html import escape

        from harness.report import sentences

        said = "".join(f"<p>{escape(one)}</p>" for one in sentences(self.folder))
        return said + self._scores_html()

    def _scores_html(self) -> str:
        shown = self.scores[self.scores["primary"]]
        columns = ["task", "model", "adapter", "shots", "metric", "value", "low", "high", "n"]
        table: str = shown[columns].to_html(index=False, float_format="{:.1f}".format, na_rep="", escape=True)
        return table

    TABLES = (
        *("scores", "comparisons", "weights", "costs", "curves", "notes", "steps"),
        *("rows", "generations", "samples"),
    )


def load(path: Path | str) -> Frames:
    """Return the pandas frames of a RESULT folder (or of the result.json in it)."""
    folder = Path(path)
    return Frames(folder.parent if folder.name == "result.json" else folder)
