"""Drawings on the pages of the site: their size, so that nothing moves when they come, and a narrow one for a phone.

A lab's picture has its size in pixels, made for a notebook: it becomes a share of the text's width.

Where `gates-narrow.svg` stands beside `gates.svg`, screens up to 600 pixels wide get the narrow one. On paper and in
the EPUB the wide one stands alone.
"""

import re
from pathlib import Path

from docutils import nodes

COLUMN = 711  # pixels: how wide most pictures of the labs are
MEDIA = "(max-width: 600px)"
ENDING = "-narrow"
IMAGE = re.compile(r'<img (?=[^>]*src="([^"]*_images/)([^"/]+\.svg)")(?![^>]*(?:width|height)="?\d)[^>]*>')
SIZE = re.compile(r'<svg\b[^>]*?\bviewBox="\S+ \S+ (\S+) (\S+)"')


def size(path):
    """Return the attributes that tell the width and the height of an SVG, a point of it a third more in pixels."""
    found = SIZE.search(path.read_text(encoding="utf-8"))
    return "".join(f' {side}="{float(n) * 4 / 3:.0f}"' for side, n in zip(("width", "height"), found.groups()))


def share(image):
    """Give a picture that has width and height in pixels a share of the text's width, and the height that follows."""
    if image.get("width", "").isdigit() and image.get("height", "").isdigit():
        image["width"] = f"{min(100, round(100 * int(image['width']) / COLUMN))}%"
        del image["height"]


def narrow(path):
    """Return the path of the narrow drawing that belongs to a picture."""
    return re.sub(r"\.svg$", f"{ENDING}.svg", path)


def find(app, doctree):
    """Note the narrow drawings of a page's pictures, as if the page showed them; have the others fit the page."""
    for image in list(doctree.findall(nodes.image)):
        share(image)
        path = narrow(image["uri"])
        if path != image["uri"] and Path(app.srcdir, path).exists():
            app.env.images.add_file(app.env.docname, path)
            app.env.note_dependency(path)


def take(app, doctree, page):
    """Have the narrow drawings copied into the site."""
    if app.builder.name == "html":
        for image in doctree.findall(nodes.image):
            if (path := narrow(image["uri"])) in app.env.images:
                app.builder.images[path] = app.env.images[path][1]


def place(app, page, template, context, doctree):
    """Give a page's drawings their size, and put narrow ones beside those that have one."""
    if app.builder.name != "html" or "body" not in context:
        return
    paths = {name: path for path, (_, name) in app.env.images.items()}

    def picture(found):
        if found[2] not in paths:
            return found[0]
        path = paths[found[2]]
        image = found[0].replace("<img", f"<img{size(Path(app.srcdir, path))}", 1)
        if (other := narrow(path)) not in app.env.images:
            return image
        address = f"{found[1]}{app.env.images[other][1]}"
        source = f'<source media="{MEDIA}" srcset="{address}"{size(Path(app.srcdir, other))}>'
        return f"<picture>{source}{image}</picture>"

    context["body"] = IMAGE.sub(picture, context["body"])


def setup(app):
    app.connect("doctree-read", find)
    app.connect("doctree-resolved", take)
    app.connect("html-page-context", place)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
