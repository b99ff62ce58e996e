"""Mends of what Sphinx writes: what stays on one line, one group of Chinese in the index, no empty words for fields."""

import pytest

from typeset import OTHERS, drop_alias, gather, keep_whole


@pytest.mark.parametrize("value", ["(63.8–67.6)", "(−7.4 to −2.3)"])
def test_a_range_in_a_table_is_kept_whole(value):
    kept = keep_whole(f'<td class="text-right"><p><span>65.7 {value}</span></p></td>')
    assert kept == f'<td class="text-right"><p><span>65.7 <span class="whole">{value}</span></span></p></td>'


def test_a_formula_keeps_its_comma():
    formula = r'<span class="math notranslate nohighlight">\(a &lt; b\)</span>'
    kept = keep_whole(f"<p>{formula}, then {formula} ends</p>")
    assert kept == f'<p><span class="whole">{formula},</span> then {formula} ends</p>'


def test_a_title_is_not_broken_behind_the_article_after_its_colon():
    kept = keep_whole("<h1>9. One to many: a name for a country</h1><p>One: a name</p>")
    assert kept == "<h1>9. One to many: a\u00a0name for a country</h1><p>One: a name</p>"


@pytest.mark.parametrize("value", ["(63.8–67.6)", "2e-07", "1.5e-10"])
def test_a_range_and_a_number_in_prose_are_kept_whole(value):
    assert keep_whole(f"<p>from {value} on</p>") == f'<p>from <span class="whole">{value}</span> on</p>'


@pytest.mark.parametrize("body", ["<pre>2e-07 (63.8–67.6)</pre>", '<td><img alt="65.7 (63.8–67.6)"/>a (word)</td>'])
def test_words_and_attributes_and_code_are_left_alone(body):
    assert keep_whole(body) == body


def test_the_index_has_one_group_for_all_that_is_not_latin():
    assert gather([("A", [1]), ("一", [2]), ("下", [3, 4])]) == [("A", [1]), (OTHERS, [2, 3, 4])]
    assert gather([("A", [1]), ("Symbols", [2])]) == [("A", [1]), ("Symbols", [2])]


@pytest.mark.parametrize(("said", "left"), [("Alias for field number 11", []), ("The openings.", ["The openings."])])
def test_a_field_without_words_of_its_own_has_none(said, left):
    lines = [said]
    drop_alias(None, "attribute", "a.b", None, None, lines)
    assert lines == left
