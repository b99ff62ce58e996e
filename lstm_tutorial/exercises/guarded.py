"""An answer runs under guard: it may raise, never end, or print without end, and the check goes on.

It runs in a thread of its own, because a thread can be left behind. What it prints is caught, and a part of it kept.
"""

import contextlib
import ctypes
import inspect
import io
import os
import sys
import textwrap
import threading
import time
import traceback

SECONDS = 10.0  # for all that one check runs; the environment variable LSTM_TUTORIAL_SECONDS sets another
KEPT = 600  # characters of what is printed


class OutOfTime(BaseException):
    """The time is up; no Exception, so that an answer that catches those cannot catch it by accident."""


class Guard:
    """Runs functions within one budget of time, and keeps the beginning of what each prints.

    Parameters
    ----------
    seconds : float, optional
        For all of them together.

    Examples
    --------
    >>> guard = Guard(seconds=5)
    >>> guard.run(lambda x: print("x is", x) or 2 * x, 3)
    6
    >>> guard.printed
    'x is 3'
    """

    def __init__(self, seconds=None):
        self.seconds = float(os.environ.get("LSTM_TUTORIAL_SECONDS") or SECONDS) if seconds is None else seconds
        self._left, self._printed = self.seconds, Printed()

    @property
    def printed(self):
        """What the last function printed, shortened."""
        return self._printed.text()

    def run(self, function, *inputs):
        """Return what a function returns, or raise what it raises.

        Raises
        ------
        OutOfTime
            If it takes longer than what is left; the message says at which line it was.
        """
        self._printed, outcome, started = Printed(), {}, time.monotonic()

        def work():
            try:
                outcome["value"] = function(*inputs)
            except BaseException as error:  # whatever it is, the thread that waits deals with it
                outcome["error"] = error

        worker = threading.Thread(target=work, daemon=True)
        with contextlib.redirect_stdout(self._printed), contextlib.redirect_stderr(self._printed):
            worker.start()
            try:
                worker.join(max(self._left, 0.0))
                line = _line(function, worker) if worker.is_alive() else ""
            finally:  # also where the learner interrupts the wait
                stopped = bool(outcome) or _stop(worker)
        self._left -= time.monotonic() - started
        if "value" in outcome:
            return outcome["value"]
        error = outcome.get("error")
        if error is not None and not isinstance(error, OutOfTime):
            raise error
        words = [f"it was stopped: a check has {self.seconds:g} seconds. Does a loop never end?{line}"]
        words += [] if stopped else ["it could not be stopped and still runs: restart the kernel"]
        raise OutOfTime("\n  ".join(words))


class Printed(io.TextIOBase):
    """A stream that keeps its first characters and counts the others."""

    def __init__(self):
        self._start, self._count = "", 0

    def write(self, text):
        """Keep what there is room for."""
        self._start += text[: max(0, KEPT - self._count)]
        self._count += len(text)
        return len(text)

    def text(self):
        """Return what was kept, without blank lines at its ends, and how much more there was."""
        more = f"\n... and {self._count - KEPT:,} characters more" if self._count > KEPT else ""
        return self._start.strip() + more


def file_of(function):
    """Return the file, or the notebook's cell, in which a function is written; None if it is not written in Python."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return code.co_filename if code else None


def _line(function, worker):
    """Say at which line of the function's own file a thread is."""
    frame = sys._current_frames().get(worker.ident)
    stack = traceback.extract_stack(frame) if frame else []
    lines = [each for each in stack if each.filename == file_of(function)]
    return "".join(f"\n  line {each.lineno}: {textwrap.shorten(each.line, 100)}" for each in lines[-1:])


def _stop(worker, tries=100):
    """Raise OutOfTime in a thread until it ends, and say whether it has: one that catches everything needs several."""
    for _ in range(tries):
        if not _runs(worker):
            return True
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(worker.ident), ctypes.py_object(OutOfTime))
        time.sleep(0.01)
    return not _runs(worker)


def _runs(worker):
    """Say whether a thread has a frame: in Python 3.11 `is_alive` is wrong after an interrupted wait."""
    return worker.ident in sys._current_frames()
