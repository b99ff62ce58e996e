"""An answer runs under guard: it may raise, never end, or print without end, and the check goes on.

What it prints is caught, and a part of it kept. When the time is up, another thread has an exception raised in it,
which stops every loop in Python. What it cannot stop is a single call into C, such as `time.sleep`, before it returns.
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

from lstm_tutorial.exercises.session import functions, put_back, seed

SECONDS = 10.0  # for all that one check runs; the environment variable LSTM_TUTORIAL_SECONDS sets another
LEAST = 0.1  # of them; with less left the alarm could ring while it is still being set
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
        self._printed, started = Printed(), time.monotonic()
        if self._left < LEAST:
            raise OutOfTime
        seed()
        alarm = Alarm(self._left)
        try:
            with contextlib.redirect_stdout(self._printed), contextlib.redirect_stderr(self._printed), alarm:
                return function(*inputs)
        finally:
            self._left -= time.monotonic() - started
            put_back(self._functions)


class Alarm:
    """Raises OutOfTime in the thread that entered it, again and again from some time on, until it is left."""

    def __init__(self, seconds):
        self._seconds, self._left, self._lock = max(seconds, 0), threading.Event(), threading.Lock()

    def __enter__(self):
        self._thread = ctypes.c_ulong(threading.get_ident())
        self._ringer = threading.Thread(target=self._ring, daemon=True)
        self._ringer.start()

    def _ring(self):
        seconds = self._seconds
        while not self._left.wait(seconds):
            with self._lock:
                if not self._left.is_set():
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(self._thread, ctypes.py_object(OutOfTime))
            seconds = 0.05  # it may have been caught

    def __exit__(self, *_):
        try:
            self._stop()
        except OutOfTime:  # it has rung once more
            self._stop()

    def _stop(self):
        with self._lock:
            self._left.set()
            ctypes.pythonapi.PyThreadState_SetAsyncExc(self._thread, None)
        self._ringer.join()


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
