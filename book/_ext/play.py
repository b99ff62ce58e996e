"""The directive `{play} unit`: a figure that its reader can move.

It is the figure `drawn/play-unit.svg`, numbered and captioned like any other, in every format. In HTML the script
`book/_static/play-unit.js` puts something to move in the picture's place; in print and without scripts the picture
stands. What the figure starts from stands in `figures/play.json` under its name; where a `study` is named there, its
results are added.
"""

import json
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx import addnodes
from sphinx.directives.patches import Figure
from sphinx.util.docutils import SphinxDirective

NUMBERS = "figures/play.json"  # all are seen from the page
STUDY = "../experiments/results/{}.json"
PICTURE = "drawn/play-{}.svg"


class Play(Figure, SphinxDirective):
    """`{play} unit` with the options `name` and `alt`, and a caption under them."""

    option_spec = {"name": directives.unchanged_required, "alt": directives.unchanged_required}

    def run(self):
        name = self.arguments[0]
        if missing := [option for option in self.option_spec if option not in self.options]:
            raise self.error(f"play {name}: {' and '.join(missing)} missing")
        numbers = self.read(NUMBERS)
        if name not in numbers:
            raise self.error(f"play must be one of {', '.join(numbers)}, got {name}")
        self.arguments[0] = PICTURE.format(name)
        self.options["figclass"] = ["play", f"play-{name}"]
        given = numbers[name]
        if "study" in given:
            given |= self.read(STUDY.format(given["study"]))["results"]
        text = json.dumps(given, separators=(",", ":")).replace("<", "\\u003c")
        data = nodes.raw("", f'<script type="application/json" id="play-{name}">{text}</script>\n', format="html")
        return [*super().run(), addnodes.only("", data, expr="html and not epub")]

    def read(self, file):
        """Return what a JSON file holds, on which the page then depends."""
        relative, path = self.env.relfn2path(file)
        self.env.note_dependency(relative)
        return json.loads(Path(path).read_text(encoding="utf-8"))


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
