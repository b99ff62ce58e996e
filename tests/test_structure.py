"""The files of the package import what stands below them, the twins mirror each other, public names have examples."""

import ast
import doctest
import inspect
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lstm_tutorial import in_numpy, in_torch, notebook, validation
from lstm_tutorial.data import corpora, tasks, text
from lstm_tutorial.in_torch import after_lstm

PACKAGE = Path(validation.__file__).parent
# Each may import from those before it.
SHARED = {"validation"}
ORDER = ["activations", "padding", "layers", "pooling", "cell", "sequence", "lstm", "fast", "rnn", "variants", "gru"]
ORDER += [
    "attention_pooling",
    "topologies",
    "one_to_many",
    "encoder_decoder",
    "dependency_matrix",
    "scan",
    "after_lstm",
]
ORDER += ["training"]


def imports(path):
    """Return the modules of the package that a file imports, as dotted names below lstm_tutorial."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("lstm_tutorial"):
            found.add(node.module.removeprefix("lstm_tutorial").lstrip("."))
        elif isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
    return found


@pytest.mark.parametrize("twin", ["in_numpy", "in_torch"])
def test_each_file_of_a_twin_imports_only_what_stands_below_it(twin):
    files = sorted((PACKAGE / twin).glob("*.py"))
    assert len(files) > 4
    for path in files:
        if path.name == "__init__.py":
            continue
        allowed = SHARED | {f"{twin}.{name}" for name in ORDER[: ORDER.index(path.stem)]}
        rooms = SHARED | {"in_numpy", "in_torch", "data", "figures", "exercises"}
        ours = {name for name in imports(path) if name.split(".")[0] in rooms}
        assert ours <= allowed, f"{path.name} imports {sorted(ours - allowed)}"


def test_the_numpy_side_runs_without_torch_and_the_base_needs_only_numpy_and_tqdm():
    code = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"torch", "matplotlib", "IPython", "threadpoolctl"}:
            raise ImportError(name)
sys.meta_path.insert(0, Refuse())
import lstm_tutorial, lstm_tutorial.in_numpy, lstm_tutorial.exercises, lstm_tutorial.data.tasks, lstm_tutorial.notebook
assert len(lstm_tutorial.exercises.exercises()) > 90
assert "torch" not in sys.modules
import numpy as np
lstm_tutorial.in_numpy.LSTM(2, 3)(np.ones((4, 5, 2)))
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    code = "import sys, lstm_tutorial; assert not {'numpy', 'torch'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_twins_mirror_each_other():
    only_numpy = set(in_numpy.__all__) - set(in_torch.__all__)
    backward = {name for name in only_numpy if name.endswith("_backward")}
    bare = {"sigmoid", "sigmoid_slope", "softmax", "tanh", "tanh_slope", "Layer", "Linear", "Embedding", "FastLSTM"}
    assert only_numpy - backward == bare
    assert set(in_torch.__all__) - set(in_numpy.__all__) == {"Attention", "EncoderDecoder", "dependency_matrix"}
    pools = ["last_pool", "max_pool", "mean_pool", "weighted_pool", "position_weights", "decay_weights"]
    for name in ("LSTM", "RNN", "GRU", "LSTMVariant", "AttentionPool", "attention_weights", *pools):
        ours, theirs = (inspect.signature(getattr(twin, name)) for twin in (in_numpy, in_torch))
        assert ours == theirs
    functions = ["lstm_cell", "forget_gate", "update_cell_state", "lstm_sequence", "rnn_cell", "gru_cell"]
    for name in (*functions, "cross_entropy", "fit", "linear_scan"):
        ours, theirs = (list(inspect.signature(getattr(twin, name)).parameters) for twin in (in_numpy, in_torch))
        assert ours == theirs, name
    assert inspect.signature(in_numpy.FastLSTM) == inspect.signature(in_numpy.LSTM)
    files = [{path.stem for path in (PACKAGE / twin).glob("*.py")} for twin in ("in_numpy", "in_torch")]
    assert files[0] - files[1] == {"activations", "layers", "fast"}
    # In torch alone: what goes beyond the LSTM, and is not exported from the package either, stands in after_lstm.
    assert files[1] - files[0] == {"encoder_decoder", "dependency_matrix", "after_lstm"}


@pytest.mark.parametrize("module", [in_numpy, in_torch, after_lstm, tasks, validation, text, corpora])
def test_every_public_function_has_a_doctest(module):
    names = getattr(module, "__all__", None)
    if names is None:
        names = [n for n, v in vars(module).items() if inspect.isroutine(v) and v.__module__ == module.__name__]
    names = [name for name in names if not name.startswith("_")]
    assert names
    for name in names:
        value = getattr(module, name)
        if isinstance(value, np.ufunc) or not value.__module__.startswith("lstm_tutorial") or name == "Gates":
            continue
        assert any(test.examples for test in doctest.DocTestFinder(recurse=False).find(value, name)), name


def test_a_notebook_starts_seeded_reads_a_study_and_glues_a_number(tmp_path, monkeypatch, capsys):
    assert notebook.start(3).random() == np.random.default_rng(3).random()
    (tmp_path / "experiments/results").mkdir(parents=True)
    (tmp_path / "experiments/results/toy.json").write_text(json.dumps({"results": {"mse": 0.25}}))
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    assert notebook.study("toy")["results"] == {"mse": 0.25}
    with pytest.raises(FileNotFoundError, match=r"name must be a study with results in experiments.results.none.json"):
        notebook.study("none")
    notebook.glue("mse", 0.25)
    assert "mse: 0.25" in capsys.readouterr().out
