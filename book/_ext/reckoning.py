"""How long a chapter takes: reckoned in one place, for the line under its title and for the page of the tracks."""

import re
from pathlib import Path
from typing import NamedTuple

import nbformat

FURTHER = {"Design", "Experiment"}  # kinds of exercises that the tracks count apart


class Times(NamedTuple):
    """Minutes of a chapter's page and lab, and for each exercise, by its label, its kind and minutes."""

    page: int
    lab: int
    exercises: dict

    def core(self):
        return sum(time for kind, time in self.exercises.values() if kind not in FURTHER)

    def further(self):
        return sum(time for kind, time in self.exercises.values() if kind in FURTHER)


def fives(minutes):
    return 5 * round(minutes / 5)


def cells(path):
    return nbformat.read(path, as_version=4).cells


def files(root, stem):
    """Return the files of a chapter: its page, its lab, its workbook."""
    names = f"book/{stem}.md", f"notebooks/{stem}.ipynb", f"notebooks/exercises/{stem}.ipynb"
    return [Path(root, name) for name in names]


def times(root, stem):
    """Return the Times of a chapter: 150 words a minute, a lab's cell a little over half a minute."""
    page, lab, workbook = files(root, stem)
    words = len(re.sub(r"```.*?```|\$[^$]*\$", "", page.read_text(encoding="utf-8"), flags=re.S).split())
    code = [cell for cell in cells(lab) if cell.cell_type == "code"]
    seen = [cell for cell in code if "remove-cell" not in cell.metadata.get("tags", [])]
    exercises = {}
    for cell in cells(workbook):
        if label := re.search(r"^:label: (\S+)$", cell.source, re.M):
            kind, time = re.search(r"^\*([A-Z][\w ]+), (\d+) minutes\.\*", cell.source, re.M).groups()
            exercises[label[1]] = kind, int(time)
    return Times(fives(words / 150), fives(0.6 * len(seen)), exercises)


def written(minutes):
    """Return minutes as the line shows them: `45 min`, `1 h`, `1 h 5 min`, with spaces that do not break."""
    hours, rest = divmod(minutes, 60)
    parts = [f"{hours} h"] * bool(hours) + [f"{rest} min"] * bool(rest or not hours)
    return " ".join(parts).replace(" ", "\N{NO-BREAK SPACE}")
