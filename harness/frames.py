"""A RESULT folder as pandas frames."""

from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import ResultError
from harness.results import from_document, read_document
from harness.results.tables import NAMES, ROWS, tables

if TYPE_CHECKING:
    import pandas as pd


class Frames:
    """A RESULT folder as pandas frames, each made on first access: `frames.scores`, `frames.rows`.

    `Frames.TABLES` lists them; the records in harness.results.records define the columns of each. A comparison's
    systems are spread over columns such as `baseline.model`, and a curve has a row for each point.
    """

    TABLES = NAMES

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._document = read_document(folder)
        from_document(folder, self._document)  # its records are what the tables take them for
        self._made: dict[str, pd.DataFrame] = {}

    def __getattr__(self, name: str) -> "pd.DataFrame":
        if name not in NAMES:
            raise AttributeError(f"a RESULT has no table {name!r}; it has {', '.join(NAMES)}")
        if name not in self._made:
            self._made[name] = self._rows() if name == ROWS else self._frame(name)
        return self._made[name]

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *NAMES]

    def _frame(self, name: str) -> "pd.DataFrame":
        import pandas as pd

        try:
            return pd.DataFrame(list(map(dict, tables(self.folder, self._document)[name]())))
        except UnicodeEncodeError as error:  # half of a surrogate pair, which no frame takes
            raise ResultError(f"{self.folder}: {name}: holds what is no text: {error}") from error

    def _rows(self) -> "pd.DataFrame":
        from harness.results.rows import open_rows

        with open_rows(self.folder) as rows:
            # Ignore the pandas types that the file names: a stranger may have written them.
            table: pd.DataFrame = rows.table().to_pandas(ignore_metadata=True)
        return table

    def __repr__(self) -> str:
        return f"Frames({str(self.folder)!r}: {', '.join(self.TABLES)})"

    def _repr_html_(self) -> str:
        """Return the answer and the primary scores as HTML, for a notebook."""
        from html import escape

        from harness.report import sentences

        said = "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences(self.folder))
        return said + self._scores_html()

    def _scores_html(self) -> str:
        shown = self.scores[self.scores["primary"]]
        columns = ["task", "model", "adapter", "shots", "metric", "value", "low", "high", "n"]
        table: str = shown[columns].to_html(index=False, float_format="{:.1f}".format, na_rep="", escape=True)
        return table


def load(path: Path | str) -> Frames:
    """Return the pandas frames of a RESULT folder (or of the result.json in it)."""
    folder = Path(path)
    return Frames(folder.parent if folder.name == "result.json" else folder)
