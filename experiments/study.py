"""What every study shares: `save` writes its results beside how they were made.

A study is a script in this folder. `make studies STUDY=name` runs `experiments/name.py`, which ends with
`save("name", {...}, seeds=[...])`. A page or a lab reads the file back with `lstm_tutorial.notebook.study("name")`.
"""

import json
import os
import platform
import re
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np

RESULTS = Path(__file__).parent / "results"


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
