"""One style sheet of those that all pages share, without the rules for what no page and no script names; for `slim`."""

import hashlib
import re
from posixpath import join, normpath

import tinycss2
from sphinx.util import logging

LOG = logging.getLogger(__name__)

SHEET = "site.css"
LINK = re.compile(r'\s*<link(?=[^>]*rel="stylesheet")[^>]*href="([^"?]+)[^"]*"[^>]*>')


def words(site):
    """Return all that could be the name of a class: in a page, or anywhere in a script."""
    found = set()
    for path in site.rglob("*.html"):
        for classes in re.findall(r'class="([^"]*)"', path.read_text(encoding="utf-8")):
            found.update(classes.split())
    for path in (site / "_static").rglob("*.js"):
        found.update(re.findall(r"[\w-]+", path.read_text(encoding="utf-8")))
    return found


def classes(tokens):
    """Yield the classes that a selector asks for, those in `:not()` and its like left out."""
    for before, token in zip([None, *tokens], tokens, strict=False):
        if token.type == "ident" and before and before == ".":
            yield token.value


def split(tokens):
    """Return a list of selectors, cut at its commas."""
    found = [[]]
    for token in tokens:
        if token == ",":
            found.append([])
        elif token.type != "comment":
            found[-1].append(token)
    return found


def slim_rules(text, possible):
    """Return a style sheet, packed, without the rules that ask for a class that there is not."""
    out = []
    for rule in tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True):
        if rule.type == "qualified-rule":
            kept = [each for each in split(rule.prelude) if all(map(possible, classes(each)))]
            inside = packed(rule.content)
            if kept and inside:
                out.append(f"{','.join(packed(each) for each in kept)}{{{inside}}}")
        elif rule.type == "at-rule" and rule.content is None:
            out.append(f"@{rule.at_keyword} {packed(rule.prelude)};")
        elif rule.type == "at-rule":
            nested = rule.lower_at_keyword in ("media", "supports", "layer", "container")
            inside = tinycss2.serialize(rule.content)
            inside = slim_rules(inside, possible) if nested else packed(rule.content)
            if inside:
                out.append(f"@{rule.at_keyword} {packed(rule.prelude)}{{{inside}}}")
    return "".join(out)


def packed(tokens):
    """Return tokens as text, without comments and with no more space than is needed."""
    kept = [token for token in tokens if token.type != "comment"]
    for token in kept:
        if token.type == "whitespace":
            token.value = " "
    return tinycss2.serialize(kept).strip().rstrip("; ")


def gather(path, static, possible):
    """Return a style sheet with those that it imports, packed; its addresses begin at the folder of all."""
    folder = path.parent.relative_to(static).as_posix()

    def moved(address):
        return address if re.match(r"[a-z]+:|[#/]", address) else normpath(join(folder, address))

    text, before = path.read_text(encoding="utf-8"), ""
    for imported in re.findall(r'@import\s+"([^"]+)";', text):
        before += gather((path.parent / imported).resolve(), static, possible)
    text = re.sub(r'@import\s+"[^"]+";|@charset\s+"[^"]+";', "", text)
    text = re.sub(r'url\(\s*(["\']?)([^"\')]+)\1\s*\)', lambda url: f"url({url[1]}{moved(url[2])}{url[1]})", text)
    return before + slim_rules(text, possible)


def sheets(text):
    """Return the addresses of the style sheets that a page loads, below its folder of all, in order."""
    return [address.partition("_static/")[2] for address in LINK.findall(text)]


def join_sheets(site, pages, first):
    """Put the style sheets that all pages share into one, behind some first rules; return the addresses of all."""
    static, lists = site / "_static", [sheets(text) for text in pages.values()]
    shared = [name for name in lists[0] if all(name in each for each in lists)]
    if any([name for name in each if name in shared] != shared for each in lists):
        LOG.warning("styles: pages share style sheets, but in another order")
        return [], ""
    known = words(site)
    openings = tuple(word for word in known if len(word) > 2 and word.endswith("-"))  # a script adds the end

    def possible(name):
        return name in known or name.startswith(openings)

    text = first + "".join(gather(static / name, static, possible) for name in shared)
    (static / SHEET).write_text(text, encoding="utf-8")
    for name in [*shared, "basic.css"]:
        (static / name).unlink(missing_ok=True)
    return shared, f"{SHEET}?v={hashlib.sha256(text.encode()).hexdigest()[:8]}"
