"""How a picture of a page is added: by a function in the module that bears its chapter's name, `cell_state.py`.

The function returns axes 7.5 inches wide, on which no letter is smaller than 13 points: so it can be read on a phone
and in print. `draw.py` sets the letters of plots; a drawing on a `canvas` sets its own. One that shows measurements
names their study and is given its file as a dict:

    @figure("memory-gradient", study="memory")
    def memory_gradient(study):
        return figures.plot_gradient_by_lag(study["results"]["lags"], ...)

The page then shows `drawn/memory-gradient.svg`. No list has to be kept: `draw.py` finds every module of this folder.
"""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FIGURES = {}
READ = set()


def figure(name, study=None):
    """Register a picture under its file's name, an SVG if it has no ending, and with it the study it needs."""

    def register(draw):
        FIGURES[name if "." in name else f"{name}.svg"] = (draw, study)
        return draw

    return register


def read(path):
    """Return the text of a file of the repository, and note that the pictures depend on it."""
    READ.add(str(path))
    return (ROOT / path).read_text(encoding="utf-8")
