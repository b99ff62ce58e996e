"""What every notebook of the course uses: its start, the results of studies, numbers for the page."""

import json
import sys
from importlib.resources import files
from pathlib import Path

import numpy as np


def start(seed=0):
    """Set the course's figure style and one thread, and return the notebook's random generator.

    Parameters
    ----------
    seed : int
        Seeds NumPy's generator that is returned, and torch's global one where torch has been imported.

    Returns
    -------
    numpy.random.Generator

    Notes
    -----
    At the sizes of this course two threads are slower than one, and they add numbers in another order. A notebook's
    pictures have twice the pixels, for screens with a high resolution, and are shown in the same size.
    """
    from threadpoolctl import threadpool_limits

    from lstm_tutorial import figures

    figures.use_course_style()
    threadpool_limits(1)
    if "torch" in sys.modules:
        import torch

        torch.set_num_threads(1)
        torch.manual_seed(seed)
    if "ipykernel" in sys.modules:
        from matplotlib_inline.backend_inline import set_matplotlib_formats

        set_matplotlib_formats("retina")
    return np.random.default_rng(seed)


def study(name):
    """Return the committed results of a study as a dict: `results`, `seeds`, `versions`, `machine`, `command`.

    Parameters
    ----------
    name : str
        The study's script and its results are `experiments/<name>.py` and `experiments/results/<name>.json`.

    Raises
    ------
    FileNotFoundError
        If no folder from here upwards holds the results, and neither does the package.

    Notes
    -----
    A package that was installed from a wheel contains the results, so that a notebook runs in any folder.
    """
    relative = Path("experiments", "results", f"{name}.json")
    places = [folder / relative for folder in (Path.cwd(), *Path.cwd().parents)]
    for place in (*places, files("lstm_tutorial") / "results" / relative.name):
        if place.is_file():
            return json.loads(place.read_text(encoding="utf-8"))
    raise FileNotFoundError(
        f"name must be a study with results in {relative}, found in no folder above {Path.cwd()} and not in the package"
    )


def spread(values, digits=1):
    """Return the median of the seeds' scores as a text, with the lowest and the highest in brackets.

    Examples
    --------
    >>> spread([97.2, 96.6, 97.4])
    '97.2 (96.6–97.4)'
    >>> spread([0.5, -0.5, 0])
    '0.0 (−0.5 to 0.5)'
    """
    middle, low, high = (f"{each:.{digits}f}".replace("-", "−") for each in np.quantile(values, [0.5, 0, 1]))
    return f"{middle} ({low} to {high})" if "−" in low else f"{middle} ({low}–{high})"


def interval(difference, digits=1):
    """Return a paired difference of a study, with the 95% interval of its mean in brackets, as a text.

    Examples
    --------
    >>> interval({"mean": -1.25, "low": -2.04, "high": -0.46})
    '−1.2 (−2.0 to −0.5)'
    """
    mean, low, high = (f"{difference[key]:.{digits}f}".replace("-", "−") for key in ("mean", "low", "high"))
    return f"{mean} ({low} to {high})"


def glue(name, value):
    """Show a value, and store it in the notebook so that a page can quote it.

    Parameters
    ----------
    name : str
        What the page calls it, in its role ``glue:text``: ``../notebooks/gates.ipynb::name:.2f``.
    value : float, int or str
        A rounded value: what is stored is compared when the notebook is tested.
    """
    from IPython.display import display

    print(f"{name}: {value}")
    mime = "application/papermill.record/"
    display({mime + "text/plain": repr(value)}, raw=True, metadata={"scrapbook": {"name": name, "mime_prefix": mime}})
