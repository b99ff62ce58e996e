"""Mends of what Sphinx writes: in the reference, the index, the search, exercises, and where a line must not break."""

import re

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms import SphinxTransform
from sphinx.util.inspect import signature, stringify_signature

OTHERS = "中文"  # the one heading of the index for terms that start with no Latin letter


class LeadToHeading(SphinxTransform):
    """Let an entry of the index that stands under a heading lead to the heading, not to the line below it."""

    default_priority = 840  # before the index is collected

    def apply(self):
        for node in self.document.findall(addnodes.index):
            if isinstance(node.parent, nodes.section) and node.parent.index(node) == 1:
                there = node.parent["ids"][0]
                node["entries"] = [(kind, words, there, *rest) for kind, words, _, *rest in node["entries"]]


def drop_alias(app, what, name, obj, options, lines):
    """Leave a named tuple's field without the words that Python gives it, "Alias for field number 0"."""
    if lines and re.fullmatch(r"Alias for field number \d+", lines[0]):
        del lines[:]


def keep_arguments(app, what, name, obj, options, given, returns):
    """Show the arguments of a torch module: a stand-in of `autodoc_mock_imports` hides them behind its own."""
    if what == "class" and given == "(*args, **kwargs)":
        return stringify_signature(signature(obj.__init__, bound_method=True), show_annotation=False), returns


def unique(app, doctree, page):
    """Take away an id that sphinx-exercise gives to every exercise of a page."""
    for section in doctree.findall(nodes.section):
        section["ids"] = [name for name in section["ids"] if name != "exercise-content"]


def name_page(app, page, template, context, doctree):
    """Give a page that has no source, such as the index, the title that its printed form begins with."""
    context["pagetitle"] = context.get("pagetitle") or context.get("title") or "Index"


def gather(app, page, template, context, doctree):
    """Put the Chinese terms of the index into one group, where each letter would be a heading of its own."""
    if "genindexentries" in context:
        groups = context["genindexentries"]
        others = [entry for letter, entries in groups if not letter.isascii() for entry in entries]
        groups[:] = [group for group in groups if group[0].isascii()] + ([(OTHERS, others)] if others else [])
        context["genindexcounts"] = [sum(1 + len(entry[1][1]) for entry in entries) for _, entries in groups]


def load_search(app, page, template, context, doctree):
    """Load what finds sections on the page of the search alone."""
    if page == "search":
        app.add_js_file("search.js")


def join_ranges(app, doctree, page):
    """Keep a range from a notebook, (63.8–67.6), on one line: a word joiner follows its dash."""
    glued = (node for node in doctree.findall(nodes.inline) if "pasted-text" in node["classes"])
    for text in [text for node in glued for text in node.findall(nodes.Text) if app.builder.name == "html"]:
        text.parent.replace(text, nodes.Text(text.replace("–", "–\u2060")))


def setup(app):
    app.setup_extension("sphinx.ext.autodoc")
    app.connect("autodoc-process-docstring", drop_alias)
    app.connect("autodoc-process-signature", keep_arguments)
    app.connect("doctree-resolved", unique)
    app.connect("html-page-context", gather)
    app.connect("html-page-context", load_search)
    app.add_transform(LeadToHeading)
    app.connect("html-page-context", name_page, priority=900)
    app.connect("doctree-resolved", join_ranges)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
