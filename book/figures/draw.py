"""Draw the pictures of the pages into `book/drawn`: `python book/figures/draw.py`.

Those of a module are drawn again when something that they are made from has changed, and those of modules that are
named (`draw.py gates fast`) in any case. `registry.py` says how a picture is added.
"""

import hashlib
import json
import os
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

from registry import FIGURES, READ, ROOT, read

HERE = Path(__file__).resolve().parent
DRAWN = HERE.with_name("drawn")

# On top of the course's style: a picture is as wide as the page's column, and on a phone its letters are half as large.
PAGE = {"figure.figsize": (7.5, 4), "font.size": 13, "axes.titlesize": 14, "axes.labelsize": 13, "axes.labelpad": 7}
PAGE |= {"xtick.labelsize": 13, "ytick.labelsize": 13, "legend.fontsize": 13, "savefig.dpi": "figure"}
WITH_EXPONENTS = 18.6  # an exponent or an index is 0.7 times as large


def modules(folder=HERE):
    """Return the files of a folder that hold pictures."""
    return [path for path in sorted(folder.glob("*.py")) if path.stem not in ("draw", "registry")]


def load(path):
    """Run a module of pictures and return it; what it registers stands in `FIGURES`."""
    module = ModuleType(f"pictures_{path.stem}")
    module.__file__ = str(path)
    # From its source: Python's cache of bytecode misses a change within a second that keeps the file's size.
    exec(compile(path.read_text(encoding="utf-8"), path, "exec"), module.__dict__)
    return module


def figures_of(path):
    """Yield the files' names and the matplotlib figures of a module's pictures."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    import numpy as np
    from matplotlib.ticker import LogFormatter

    from lstm_tutorial.figures import use_course_style

    use_course_style()
    plt.rcParams.update(PAGE)
    FIGURES.clear()
    load(path)
    for name, (make, study) in FIGURES.items():
        results = [json.loads(read(f"experiments/results/{study}.json"))] if study else []
        figure = np.ravel(make(*results))[0].figure
        for ax in figure.axes:
            for axis in (ax.xaxis, ax.yaxis):
                if axis.get_scale() == "log" and isinstance(axis.get_major_formatter(), LogFormatter):
                    axis.set_tick_params(labelsize=WITH_EXPONENTS)
        yield name, figure
        plt.close(figure)


def draw_module(path, folder):
    """Draw a module's pictures; write down what they were made from, and return the number of pictures."""
    READ.clear()
    names = []
    with tempfile.TemporaryDirectory(dir=folder) as fresh:  # so that nobody finds half a picture
        for name, figure in figures_of(path):
            names.append(name)
            figure.savefig(Path(fresh, name), metadata={"Software": None} if name.endswith(".png") else {"Date": None})
        for name in names:
            os.replace(Path(fresh, name), folder / name)
        files = [Path(module.__file__) for module in list(sys.modules.values()) if getattr(module, "__file__", None)]
        files = [file for file in files if file.is_relative_to(ROOT / "lstm_tutorial")]
        files += [path, HERE / "draw.py", HERE / "registry.py", *(ROOT / "lstm_tutorial").rglob("*.mplstyle")]
        inputs = sorted({os.path.relpath(file, ROOT) for file in files} | READ)
        note = {"inputs": inputs, "fingerprint": fingerprint(inputs), "drawn": names}
        Path(fresh, "stamp").write_text(json.dumps(note, indent=1), encoding="utf-8")
        os.replace(Path(fresh, "stamp"), stamp(path, folder))
    return len(names)


def stamp(path, folder):
    """Return the file that says what the pictures of a module were made from."""
    return folder / f"{path.stem}.stamp"


def fingerprint(inputs):
    """Return a number for the contents of files, given by their paths in the repository, and matplotlib's version."""
    digest = hashlib.sha256(version("matplotlib").encode())
    for path in inputs:
        digest.update(path.encode())
        digest.update((ROOT / path).read_bytes())
    return digest.hexdigest()


def current(path, folder):
    """Return the names of a module's pictures where they stand in the folder and nothing has changed, else None."""
    try:
        note = json.loads(stamp(path, folder).read_text(encoding="utf-8"))
        same = note["fingerprint"] == fingerprint(note["inputs"])
    except (OSError, ValueError):
        return None
    return note["drawn"] if same and all((folder / name).exists() for name in note["drawn"]) else None


def draw(names=(), source=HERE, folder=DRAWN):
    """Draw what is named or has changed, all cores at work; remove pictures that are no more; return what was drawn."""
    folder.mkdir(exist_ok=True)
    paths = modules(source)
    if unknown := set(names) - {path.stem for path in paths}:
        raise SystemExit(f"There is no module {', '.join(sorted(unknown))} in {source}.")
    due = [path for path in paths if path.stem in names or current(path, folder) is None]
    if due:
        with ProcessPoolExecutor(min(len(due), os.cpu_count())) as pool:
            for path, count in zip(due, pool.map(draw_module, due, [folder] * len(due))):
                print(f"drawn: {path.stem}, {count} pictures")
    kept = {name for path in paths for name in [stamp(path, folder).name, *(current(path, folder) or [])]}
    for path in folder.iterdir():
        if path.is_file() and path.name not in kept:
            path.unlink(missing_ok=True)
    return [path.stem for path in due]


if __name__ == "__main__":
    if not draw(sys.argv[1:]):
        print("Nothing has changed since the pictures were drawn.")
