"""What a published site needs besides its pages.

Each page gets a description of its own and tags for those who share it. There are a page for addresses that lead
nowhere, `404.html`, and a front door, `index.html`. Where `_config.yml` says at which address the site will stand,
the tags name addresses and a picture, and there are `sitemap.xml` and `robots.txt`. Where it says in which repository
the course lies, notebooks get buttons that open them on Colab and on Binder.
"""

import re
from html import escape
from pathlib import Path
from urllib.parse import urlsplit

from docutils import nodes
from sphinx import addnodes
from sphinx.errors import ConfigError
from sphinx.util import logging

LOG = logging.getLogger(__name__)
SHORTEST, LONGEST = 50, 160  # characters of a description
GAP = "\ufffc"
PICTURE = "preview.png"  # 1200 by 630, drawn by book/figures/draw.py
MADE = {"404": "Page not found", "genindex": "Index", "py-modindex": "Modules", "search": "Search"}  # without a source
ALT = "The cell of an LSTM: what is forgotten, written and shown at a step"
LAUNCH = {
    "notebook_interface": "jupyterlab",
    "binderhub_url": "https://mybinder.org",
    "colab_url": "https://colab.research.google.com",
}


def configure(app, config):
    """Set what follows from the two addresses in _config.yml: the site's and the repository's."""
    folder = Path(app.srcdir) / "book"
    config.templates_path.append(str(folder / "_templates"))
    config.html_additional_pages["404"] = "404.html"
    if config.html_baseurl:
        config.html_baseurl = checked("html: baseurl", config.html_baseurl) + "/"
        config.html_extra_path.append(str(folder / "drawn" / PICTURE))
    if repository := config.html_theme_options.get("repository_url"):
        config.html_theme_options["repository_url"] = checked("repository: url", repository)
        config.html_theme_options["launch_buttons"] = LAUNCH


def checked(key, address):
    """Return an address without the slash at its end."""
    if not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", address):
        raise ConfigError(f"{key} in _config.yml must be empty or a whole address, https://..., got {address!r}")
    return address.rstrip("/")


# Descriptions


def describe(doctree):
    """Return the first sentences of a page, as many as fit a description, without formulas."""
    text = ""
    for piece in opening(doctree):
        if GAP in piece:
            continue
        longer = f"{text} {piece}".strip()
        if len(longer) > LONGEST:
            return closed(text) if len(text) >= SHORTEST else cut(longer)
        text = longer
    return closed(text)


def opening(doctree):
    """Yield the sentences at the head of a page; a gap stands in place of a formula."""
    section = next(doctree.findall(nodes.section), doctree)
    for block in section.children:
        if isinstance(block, nodes.section):
            return
        if isinstance(block, nodes.paragraph | nodes.bullet_list):
            for paragraph in block.findall(nodes.paragraph):
                yield from re.split(r"(?<=[.!?]) ", plain(paragraph))


def plain(paragraph):
    paragraph = paragraph.deepcopy()
    for formula in list(paragraph.findall(nodes.math)):
        simple = re.fullmatch(r"[\w ,.=+]+", formula.astext())
        formula.replace_self(nodes.Text(formula.astext() if simple else GAP))
    return " ".join(paragraph.astext().split())


def closed(text):
    text = text.rstrip(";:,")
    return f"{text}." if text[-1:].isalnum() else text


def cut(text):
    return text[: LONGEST - 1].rsplit(" ", 1)[0].rstrip(" ,;:") + "…"


# Tags


def tag(name, content):
    key = "property" if name.startswith("og:") else "name"
    return f'<meta {key}="{name}" content="{escape(content)}" />\n'


