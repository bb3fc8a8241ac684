"""The one place where a failure becomes a line and an exit code; no traceback reaches a terminal.

A failure that nobody foresaw is a fault of the harness: its traceback goes into a file that the line names.
`HARNESS_TRACEBACK=1` prints it instead.
"""

import errno
import io
import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path

import typer

from harness.errors import HarnessError
from harness.terminal.printed import warn

STOPPED = 130  # exit code after Ctrl-C or SIGTERM
WRONG = 2  # the suite, a file or the command line is wrong
FAILED = 3  # the work could not be done

_FULL = (errno.ENOSPC, errno.EDQUOT)


def guarded(command: Callable[[], object]) -> int:
    """Run a command and return its exit code; an exception becomes one line on standard error."""
    _open_closed_streams()
    _print_anything()
    try:
        code = command()
        sys.stdout.flush()  # here, where a full disk can still be reported
    except typer.Exit as left:
        code = left.exit_code
    except typer.TyperException as error:
        _in_own_words(error)
        error.show()  # type: ignore[attr-defined]  # typer's own copy of click's errors has it
        code = WRONG
    except (KeyboardInterrupt, typer.Abort):
        code = STOPPED
    except BrokenPipeError:
        code = _reader_gone()
    except SystemExit as left:  # typer turns a broken pipe into exit code 1, which is a failed gate's
        code = _reader_gone() if isinstance(left.__context__, BrokenPipeError) else left.code
    except Exception as error:
        line, code = explained(error)
        warn(f"error: {line}")
    if code == STOPPED:  # typer, too, turns Ctrl-C into this code
        warn("interrupted; run the same command again to resume")
    return code if isinstance(code, int) else 0


def explained(error: Exception) -> tuple[str, int]:
    """Return the line that describes a failure, and the exit code."""
    match error:
        case HarnessError():
            return str(error), error.exit_code
        case OSError(errno=number, filename=str(name)) if number in _FULL:
            return f"{name}: the disk is full; free some space and run the command again", FAILED
        case OSError(strerror=str(reason), filename=str(name)):
            return f"{name}: {reason[:1].lower()}{reason[1:]}", WRONG
        case FileNotFoundError(filename=None):  # of `os.getcwd`
            return "the working folder was removed; change into a folder that exists", WRONG
        case OSError(errno=number) if number in _FULL:
            return f"the disk is full; free some space and run the command again{_details(error)}", FAILED
        case RuntimeError() if "Symlink loop from" in str(error):  # of Path.resolve
            return (
                f"{str(error).partition(' from ')[2].strip(chr(39))}: a symbolic link that points to itself",
                WRONG,
            )
        case UnicodeEncodeError(reason="surrogates not allowed", object=str(name)):
            return f"{name[:200]!a}: not valid Unicode; choose another name", WRONG
        case MemoryError():
            return f"not enough memory{_details(error)}", FAILED
        case _:
            first = str(error).strip().partition("\n")[0]
            return f"unexpected {type(error).__name__}: {first}{_details(error)}", FAILED


def _in_own_words(error: typer.TyperException) -> None:
    """Replace pydantic's message about a wrong value by what was found and what is allowed."""
    from pydantic import ValidationError  # not at the top: --help needs none of it

    if not isinstance(error.__cause__, ValidationError):
        return
    wrong = error.__cause__.errors(include_url=False)[0]
    details = wrong.get("ctx", {})
    match wrong["type"]:
        case "int_parsing" | "int_from_float" | "int_parsing_size":
            wanted = "a whole number"
        case "float_parsing" | "finite_number":
            wanted = "a number"
        case "bool_parsing":
            wanted = "1 or 0"
        case "greater_than_equal":
            wanted = f"{details['ge']} or more"
        case "less_than_equal":
            wanted = f"{details['le']} or less"
        case "value_error":
            error.message = str(details["error"]).rstrip(".")
            return
        case _:
            return
    error.message = f"found {wrong['input']!r}; give {wanted}"


def _open_closed_streams() -> None:
    """Point closed standard streams to /dev/null; otherwise the next file that is opened would take their place."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            nowhere = os.open(os.devnull, os.O_RDWR)
            if nowhere != number:
                os.dup2(nowhere, number)
                os.close(nowhere)
            os.set_inheritable(number, True)
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115  # lasts as long as the process


def _reader_gone() -> int:
    """Discard the rest of standard output, whose reader (such as `head`) has ended; return the exit code."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return 0


def _details(error: Exception) -> str:
    """Write the traceback to a file and return where it is, in words."""
    if os.environ.get("HARNESS_TRACEBACK"):
        traceback.print_exception(error)
        return ""
    try:
        number, path = tempfile.mkstemp(prefix="harness-", suffix=".log")
        os.close(number)
        with Path(path).open("w", encoding="utf-8", errors="backslashreplace") as file:
            traceback.print_exception(error, file=file)
    except OSError:
        return " (HARNESS_TRACEBACK=1 prints the details)"
    return f" (details in {path})"


def _print_anything() -> None:
    """Print characters that the terminal cannot show as escapes, so that a name that is not valid text ends no command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
