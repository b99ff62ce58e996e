"""A card for each term of the glossary that a page refers to: the term, its Chinese name, what it means.

The cards stand hidden at the end of the page, so that nothing has to be fetched; `book/_static/hover.js` shows one
where a reader points at a term. Without scripts a term is a link to the glossary, as it is on paper, where this is
switched off.
"""

from html import escape

from docutils import nodes
from sphinx import addnodes

GLOSSARY = "book/glossary"


def card(app, item):
    """Return the card of an entry of the glossary in HTML."""
    english, *others = [escape(term.astext()) for term in item.findall(nodes.term)]
    names = [f"<strong>{english}</strong>"] + [f'<span lang="zh">{name}</span>' for name in others]
    meaning = next(next(item.findall(nodes.definition)).findall(nodes.paragraph)).deepcopy()
    for role in list(meaning.findall(addnodes.pending_xref)):  # no links: a tooltip is text
        role.replace_self(role.children)
    return f"<p>{' '.join(names)}</p>\n{app.builder.render_partial(meaning)['fragment'].strip()}"


def add_cards(app, pagename, templatename, context, doctree):
    if doctree is None or app.builder.format != "html":
        return
    words = [word.parent for word in doctree.findall(nodes.inline) if "std-term" in word["classes"]]
    anchors = {word["refuri"].partition("#")[2] for word in words if "refuri" in word}
    if not anchors:
        return
    terms = app.env.get_doctree(GLOSSARY).ids
    for anchor in sorted(anchors):
        inside = card(app, terms[anchor].parent)
        context["body"] += f'<div class="term-card" id="card-{anchor}" role="tooltip" hidden>\n{inside}\n</div>\n'
    app.add_js_file("hover.js", loading_method="defer")


def setup(app):
    app.connect("html-page-context", add_cards)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
