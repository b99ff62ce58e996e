"""After the build: of MathJax and of the theme's icons only what the pages can use stays in the site.

Icons come in two ways. A script puts a drawing in place of each element of a class such as `fa-list`; style sheets
write a letter of an icon font, before the title of a note for instance. Where there is no script, the font serves both.
An icon that a page names and the theme does not have is a warning.
"""

import re
import shutil
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont
from sphinx.util import logging

LOG = logging.getLogger(__name__)

# TeX in, HTML out, with its fonts; access.js shuts what a formula's menu would load besides.
MATHJAX = ["tex-chtml.js", "output/chtml/fonts/woff-v2"]
# Readers may have chosen on another site of this host what is not here; MathJax would look for it, and set nothing.
FORGET = """try {
  const key = "MathJax-Menu-Settings", chosen = JSON.parse(localStorage.getItem(key) ?? "{}");
  for (const each of ["renderer", "explorer", "collapsible"]) delete chosen[each];
  localStorage.setItem(key, JSON.stringify(chosen));
} catch {}"""
# An icon in the theme's script: name, width and height, other names and codes, code, path.
ICON = re.compile(r'"?([\w-]+)"?:\[\d+,\d+,\[([^\]]*)\],"([0-9a-f]*)",(?:"[^"]*"|\[[^\]]*\])\],?')
# An icon in the theme's style sheet, alone or with its other names.
RULE = re.compile(r'((?:\.fa-[\w-]+:before,?)+)\{content:"[^"]*"\}')
FACE = re.compile(r"@font-face\{[^{}]*webfonts/([\w-]+)\.woff2[^{}]*\}")
SIGN = re.compile(r"[\ue000-\uf8ff]|\\[ef][0-9a-f]{3}\b")


def slim_mathjax(folder):
    """Remove from a copy of MathJax all that is not in the list."""
    for name in MATHJAX:
        if not (folder / name).exists():
            LOG.warning("slim: MathJax has no %s any more", name)
    for path in sorted(folder.rglob("*"), reverse=True):
        name = path.relative_to(folder).as_posix()
        if any(name == kept or name.startswith(f"{kept}/") for kept in MATHJAX):
            continue
        if path.is_file():
            path.unlink()
        elif not any(path.iterdir()):
            path.rmdir()


def used_icons(site):
    """Return the names of all icons, and of their sizes and styles, with a page or script that names each."""
    found = {}
    for path in sorted(site.rglob("*.html")):
        for classes in re.findall(r'class="([^"]*\bfa-[^"]*)"', path.read_text(encoding="utf-8")):
            found |= {name: path for name in re.findall(r"(?<!\S)fa-([\w-]+)", classes)}
    for path in sorted((site / "_static").rglob("*.js")):
        if path.name != "fontawesome.js" and "mathjax" not in path.parts:
            found |= {name: path for name in re.findall(r"\bfa-([a-z0-9-]+)", path.read_text(encoding="utf-8"))}
    return found


def slim_script(text, used):
    """Return the theme's script with the icons used alone, and the names of all that it had."""
    names = set()

    def keep(icon):
        own = {icon[1], *re.findall(r'"([\w-]+)"', icon[2])}
        names.update(own)
        return icon[0] if own & used else ""

    return ICON.sub(keep, text), names


def slim_style(text, used):
    """Return the theme's style sheet without the icons that are not used; fonts in a form that needs no second one."""
    text = RULE.sub(lambda rule: rule[0] if used & set(re.findall(r"\.fa-([\w-]+):", rule[1])) else "", text)
    source = r'src:url(../vendor/fontawesome/webfonts/\1.woff) format("woff")'
    return FACE.sub(lambda face: re.sub(r"src:url\([^()]*?([\w-]+)\.woff2\).*?(?=[;}])", source, face[0]), text)


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


def slim_icons(site):
    """Cut the theme's icons, as script, style sheet and fonts, to those used."""
    static, used = site / "_static", used_icons(site)
    script, style = static / "scripts" / "fontawesome.js", static / "styles" / "pydata-sphinx-theme.css"
    text, icons = slim_script(script.read_text(encoding="utf-8"), set(used))
    before = style.read_text(encoding="utf-8")
    after = slim_style(before, set(used))
    if not icons or after == before:
        LOG.warning("slim: the theme's icons have changed their form, none was found in its script or style sheet")
    looks = set(re.findall(r"\.fa-([\w-]+)(?![\w-]*:before)", RULE.sub("", before)))  # sizes, styles, turns
    for name in sorted(set(used) - icons - looks):
        LOG.warning("slim: the theme has no icon fa-%s, which %s names", name, used[name].relative_to(site))
    script.write_text(text, encoding="utf-8")
    style.write_text(after, encoding="utf-8")
    signs = {sign for sheet in static.rglob("*.css") for sign in SIGN.findall(sheet.read_text(encoding="utf-8"))}
    codes = {ord(sign) if len(sign) == 1 else int(sign[1:], 16) for sign in signs}
    for font in sorted((static / "vendor" / "fontawesome" / "webfonts").glob("*.ttf")):
        slim_font(font, codes)


def slim(app, exception):
    if exception or app.builder.name != "html":
        return
    static = Path(app.outdir) / "_static"
    slim_mathjax(static / "mathjax")
    slim_icons(Path(app.outdir))
    for leftover in (*static.rglob("*.map"), *static.rglob("*macros.html")):
        leftover.unlink()
    shutil.rmtree(static / "locales", ignore_errors=True)


def setup(app):
    app.add_js_file(None, body=FORGET)
    app.connect("build-finished", slim, priority=900)  # after those that copy
    return {"parallel_read_safe": True, "parallel_write_safe": True}
