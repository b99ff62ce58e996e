"""What the book needs off the site: for both editions, and for the PDF through LaTeX. The site does not load it."""

import re
import subprocess

from docutils import nodes
from sphinx import addnodes
from sphinx.builders.latex.nodes import thebibliography
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.transforms.post_transforms.images import ImageConverter
from sphinx_design.shared import is_component
from sphinx_exercise.nodes import exercise_latex_number_reference, exercise_node

DETAILS = re.compile(r"\s*<details>\s*<summary>(.*?)</summary>\s*\Z", re.S)

QUOTED = "Numbers for the page"
UNSOLVED = re.compile(r"\w+: not attempted yet")

OTHERWISE = {  # what the site says of itself, and how it reads on paper
    "before you unfold it": "before you read on",
    "solutions wait behind a fold": "solutions stand at the end of the book",
    "Open a hint": "Read a hint",
    "The whole book can stay": "The whole site can stay",
    "Guess before you move anything": "Guess before you read on",
    "Move it in": "On the screen you can move it in",
    "The quizzes remember your right answers too": "On the site the quizzes remember your right answers too",
}


class SvgToPdf(ImageConverter):
    """In LaTeX drawings stay drawings: rsvg-convert makes a PDF of each SVG."""

    conversion_rules = [("image/svg+xml", "application/pdf")]

    def is_available(self):
        return True

    def convert(self, _from, _to):
        subprocess.run(["rsvg-convert", "--format", "pdf", "--output", _to, _from], check=True)
        return True


def tex(text):
    return nodes.raw("", text + "\n", format="latex")


def room(lines):
    """Return what opens a new page where fewer lines than these are left."""
    return tex(rf"\Needspace*{{{min(lines, 40)}\baselineskip}}")


class Leave(SphinxTransform):
    """Nobody needs on paper where a lab stores the numbers of its page, that an exercise is unsolved, what runs only.

    When a page is read, so that the table of contents knows of it too.
    """

    default_priority = 880

    def apply(self):
        for section in list(self.document.findall(nodes.section)):
            first = section.next_node(nodes.paragraph)
            if section[0].astext() == QUOTED or (first and first.astext().startswith("The next cell shows")):
                section.parent.remove(section)
        for block in list(self.document.findall(nodes.literal_block)):
            if UNSOLVED.fullmatch(block.astext().strip()):
                output = block.parent
                while "cell_output" not in output["classes"]:
                    output = output.parent
                output.parent.remove(output)
        for cell in list(self.document.findall(nodes.container)):
            if "tag_hide-output" in cell["classes"]:
                cell[:] = [part for part in cell if "cell_output" not in part["classes"]]
        for entry in list(self.document.findall(addnodes.desc)):
            if entry["objtype"] == "attribute" and not entry[-1].astext().strip():  # a named tuple's field
                entry.parent.remove(entry)
        for item in self.document.findall(nodes.definition_list_item):
            first, *others = item.findall(nodes.term)
            if "glossary" in item.parent["classes"]:  # a term and its Chinese name on one line
                for other in others:
                    first += [nodes.Text(" \u2003"), *other.children]
                    first["ids"] += other["ids"]
                    item.remove(other)


class Parts(SphinxPostTransform):
    """In LaTeX each caption of the table of contents opens a part, and the introduction is a chapter like others."""

    default_priority = 1
    builders = ("latex",)

    def run(self):
        root = self.env.config.root_doc
        toctrees = list(self.env.get_doctree(root).findall(addnodes.toctree))
        [intro] = [child for child in self.document.children if isinstance(child, nodes.section)]
        wrappers = [node for node in intro.children if "toctree-wrapper" in node.get("classes", [])]
        for wrapper in wrappers:
            intro.remove(wrapper)
        intro["docname"] = root
        book = nodes.section("", nodes.title("", self.config.project), ids=["the-book"])
        files = [tex(r"\setcounter{secnumdepth}{-1}"), addnodes.start_of_file("", intro, docname=root)]
        for toctree, wrapper in zip(toctrees, wrappers, strict=True):
            numbered = 0 if toctree.get("numbered") else -1
            depth = 0 if toctree is toctrees[-1] else 1
            opening = rf"\paperpart{{{toctree['caption']}}}{{{numbered}}}{{{depth}}}"
            files += [tex(opening), *wrapper.children]
        for chapter in files:
            for file in list(chapter.findall(addnodes.start_of_file)):
                if file is not chapter:  # a lab, a workbook: it opens a page, with a larger title than other sections
                    file.insert(0, tex(r"\paperpage"))
                    section = next(child for child in file.children if isinstance(child, nodes.section))
                    section.insert(1, tex(r"\papersections"))
        book += files
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


