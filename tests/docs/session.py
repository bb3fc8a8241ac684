"""An interpreter for the Python blocks of a page: each line in is a block as JSON, each line out says how it went."""

import json
import sys
import traceback
from contextlib import redirect_stdout


def main() -> None:
    answers, sys.argv = sys.stdout, ["page"]
    names: dict[str, object] = {"__name__": "__main__"}
    for line in sys.stdin:
        block = json.loads(line)
        failure = ""
        with redirect_stdout(sys.stderr):
            try:
                exec(compile(block["text"], block["where"], "exec"), names)
            except BaseException:
                failure = traceback.format_exc()
        answers.write(json.dumps(failure) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
