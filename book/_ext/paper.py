"""What the book needs on paper, as PDF through LaTeX and as EPUB. The site does not load it."""

import html
import posixpath
import re
import subprocess
from itertools import repeat
from pathlib import Path

from docutils import nodes
from latex2mathml.converter import convert as to_mathml
from matplotlib.figure import Figure
from sphinx import addnodes
from sphinx.builders.epub3 import Epub3Builder
from sphinx.builders.latex.nodes import thebibliography
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.transforms.post_transforms.images import ImageConverter
from sphinx.util.math import get_node_equation_number
from sphinx_design.shared import is_component
from sphinx_exercise.nodes import exercise_latex_number_reference, exercise_node

from lstm_tutorial.drawings import draw_cell

DETAILS = re.compile(r"\s*<details>\s*<summary>(.*?)</summary>\s*\Z", re.S)

QUOTED = "Numbers for the page"
UNSOLVED = re.compile(r"\w+: not attempted yet")
COLUMNS = re.compile(r"\S {2,}\S")
WIDTHS = (
    (54, 64),
    (64, 74),
    (74, 81),
    (81, 92),
)  # in letters: printed smaller on a narrow page

OTHERWISE = {  # what the site says of itself, and how it reads on paper
    "before you unfold it": "before you read on",
    "solutions wait behind a fold": "solutions stand at the end of the book",
    "The quizzes remember your right answers too": "On the site the quizzes remember your right answers too",
}

