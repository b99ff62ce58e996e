"""What every study shares: the protocol of a comparison, and how its results are written down.

A study is a script in this folder. `make studies STUDY=name` runs `experiments/name.py`, which ends with
`save("name", {...}, seeds=[...])`. A page or a lab reads the file back with `lstm_tutorial.notebook.study("name")`.

Whatever is chosen is chosen on validation data: `split` or `streams` keep three sets apart, `search` gives every
contender the same tries, `fit_early` stops where validation is best. `run` does all this on several cores, and goes on
where it was cut off. `paired` and `share` give the intervals.
"""

import hashlib
import importlib
import json
import os
import platform
import re
import sys
from importlib.metadata import version
from pathlib import Path

import joblib
import numpy as np
from scipy import stats
from threadpoolctl import threadpool_limits

HERE = Path(__file__).resolve().parent
RESULTS, CACHE = HERE / "results", HERE / "cache"


def streams(seed):
    """Return three generators, for training, validation and test data that a task draws afresh."""
    return [np.random.default_rng([seed, k]) for k in range(3)]


def split(groups, seed, shares=(0.6, 0.2, 0.2)):
    """Return the indices of training, validation and test: no two of them share a group (a name, a speaker).

    Examples
    --------
    >>> [each.tolist() for each in split(["a", "a", "b", "c", "d", "e"], seed=0)]
    [[0, 1, 3, 4], [5], [2]]
    """
    names, group = np.unique(groups, return_inverse=True)
    ends = np.round(np.cumsum(shares) * len(names)).astype(int)[:-1]
    parts = np.split(np.random.default_rng(seed).permutation(len(names)), ends)
    return [np.flatnonzero(np.isin(group, part)) for part in parts]


def run(function, settings, folder=None, jobs=-1):
    """Call `function(**setting)` for each of the settings on all cores; yield the results in their order.

    A result is kept on disk under its arguments and the `fingerprint` of the source, so that a study that was cut off
    goes on where it stood. Each process uses one thread. Where the environment variable SCHEDULER has the address of a
    Dask scheduler, `tcp://...`, its workers do the work; each needs this repository, the same Python packages, and
    `experiments` in its PYTHONPATH.

    Parameters
    ----------
    function : callable
        Stands at the top of a module.
    settings : sequence of dict
    folder : path, optional
        Where results are kept; without it `experiments/cache`, which git ignores.
    jobs : int
        How many processes; -1: one a core.
    """
    if function.__module__ == "__main__":  # import it by name, so that other processes keep what it caches
        study = importlib.import_module(Path(sys.modules["__main__"].__file__).stem)
        function = getattr(study, function.__qualname__)
    files = sources()
    mark = fingerprint(files)
    keys = [joblib.hash((function.__qualname__, setting, mark)) for setting in settings]
    paths = [Path(folder or CACHE) / f"{key}.pickle" for key in keys]
    if address := os.environ.get("SCHEDULER"):
        return _run_on_cluster(
            address, function, settings, paths, [str(f.relative_to(HERE.parent)) for f in files], mark
        )
    calls = [joblib.delayed(_kept)(function, setting, path) for setting, path in zip(settings, paths)]
    return joblib.Parallel(jobs, return_as="generator")(calls)


def _kept(function, setting, path):
    """Return the result that was kept, or find and keep it."""
    if path.exists():
        return joblib.load(path)
    one_thread()
    return _keep(function(**setting), path)


