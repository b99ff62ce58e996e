"""Formulas are set when the book is built: no page needs a script for them."""

import io
import re

import pytest
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace

import maths


def test_a_formula_is_drawn_for_the_eye_and_written_for_screen_readers():
    drawn = maths.html("a < b_t", False)
    assert "<msub><mi>b</mi><mi>t</mi></msub>" in drawn and 'aria-hidden="true"' in drawn
    assert 'display="true"' not in drawn and 'display="true"' in maths.html("a < b_t", True)


def test_a_formula_as_mathml_alone():
    tree = "".join(maths.mathml(r"\tanh x \mathrel{<} b", True).split())
    assert tree.startswith('<mathxmlns="http://www.w3.org/1998/Math/MathML"display="block">') and "&lt;" in tree
    assert "display" not in maths.mathml("x", False)


@pytest.mark.parametrize("tex, words", [(r"\frac{1}", r"argument for \frac"), (r"\no", r"control sequence \no")])
def test_a_faulty_formula_is_refused(tex, words):
    for function in (maths.html, maths.mathml):
        with pytest.raises(ValueError, match=re.escape(words)):
            function(tex, False)


SOURCE = r"""
Title
=====

.. math:: a \le b
   :label: first

See :eq:`first`, :math:`x` and :math:`\nosuch`.
"""


def test_sphinx_numbers_formulas_warns_of_faulty_ones_and_loads_the_style_sheet(tmp_path):
    (tmp_path / "index.rst").write_text(SOURCE, encoding="utf-8")
    settings, said = {"extensions": ["maths"], "html_math_renderer": maths.NAME}, io.StringIO()
    with docutils_namespace():
        places = (tmp_path, None, tmp_path / "html", tmp_path / "trees", "html")
        Sphinx(*places, confoverrides=settings, status=None, warning=said).build()
    page = (tmp_path / "html" / "index.html").read_text(encoding="utf-8")
    assert len(re.findall("<math ", page)) == 2 and page.count("MathJax.js") == 0
    assert re.search(r'<div class="math" id="equation-first">\s*<span class="eqno">\(1\)<a class="headerlink"', page)
    assert r"index.rst:8: WARNING: maths: Undefined control sequence \nosuch in \nosuch" in said.getvalue()
    assert "_static/maths.css" in page
    static = tmp_path / "html" / "_static"
    fonts = set(re.findall(r'url\("?(mathjax/[\w.-]+)', (static / "maths.css").read_text(encoding="utf-8")))
    assert len(fonts) > 10 and [font for font in fonts if not (static / font).is_file()] == []


SHOWN = """() => [...document.querySelectorAll("article mjx-math")].filter(each => each.checkVisibility())
  .map(each => [each.getBoundingClientRect().width, each.getBoundingClientRect().height])"""
FONTS = "[...document.fonts].filter(each => each.family === 'MJXTEX-I').map(each => each.status)"


@pytest.mark.slow
def test_formulas_stand_without_scripts_in_their_own_letters(browser, html):
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto((html / "book" / "gates.html").as_uri(), wait_until="networkidle")
    assert page.evaluate(FONTS) == ["loaded"]
    boxes = page.evaluate(SHOWN)
    assert len(boxes) > 50 and min(map(min, boxes)) > 0
    page.context.close()
