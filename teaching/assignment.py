"""Make nbgrader assignments out of workbooks, in dist/nbgrader: `make assignment NB=notebooks/exercises/gates.ipynb`.

A stub stays as it is in the workbook. Below it comes a locked cell whose value is what the answer earns; nbgrader takes
a number for the points. The folder is a course as nbgrader knows it: source, release, submitted, autograded.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat

from handout import NOTE, ROOT, exercise, refuse_answer, turn_links

# A student sees the last line alone. nbgrader puts the lines above it back before it grades.
GRADING = """\
### BEGIN HIDDEN TESTS
import sys
import warnings

for _ in [_ for _ in sys.modules if _.startswith("lstm_tutorial")]:
    del sys.modules[_]  # the check as it is on disk, whatever the notebook has made of it
from lstm_tutorial.exercises import check

warnings.simplefilter("ignore")  # for nbgrader a warning is a failure
### END HIDDEN TESTS
check({name}).points"""

CONFIG = """\
# Written by teaching/assignment.py. What stands here holds for every command of nbgrader in this folder.
import os

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "lstm"
c.ClearSolutions.enabled = False  # the source is what students get: there are no solutions in it
c.OverwriteCells.add_missing_cells = True  # also where a student has deleted the cell that grades
c.Execute.timeout = 60  # seconds for a cell, which is then interrupted and earns nothing

# For the notebooks that are graded: one thread each, and no record of what a student has done.
os.environ |= {"OMP_NUM_THREADS": "1", "LSTM_TUTORIAL_PROGRESS": ""}
"""


def main(workbooks, book, course):
    """Write source, configuration and release of one assignment for each workbook."""
    course.mkdir(parents=True, exist_ok=True)
    (course / "nbgrader_config.py").write_text(CONFIG, encoding="utf-8")
    # nbgrader calls a program that was installed with it
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for workbook in workbooks:
        source = course / "source" / workbook.stem
        source.mkdir(parents=True, exist_ok=True)
        nbformat.write(assignment(workbook, book), source / workbook.name)
        if not book:
            shutil.copy(NOTE, source)
        command = [sys.executable, "-m", "nbgrader", "generate_assignment", workbook.stem, "--force"]
        subprocess.run([*command, "--log-level", "WARN"], cwd=course, check=True, env=os.environ | {"PATH": path})
        print(f"{course / 'release' / workbook.stem}")


def assignment(path, book=""):
    """Return a workbook with nbgrader's metadata, a grading cell below every stub, and no outputs."""
    notebook = nbformat.read(path, as_version=4)
    turn_links(notebook, book, NOTE.name)
    cells = []
    for cell in notebook.cells:
        refuse_answer(cell, path)
        name = exercise(cell)
        cells.append(cell)
        if cell.cell_type == "code":
            cell.metadata = {"nbgrader": mark(name or f"given-{cell.id}", solution=bool(name), locked=not name)}
        if name:
            below = nbformat.v4.new_code_cell(GRADING.format(name=name), id=f"points-{cell.id}")
            below.metadata["nbgrader"] = mark(f"points-{name}", grade=True, locked=True, points=1)
            cells.append(below)
    notebook.cells = cells
    return notebook


def mark(grade_id, *, grade=False, solution=False, locked=False, **more):
    """Return what nbgrader wants to know about a code cell."""
    return {"schema_version": 3, "cell_type": "code", "task": False, "grade_id": grade_id} | (
        {"grade": grade, "solution": solution, "locked": locked} | more
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workbooks", nargs="+", type=Path)
    parser.add_argument("--book", default="", help="address of the online book, such as https://example.org/lstm")
    parser.add_argument(
        "--course", type=Path, default=ROOT / "dist" / "nbgrader", help="nbgrader's folder of the course"
    )
    main(**vars(parser.parse_args()))