class Fit(SphinxPostTransform):
    """In LaTeX the list of works stands on its page, not at the end, and what is large or long is made to fit."""

    default_priority = 800  # after Sphinx has gathered the works
    builders = ("latex",)

    def run(self):
        for works in list(self.document.findall(thebibliography)):
            works.parent.remove(works)
            pages = self.document.findall(nodes.section)
            next(page for page in pages if page.get("docname") == "book/references").append(works)
        for image in self.document.findall(nodes.image):
            # Letters of about the text's size in both: a lab's figure is finer in print when smaller.
            share = 88 if image["uri"].endswith(".pdf") else 0.9 * float(image.get("width", "80%").removesuffix("%"))
            image["width"] = f"{share:.0f}%"
        for topic in list(self.document.findall(nodes.topic)):
            if "contents" in topic["classes"]:  # the reference: the book's table of contents has it
                topic.parent.remove(topic)
        for block in list(self.document.findall(nodes.literal_block)):
            lines = block.astext().splitlines()
            if len(lines) > 24 and max(map(len, lines)) < 50:  # long and narrow: side by side
                block.rawsource = columns_of(lines)
                block.children = [nodes.Text(block.rawsource)]
            if len(lines) < 8 and not inside(block, (nodes.table, exercise_node)):
                keep(block, len(lines) + 1)
        for section in list(self.document.findall(nodes.section)):
            if any(isinstance(node, exercise_node) for node in section):  # a heading, a box's head and some lines
                keep(section, 12)
        for table in list(self.document.findall(nodes.table)):
            self.fit(table)

    def fit(self, table):
        """Empty cells lose their paragraph, which would be a line high; many columns get smaller type."""
        for entry in table.findall(nodes.entry):
            entry.children = [child for child in entry if child.children]
        columns = next(table.findall(nodes.tgroup))["cols"]
        if not inside(table, exercise_node):
            keep(table, len(list(table.findall(nodes.row))) * 4 // 3 + 5)
        if columns > 3:
            size = "small" if columns < 6 else "footnotesize"
            table.replace_self([tex(rf"\begingroup\{size}"), table.deepcopy(), tex(r"\endgroup")])


def keep(node, lines):
    """Let so many lines from a node's first on stand on one page, with the heading before it if there is one."""
    while True:
        parent = node.parent
        before = [child for child in parent[: parent.index(node)] if not isinstance(child, nodes.raw | nodes.target)]
        if isinstance(parent, nodes.container) and not before:
            node = parent
        elif isinstance(parent, nodes.section) and len(before) == 1 and isinstance(parent.parent, nodes.section):
            node, lines = parent, lines + 4
        else:
            break
    if not (before and isinstance(before[-1], nodes.title)):  # a title of a page opens one
        parent.insert(parent.index(node), room(lines))


def inside(node, kinds):
    """Whether a node stands in one of some kinds."""
    while node := node.parent:
        if isinstance(node, kinds):
            return True
    return False


def columns_of(lines, width=100):
    """Return lines side by side, to be read down one column after the other."""
    cell = max(map(len, lines)) + 3
    rows = -(-len(lines) // max(1, width // cell))
    return "\n".join("".join(line.ljust(cell) for line in lines[row::rows]).rstrip() for row in range(rows))


class Unfold(SphinxPostTransform):
    """What stands behind a fold on the site stands open, under a title: hints in HTML, and dropdowns. Cards too."""

    default_priority = 2

    def run(self):
        for section in self.document.findall(nodes.section):
            if "exercise-content" in section["ids"]:  # the same id in every exercise
                section["ids"].remove("exercise-content")
        for paragraph in list(self.document.findall(nodes.paragraph)):
            if paragraph.children and isinstance(paragraph[0], nodes.bullet_list):  # the reference: lists of results
                paragraph.replace_self(paragraph.children)
        for cell in self.document.findall(nodes.container):
            cell.attributes.pop("hide_mode", None)
        for start in list(self.document.findall(nodes.raw)):
            if found := DETAILS.match(start.astext()):
                siblings = start.parent.children
                first = siblings.index(start)
                last = next(i for i in range(first, len(siblings)) if siblings[i].astext().strip() == "</details>")
                inside = siblings[first + 1 : last]
                block = unfolded([nodes.Text(found[1])], inside)
                parent = start.parent
                del parent[first : last + 1]
                parent.insert(first, block)
        for text in list(self.document.findall(nodes.Text)):
            line = text.replace("\n", " ")
            if found := [words for words in OTHERWISE if words in line]:
                text.parent.replace(text, nodes.Text(line.replace(found[0], OTHERWISE[found[0]])))
        for title in list(self.document.findall(nodes.paragraph)):
            if title.astext() == "Answers":  # of a quiz, with its list
                title.parent.insert(title.parent.index(title), room(6))
        for fold in list(self.document.findall(nodes.container)):
            if is_component(fold, "dropdown"):
                title, *inside = fold.children if fold["has_title"] else [nodes.rubric(), *fold.children]
                fold.replace_self(unfolded(title.children, inside))
            elif is_component(fold, "card"):
                title, *inside = next(node for node in fold if is_component(node, "card-body"))
                fold.replace_self(unfolded([nodes.Text(title.astext())], inside))


def unfolded(title, inside):
    """Return a block with a title: run in where a paragraph comes first."""
    words = nodes.strong("", "", *title)
    if text := next((node for node in words.findall(nodes.Text)), None):
        text.parent.replace(text, nodes.Text(re.sub("^Show (.)", lambda found: found[1].upper(), text)))
    if inside and isinstance(inside[0], nodes.paragraph):
        end = " " if words.astext().endswith(("?", "!", ".", ":")) else ". "
        first = nodes.paragraph("", "", words, nodes.Text(end), *inside[0].children)
        return nodes.container("", first, *inside[1:], classes=["paper-fold"])
    return nodes.container("", room(5), nodes.paragraph("", "", words), *inside, classes=["paper-fold"])


def setup(app):
    app.add_transform(Leave)
    app.add_post_transform(Parts)
    app.add_post_transform(Numbers)
    app.add_post_transform(Fit)
    app.add_post_transform(Unfold)
    app.add_post_transform(SvgToPdf)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
