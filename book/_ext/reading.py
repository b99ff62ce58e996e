"""How long a chapter takes: the line under its title, for its page, its quiz, its lab and its exercises.

Exercises that go further are not in the line, as on the page of the tracks. Labs, workbooks and other pages have no
such line, nor has the book on paper.
"""

import re
from pathlib import Path

import nbformat
from docutils import nodes
from sphinx import addnodes

FURTHER = {"Design", "Experiment"}  # kinds of exercises that the tracks count apart
UNREAD = (nodes.figure, nodes.table, addnodes.only)  # their paragraphs are no running text: captions, cells, the quiz


def fives(minutes):
    return 5 * round(minutes / 5)


def cells(path):
    return nbformat.read(path, as_version=4).cells


def files(root, stem):
    """Return the files of a chapter: its page, its lab, its workbook."""
    names = [f"book/{stem}.md", f"notebooks/{stem}.ipynb", f"notebooks/exercises/{stem}.ipynb"]
    return [Path(root, name) for name in names]


def around(node):
    """Yield the nodes that a node stands in."""
    while node := node.parent:
        yield node


def words(doctree):
    """Return the number of words of the running text: no formulas, captions, tables or quizzes."""
    paragraphs = [
        paragraph
        for paragraph in doctree.findall(nodes.paragraph)
        if not any(isinstance(node, UNREAD) for node in around(paragraph))
    ]
    texts = [text for paragraph in paragraphs for text in paragraph.findall(nodes.Text)]
    return sum(len(re.findall(r"[^\W\d][\w'’-]*", text)) for text in texts if not isinstance(text.parent, nodes.math))


def read(doctree):
    """Return the minutes that a newcomer takes to read a page.

    A minute is 100 words of running text, a display formula with its sentence, a figure, or four lines of code.
    """
    formulas, figures, blocks = (
        list(doctree.findall(kind)) for kind in (nodes.math_block, nodes.figure, nodes.literal_block)
    )
    lines = sum(len(block.astext().strip("\n").splitlines()) for block in blocks)
    return words(doctree) / 100 + len(formulas) + len(figures) + lines / 4


def answer(doctree):
    """Return the minutes to answer the quiz of a page: two for a question."""
    return 2 * sum(node.get("tag") == "form" for node in doctree.findall(nodes.Element))


def work(root, stem):
    """Return the minutes of a chapter's lab, and by its label the kind and the minutes of each exercise.

    A cell of the lab takes a little over half a minute; an exercise says itself how long it takes.
    """
    _, lab, workbook = files(root, stem)
    code = [cell for cell in cells(lab) if cell.cell_type == "code"]
    seen = [cell for cell in code if "remove-cell" not in cell.metadata.get("tags", [])]
    exercises = {}
    for cell in cells(workbook):
        if label := re.search(r"^:label: (\S+)$", cell.source, re.M):
            kind, time = re.search(r"^\*([A-Z][\w ]+), (\d+) minutes\.\*", cell.source, re.M).groups()
            exercises[label[1]] = kind, int(time)
    return fives(0.6 * len(seen)), exercises


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
    lab, exercises = work(app.srcdir, stem)
    core = sum(time for kind, time in exercises.values() if kind not in FURTHER)
    line = nodes.paragraph("", f"{written(fives(read(doctree)))} to read · quiz {written(answer(doctree))} · ")
    line += [link("lab", f"notebooks/{stem}"), nodes.Text(f" {written(lab)} · ")]
    line += [link("exercises", f"notebooks/exercises/{stem}"), nodes.Text(f" {written(core)}")]
    section = next(doctree.findall(nodes.section))
    title = section.first_child_matching_class(nodes.title)
    section.insert(title + 1, nodes.container("", line, classes=["reading-time"]))


def setup(app):
    app.connect("doctree-read", add_line)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
