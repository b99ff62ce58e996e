"""What the book needs off the site: for both editions, and for the PDF through LaTeX. The site does not load it."""

import re
from pathlib import Path

from docutils import nodes
from matplotlib.figure import Figure
from sphinx import addnodes
from sphinx.builders.latex.nodes import thebibliography
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx_design.shared import is_component
from sphinx_exercise.nodes import exercise_latex_number_reference

from lstm_tutorial.figures.drawings import draw_cell

COVERS = {"latex": "cover.pdf", "epub": "_static/cover.png"}
SUMMARY = re.compile(r"<summary>(.*?)</summary>", re.S)
UNSOLVED = re.compile(r"\w+: not attempted yet")


class Leave(SphinxTransform):
    """Leave out what is of use on a screen alone: stored numbers, progress, outputs that are folded or say nothing.

    When a page is read, so that the table of contents knows of it too.
    """

    default_priority = 880

    def apply(self):
        for section in list(self.document.findall(nodes.section)):
            first = section.next_node(nodes.paragraph)
            if section[0].astext() == "Numbers for the page" or (first and "next cell shows what" in first.astext()):
                section.parent.remove(section)
        for cell in self.document.findall(nodes.container):
            for output in [part for part in cell if "cell_output" in part.get("classes", [])]:
                if "tag_hide-output" in cell["classes"] or UNSOLVED.fullmatch(output.astext().strip()):
                    cell.remove(output)


class Unfold(SphinxPostTransform):
    """What stands behind a fold on the site stands open, under a title: hints, dropdowns, cells."""

    default_priority = 2

    def run(self):
        for raw in list(self.document.findall(nodes.raw)):
            if found := SUMMARY.search(raw.astext()):
                raw.replace_self(nodes.rubric("", found[1]))
            elif raw.astext().strip() == "</details>":
                raw.parent.remove(raw)
        for container in self.document.findall(nodes.container):
            container.attributes.pop("hide_mode", None)
            if is_component(container, "dropdown"):
                del container["design_component"]
                title = next(container[0].findall(nodes.Text))
                title.parent.replace(title, nodes.Text(title.replace("Show one", "One")))
        for paragraph in list(self.document.findall(nodes.paragraph)):
            if paragraph.children and isinstance(paragraph[0], nodes.bullet_list):  # the reference: lists of results
                paragraph.replace_self(paragraph.children)


class Parts(SphinxPostTransform):
    """In LaTeX each caption of the table of contents opens a part, and the introduction is a chapter like others."""

    default_priority = 1
    builders = ("latex",)

    def run(self):
        root = self.config.root_doc
        toctrees = list(self.env.get_doctree(root).findall(addnodes.toctree))
        intro = self.document.next_node(nodes.section)
        wrappers = [node for node in intro.children if "toctree-wrapper" in node.get("classes", [])]
        for file in self.document.findall(addnodes.start_of_file):
            if file.parent not in wrappers:  # a lab, a workbook
                file.insert(0, tex(r"\clearpage"))
        intro["docname"] = root
        book = nodes.section("", nodes.title("", self.config.html_title), ids=["the-book"])
        book += [tex(r"\setcounter{secnumdepth}{-1}"), addnodes.start_of_file("", intro, docname=root)]
        for toctree, wrapper in zip(toctrees, wrappers, strict=True):
            intro.remove(wrapper)
            numbered = 0 if toctree.get("numbered") else -1
            depth = 0 if toctree is toctrees[-1] else 1
            book += [tex(rf"\paperpart{{{toctree['caption']}}}{{{numbered}}}{{{depth}}}"), *wrapper.children]
        self.document.children = []
        self.document += book


class Numbers(SphinxPostTransform):
    """In LaTeX the number of an exercise is written out: sphinx-exercise has labels that the usual reference misses."""

    default_priority = 30
    builders = ("latex",)

    def run(self):
        for node in list(self.document.findall(addnodes.number_reference)):
            page, _, name = node.get("refuri", "").removeprefix("%").partition("#")
            if number := self.env.toc_fignumbers.get(page, {}).get("exercise", {}).get(name):
                text = node["title"] % ".".join(map(str, number))
                node.replace_self(exercise_latex_number_reference("", "", nodes.Text(text), refid=name))


class Works(SphinxPostTransform):
    """In LaTeX the list of works stands on its page, not at the end, where Sphinx has gathered it."""

    default_priority = 800
    builders = ("latex",)

    def run(self):
        pages = {section.get("docname"): section for section in self.document.findall(nodes.section)}
        for works in list(self.document.findall(thebibliography)):
            works.parent.remove(works)
            pages["book/references"].append(works)


def tex(text):
    return nodes.raw("", text + "\n", format="latex")


def draw_cover(app):
    """Draw the title over the cell: the cover of the EPUB and the title page of the PDF."""
    path = Path(app.outdir, COVERS[app.builder.name])
    path.parent.mkdir(parents=True, exist_ok=True)
    figure = Figure(figsize=(8, 12), facecolor="white")
    figure.text(0.5, 0.87, app.config.html_title, size=36, weight="bold", color="#1b2a49", ha="center")
    figure.text(0.5, 0.8, "in NumPy and in PyTorch", size=20, color="#4a5672", ha="center")
    figure.text(0.5, 0.06, f"{app.config.author}, {app.config.today}", size=16, color="#4a5672", ha="center")
    draw_cell(ax=figure.add_axes((0.02, 0.16, 0.96, 0.58)))
    figure.savefig(path, dpi=160)


def setup(app):
    app.add_transform(Leave)
    for transform in (Unfold, Parts, Numbers, Works):
        app.add_post_transform(transform)
    app.connect("builder-inited", draw_cover)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
