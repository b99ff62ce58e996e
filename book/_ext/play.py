"""The directive `{play} unit`: a figure that its reader can move.

It is the figure `drawn/play-unit.svg`, numbered and captioned like any other, in every format. In HTML the script
`book/_static/play-unit.js` puts something to move in the picture's place; in print and without scripts the picture
stands. What the figure starts from stands in `figures/play.json` under its name.
"""

import json
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx import addnodes
from sphinx.directives.patches import Figure
from sphinx.util.docutils import SphinxDirective


class Play(Figure, SphinxDirective):
    """`{play} unit` with the options `name` and `alt`, and a caption under them."""

    option_spec = {"name": directives.unchanged_required, "alt": directives.unchanged_required}

    def run(self):
        name = self.arguments[0]
        if missing := [option for option in self.option_spec if option not in self.options]:
            raise self.error(f"play {name}: {' and '.join(missing)} missing")
        relative, path = self.env.relfn2path("figures/play.json")
        self.env.note_dependency(relative)
        numbers = json.loads(Path(path).read_text(encoding="utf-8"))
        if name not in numbers:
            raise self.error(f"play must be one of {', '.join(numbers)}, got {name}")
        self.arguments[0] = f"drawn/play-{name}.svg"
        self.options["figclass"] = ["play", f"play-{name}"]
        text = json.dumps(numbers[name], separators=(",", ":")).replace("<", "\\u003c")
        data = nodes.raw("", f'<script type="application/json" id="play-{name}">{text}</script>\n', format="html")
        return [*super().run(), addnodes.only("", data, expr="html and not epub")]


def played(doctree):
    """Return the names of a page's figures that can be moved."""
    figures = [figure for figure in doctree.findall(nodes.figure) if "play" in figure["classes"]]
    return [name for figure in figures for name in figure["classes"] if name.startswith("play-")]


def add_files(app, pagename, templatename, context, doctree):
    """Load the scripts on pages with such a figure alone."""
    if doctree is not None and (names := played(doctree)):
        for name in ["play", *names]:
            app.add_js_file(f"{name}.js", loading_method="defer")


def setup(app):
    app.add_directive("play", Play)
    app.connect("html-page-context", add_files)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
