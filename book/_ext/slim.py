"""After the build: pages that are soon there, also on a phone. What no page can use does not stay in the site.

Icons are drawn into the pages; the theme's script, which would draw them on arrival, goes. Those that a style sheet
writes, before the title of a note for instance, come from a font, as do those of other scripts. An icon that a page
names and the theme does not have is a warning. `styles` makes one style sheet of all. Scripts wait until a page
is shown.
"""

import re
import shutil
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont
from sphinx.util import logging

from styles import LINK, join_sheets

LOG = logging.getLogger(__name__)

# An icon in the theme's script: name, width and height, other names and codes, code, path; then the name of its style.
ICON = re.compile(r'"?([\w-]+)"?:\[(\d+),(\d+),\[([^\]]*)\],"[0-9a-f]*",("[^"]*"|\[[^\]]*\])\]')
STYLE = re.compile(r'\("(fa[brs])",\w\)')
STYLES = {"solid": "fas", "regular": "far", "brands": "fab"}
# Its place in a page.
PLACE = re.compile(r'<(i|span)\s+class="([^"]*\bfa-[^"]*)"([^>]*)></\1>')
# How the theme's script has icons stand in a line.
DRAWN = (
    ".svg-inline--fa{display:inline-block;box-sizing:content-box;height:1em;overflow:visible;vertical-align:-.125em}"
)
DRAWN += ".svg-inline--fa.fa-lg{vertical-align:-.2em}"
FACE = re.compile(r"@font-face\{[^{}]*webfonts/([\w-]+)\.woff2[^{}]*\}")
SIGN = re.compile(r"[\ue000-\uf8ff]|\\[ef][0-9a-f]{3}\b")
SCRIPT = re.compile(r'<script(?![^>]*\b(?:defer|async)\b)([^>]*\bsrc="[^"]*"[^>]*></script>)')
OPTIONS = re.compile(r'<script src="[^"]*documentation_options\.js[^"]*"></script>')
THEME = re.compile(r'(dataset\.theme = localStorage\.getItem\("theme"\) \|\| )"auto"')
DROPPED = re.compile(r'\s*(?:<script[^>]*fontawesome\.js[^>]*></script>|<link rel="preload" as="script"[^>]*>)')


# Icons


def used_icons(site):
    """Return the names of all icons, and of their sizes and styles, with a page or script that names each."""
    found = {}
    for path in sorted(site.rglob("*.html")):
        for classes in re.findall(r'class="([^"]*\bfa-[^"]*)"', path.read_text(encoding="utf-8")):
            found |= {name: path for name in re.findall(r"(?<!\S)fa-([\w-]+)", classes)}
    for path in sorted((site / "_static").rglob("*.js")):
        if path.name != "fontawesome.js":
            found |= {name: path for name in re.findall(r"\bfa-([a-z0-9-]+)", path.read_text(encoding="utf-8"))}
    return found


def drawings(script):
    """Return the theme's icons: (style, name) with width, height and paths."""
    found, pieces = {}, STYLE.split(script)
    for text, style in zip(pieces[::2], pieces[1::2], strict=False):
        for name, width, height, others, path in ICON.findall(text):
            paths = re.findall(r'"([^"]*)"', path)
            for each in {name, *re.findall(r'"([\w-]+)"', others)}:
                found[style, each] = (width, height, paths)
    return found


def draw(text, icons):
    """Return a page's text with a drawing in place of each icon; one that is not known stays as it is."""

    def drawing(place):
        names = place[2].split()
        style = next(
            (STYLES.get(name[3:], name) for name in names if name[3:] in STYLES or name in STYLES.values()), "fas"
        )
        found = next((icons[style, name[3:]] for name in names if (style, name[3:]) in icons), None)
        if not found:
            return place[0]
        width, height, paths = found
        kept = [name for name in names if name not in STYLES.values() and name[3:] not in STYLES]
        title = re.search(r'\s+title="([^"]*)"', place[3])
        rest = place[3].replace(title[0], "") if title else place[3]
        role = 'role="img"' if title else 'aria-hidden="true"'
        inside = f"<title>{title[1]}</title>" if title else ""
        inside += "".join(f'<path fill="currentColor" d="{path}"/>' for path in paths)
        classes = " ".join(["svg-inline--fa", *kept])
        return f'<svg class="{classes}" {role}{rest.rstrip()} viewBox="0 0 {width} {height}">{inside}</svg>'

    return PLACE.sub(drawing, text)


