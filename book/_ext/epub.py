"""What the EPUB needs beyond Sphinx's: the parts in its contents, MathML, and what epubcheck asks for.

Only the EPUB loads it, after `paper`.
"""

import html
import posixpath
from pathlib import Path
from xml.etree import ElementTree

from docutils import nodes
from sphinx import addnodes
from sphinx.builders.epub3 import Epub3Builder
from sphinx.util.math import get_node_equation_number

from maths import mathml
from paper import COVERS

OPF = "http://www.idpf.org/2007/opf"
SVG = "http://www.w3.org/2000/svg"
STYLES = ("pygments.css", "epub.css", "paper.css")
ACCESS = {  # what a shop or a library tells its readers of the book, in the words of schema.org
    "accessMode": ["textual", "visual"],
    "accessModeSufficient": ["textual"],
    "accessibilityFeature": ["alternativeText", "MathML", "structuralNavigation", "tableOfContents"],
    "accessibilityHazard": ["none"],
}


class Edition(Epub3Builder):
    """Sphinx's EPUB, with the parts in its contents and what epubcheck asks for beyond it."""

    html_tag = Epub3Builder.html_tag.replace(">", ' lang="en" xml:lang="en">')

    def get_toc(self):
        super().get_toc()
        for item in self.refnodes:  # the first page is in a folder: book/../notebooks is notebooks
            item["refuri"] = posixpath.normpath(item["refuri"])
            numbers = self.env.toc_secnumbers.get(item["refuri"].removesuffix(self.out_suffix), {})
            if number := numbers.get(""):
                item["text"] = f"{'.'.join(map(str, number))}. {item['text']}"

    def build_navigation_doc(self):
        """Write the contents, each part's chapters under its name, which leads to the first of them."""
        toctrees = self.env.get_doctree(self.config.root_doc).findall(addnodes.toctree)
        parts = {toctree["entries"][0][1] + self.out_suffix: toctree["caption"] for toctree in toctrees}
        flat, self.refnodes = self.refnodes, []
        for item in flat:
            if name := parts.get(item["refuri"]):
                self.refnodes.append({"level": 1, "refuri": item["refuri"], "text": html.escape(name)})
            self.refnodes.append(item | {"level": item["level"] + (len(self.refnodes) > 1)})
        super().build_navigation_doc()
        self.refnodes = flat

    def copy_image_files(self):
        super().copy_image_files()
        for path in Path(self.outdir, self.imagedir).glob("*.svg"):  # of matplotlib: with a doctype, with empty paths
            drawing = ElementTree.parse(path)
            for line in drawing.iter(f"{{{SVG}}}path"):
                line.attrib.setdefault("d", "M0 0")
            write(drawing, path, SVG)

    def build_content(self):
        """Write the list of files, which says what is the cover, what has formulas, and who can read the book."""
        super().build_content()
        path = Path(self.outdir, "content.opf")
        package = ElementTree.parse(path)
        for item in package.iter(f"{{{OPF}}}item"):
            file = Path(self.outdir, item.get("href"))
            if item.get("href") == COVERS["epub"]:
                item.set("properties", "cover-image")
            elif file.suffix == ".xhtml" and file.name != "nav.xhtml" and "<math" in file.read_text(encoding="utf-8"):
                item.set("properties", "mathml")
        for name, words in ACCESS.items():
            for word in words:
                meta = ElementTree.SubElement(package.find(f"{{{OPF}}}metadata"), f"{{{OPF}}}meta")
                meta.set("property", f"schema:{name}")
                meta.text = word
        write(package, path, OPF)


def write(tree, path, namespace):
    """Write an XML file whose elements are of one namespace."""
    ElementTree.register_namespace("", namespace)
    tree.write(path, encoding="utf-8", xml_declaration=True)


def visit_inline(translator, node):
    translator.body.append(mathml(node.astext(), display=False))
    raise nodes.SkipNode


def visit_display(translator, node):
    number = f'<span class="eqno">({get_node_equation_number(translator, node)})</span>' if node["number"] else ""
    translator.body.append(
        f"{translator.starttag(node, 'div', CLASS='math')}{number}{mathml(node.astext(), display=True)}</div>"
    )
    raise nodes.SkipNode


def set_up(app, config):
    """Say which picture is the cover: a pair, which YAML cannot write."""
    config.epub_cover = (COVERS["epub"], "epub-cover.html")


def only_ours(app, pagename, templatename, context, doctree):
    """Take away style sheets and scripts that extensions bring for a browser."""
    context["css_files"] = [file for file in context["css_files"] if str(file.filename).endswith(STYLES)]
    context["script_files"] = []


def setup(app):
    app.add_builder(Edition, override=True)
    app.connect("config-inited", set_up)
    app.connect("html-page-context", only_ours, priority=999)
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_display, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
