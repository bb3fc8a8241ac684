"""A RESULT folder in Python: its tables as pandas frames."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import ResultError
from harness.results import from_document, read_document
from harness.results.tables import NAMES, ROWS, tables

if TYPE_CHECKING:
    import pandas as pd


class ResultFolder:
    """A RESULT folder: its tables as pandas frames, each made on first access, such as `result.scores` and `result.rows`.

    `ResultFolder.TABLES` lists the tables; the records in harness.results.records define the columns of each. A
    comparison's systems are spread over columns such as `baseline.model`, a curve has a row for each point,
    a sweep with halving one for each combination, and an adapter at several scales one for each scale.
    Functions that take the path of a RESULT also take a ResultFolder.
    """

    TABLES = NAMES

    if TYPE_CHECKING:  # for type checkers and editors; made by `__getattr__`
        scores: pd.DataFrame
        comparisons: pd.DataFrame
        answers: pd.DataFrame
        recipes: pd.DataFrame
        weights: pd.DataFrame
        costs: pd.DataFrame
        curves: pd.DataFrame
        calibrations: pd.DataFrame
        scalings: pd.DataFrame
        halvings: pd.DataFrame
        notes: pd.DataFrame
        steps: pd.DataFrame
        samples: pd.DataFrame
        generations: pd.DataFrame
        rows: pd.DataFrame

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._document = read_document(folder)
        self.records = from_document(
            folder, self._document
        )  # harness.results.Result: all but answers and samples
        self._made: dict[str, pd.DataFrame] = {}

    @property
    def report(self) -> Path:
        """Return the path of the report, a page of HTML."""
        return self.folder / "report.html"

    @property
    def sentences(self) -> tuple[str, ...]:
        """Return the sentences that answer the suite's question, for each task."""
        from harness.report import sentences

        return tuple(sentences(self.folder))

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> "pd.DataFrame":
            if name not in NAMES:
                raise AttributeError(f"a RESULT has no table {name!r}; it has {', '.join(NAMES)}")
            if name not in self._made:
                self._made[name] = self._rows() if name == ROWS else self._frame(name)
            return self._made[name]

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *NAMES]

    def __fspath__(self) -> str:
        return os.fspath(self.folder)

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
        return f"ResultFolder({str(self.folder)!r}: {', '.join(self.TABLES)})"

    def _repr_html_(self) -> str:
        """Return the answer and the primary scores as HTML, for a notebook."""
        from html import escape

        said = "".join(f"<p>{escape(sentence)}</p>" for sentence in self.sentences)
        return said + self._scores_html()

    def _scores_html(self) -> str:
        shown = self.scores[self.scores["primary"]]
        columns = ["task", "model", "adapter", "shots", "metric", "value", "low", "high", "n"]
        table: str = shown[columns].to_html(index=False, float_format="{:.1f}".format, na_rep="", escape=True)
        return table


def load(path: str | os.PathLike[str]) -> ResultFolder:
    """Return a RESULT folder, named by its path or by that of the result.json in it."""
    folder = Path(path)
    return ResultFolder(folder.parent if folder.name == "result.json" else folder)
