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

NUMBERS = "figures/play.json"  # both are seen from the page
PICTURE = "drawn/play-{}.svg"


class Play(Figure, SphinxDirective):
    """`{play} unit` with the options `name` and `alt`, and a caption under them."""

    option_spec = {"name": directives.unchanged_required, "alt": directives.unchanged_required}

    def run(self):
        name = self.arguments[0]
        if missing := [option for option in self.option_spec if option not in self.options]:
            raise self.error(f"play {name}: {' and '.join(missing)} missing")
        relative, path = self.env.relfn2path(NUMBERS)
        self.env.note_dependency(relative)
        numbers = json.loads(Path(path).read_text(encoding="utf-8"))
        if name not in numbers:
            raise self.error(f"play must be one of {', '.join(numbers)}, got {name}")
        self.arguments[0] = PICTURE.format(name)
        self.options["figclass"] = ["play", f"play-{name}"]
        text = json.dumps(numbers[name], separators=(",", ":")).replace("<", "\\u003c")
        data = nodes.raw("", f'<script type="application/json" id="play-{name}">{text}</script>\n', format="html")
        return [*super().run(), addnodes.only("", data, expr="html and not epub")]


def add_scripts(app, pagename, templatename, context, doctree):
    """Load the scripts on pages with such a figure alone."""
    figures = [] if doctree is None else doctree.findall(nodes.figure)
    scripts = [name for figure in figures for name in figure["classes"] if name.split("-")[0] == "play"]
    for name in sorted(set(scripts)):  # "play", which is first, then its figures' own
        app.add_js_file(f"{name}.js", loading_method="defer")


def setup(app):
    app.add_directive("play", Play)
    app.connect("html-page-context", add_scripts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