def tags(config, title, description, address):
    """Return what those read who show a link to a page; `address` is the page's place in the site."""
    text = tag("og:title", title) + tag("og:description", description) + tag("og:site_name", config.html_title)
    text += tag("og:type", "article" if address else "website")
    if config.html_baseurl:
        text += tag("og:url", config.html_baseurl + address) + tag("og:image", config.html_baseurl + PICTURE)
        text += tag("og:image:width", "1200") + tag("og:image:height", "630") + tag("og:image:alt", ALT)
        text += tag("twitter:card", "summary_large_image")
    return text


def add_tags(app, pagename, templatename, context, doctree):
    title = MADE.get(pagename) or re.sub("<[^>]*>", "", context["title"])
    about = app.config.html_context["about"]
    tags_of_page = context.get("metatags", "")  # what the page itself asks for
    given = re.search(r'<meta content="([^"]*)" name="description"', tags_of_page)
    description = given[1] if given else describe(doctree) if doctree else f"{title}. {about}"
    if len(description) < 1.5 * SHORTEST and not given:
        description = f"{title}. {description}"
    if not SHORTEST <= len(description) <= LONGEST:
        LOG.warning(
            "the description must have %s to %s characters, got %s: %r. A page names its own in its front matter: "
            "myst: html_meta: description",
            *(SHORTEST, LONGEST, len(description), description),
            location=pagename,
        )
    text = "" if given else tag("description", description)
    if pagename == "404":
        text += find_root(app.config.html_baseurl) + tag("robots", "noindex")
        context["parts"] = list(parts(app))
    else:
        text += tags(app.config, title, description, app.builder.get_target_uri(pagename))
    context["metatags"] = f"{tags_of_page}\n{text}"


# A page for addresses that lead nowhere, and others besides those of the book


def find_root(baseurl):
    """Return what tells the page where the site begins: it is shown at any address, and by its own name too."""
    root = urlsplit(baseurl).path or "/"
    own = 'if (location.pathname.endsWith("/404.html")) document.querySelector("base").remove();'
    return f'<base href="{escape(root)}" />\n<script>{own}</script>\n'


def parts(app):
    """Yield every part of the book with its pages: their names and titles."""
    tree = app.env.tocs[app.config.root_doc]
    for toc in tree.findall(addnodes.toctree):
        yield toc["caption"], [(page, app.env.titles[page].astext()) for _, page in toc["entries"]]


def write_front(app):
    """Write index.html, which leads to the first page; it is what most will share."""
    first, title = app.builder.get_target_uri(app.config.root_doc), app.config.html_title
    about = app.config.html_context["about"]
    text = f'<!doctype html>\n<html lang="{app.config.language}">\n<meta charset="utf-8" />\n'
    text += f'<title>{escape(title)}</title>\n<meta http-equiv="refresh" content="0; url={first}" />\n'
    text += tag("description", about) + tags(app.config, title, about, "")
    text += f'<p><a href="{first}">{escape(title)}</a></p>\n'
    (Path(app.outdir) / "index.html").write_text(text, encoding="utf-8")


def write_map(app):
    """Write the list of all pages for search engines, and where it is to be found."""
    base = app.config.html_baseurl
    pages = "".join(
        f"  <url><loc>{escape(base + app.builder.get_target_uri(page))}</loc></url>\n"
        for page in sorted(app.env.found_docs)
    )
    head = '<?xml version="1.0" encoding="utf-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
    (Path(app.outdir) / "sitemap.xml").write_text(f"{head}{pages}</urlset>\n", encoding="utf-8")
    robots = f"User-agent: *\nAllow: /\nSitemap: {base}sitemap.xml\n"
    (Path(app.outdir) / "robots.txt").write_text(robots, encoding="utf-8")


def finish(app, exception):
    if exception or app.builder.name != "html":
        return
    write_front(app)
    if app.config.html_baseurl:
        write_map(app)


def setup(app):
    app.connect("config-inited", configure)
    app.connect("html-page-context", add_tags)
    app.connect("build-finished", finish, priority=600)  # after the plain index.html of the table of contents
    return {"parallel_read_safe": True, "parallel_write_safe": True}
