"""Formulas are set when the site is built: no page needs a script for them."""

import re
from types import SimpleNamespace

import pytest

import maths

SET = re.compile("<mjx-container.*?</mjx-container>", re.DOTALL)
SYMBOL = re.compile(r'<mjx-c class="(mjx-c\w+)(?: ([\w-]+))?"')


@pytest.fixture
def warnings(monkeypatch):
    said = []
    monkeypatch.setattr(maths.LOG, "warning", lambda text, *values: said.append(text % values))
    return said


def spoken(html):
    """Return a formula's MathML, which screen readers read."""
    return re.search("<math .*</math>", html)[0]


def test_a_formula_is_drawn_and_spoken_and_all_else_stays(warnings):
    page = r'<p>So <span class="math notranslate nohighlight">\(a &lt; b_t\)</span>, see <code>\(x\)</code>.</p>'
    done = maths.set_formulas(page, "a.html")
    (formula,) = SET.findall(done)
    assert spoken(formula).count("<mo>&lt;</mo>") == 1 and "<msub><mi>b</mi><mi>t</mi></msub>" in formula
    assert 'display="true"' not in formula and '<mjx-math class=" MJX-TEX" aria-hidden="true">' in formula
    assert done.replace(formula, "") == page.replace(r"\(a &lt; b_t\)", "")
    assert maths.set_formulas(done, "a.html") == done and warnings == []


def test_a_formula_by_itself_stands_behind_its_number(warnings):
    number = '<span class="eqno">(2.1)<a class="headerlink" href="#e">#</a></span>'
    tex = r"\[\begin{split}x&amp;=1\\y&amp;=2\end{split}\]"
    page = f'<div class="math notranslate nohighlight" id="e">\n{number}{tex}</div>'
    done = maths.set_formulas(f"{page}<p>and</p>{page}", "a.html")
    first, second = SET.findall(done)
    assert first == second and 'display="true"' in first and spoken(first).count("<mtr>") == 2
    assert done.count(number) == 2 and r"\[" not in done and warnings == []


def test_what_cannot_be_set_stays_with_a_warning(warnings):
    page = "".join(rf'<span class="math x">\({tex}\)</span>' for tex in (r"\frac{1}", r"\nosuch", "x"))
    done = maths.set_formulas(page, "a.html")
    assert r"\(\frac{1}\)" in done and r"\(\nosuch\)" in done and len(SET.findall(done)) == 1
    assert warnings == [
        r"maths: a.html: Missing argument for \frac in \frac{1}",
        r"maths: a.html: Undefined control sequence \nosuch in \nosuch",
    ]


def test_fonts_that_no_formula_uses_stay_behind():
    text, fonts = maths.style_sheet({"TEX-I"})
    assert "MathJax_Math-Italic.woff" in fonts and fonts < maths.style_sheet({"TEX-I", "TEX-B", "TEX-FR"})[1]
    assert len(re.findall("@font-face", text)) == len(fonts) == len(maths.ALWAYS) + 1
    assert {name for name in fonts if name in text} == fonts and "Fraktur-Regular.woff" not in text


def test_sphinx_loads_no_mathjax():
    scripts = [SimpleNamespace(filename=name, attributes={}) for name in ("https://cdn.example/MathJax/tex.js", "a.js")]
    scripts.append(SimpleNamespace(filename=None, attributes={"body": "window.MathJax = {}"}))
    maths.drop_scripts(None, "a", "page.html", {"script_files": scripts}, None)
    assert [each.filename for each in scripts] == ["a.js"]


@pytest.mark.slow
def test_every_formula_of_the_site_is_set_and_each_of_its_symbols_has_a_form(html):
    sheet, formulas, symbols = (html / "_static" / "site.css").read_text(encoding="utf-8"), 0, set()
    for path in html.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        found = SET.findall(text)
        assert text.count('class="math') == len(found), path
        assert all("<mjx-assistive-mml" in each for each in found) and "MathJax" not in SET.sub("", text), path
        formulas += len(found)
        for each in found:
            symbols.update(SYMBOL.findall(each))
    assert formulas > 500 and len(symbols) > 100 and [*html.rglob("*athjax*/*.js")] == []
    drawn = dict(re.findall(r'mjx-c\.(mjx-c[\w.-]+)::before\{[^}]*content:\s*"([^"]*)"', sheet))
    assert {f"{name}.{font}" if font else name for name, font in symbols} <= set(drawn)
    assert [name for name, sign in drawn.items() if not sign] == ["mjx-c2061"], "what a function is put to has no sign"
    fonts = {f"MJX{font or 'TEX'}" for _, font in symbols}
    assert [font for font in fonts if not re.search(rf"font-family: {font};", sheet)] == []


SHOWN = """() => [...document.querySelectorAll("article mjx-math")].filter(each => each.checkVisibility())
  .map(each => [each.getBoundingClientRect().width, each.getBoundingClientRect().height])"""
FONTS = "[...document.fonts].filter(each => /MJX/.test(each.family)).map(each => [each.family, each.status])"


@pytest.mark.slow
def test_formulas_stand_without_scripts_in_their_own_letters(browser, html):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((html / "book" / "gates.html").as_uri())
    for _ in range(100):
        fonts = dict(page.evaluate(FONTS))
        if (arrived := {fonts["MJXTEX"], fonts["MJXTEX-I"]}) == {"loaded"}:
            break
        page.wait_for_timeout(100)
    boxes = page.evaluate(SHOWN)
    context.close()
    assert arrived == {"loaded"} and "error" not in fonts.values()
    assert len(boxes) > 50 and min(map(min, boxes)) > 3


REACHED = """() => [...document.querySelectorAll("div.math, mjx-container[display]")]
  .filter(each => each.clientWidth).map(each => [each.scrollWidth > each.clientWidth, each.hasAttribute("tabindex")])"""


@pytest.mark.slow
def test_a_formula_is_a_stop_of_the_keyboard_where_it_scrolls(browser, html):
    page = browser.new_page(viewport={"width": 200, "height": 800})
    page.goto((html / "book" / "numpy-lstm.html").as_uri())
    narrow = page.evaluate(REACHED)
    page.set_viewport_size({"width": 1280, "height": 800})
    page.wait_for_timeout(100)
    wide = page.evaluate(REACHED)
    page.close()
    assert {(True, True), (False, False)} == set(map(tuple, narrow)) and set(map(tuple, wide)) == {(False, False)}
