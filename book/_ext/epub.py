"""What the EPUB needs beyond Sphinx's: a cover, the parts in its contents, MathML, and lines that fit a phone.

Only the EPUB loads it, after `paper`.
"""

import html
import posixpath
import re
from itertools import repeat
from pathlib import Path

from docutils import nodes
from latex2mathml.converter import convert as to_mathml
from matplotlib.figure import Figure
from sphinx import addnodes
from sphinx.builders.epub3 import Epub3Builder
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.math import get_node_equation_number

from lstm_tutorial.drawings import draw_cell

COLUMNS = re.compile(r"\S {2,}\S")
WIDTHS = ((54, 64), (64, 74), (74, 81), (81, 92))  # in letters: printed smaller on a narrow page
WORD = 34  # letters without a space, which may not fit beside the space before them
SIGNED = re.compile(r"[\w.]*[-–](?:&gt;|[\d.]+)")  # 1e-6, -1, 61.9–66.1 and the arrow

SAME = {
    r"\begin{aligned}": r"\begin{split}",
    r"\end{aligned}": r"\end{split}",
    r"\begin{pmatrix}": r"{\left(\begin{matrix}",
    r"\end{pmatrix}": r"\end{matrix}\right)}",
    r"\!": "",
}

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
    """Return code whose lines go on further right than they begin where they are too long, and break between words."""
    lines = []
    for line in code.removesuffix("\n").split("\n"):
        text = html.unescape(re.sub("<[^>]*>", "", line))
        line = SIGNED.sub(r'<span class="whole">\g<0></span>', line)
        if max(map(len, text.split()), default=0) > WORD:
            line = re.sub(r"[.(\[]</span>(?=<)", r"\g<0><wbr />", line)
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
    written = re.sub(r"<mtext>([^<]{2,})</mtext>(?=<mo>&#x0002B;)", r"<mi>\1</mi>", written)  # else + has no space
    written = written.replace("<mo>&#x0002F;</mo>", '<mo lspace="0" rspace="0">&#x0002F;</mo>')
    return re.sub(rf"({BEFORE_SIGN})<mo>(?=&#x02212;)", r'\1<mo form="prefix">', written)  # a sign, not a difference


def setup(app):
    app.add_builder(Edition, override=True)
    app.connect("config-inited", name_cover)
    app.connect("html-page-context", only_ours, priority=999)
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_display, None))
    app.add_post_transform(Narrow)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
