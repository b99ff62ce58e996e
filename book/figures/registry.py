"""The pictures of the prose pages, by the name of their file; `draw.py` draws them.

A picture is a function that returns axes. One that shows measurements names their study, is given the study's file as
a dict, and is left out until there is one:

    @figure("memory-gradient", study="memory")
    def memory_gradient(study):
        return figures.plot_gradient_by_lag(study["results"]["lags"], ...)
"""

FIGURES = {}


def figure(name, study=None):
    """Register a picture under its file's name, an SVG if it has no ending, and with it the study it needs."""

    def register(draw):
        FIGURES[name] = (draw, study)
        return draw

    return register
