"""Mends of what Sphinx writes: whole ranges in tables, one group of Chinese in the index, no empty words for fields."""

import pytest

from typeset import OTHERS, drop_alias, gather, keep_whole


@pytest.mark.parametrize("value", ["(63.8–67.6)", "(−7.4 to −2.3)"])
def test_a_range_in_a_table_is_kept_whole(value):
    kept = keep_whole(f'<td class="text-right"><p><span>65.7 {value}</span></p></td>')
    assert kept == f'<td class="text-right"><p><span>65.7 <span class="whole">{value}</span></span></p></td>'


@pytest.mark.parametrize("body", ["<p>65.7 (63.8–67.6)</p>", '<td><img alt="65.7 (63.8–67.6)"/>a (word)</td>'])
def test_words_and_attributes_and_prose_are_left_alone(body):
    assert keep_whole(body) == body


def test_the_index_has_one_group_for_all_that_is_not_latin():
    assert gather([("A", [1]), ("一", [2]), ("下", [3, 4])]) == [("A", [1]), (OTHERS, [2, 3, 4])]
    assert gather([("A", [1]), ("Symbols", [2])]) == [("A", [1]), ("Symbols", [2])]


@pytest.mark.parametrize(("said", "left"), [("Alias for field number 11", []), ("The openings.", ["The openings."])])
def test_a_field_without_words_of_its_own_has_none(said, left):
    lines = [said]
    drop_alias(None, "attribute", "a.b", None, None, lines)
    assert lines == left
