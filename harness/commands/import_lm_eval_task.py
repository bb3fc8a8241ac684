"""Write a task file of lm-evaluation-harness as files of this project: a task, and its documents as they are asked."""

import json
import os
import shutil
from pathlib import Path
from secrets import token_hex

from harness import data, lm_eval
from harness.errors import HarnessError
from harness.files.json_lines import write_text
from harness.lm_eval.task_file import refuse_code, task
from harness.suite import lm_eval_task
from harness.suite.rules import check_name
from harness.types import Source

TASKS, DATA = Path("suites/tasks"), Path("data")


def import_lm_eval_task(
    path: Path,
    *,
    name: str | None = None,
    shots: int | None = None,
    trust_code: bool = False,
    offline: bool = False,
) -> tuple[Path, list[str]]:
    """Write the files and return the task's, with a sentence on each key that means something else here.

    Nothing that exists is overwritten; a document that cannot be asked leaves nothing behind.
    """
    found = task(path, shots)
    refuse_code(found, trust_code)
    called = name or lm_eval_task.name(found)
    check_name(called, lambda *keys: f"{path}: --name")
    file, folder = TASKS / f"{called}.yaml", DATA / called
    for place in (file, folder):
        if os.path.lexists(place):
            raise HarnessError(f"{place} exists already; choose another --name")
    given = Source(uri=f"{lm_eval.SCHEME}:{found.file.path}", shots=shots, trust_code=trust_code)
    source = {
        "uri": f"file:../../{folder.as_posix()}",
        "columns": lm_eval_task.columns(found),
    }
    text = _yaml({**lm_eval_task.entry(found, source), "name": called})
    fresh = folder.with_name(f".{called}.{token_hex(4)}")
    try:
        for split in data.splits(given, offline=offline):
            rows = data.raw_rows(given, split, offline=offline)
            lines = (json.dumps(dict(row.values), ensure_ascii=False, default=str) + "\n" for row in rows)
            write_text(fresh / f"{split}.jsonl", "".join(lines))
        fresh.rename(folder)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    write_text(file, text)
    return file, lm_eval_task.remarks(found)


def _yaml(content: dict[str, object]) -> str:
    from io import StringIO

    from ruamel.yaml import YAML

    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.allow_unicode = True
    out = StringIO()
    yaml.dump(content, out)
    return out.getvalue()