def _keep(result, path):
    """Write a result whole or not at all, and return it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}")
    joblib.dump(result, draft)
    draft.replace(path)
    return result


def _run_on_cluster(address, function, settings, paths, files, mark):
    """Yield the results in their order; what is not kept yet is found by the workers of a Dask cluster, and kept here.

    The scheduler gives the task of a worker that died to another one.
    """
    from distributed import Client, as_completed
    from tqdm import tqdm

    with Client(address) as client:
        due = {
            client.submit(_on_worker, function, setting, files, mark, key=path.stem): path
            for setting, path in zip(settings, paths)
            if not path.exists()
        }
        for future, result in tqdm(as_completed(list(due), with_results=True), total=len(due), desc=function.__name__):
            _keep(result, due[future])
    yield from map(joblib.load, paths)


def _on_worker(function, setting, files, mark):
    """Return the result of one setting, if the worker has the same source."""
    if fingerprint([HERE.parent / file for file in files]) != mark:
        raise RuntimeError(f"the source of {HERE.parent} on the worker must be that of the study, but it differs")
    one_thread()
    return function(**setting)


def sources(root=HERE.parent):
    """Return the source files of the repository that are loaded."""
    files = {Path(module.__file__).resolve() for module in sys.modules.values() if getattr(module, "__file__", None)}
    folders = [root / "experiments", root / "lstm_tutorial"]
    return sorted(file for file in files if file.is_file() and any(folder in file.parents for folder in folders))


def fingerprint(files):
    """Return a digest of source files: another line, another digest."""
    return hashlib.sha256(b"".join(Path(file).read_bytes() for file in files)).hexdigest()


def one_thread():
    """Let every library of linear algebra, and torch where it has been imported, use one thread."""
    threadpool_limits(1)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


def search(function, contenders, tries, seed, **options):
    """Return for each contender the try with the lowest validation score: the same tries for all, on one seed.

    Parameters
    ----------
    function : callable
        `function(contender=..., seed=..., **try)` returns the validation score; lower is better.
    contenders : sequence
    tries : sequence of dict
    seed : int
        One that is not among those of the comparison.
    **options
        For `run`.

    Returns
    -------
    dict
        By contender: what was `chosen`, and the `scores` of all tries.
    """
    settings = [dict(contender=contender, seed=seed) | each for contender in contenders for each in tries]
    scores = np.reshape(list(run(function, settings, **options)), (len(contenders), len(tries)))
    return {name: {"chosen": tries[np.argmin(row)], "scores": row} for name, row in zip(contenders, scores)}


def fit_early(update, validate, budget, every, patience, keep=None):
    """Call `update()` until validation has not improved for `patience` checks, at most `budget` times.

    Parameters
    ----------
    update, validate : callable
        A step of training; the validation score, lower is better. It is checked after `every` updates.
    keep : callable, optional
        Called whenever the score is the best so far: store the weights.

    Returns
    -------
    dict
        The `best` score, `at` which update, the `curve` of all scores, and whether the budget `ended` the training
        while it still improved.
    """
    curve, best = [], 0
    for count in range(1, budget + 1):
        update()
        if count % every:
            continue
        curve.append(float(validate()))
        if curve[-1] < curve[best] or len(curve) == 1:
            best = len(curve) - 1
            if keep:
                keep()
        if len(curve) - 1 - best >= patience:
            return {"best": curve[best], "at": (best + 1) * every, "curve": curve, "ended": False}
    return {"best": curve[best], "at": (best + 1) * every, "curve": curve, "ended": True}


def still_falling(losses):
    """Say whether the last quarter of a curve is lower than the quarter before by 1% and two standard errors."""
    before, after = np.array_split(np.asarray(losses, dtype=float), 4)[2:]
    noise = np.sqrt(before.var() / before.size + after.var() / after.size)
    return bool(before.mean() - after.mean() > max(2 * noise, 0.01 * before.mean()))


def paired(a, b, level=0.95):
    """Return the mean of the differences a - b of the same seeds or splits, with its t interval.

    Examples
    --------
    >>> {name: round(value, 2) for name, value in paired([3, 4, 5, 6], [1, 3, 3, 5]).items()}
    {'mean': 1.5, 'low': 0.58, 'high': 2.42}
    """
    difference = np.subtract(a, b, dtype=float)
    mean, half = difference.mean(), stats.t.ppf((1 + level) / 2, difference.size - 1) * stats.sem(difference)
    return {"mean": float(mean), "low": float(mean - half), "high": float(mean + half)}


def share(successes, n):
    """Return a share of successes with its Wilson interval (95%).

    Examples
    --------
    >>> {name: round(value, 2) for name, value in share(20, 20).items()}
    {'share': 1.0, 'low': 0.84, 'high': 1.0}
    """
    interval = stats.binomtest(int(successes), int(n)).proportion_ci(method="wilson")
    return {"share": successes / n, "low": float(interval.low), "high": float(interval.high)}


def save(name, results, seeds=None, folder=RESULTS, command=None):
    """Write `results` (numbers, strings, lists, arrays, dicts of them) to `results/<name>.json`.

    Floats are kept to six significant digits. Beside the results stand the command, the seeds, the versions and the
    machine, but no date: a study run again on the same machine differs only in what it measured anew. A number that
    is not finite is refused (`ValueError`): say in words what happened, or store None.
    """
    record = {
        "study": name,
        "command": command or f"make studies STUDY={name}",
        "seeds": None if seeds is None else [int(seed) for seed in seeds],
        "versions": {"python": platform.python_version(), "numpy": np.__version__}
        | ({"torch": version("torch")} if "torch" in sys.modules else {}),
        "machine": _machine(),
        "results": _plain(results),
    }
    text = json.dumps(record, indent=1, allow_nan=False, ensure_ascii=False)
    # A list of numbers on a line of its own, not a line a number.
    text = re.sub(r"\[\n\s*([^\[\]{}]*?)\s*\]", lambda match: "[" + re.sub(r"\n\s*", " ", match[1]) + "]", text)
    path = Path(folder) / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text + "\n", encoding="utf-8")
    print(f"{name}: saved to {path.parent.name}/{path.name}")
    return record


def _plain(value):
    """The same value in what JSON knows."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(f"{float(value):.6g}")
    return value


def _machine():
    """The processor and how much of it a study used, in words."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = re.findall(r"model name\s*: (.+)", cpuinfo.read_text())
        model = names[0] if names else model
    threads = os.environ.get("OMP_NUM_THREADS", "all")
    return f"{model}, {os.cpu_count()} cores, {threads} thread(s) for linear algebra, {platform.system()}"
