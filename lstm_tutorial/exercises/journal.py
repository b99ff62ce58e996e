"""What a learner has solved: noted by a check that passes, and shown chapter by chapter.

The file is `progress.json` in the folder of the workbooks. It holds one date for each exercise that is solved.
"""

import json
import os
import sys
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from lstm_tutorial.exercises.registry import CHAPTERS, exercises

WORKBOOKS = Path("notebooks", "exercises")


def progress_file():
    """Return the file in which progress is noted, or None where it is not noted.

    The environment variable LSTM_TUTORIAL_PROGRESS names the file; an empty value switches noting off. Without it the
    file lies in the folder `notebooks/exercises` that is found from the working directory upwards. Where there is none,
    as for a workbook alone on another machine, it lies beside the notebook that runs.

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


def record(name):
    """Note today as the date on which an exercise was solved, unless it was solved before.

    The file is read again just before it is written, so two notebooks can share it. Only where both write in the same
    instant can one date be lost; checking that exercise again notes it.

    Returns
    -------
    str or None
        What the learner should know: that a damaged file was set aside, or that nothing could be noted. Never an error.
    """
    file = None
    try:
        file = progress_file()
        if file is None:
            return None
        solved, note = load(file)
        if name not in solved:
            _write(file, solved | {name: f"{datetime.now():%Y-%m-%d}"})
    except OSError as error:
        note = f"your progress could not be noted{f' in {file}' if file else ''}: {error.strerror or error}"
    return note


def load(file):
    """Return the date of each exercise that is solved, and a note if the file was damaged and is now set aside."""
    if not file.exists():
        return {}, None
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        if all(isinstance(date, str) for date in content.values()):
            return content, None
    except (ValueError, AttributeError):
        pass
    aside = file.with_name(f"{file.stem}-damaged-{datetime.now():%Y%m%d-%H%M%S-%f}{file.suffix}")
    file.replace(aside)
    return {}, f"{file.name} could not be read. It is now called {aside.name}, and your record starts again."


def _write(file, solved):
    """Write the file whole or not at all."""
    temporary = file.with_name(f".{file.stem}-{uuid4().hex}.tmp")
    try:
        temporary.write_text(json.dumps(solved, indent=1), encoding="utf-8")
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)


class _Shown(str):
    """Text that a notebook shows as it stands."""

    __repr__ = str.__str__


def progress(file=None):
    """Return what is solved in each chapter and what comes next, as text.

    Parameters
    ----------
    file : str or path, optional
        Where progress is noted, if not where `progress_file` says.
    """
    file = Path(file) if file else progress_file()
    solved, note = {}, "Nothing is noted here: there is no folder of workbooks, or noting is switched off."
    if file:
        try:
            solved, note = load(file)
        except OSError as error:
            note = f"{file} could not be read: {error.strerror or error}"
    lines, left, total = [], [], len(exercises())
    for stem, title in CHAPTERS.items():
        there = [each for each in exercises().values() if each.chapter == stem]
        open_ = [each for each in there if each.id not in solved]
        done = len(there) - len(open_)
        lines.append(f"{title:24} {'#' * done + '.' * len(open_):10} {done} of {len(there)}")
        left += open_
    done = total - len(left)
    lines.append(f"{'In all':24} {'':10} {done} of {total}, {done / total:.0%}")
    if left:
        chapter = left[0].chapter
        workbook = (WORKBOOKS / f"{chapter}.ipynb").as_posix()
        lines.append(f'Next: "{left[0].title}" in {workbook}, after reading book/{chapter}.md')
    else:
        lines.append("All is solved: the course is yours.")
    return _Shown("\n".join(lines + [note] * bool(note)))
