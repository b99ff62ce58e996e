"""The pages' pictures: drawn before the pages are read, and shown in their size, so that nothing moves when they come.

A lab's picture has its size in pixels, made for a notebook: it becomes a share of the text's width.
"""

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

from docutils import nodes
from sphinx.errors import ExtensionError

COLUMN = 711  # pixels: how wide most pictures of the labs are


def draw(app, config):
    """Draw what is out of date, in a process of its own: its modules have the names of chapters."""
    script = Path(app.srcdir, "book", "figures", "draw.py")
    if not script.exists():  # a book without pictures of its own
        return
    run = subprocess.run([sys.executable, script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if run.returncode:
        raise ExtensionError(f"The pictures could not be drawn (python book/figures/draw.py):\n{run.stdout}")


def share(app, doctree):
    """Give pictures that have width and height in pixels a share of the text's width, and the height that follows."""
    for image in doctree.findall(nodes.image):
        if image.get("width", "").isdigit() and image.get("height", "").isdigit():
            image["width"] = f"{min(100, round(100 * int(image['width']) / COLUMN))}%"
            del image["height"]


def size(path):
    """Return the width and the height of an SVG in pixels, of which a point has four thirds."""
    _, root = next(ElementTree.iterparse(path, events=["start"]))
    return [round(float(number) * 4 / 3) for number in root.get("viewBox").split()[2:]]


def visit_image(self, node):
    """Write an image as ever, and where it is a drawing without a size, its width and height as attributes."""
    path = Path(self.builder.srcdir, node["uri"])
    type(self).visit_image(self, node)
    if self.builder.name == "html" and path.suffix == ".svg" and "width" not in node and path.exists():
        width, height = size(path)
        self.body[-1] = self.body[-1].replace("<img ", f'<img width="{width}" height="{height}" ', 1)


def depart_image(self, node):
    """Do what is done for any image."""
    type(self).depart_image(self, node)


def setup(app):
    app.connect("config-inited", draw)  # before Sphinx looks for the files that _config.yml names
    app.connect("doctree-read", share)
    app.add_node(nodes.image, override=True, html=(visit_image, depart_image))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
