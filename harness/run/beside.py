"""Do small jobs one after another in a thread of their own, so that workers do not wait for them."""

from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread

Job = Callable[[], None]


class SideThread:
    """A thread that does jobs in the order in which they are given; without a thread, each job is done when it is given."""

    def __init__(self, *, threaded: bool) -> None:
        self._threaded = threaded
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._thread: Thread | None = None
        self._error: BaseException | None = None

    def do(self, job: Job) -> None:
        """Do a job, or have the thread do it after the earlier ones."""
        if not self._threaded:
            job()
            return
        self._jobs.put(job)
        if self._thread is None:
            # A daemon: a process that is interrupted ends without it.
            self._thread = Thread(target=self._work, name="beside", daemon=True)
            self._thread.start()

    def close(self, seconds: float | None = None) -> None:
        """Wait until all jobs are done, or at most for so many seconds; raise the first error of a job."""
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join(seconds)
        if self._error is not None:
            raise self._error

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except BaseException as error:
                self._error = self._error or error
