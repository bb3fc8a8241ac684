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
        self._abandoned = False

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

    def close(self) -> None:
        """Wait until all jobs are done; raise the first error of a job."""
        self._end(None)
        if self._error is not None:
            raise self._error

    def abandon(self, seconds: float) -> None:
        """Wait at most for so many seconds for the job that is being done; do none of the others, and raise no error."""
        self._abandoned = True
        self._end(seconds)

    def _end(self, seconds: float | None) -> None:
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join(seconds)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            if self._abandoned:
                continue
            try:
                job()
            except BaseException as error:
                self._error = self._error or error
