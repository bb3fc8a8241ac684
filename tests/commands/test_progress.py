"""What a run prints of its progress: bars on a terminal, elsewhere lines at once and each minute, nothing if quiet."""

import io

import pytest
from rich.progress import Progress

from harness.commands import progress
from harness.commands.course import Course
from harness.commands.progress import Bars, Lines, repeated, watching
from harness.run.counting import LOADING
from harness.terminal.consoles import PlainConsole
from harness.types import Outcome, Step
from tests.commands.test_course import Clock, done, step

TRAIN = step("train llama + r8", kind="train")
ANSWER = step("generate one, llama + r8", "train llama + r8")


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_line_says_step_position_loss_and_time_left(clock: Clock) -> None:
    said: list[str] = []
    lines = Lines(Course([TRAIN, ANSWER], expected={ANSWER.id: 100.0}, clock=clock), said.append)
    lines.say_how_far()
    lines.started(TRAIN)
    lines.progress(TRAIN, 0, 0, LOADING)
    lines.say_how_far()
    clock.now += 30
    lines.progress(TRAIN, 0, 60)
    clock.now += 30
    lines.progress(TRAIN, 12, 60, "loss 1.92")
    lines.say_how_far()
    clock.now += 120
    lines.ended(TRAIN, done(TRAIN, 180))
    lines.started(ANSWER)
    lines.say_how_far()
    assert said == [
        "[   0.0 s] 0 of 2 steps done, time left: unknown",
        "[   0.0 s] 0 of 2 steps done, time left: unknown; train llama + r8: loading",
        "[  60.0 s] 0 of 2 steps done, time left: about 4 min; train llama + r8: 12 of 60, loss 1.92, 0.4 steps/s, "
        "about 2 min",
        "[ 180.0 s] 1/2 train llama + r8: done, 180.0 s",
        "[ 180.0 s] 1 of 2 steps done, time left: about 2 min; generate one, llama + r8: starting",
    ]


def test_a_line_is_printed_at_once_and_then_after_each_interval(clock: Clock) -> None:
    """The thread's waiting is replaced: three intervals, then the end of the run."""
    printed: list[float] = []
    waits = iter([False, False, False, True])

    def wait(seconds: float) -> bool:
        clock.now += seconds
        return next(waits)

    with repeated(lambda: printed.append(clock.now), progress.LINE_SECONDS, wait):
        pass
    assert printed == [100, 160, 220, 280]


def outcomes(view: progress.View, *steps: Step) -> None:
    for each in steps:
        view.started(each)
        view.progress(each, 1, 2)
        view.ended(each, done(each, 1.0))


def test_a_run_without_a_terminal_prints_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with watching(Course([TRAIN, ANSWER])) as view:
        outcomes(view, TRAIN)
    first, second = capsys.readouterr().err.splitlines()
    assert first == "[   0.0 s] 0 of 2 steps done, time left: unknown"
    assert second.endswith("1/2 train llama + r8: done, 1.0 s")


@pytest.mark.parametrize(("quiet", "todo"), [(True, [TRAIN]), (False, [])])
def test_a_quiet_run_and_one_with_nothing_to_do_print_nothing(
    capsys: pytest.CaptureFixture[str], quiet: bool, todo: list[Step]
) -> None:
    with watching(Course(todo), quiet=quiet) as view:
        outcomes(view, *todo)
        assert view.console is None
    assert capsys.readouterr().err == ""


def drawn(course: Course, act: object) -> str:
    """What a terminal of 140 columns shows after `act` did something with the bars."""
    screen = PlainConsole(file=io.StringIO(), width=140)
    columns = progress.columns(course, screen)
    with Progress(*columns, console=screen, auto_refresh=False) as bars:
        act(Bars(bars, course))  # type: ignore[operator]
        paper = PlainConsole(file=io.StringIO(), width=screen.width)
        paper.print(bars.get_renderable())
    return paper.file.getvalue()  # type: ignore[attr-defined,no-any-return]


def test_bars_show_loading_then_speed_loss_and_time_left(clock: Clock) -> None:
    course = Course([TRAIN, ANSWER], expected={ANSWER.id: 100.0}, clock=clock)

    def load(bars: Bars) -> None:
        bars.started(TRAIN)
        bars.progress(TRAIN, 0, 0, LOADING)

    whole, train = drawn(course, load).splitlines()
    assert "all steps" in whole and "0/2" in whole and "left: unknown" in whole
    assert "train llama + r8" in train and "loading" in train and "about" not in train

    def work(bars: Bars) -> None:
        load(bars)
        bars.progress(TRAIN, 0, 60)
        clock.now += 30
        bars.progress(TRAIN, 12, 60, "loss 1.92")

    whole, train = drawn(course, work).splitlines()
    assert "left: about 4 min" in whole
    for said in ("12/60", "loss 1.92, 0.4 steps/s", "about 2 min"):
        assert said in train


def test_a_step_that_another_process_has_keeps_one_bar(clock: Clock) -> None:
    course = Course([TRAIN, ANSWER], clock=clock)

    def act(bars: Bars) -> None:
        for _ in range(3):
            bars.started(TRAIN)
            bars.progress(TRAIN, 0, 0, "another process works on it")

    assert len(drawn(course, act).splitlines()) == 2


def test_a_failed_step_is_named_with_its_reason(clock: Clock) -> None:
    screen = PlainConsole(file=io.StringIO(), width=140)
    course = Course([TRAIN], clock=clock)
    with Progress(*progress.columns(course, screen), console=screen) as bars:
        Bars(bars, course).ended(TRAIN, Outcome(step=TRAIN.id, state="failed", reason="no memory [bold]"))
    assert "failed train llama + r8: no memory [bold]" in screen.file.getvalue()  # type: ignore[attr-defined]
