"""What a learner has solved: noted by every check in one small file, and shown along the path of the course.

The file is `progress.json` in the folder of the workbooks: a version, and for each exercise that was tried how often,
and since when it is solved. It is never written in place, never overwritten when it cannot be read, and kept as it is
when a newer version of the course has written it.
"""

import json
import os
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from lstm_tutorial.exercises.registry import exercises

VERSION = 1
WORKBOOKS = Path("notebooks", "exercises")
CHAPTERS = {  # in the order of the book
    "memory": "An RNN forgets",
    "gates": "What a gate is",
    "cell-state": "The cell state",
    "numpy-lstm": "The whole LSTM in NumPy",
    "pytorch-lstm": "An LSTM in PyTorch",
    "shapes": "Shapes",
    "many-to-one": "Many to one",
    "many-to-many": "Many to many",
    "one-to-many": "One to many",
    "encoder-decoder": "Encoder and decoder",
    "pooling": "Pooling",
    "attention-pooling": "Attention pooling",
    "choosing": "Choosing a pooling",
    "fast": "A fast LSTM in NumPy",
}


class Unreadable(Exception):
    """The file cannot be used; the message says why, and what became of it."""


def progress_file():
    """Return where progress is noted, or None where it is not.

    The environment variable LSTM_TUTORIAL_PROGRESS names the file; empty, it switches noting off. Without it the file
    lies in the folder `notebooks/exercises` that is found from the working directory upwards; where there is none, as
    for a workbook alone on another machine, beside the notebook that runs.

    Examples
    --------
    >>> os.environ["LSTM_TUTORIAL_PROGRESS"] = "mine.json"
    >>> print(progress_file())
    mine.json
    >>> os.environ["LSTM_TUTORIAL_PROGRESS"] = ""
    >>> print(progress_file())
    None
    """
    named = os.environ.get("LSTM_TUTORIAL_PROGRESS")
    if named is not None:
        return Path(named) if named else None
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / WORKBOOKS).is_dir():
            return folder / WORKBOOKS / "progress.json"
    return here / "progress.json" if "ipykernel" in sys.modules else None


def record(name, passed):
    """Note that an exercise was tried, and whether it is solved.

    Parameters
    ----------
    name : str
        The exercise's id.
    passed : bool
        What is solved once stays solved.

    Returns
    -------
    str or None
        What the learner should know: that a damaged file was set aside, or that nothing could be noted. Never an error.
    """
    file, note = progress_file(), None
    if file is None:
        return None
    try:
        try:
            noted = load(file)
        except Unreadable as error:
            note, noted = str(error), None if file.exists() else {}
        if noted is not None:
            entry = noted.setdefault(name, {"tries": 0, "solved": None})
            entry["tries"] += 1
            if passed and not entry["solved"]:
                entry["solved"] = datetime.now(UTC).isoformat(timespec="seconds")
            _write(file, {"version": VERSION, "exercises": noted})
    except OSError as error:
        note = f"your progress could not be noted in {file}: {error.strerror or error}"
    return note


def load(file):
    """Return what is noted: for each exercise its `tries` and the time it was `solved`, or None.

    Raises
    ------
    Unreadable
        If a newer version wrote the file, which is left alone, or if it is damaged: it then gets another name.
    """
    if not file.exists():
        return {}
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        version, noted = content["version"], content["exercises"]
        sound = isinstance(version, int) and all(
            isinstance(entry["tries"], int) and isinstance(entry["solved"], str | None) for entry in noted.values()
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        sound, version = False, VERSION
    if sound and version <= VERSION:
        return noted
    if sound or version > VERSION:
        raise Unreadable(f"{file} was written by a newer version of the course, and nothing is noted in it")
    aside = file.with_name(f"{file.stem}-damaged-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}{file.suffix}")
    file.replace(aside)
    raise Unreadable(f"{file.name} could not be read; it is now {aside.name}, and noting begins anew")


def _write(file, content):
    """Write a file whole or not at all."""
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.stem}-", suffix=".tmp")
    try:
        with open(handle, "w", encoding="utf-8") as stream:
            json.dump(content, stream, indent=1, sort_keys=True)
        os.replace(name, file)
    except BaseException:
        os.unlink(name)
        raise


class Progress:
    """The path with what is solved on it; shown as text.

    Parameters
    ----------
    noted : dict
        From `load`.
    note : str, optional
        Stands below.
    """

    def __init__(self, noted, note=None):
        self._solved, self._note = {name for name, entry in noted.items() if entry["solved"]}, note

    @property
    def chapters(self):
        """For each chapter's stem, how many exercises are solved and how many there are."""
        found = {stem: [0, 0] for stem in CHAPTERS}
        for name, exercise in exercises().items():
            found[exercise.chapter][0] += name in self._solved
            found[exercise.chapter][1] += 1
        return {stem: tuple(pair) for stem, pair in found.items()}

    @property
    def solved(self):
        """How many exercises of the course are solved, and how many there are."""
        return tuple(map(sum, zip(*self.chapters.values(), strict=True)))

    @property
    def next(self):
        """The first exercise on the path that is not solved; None at the end."""
        left = [each for name, each in exercises().items() if name not in self._solved]
        return min(left, key=lambda each: list(CHAPTERS).index(each.chapter), default=None)

    def __repr__(self):
        lines = []
        for stem, (solved, all_) in self.chapters.items():
            bar = "#" * solved + "." * (all_ - solved)
            lines.append(f"{CHAPTERS[stem]:24} {bar:10} {solved} of {all_}")
        solved, all_ = self.solved
        lines.append(f"{'In all':24} {'':10} {solved} of {all_}, {solved / all_:.0%}")
        after = self.next
        lines.append(
            f'Next: "{after.title}" in {(WORKBOOKS / after.chapter).as_posix()}.ipynb, '
            f"after reading book/{after.chapter}.md"
            if after
            else "All is solved: the course is yours."
        )
        return "\n".join(lines + ([self._note] if self._note else []))


def progress(file=None):
    """Show the path of the course: what is solved in each chapter, and what comes next.

    Parameters
    ----------
    file : str or path, optional
        Where progress is noted, if not where `progress_file` says.

    Returns
    -------
    Progress
    """
    file = Path(file) if file else progress_file()
    if file is None:
        return Progress({}, "Nothing is noted here: there is no folder of workbooks, or noting is switched off.")
    try:
        return Progress(load(file), None if file.exists() else "Nothing is noted yet.")
    except Unreadable as error:
        return Progress({}, str(error))
