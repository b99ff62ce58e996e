"""The figures of the chapters on pooling: they say what the numbers say, and refuse what does not fit."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle

from lstm_tutorial import figures


@pytest.fixture(autouse=True)
def style():
    with plt.style.context("default"):
        figures.use_course_style()
        yield
    plt.close("all")


def test_letters_are_shaded_by_their_values():
    values = [np.array([[0.0, 0.25, 0.5], [3.0, -1.0, 0.0]]), np.array([[1.0], [1.0]])]
    ax = figures.plot_letters(["abc", "d"], values, ["one", "two"], {"weights": "lstm", "falls": "forget"})
    boxes = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    light = [sum(to_rgb(box.get_facecolor())) for box in boxes]
    assert len(boxes) == 8
    assert light[0] == 3 and light[0] > light[1] > light[2]  # white, then darker
    assert light[3] < light[4] == light[5] == 3  # what is negative stays white
    words = [text.get_text() for text in ax.texts]
    assert {"one", "two", "weights", "falls", "a", "b", "c", "d"} == set(words)


def test_choice_draws_a_mark_for_each_seed():
    scores = {"last": [40, 50], "max": [90, 95]}
    trunks = {"LSTM": scores, "no recurrence": {pool: np.array(s) - 20 for pool, s in scores.items()}}
    axes = figures.plot_choice({"exists": trunks, "final": trunks}, {"exists": 50, "final": 25})
    assert [ax.get_title(loc="left") for ax in axes] == ["exists", "final"]
    points = sorted(x for line in axes[0].lines[1:] for x in line.get_xdata())
    assert points == [20, 30, 40, 50, 70, 75, 90, 95]
    assert list(axes[1].lines[0].get_xdata()) == [25, 25]  # guessing
    assert [label.get_text() for label in axes[0].get_yticklabels()] == ["last", "max"]


def test_curves_over_something_have_their_median_and_their_spread():
    runs = np.array([[1.0, 2.0, 3.0], [2.0, 2.0, 2.0], [6.0, 4.0, 5.0]])
    ax = figures.plot_over([0, 1, 2], {"mean": runs}, legend=True, xlabel="place")
    assert list(ax.lines[0].get_ydata()) == [2, 2, 3] and ax.get_xlabel() == "place"
    (band,) = ax.collections
    assert band.get_paths()[0].vertices[:, 1].max() == 6 and band.get_paths()[0].vertices[:, 1].min() == 1


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"values of 'abc' must have shape \(1, 3\), got \(1, 2\)"):
        figures.plot_letters(["abc"], [np.ones((1, 2))], [""], {"weights": "lstm"})
    with pytest.raises(ValueError, match=r"curves\['max'\] must have shape \(S, 3\), got \(2, 2\)"):
        figures.plot_over([0, 1, 2], {"max": np.ones((2, 2))})


def test_the_key_names_the_pools_in_order():
    fig, _ = plt.subplots()
    figures.pool_key(fig, ("mean", "last"))
    assert [text.get_text() for text in fig.legends[0].get_texts()] == ["mean", "last"]
