"""Mends of what Sphinx writes: what stays on one line, one group of Chinese in the index, no empty words for fields."""

import re

OTHERS = "中文"  # the one heading of the index for terms that begin with no Latin letter

_PLACE = re.compile(r"<(t[dh]|p)\b.*?</\1>", re.DOTALL)
_TEXT = re.compile(r">[^<]+<")
_RANGE = re.compile(r"\([^\s()]+(?:–| to )[^\s()]+\)|\b\d+(?:\.\d+)?e-\d+\b")
_FORMULA = re.compile(r'<span class="math [^>]*>[^<]*</span>[.,;:?!)\]”’]+')
_HEADING = re.compile(r"<h1>.*?</h1>", re.DOTALL)
_ARTICLE = re.compile(r"(?<=: )(an?) (?=\w)")
_ALIAS = re.compile(r"Alias for field number \d+")


def keep_whole(body):
    """Return a page's HTML in which no range, (63.8–67.6), no 2e-07 and no formula with its comma is broken in two.

    Nor is a title broken behind the "a" that follows its colon.
    """

    def text(match):
        return _RANGE.sub(r'<span class="whole">\g<0></span>', match[0])

    body = _HEADING.sub(lambda heading: _ARTICLE.sub("\\1\u00a0", heading[0]), body)
    body = _PLACE.sub(lambda place: _TEXT.sub(text, place[0]), body)
    return _FORMULA.sub(r'<span class="whole">\g<0></span>', body)


def gather(groups):
    """Return the index's groups, (letter, entries), with all those under no ASCII letter in one, at the end."""
    latin = [group for group in groups if group[0].isascii()]
    others = [entry for letter, entries in groups if not letter.isascii() for entry in entries]
    return latin + ([(OTHERS, others)] if others else [])


def mend(app, pagename, templatename, context, doctree):
    """Mend a page that is about to be written."""
    if context.get("body"):
        context["body"] = keep_whole(context["body"])
    if "genindexentries" in context:
        groups = gather(context["genindexentries"])
        context["genindexentries"] = groups
        context["genindexcounts"] = [sum(1 + len(entry[1][1]) for entry in entries) for _, entries in groups]


def drop_alias(app, what, name, obj, options, lines):
    """Leave a named tuple's field without the words that Python gives it: they say nothing."""
    if lines and _ALIAS.fullmatch(lines[0]):
        del lines[:]


def setup(app):
    app.setup_extension("sphinx.ext.autodoc")
    app.connect("html-page-context", mend)
    app.connect("autodoc-process-docstring", drop_alias)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