def slim_font(path, codes):
    """Cut a font to the signs of some codes; write it beside itself, packed for the web, and remove the old forms."""
    with TTFont(path) as font:
        cutter = subset.Subsetter(subset.Options(layout_features=[], notdef_outline=True))
        cutter.populate(unicodes=codes)
        cutter.subset(font)
        font.flavor = "woff"
        font.save(path.with_suffix(".woff"))
    path.unlink()
    path.with_suffix(".woff2").unlink(missing_ok=True)


# Pages


def lighten(text, icons, shared, sheet, options):
    """Return a page's text with its icons drawn, one style sheet in place of those shared, and scripts that wait.

    `options` is the script that others, within the page, set something in: it cannot wait.
    """
    text = DROPPED.sub("", draw(text, icons))
    text = OPTIONS.sub(lambda found: f"<script>{options}</script>", text)
    text = SCRIPT.sub(r"<script defer\1", text)
    # The theme's own script comes to the same in the end, and all the page would be styled again.
    text = THEME.sub(r'\1(matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")', text)
    head, article, body = text.partition("<article")
    text = head + article + body.replace("<img ", '<img fetchpriority="high" ', 1)  # what a reader sees first

    def link(found):
        root, _, name = found[1].partition("_static/")
        if name not in shared:
            return found[0]
        return f'\n    <link rel="stylesheet" href="{root}_static/{sheet}" />' if name == shared[0] else ""

    return LINK.sub(link, text)


def slim_pages(site):
    site = site.resolve()
    static, used = site / "_static", used_icons(site)
    script, style = static / "scripts" / "fontawesome.js", static / "styles" / "pydata-sphinx-theme.css"
    icons = drawings(script.read_text(encoding="utf-8"))
    script.unlink()
    before = style.read_text(encoding="utf-8")
    source = r'src:url(../vendor/fontawesome/webfonts/\1.woff) format("woff")'
    after = FACE.sub(lambda face: re.sub(r"src:url\([^()]*?([\w-]+)\.woff2\).*?(?=[;}])", source, face[0]), before)
    if not icons or after == before:
        LOG.warning("slim: the theme's icons have changed their form, none was found in its script or style sheet")
    style.write_text(after, encoding="utf-8")
    known = {name for _, name in icons} | set(re.findall(r"\.fa-([\w-]+)(?![\w-]*:before)", before))
    for name in sorted(set(used) - known):
        LOG.warning("slim: the theme has no icon fa-%s, which %s names", name, used[name].relative_to(site))
    pages = {path: path.read_text(encoding="utf-8") for path in sorted(site.rglob("*.html"))}
    pages = {path: text for path, text in pages.items() if LINK.search(text) and static not in path.parents}
    shared, sheet = join_sheets(site, pages, DRAWN)
    options = static / "documentation_options.js"
    inside = options.read_text(encoding="utf-8").strip()
    options.unlink()
    for path, text in pages.items():
        path.write_text(lighten(text, icons, shared, sheet, inside), encoding="utf-8")
    signs = {sign for each in static.rglob("*.css") for sign in SIGN.findall(each.read_text(encoding="utf-8"))}
    codes = {ord(sign) if len(sign) == 1 else int(sign[1:], 16) for sign in signs}
    for font in sorted((static / "vendor" / "fontawesome" / "webfonts").glob("*.ttf")):
        slim_font(font, codes)


def slim(app, exception):
    if exception or app.builder.name != "html":
        return
    static = Path(app.outdir) / "_static"
    for leftover in (*static.rglob("*.map"), *static.rglob("*macros.html")):
        leftover.unlink()
    shutil.rmtree(static / "locales", ignore_errors=True)
    slim_pages(Path(app.outdir))


def setup(app):
    app.connect("build-finished", slim, priority=900)  # after those that copy
    return {"parallel_read_safe": True, "parallel_write_safe": True}
