"""How long a chapter takes: the line under its title that tells it, for its page, its lab and its exercises.

Exercises that go further are not in the line, as on the page of the tracks. Labs, workbooks and other pages have no
such line, nor has the book on paper.
"""

import re
from pathlib import Path
from typing import NamedTuple

import nbformat
from docutils import nodes
from sphinx import addnodes

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
    names = [f"book/{stem}.md", f"notebooks/{stem}.ipynb", f"notebooks/exercises/{stem}.ipynb"]
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


def link(text, page):
    where = {"refdomain": "std", "reftype": "doc", "reftarget": f"/{page}", "refexplicit": True, "refwarn": True}
    return addnodes.pending_xref("", nodes.inline("", text), **where)


def add_line(app, doctree):
    folder, _, stem = app.env.docname.rpartition("/")
    notebooks = files(app.srcdir, stem)[1:]
    if app.builder.format != "html" or folder != "book" or not all(path.exists() for path in notebooks):
        return
    for path in notebooks:
        app.env.note_dependency(str(path))
    found = times(app.srcdir, stem)
    line = nodes.paragraph("", f"{written(found.page)} to read · ")
    line += [link("lab", f"notebooks/{stem}"), nodes.Text(f" {written(found.lab)} · ")]
    line += [link("exercises", f"notebooks/exercises/{stem}"), nodes.Text(f" {written(found.core())}")]
    section = next(doctree.findall(nodes.section))
    title = section.first_child_matching_class(nodes.title)
    section.insert(title + 1, nodes.container("", line, classes=["reading-time"]))


def setup(app):
    app.connect("doctree-read", add_line)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
