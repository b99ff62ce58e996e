"""The pictures of the prose pages, by the name of their file; `draw.py` draws them.

A picture is a function that returns axes. One that shows measurements names their study, is given the study's file as
a dict, and is left out until there is one:

    @figure("memory-gradient", study="memory")
    def memory_gradient(study):
        return figures.plot_gradient_by_lag(study["results"]["lags"], ...)

A plot is drawn twice, the second time for a narrow screen: as high, and narrow. Where that is not enough, as with
panels side by side, the function takes `narrow` and lays itself out. A drawing on a `canvas` has letters large enough
for both, or takes `narrow` as well.
"""

import inspect
import textwrap

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import LogFormatter

FIGURES = {}
NARROW = 4.9  # inches: on a phone, where it takes the whole screen, a point is about a pixel
ENDING = "-narrow"


def figure(name, study=None):
    """Register a picture under its file's name, an SVG if it has no ending, and with it the study it needs."""

    def register(draw):
        FIGURES[name] = (draw, study)
        return draw

    return register


def pictures(name, study=None):
    """Yield the files' names and the figures of a picture: the wide one, then the narrow one where there is one."""
    make, given = FIGURES[name][0], [] if study is None else [study]
    wide = np.ravel(make(*given))[0].figure
    takes, plot = "narrow" in inspect.signature(make).parameters, wide.get_layout_engine() is not None
    yield name if "." in name else f"{name}.svg", wide
    if "." not in name and not name.startswith("play-") and (takes or plot):
        figure = np.ravel(make(*given, **(dict(narrow=True) if takes else {})))[0].figure
        if plot:
            figure.set_size_inches(NARROW, figure.get_figheight())
            for ax in figure.axes:
                fit(ax)
        yield f"{name}{ENDING}.svg", figure
    plt.close("all")


def fit(ax):
    """Have what is written on the axes of a narrow plot fit: long names folded, exponents no smaller than words."""
    for axis in (ax.xaxis, ax.yaxis):
        if "\n" not in (words := axis.label.get_text()):
            axis.label.set_text(textwrap.fill(words, 38))
        if axis.get_scale() == "log" and isinstance(axis.get_major_formatter(), LogFormatter):
            axis.set_tick_params(labelsize=12.5)
