"""The directive `{offline}`: a button that keeps the whole book on the reader's device, to be read without a network.

Behind it stands a service worker, `sw.js` at the root of the site. It is made when all other files are there: a list of
them and a fingerprint of what is in them, followed by `worker.js`. Downloads of notebooks are not on the list.
"""

import gzip
import hashlib
import json
import re
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.util.docutils import SphinxDirective

WORKER = Path(__file__).with_name("worker.js")
LEFT_OUT = ("_sources/", "_downloads/", ".buildinfo", ".nojekyll", "objects.inv", "sw.js", "robots.txt", "sitemap.xml")
PLACE = '<div class="offline"></div>'
ZIPPED = (".html", ".css", ".js", ".svg", ".json", ".ttf")  # what a server sends compressed


class Offline(SphinxDirective):
    """The place of the button, in HTML alone; without its script the place stays empty."""

    def run(self):
        return [addnodes.only("", nodes.raw(PLACE, PLACE, format="html"), expr="html and not epub")]


def files(site):
    """Return the paths of all that a reader needs, from the site's root."""
    names = sorted(path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file())
    return [name for name in names if not name.startswith(LEFT_OUT)]


def size(site, names):
    """Return how many bytes the files are on their way to a reader."""
    contents = ((name, (site / name).read_bytes()) for name in names)
    return sum(len(gzip.compress(content, 6)) if name.endswith(ZIPPED) else len(content) for name, content in contents)


def edition(site, names):
    """Return a fingerprint of the files."""
    whole = hashlib.sha256()
    for name in names:
        content = (site / name).read_bytes()
        whole.update(f"{name}\n{len(content)}\n".encode() + content)
    return whole.hexdigest()[:16]


def write_worker(app, exception):
    if exception or app.builder.name != "html":
        return
    site = Path(app.outdir)
    names = files(site)
    place = f'<div class="offline" data-size="{size(site, names) / 1e6:.0f} MB"></div>'
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        if (filled := re.sub(r'<div class="offline"[^>]*></div>', place, text)) != text:
            page.write_text(filled, encoding="utf-8")
    book = {"edition": edition(site, names), "files": ["./", *names]}
    text = f"const BOOK = {json.dumps(book)};\n{WORKER.read_text(encoding='utf-8')}"
    (site / "sw.js").write_text(text, encoding="utf-8")


def add_script(app, page, template, context, doctree):
    """On the page with the button its script is loaded as well."""
    if doctree and any(each.rawsource == PLACE for each in doctree.findall(nodes.raw)):
        app.add_js_file("offline.js", defer="defer")


def setup(app):
    app.add_directive("offline", Offline)
    app.connect("html-page-context", add_script)
    app.connect("build-finished", write_worker, priority=950)  # when the last file has its last form
    return {"parallel_read_safe": True, "parallel_write_safe": True}