SAME = {
    r"\begin{aligned}": r"\begin{split}",
    r"\end{aligned}": r"\end{split}",
    r"\begin{pmatrix}": r"{\left(\begin{matrix}",
    r"\end{pmatrix}": r"\end{matrix}\right)}",
    r"\!": "",
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


# The EPUB

STYLES = ("pygments.css", "epub.css", "paper.css")

ACCESS = {  # what a shop or a library tells its readers of the book, in the words of schema.org
    "accessMode": ["textual", "visual"],
    "accessModeSufficient": ["textual"],
    "accessibilityFeature": ["alternativeText", "MathML", "structuralNavigation", "tableOfContents"],
    "accessibilityHazard": ["none"],
    "accessibilitySummary": ["Figures have alternative texts, formulas are MathML, and all text flows."],
}


class Edition(Epub3Builder):
    """Sphinx's EPUB, with a cover, the parts in its contents, and what epubcheck asks for beyond it."""

    def get_toc(self):
        super().get_toc()
        for item in self.refnodes:  # the first page is in a folder: book/../notebooks is notebooks
            item["refuri"] = posixpath.normpath(item["refuri"])
            page = item["refuri"].removesuffix(self.out_suffix)
            if number := self.env.toc_secnumbers.get(page, {}).get(""):
                item["text"] = f"{'.'.join(map(str, number))}. {item['text']}"

    def build_navigation_doc(self):
        """Write the contents, each part's chapters under its name; they are a page of the book as well."""
        flat, root = self.refnodes, self.config.root_doc
        parts = {  # the page that opens a part: its name
            toctree["entries"][0][1] + self.out_suffix: toctree["caption"]
            for toctree in self.env.get_doctree(root).findall(addnodes.toctree)
        }
        self.refnodes, deeper = [], 0
        for item in flat:
            if name := parts.get(item["refuri"]):
                self.refnodes.append({"level": 1, "refuri": "", "text": html.escape(name)})
                deeper = 1
            self.refnodes.append(item | {"level": item["level"] + deeper})
        super().build_navigation_doc()
        self.refnodes = flat
        path = Path(self.outdir, "nav.xhtml")
        text = re.sub('<a href="">(.*?)</a>', r"<span>\1</span>", path.read_text("utf-8"))
        styles = "".join(f'<link rel="stylesheet" type="text/css" href="_static/{name}" />' for name in STYLES)
        path.write_text(text.replace("</head>", styles + "</head>"), "utf-8")

    def copy_static_files(self):
        super().copy_static_files()
        draw_cover(self.config, Path(self.outdir, self.config.epub_cover[0]))

    def copy_image_files(self):
        super().copy_image_files()
        for path in Path(self.outdir, self.imagedir).glob("*.svg"):  # of matplotlib: with a doctype, with empty paths
            drawing = re.sub(r"<!DOCTYPE.*?>", "", path.read_text("utf-8"), flags=re.S)
            path.write_text(re.sub(r"<path\b(?![^>]*\bd=)", '<path d="M0 0"', drawing), "utf-8")

    def build_content(self):
        super().build_content()
        path = Path(self.outdir, "content.opf")
        text = re.sub(r'href="([^"]+\.xhtml)" media-type="[^"]+"(?= />)', self.declared, path.read_text("utf-8"))
        cover = f'href="{self.config.epub_cover[0]}"'
        text = text.replace(cover, cover + ' properties="cover-image"')
        said = [f'<meta property="schema:{name}">{word}</meta>' for name, words in ACCESS.items() for word in words]
        text = text.replace("</metadata>", "\n".join([*said, "</metadata>"]))
        text = re.sub(r"<spine.*?<itemref [^>]*>", r'\g<0><itemref idref="nav" />', text, flags=re.S)
        path.write_text(text, "utf-8")

    def declared(self, found):
        """Return an entry of the manifest, with the word that says that its page has mathematics."""
        has = "<math" in Path(self.outdir, found[1]).read_text(encoding="utf-8")
        return found[0] + ' properties="mathml"' * has


def draw_cover(config, path):
    """Draw the title over the cell, as large as a shop asks for."""
    figure = Figure(figsize=(8, 12), facecolor="white")
    figure.text(0.5, 0.87, config.epub_title, size=36, weight="bold", color="#1b2a49", ha="center", va="center")
    figure.text(0.5, 0.8, "in NumPy and in PyTorch", size=20, color="#4a5672", ha="center", va="center")
    figure.text(0.5, 0.06, config.epub_author, size=16, color="#4a5672", ha="center", va="center")
    draw_cell(ax=figure.add_axes((0.02, 0.16, 0.96, 0.58)))
    figure.savefig(path, dpi=160, metadata={"Software": None})


class Narrow(SphinxPostTransform):
    """What is wide says so in its class, for a small screen: printed tables, and tables of many columns."""

    default_priority = 810
    builders = ("epub",)

    def run(self):
        printed = [cell for cell in self.document.findall(nodes.container) if "cell_output" in cell["classes"]]
        for block in (block for cell in printed for block in cell.findall(nodes.literal_block)):
            lines = block.astext().splitlines()
            if sum(COLUMNS.search(line) is not None for line in lines) > 1:
                width = max(map(len, lines))
                block["classes"] += [f"wide-{most}" for least, most in WIDTHS if least < width <= most]
        for table in self.document.findall(nodes.table):
            if next(table.findall(nodes.tgroup))["cols"] > 4:
                table["classes"].append("many-columns")
                for text in list(table.findall(nodes.Text)):  # sums in a cell may break
                    text.parent.replace(text, nodes.Text(text.replace("\N{NO-BREAK SPACE}", " ")))


def name_cover(app, config):
    """Say which picture is the cover: a pair, which YAML cannot write."""
    config.epub_cover = ("_static/cover.png", "epub-cover.html")


def only_ours(app, pagename, templatename, context, doctree):
    """Take away style sheets and scripts that extensions bring for a browser; set the page for a narrow one."""
    if app.builder.name == "epub":
        context["css_files"] = [file for file in context["css_files"] if str(file.filename).endswith(STYLES)]
        context["script_files"] = []
        language = app.config.language
        context["html_tag"] = app.builder.html_tag.replace(">", f' lang="{language}" xml:lang="{language}">')
        if "body" in context:
            context["body"] = typeset(context["body"])


def typeset(body):
    """Return a page's HTML with lines of code that hang, names in tables that break, and points kept to formulas."""
    body = re.sub(r"(?<=<pre>).*?(?=</pre>)", lambda block: hang(block[0]), body, flags=re.S)
    body = re.sub(r"<td\b.*?</td>", lambda cell: breakable(cell[0]), body, flags=re.S)
    return re.sub(r"<math(?:(?!</math>).)*</math>[.,;:?!)\]”’]+", r'<span class="whole">\g<0></span>', body, flags=re.S)


def hang(code):
    """Return code whose lines go on further right than they begin, where they are too long for the page."""
    lines = []
    for line in code.removesuffix("\n").split("\n"):
        text = html.unescape(re.sub("<[^>]*>", "", line))
        far = 4 + min(16, len(text) - len(text.lstrip(" "))) // 4 * 4
        lines.append(f'<span class="line hang-{far}">{line}\n</span>')
    return "".join(lines)


def breakable(cell):
    """Return a table's cell in which code may break after a point, a bracket, a comma or an underscore."""
    return re.sub(
        r'(?<=<span class="pre">)[^<]+', lambda word: re.sub(r"(?<=[._(\[,=/])(?=\w)", "<wbr />", word[0]), cell
    )


def visit_math(translator, node):
    translator.body.append(mathml(node.astext(), "inline"))
    raise nodes.SkipNode


def visit_display(translator, node):
    """Write a formula, with its number, in pieces between which a narrow page may break it."""
    translator.body.append(translator.starttag(node, "div", CLASS="math numbered" if node["number"] else "math"))
    if node["number"]:
        number = get_node_equation_number(translator, node)
        translator.body.append(f'<span class="eqno">({number})</span>')
    parts = pieces(node.astext())
    alone = len(parts) == len(parts[0]) == 1
    written = ["\u200b".join(map(mathml, part, repeat("block"))) for part in parts]
    formula = "\u2003 ".join(f"<span>{part}</span>" for part in written)
    if not alone:
        formula = formula.replace('display="block"', 'display="inline" displaystyle="true"')
    translator.body.append(f'<div class="formula">{formula}</div></div>\n')
    raise nodes.SkipNode


def pieces(text):
    """Return a formula cut at its wide spaces, and each part before its equals signs; not within brackets."""
    if r"\begin" in text:
        return [[text]]
    found, depth = [[""]], 0
    for token in re.findall(r"\\[a-zA-Z]+|\\.|.", text.strip(), re.S):
        depth += (token in ("{", "(", "[", r"\left")) - (token in ("}", ")", "]", r"\right"))
        if depth == 0 and token in (r"\quad", r"\qquad"):
            found.append([""])
        elif depth == 0 and token == "=" and found[-1][-1].strip():
            found[-1].append(token)
        else:
            found[-1][-1] += token
    return [part for part in found if part[0].strip()]


FUNCTION = r"\\(?:tanh|ln|log|exp|max|min)(?![a-zA-Z])"
BEFORE_SIGN = r"<mo\b[^>]*>(?:&#x000(?:28|2C|2F|3[CDE]|B7|D7);|[(\[]|&#x02(?:190|248|26[45]);)</mo>"
SCRIPTS = r"(?:[_^](?:\w|\{[^{}]*\}))*"


def mathml(text, display):
    """Return a formula in MathML, with what the converter does not know said in other words."""
    text = re.sub(r"\\\\\[\d+pt\]", r"\\\\", text)  # a line's extra space, which would be printed
    for words, others in SAME.items():
        text = text.replace(words, others)
    # As TeX does, a little space on both sides of a function's name, but for brackets and signs.
    text = re.sub(rf"(\\[a-zA-Z]+|[\w}})])\s*(?={FUNCTION})", lambda left: left[1] + r"\," * (left[1][0] != "\\"), text)
    text = re.sub(rf"({FUNCTION}{SCRIPTS})\s*(?=[a-zA-Z0-9]|\\frac|\\text|\\tilde)", r"\1\\,", text)
    written = to_mathml(text, display=display)
    written = re.sub(r"<mo>(&#x0?(?:221E|2202);)</mo>", r"<mi>\1</mi>", written)  # infinity and del are no operators
    written = written.replace("<mo>&#x0002F;</mo>", '<mo lspace="0" rspace="0">&#x0002F;</mo>')
    return re.sub(rf"({BEFORE_SIGN})<mo>(?=&#x02212;)", r'\1<mo form="prefix">', written)  # a sign, not a difference


def setup(app):
    app.add_builder(Edition, override=True)
    app.connect("config-inited", name_cover)
    app.connect("html-page-context", only_ours, priority=999)
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_display, None))
    app.add_transform(Leave)
    app.add_post_transform(Parts)
    app.add_post_transform(Numbers)
    app.add_post_transform(Fit)
    app.add_post_transform(Unfold)
    app.add_post_transform(Narrow)
    app.add_post_transform(SvgToPdf)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
