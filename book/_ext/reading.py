"""The line under a chapter's title that tells how long it takes: its page, its lab, its exercises.

Exercises that go further are not in it, as on the page of the tracks. Labs, workbooks and other pages have no such
line, nor has the book on paper.
"""

from docutils import nodes
from sphinx import addnodes

from reckoning import files, times, written


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
