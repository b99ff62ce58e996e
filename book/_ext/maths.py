"""A renderer of formulas for HTML: `html_math_renderer: mathjax-at-build`. A page needs no script for them.

MathJax is a program in JavaScript. It runs here, in V8 and without a browser, once for each formula. A reader gets what
it would have drawn: HTML, MathML for screen readers, and MathJax's style sheet and fonts. A formula that it refuses is
a warning. `mathml` returns a formula as plain MathML, for books without MathJax's style sheet, such as an EPUB.
"""

import json
import os
import shutil
from functools import cache
from importlib.resources import files
from pathlib import Path

from docutils import nodes
from py_mini_racer import JSEvalException, MiniRacer
from sphinx.locale import _
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

LOG = logging.getLogger(__name__)

NAME = "mathjax-at-build"
SHEET = "maths.css"
FONTS = "mathjax"  # the folder of the fonts, beside the style sheet
MATHJAX = Path(str(files("sphinx-mathjax-offline"))) / "static" / "mathjax"
PARTS = ["startup", "core", "adaptors/liteDOM", "input/tex", "output/chtml", "output/chtml/fonts/tex"]
PARTS += ["a11y/assistive-mml"]
# What its startup would do in a page. The size of formulas is left to the style sheet: all text has the same font here.
START = """
const { _ } = MathJax, { mathjax } = _.mathjax;
const adaptor = _.adaptors.liteAdaptor.liteAdaptor();
const handler = _.a11y["assistive-mml"].AssistiveMmlHandler(new _.handlers.html.HTMLHandler.HTMLHandler(adaptor));
mathjax.handlers.register(handler);
const font = new _.output.chtml.fonts.tex_ts.TeXFont({ fontURL: FONTS });
const output = new _.output.chtml_ts.CHTML({ font, adaptiveCSS: false });
const formatError = (jax, error) => {
  throw Error(error.message);
};
const input = new _.input.tex_ts.TeX({ packages: ["base", "ams", "newcommand"], formatError });
const page = mathjax.document("", { InputJax: input, OutputJax: output });
const visitor = new _.core.MmlTree.SerializedMmlVisitor.SerializedMmlVisitor();
const html = (tex, display) => adaptor.outerHTML(page.convert(tex, { display }));
const mathml = (tex, display) =>
  visitor.visitTree(page.convert(tex, { display, end: _.core.MathItem.STATE.CONVERT }));
function sheet() {
  page.convert("x");
  page.updateDocument();
  return adaptor.textContent(output.styleSheet(page));
}
"""


@cache
def engine(process):
    """Return V8 with MathJax in it, waiting for formulas: one for each process, since it does not survive a fork."""
    v8 = MiniRacer()
    v8.eval("var window = this, MathJax = { startup: { typeset: false }, loader: { load: [] } };")
    for part in PARTS:
        v8.eval(f"{(MATHJAX / f'{part}.js').read_text(encoding='utf-8')}; 0")
    v8.eval(f"const FONTS = {json.dumps(FONTS)}; {START}; 0")
    return v8


def call(function, *arguments):
    """Call a function of START; raise ValueError with MathJax's own words where it refuses a formula."""
    try:
        return engine(os.getpid()).eval(f"{function}({', '.join(map(json.dumps, arguments))})")
    except JSEvalException as error:
        raise ValueError(str(error).splitlines()[0].partition("Error: ")[2]) from None


@cache
def html(tex, display):
    """Return a formula in HTML, with MathML for screen readers; `display` for one that stands by itself."""
    return call("html", tex, display)


@cache
def mathml(tex, display):
    """Return a formula as MathML alone, `<math ...>...</math>`; `display` for one that stands by itself.

    A formula that MathJax refuses raises ValueError with what it says, such as "Missing close brace".
    """
    return call("mathml", tex, display)


def write(translator, node, display):
    """Write a formula into the page; one that cannot be set stays as it is, with a warning."""
    try:
        translator.body.append(html(node.astext(), display))
    except ValueError as error:
        LOG.warning("maths: %s in %s", error, node.astext(), location=node)
        translator.body.append(translator.encode(node.astext()))


def visit_math(translator, node):
    translator.body.append(translator.starttag(node, "span", "", CLASS="math"))
    write(translator, node, display=False)
    translator.body.append("</span>")
    raise nodes.SkipNode


def visit_displaymath(translator, node):
    translator.body.append(translator.starttag(node, "div", CLASS="math"))
    if node["number"]:
        translator.body.append(f'<span class="eqno">({get_node_equation_number(translator, node)})')
        translator.add_permalink_ref(node, _("Link to this equation"))
        translator.body.append("</span>")
    write(translator, node, display=True)
    translator.body.append("</div>\n")
    raise nodes.SkipNode


def copy_sheet(app, exception):
    """Put MathJax's style sheet and its fonts beside the other style sheets."""
    if exception or getattr(app.builder, "math_renderer_name", None) != NAME:
        return
    static = Path(app.outdir) / "_static"
    (static / SHEET).write_text(call("sheet"), encoding="utf-8")
    shutil.copytree(MATHJAX / "output" / "chtml" / "fonts" / "woff-v2", static / FONTS, dirs_exist_ok=True)


def setup(app):
    app.add_html_math_renderer(NAME, (visit_math, None), (visit_displaymath, None))
    app.add_css_file(SHEET)
    app.connect("build-finished", copy_sheet)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
