"""After the build: formulas are set. A page needs no script for them, and is not laid out again when they come.

MathJax is a program in JavaScript. It runs here, in V8 and without a browser, once for each formula. A reader gets what
it would have drawn: HTML, MathML for screen readers, and a style sheet, of which `slim` keeps what is used.
"""

import json
import re
import shutil
from functools import cache
from html import unescape
from importlib.resources import files
from pathlib import Path

from py_mini_racer import MiniRacer
from sphinx.util import logging

LOG = logging.getLogger(__name__)

SHEET = "maths.css"
FONTS = "mathjax"  # the folder of its fonts in the site
FACE = re.compile(r"@font-face[^{]*\{[^}]*font-family: MJX([\w-]+);[^}]*/(\w[\w-]*\.woff)[^}]*\}\s*")
ALWAYS = {"ZERO", "TEX", "TEX-A", "TEX-S1", "TEX-S4"}  # all text, and brackets of any height
PARTS = ["startup", "core", "adaptors/liteDOM", "input/tex", "output/chtml", "output/chtml/fonts/tex"]
PARTS += ["a11y/assistive-mml"]
# What its startup would do in a page. A formula's size is the style sheet's affair: all text here is of one font.
START = """
const { _ } = MathJax, { mathjax } = _.mathjax;
const adaptor = _.adaptors.liteAdaptor.liteAdaptor();
const handler = _.a11y["assistive-mml"].AssistiveMmlHandler(new _.handlers.html.HTMLHandler.HTMLHandler(adaptor));
mathjax.handlers.register(handler);
const font = new _.output.chtml.fonts.tex_ts.TeXFont({ fontURL: FONTS });
const output = new _.output.chtml_ts.CHTML({ font, adaptiveCSS: false });
const formatError = (jax, error) => {
  throw error;
};
const input = new _.input.tex_ts.TeX({ packages: ["base", "ams", "newcommand"], formatError });
const page = mathjax.document("", { InputJax: input, OutputJax: output });
function set(tex, display) {
  try {
    return [adaptor.outerHTML(page.convert(tex, { display })), ""];
  } catch (error) {
    return ["", error.message];
  }
}
function sheet() {
  page.convert("x");
  page.updateDocument();
  return adaptor.textContent(output.styleSheet(page));
}
"""
# A formula as Sphinx writes it: in a line, or by itself, behind its number where it has one.
INLINE = re.compile(r'(<span class="math [^>]*>)\\\((.*?)\\\)(?=</span>)', re.DOTALL)
DISPLAY = re.compile(r'(<div class="math (?:(?!\\\[|</div>).)*)\\\[(.*?)\\\](?=\s*</div>)', re.DOTALL)


def source():
    """Return the folder of MathJax."""
    return Path(str(files("sphinx-mathjax-offline"))) / "static" / "mathjax"


@cache
def mathjax():
    """Return an engine in which MathJax waits for formulas."""
    engine = MiniRacer()
    engine.eval("var window = this, MathJax = { startup: { typeset: false }, loader: { load: [] } };")
    for part in PARTS:
        engine.eval(f"{(source() / f'{part}.js').read_text(encoding='utf-8')}; 0")
    engine.eval(f"const FONTS = {json.dumps(FONTS)}; {START}; 0")
    return engine


@cache
def typeset(tex, display):
    """Return a formula's HTML, and what MathJax has against it, if anything."""
    return json.loads(mathjax().eval(f"JSON.stringify(set({json.dumps(tex)}, {json.dumps(display)}))"))


def mathml(tex, display):
    """Return a formula as MathML alone, for books without MathJax's style sheet."""
    written, fault = typeset(tex.strip(), display)
    if fault:
        raise ValueError(fault)
    return written[written.find("<math") : written.rfind("</mjx-assistive-mml>")]


def set_formulas(text, name):
    """Return a page's text with its formulas set; one that cannot be set stays, with a warning."""

    def drawn(found, display):
        tex = unescape(found[2]).strip()
        html, fault = typeset(tex, display)
        if fault:
            LOG.warning("maths: %s: %s in %s", name, fault, tex)
            return found[0]
        return found[1] + html

    text = INLINE.sub(lambda found: drawn(found, False), text)
    return DISPLAY.sub(lambda found: drawn(found, True), text)


def style_sheet(used):
    """Return the style sheet of all that MathJax can set, and the files of the fonts that are used, given classes."""
    fonts = set()

    def kept(face):
        if face[1] in ALWAYS | used:
            fonts.add(face[2])
            return face[0]
        return ""

    return FACE.sub(kept, mathjax().eval("sheet()")), fonts


def set_pages(app, exception):
    if exception or app.builder.name != "html":
        return
    site, used = Path(app.outdir), set()
    static = site / "_static"
    for path in sorted(site.rglob("*.html")):
        text = path.read_text(encoding="utf-8")
        if (done := set_formulas(text, path.relative_to(site).as_posix())) != text:
            path.write_text(done, encoding="utf-8")
        used.update(re.findall(r"TEX-\w+", done))
    text, fonts = style_sheet(used)
    (static / SHEET).write_text(text, encoding="utf-8")
    (static / FONTS).mkdir(exist_ok=True)
    for name in fonts:
        shutil.copy(source() / "output" / "chtml" / "fonts" / "woff-v2" / name, static / FONTS)


def drop_scripts(app, pagename, templatename, context, doctree):
    """Leave a page without MathJax, which Sphinx loads where there is a formula."""
    scripts = context["script_files"]
    scripts[:] = [
        each for each in scripts if not re.search("(?i)mathjax", f"{each.filename} {each.attributes.get('body')}")
    ]


def setup(app):
    app.add_css_file(SHEET)
    app.connect("html-page-context", drop_scripts, priority=800)
    app.connect("build-finished", set_pages, priority=890)  # before `slim`
    return {"parallel_read_safe": True, "parallel_write_safe": True}
