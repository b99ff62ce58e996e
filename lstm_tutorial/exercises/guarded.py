"""An answer runs under guard: it may raise, never end, or print without end, and the check goes on.

It runs in a thread of its own. What it prints is caught, and a part of it kept. When the time is up, an exception is
raised in its thread, again and again, which stops every loop in Python. What this cannot stop is a single call into C,
such as `time.sleep`, before it returns. The thread that waits is never interrupted, so nothing of the check can be.
"""

import contextlib
import ctypes
import inspect
import io
import os
import textwrap
import threading
import time
import traceback

import numpy as np

from lstm_tutorial.exercises.session import functions, put_back, seed

SECONDS = 10.0  # for all that one check runs; the environment variable LSTM_TUTORIAL_SECONDS sets another
BETWEEN = 0.05  # seconds between two looks at the clock
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
        self._left, self._printed, self._functions = self.seconds, Printed(), functions()

    @property
    def printed(self):
        """What the last function printed, shortened."""
        return self._printed.text()

    def run(self, function, *inputs):
        """Return what a function returns, or raise what it raises.

        Raises
        ------
        OutOfTime
            If it takes longer than what is left.
        """
        self._printed, started, job = Printed(), time.monotonic(), Job(function, inputs)
        seed()
        try:
            with contextlib.redirect_stdout(self._printed), contextlib.redirect_stderr(self._printed):
                try:
                    job.start()
                    job.wait(started + self._left)
                except BaseException:  # the learner has interrupted the check
                    job.function = None  # in case that it has not begun
                    job.wait(started)
                    raise
        finally:
            self._left -= time.monotonic() - started
            put_back(self._functions)
        if job.error is not None:
            raise job.error
        return job.result


class Job(threading.Thread):
    """A thread that calls one function and keeps what it returns or raises."""

    def __init__(self, function, inputs):
        super().__init__(daemon=True)
        self.function, self._inputs, self._running = function, inputs, threading.Lock()
        self._running.acquire()  # until the function has ended
        self.result = self.error = None

    def run(self):
        """Call the function."""
        try:
            with np.errstate(all="ignore"):
                self.result = self.function(*self._inputs)
        except BaseException as error:
            self.error = error
        finally:
            self._running.release()

    def wait(self, until):
        """Return when the function has ended; from some time on, raise OutOfTime in it until it does."""
        while self.is_alive() and not self._running.acquire(timeout=BETWEEN):
            if time.monotonic() > until:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self.ident), ctypes.py_object(OutOfTime))
        self.join()


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


def where(error, function):
    """Return the line of a function's own file at which an error was raised, for a message; "" if it was not there.

    Examples
    --------
    >>> try:
    ...     [].pop()
    ... except IndexError as error:
    ...     where(error, lambda: 0)
    '\\n  line 2: [].pop()'
    """
    code = getattr(inspect.unwrap(function), "__code__", None)
    file = code.co_filename if code else None
    lines = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    return "".join(f"\n  line {each.lineno}: {textwrap.shorten(each.line, 200)}".rstrip(": ") for each in lines[-1:])


def said(error):
    """Return the class of an exception and its message, shortened, also where its own methods fail.

    Examples
    --------
    >>> said(ValueError("no"))
    'ValueError: no'
    """
    try:
        return f"{type(error).__name__}: {textwrap.shorten(str(error), 300)}"
    except BaseException:  # a learner's own class may do anything
        return f"{type.__repr__(type(error))}"
