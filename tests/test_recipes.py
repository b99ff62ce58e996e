"""Each recipe is short, needs nothing of the course, proves itself, and stands whole on the page."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "book" / "recipes.md").read_text(encoding="utf-8")
RECIPES = sorted((ROOT / "book" / "recipes").glob("*.py"))
EXPORTS = {"export", "foreign_weights"}  # wholly or in part about ONNX, for which the release tier has packages
MODULES = {"torch", "numpy", "onnx", "onnxruntime", "onnxscript"} | sys.stdlib_module_names


def run(path, folder):
    """Run a program in a process of its own, which sees neither the repository nor other variables than it needs."""
    variables = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    variables |= {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "HOME") if name in os.environ}
    return subprocess.run([sys.executable, path], cwd=folder, env=variables, capture_output=True, text=True)


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_is_short_and_needs_nothing_of_the_course(path):
    text = path.read_text(encoding="utf-8")
    nodes = list(ast.walk(ast.parse(text)))
    modules = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    modules |= {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
    assert text.count("\n# Proof") == 1
    assert {name.partition(".")[0] for name in modules} <= MODULES
    assert sum(isinstance(node, ast.Assert) for node in nodes) >= 2
    documented = [node for node in nodes if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)]
    words = [ast.get_docstring(node) or "" for node in documented]
    assert words[0].endswith(".") and "\n" not in words[0], "it begins with one sentence"
    lines = [line for line in text.splitlines() if line.strip()]
    assert 20 <= len(lines) - sum(len(each.splitlines()) for each in words) <= 60


def test_the_page_shows_each_recipe_whole_and_its_table_leads_to_each():
    section = r"^\(sec-recipes-([\w-]+)\)=\n## .*?^```\{literalinclude\} (\S+)\n(.*?)```$"
    places = re.findall(section, PAGE, re.M | re.S)
    names = [name for name, _, _ in places]
    assert sorted(names) == [path.stem.replace("_", "-") for path in RECIPES]
    for name, file, options in places:
        assert (file, options) == (f"recipes/{name.replace('-', '_')}.py", ":language: python\n")
    linked = re.findall(r"^\| .* \| \{ref\}`.* <sec-recipes-(.*)>` \|$", PAGE, re.M)
    assert list(dict.fromkeys(linked)) == names, "each has a row, and they are in the order of the page"


@pytest.mark.slow
@pytest.mark.parametrize("path", [path for path in RECIPES if path.stem != "export"], ids=lambda path: path.stem)
def test_a_recipe_proves_itself(path, tmp_path):
    ran = run(path, tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert list(tmp_path.iterdir()) == [], "it leaves nothing behind"


@pytest.mark.release
@pytest.mark.parametrize("path", [path for path in RECIPES if path.stem in EXPORTS], ids=lambda path: path.stem)
def test_a_recipe_about_onnx_proves_itself_with_its_packages(path, tmp_path):
    ran = run(path, tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert "skipped" not in ran.stdout


WRONG = [  # a recipe, a line of it, and what people write instead
    ("ragged_batches", "pool[self.lengths[pool].argsort()].split", "pool.split"),
    ("ragged_batches", "padding_value=0", "padding_value=1"),
    ("last_valid_step", "lengths - 1]\n\n", "-1]\n\n"),
    ("last_valid_step", "h_n[-directions:]", "h_n[-1:]"),
    ("masked_loss", "targets != IGNORED).sum()", "targets != 0).sum()"),
    ("masked_loss", "(prediction[valid] - target[valid])", "((prediction - target) * valid)"),
    ("masked_pooling", "valid.sum(dim=1, keepdim=True)", "h.shape[1]"),
    ("masked_pooling", "scores.masked_fill(~valid, -torch.inf)", "scores"),
    ("truncated_bptt", "state = tuple(part.detach()", "state = tuple(part"),
    ("truncated_bptt", "lstm(x_part, state)", "lstm(x_part)"),
    ("streaming", "(x[:, None], self.state)", "(x[:, None])"),
    ("streaming", "lstm.eval(), head.eval()", "lstm, head"),
    ("forecast_intervals", "QUANTILES * error, (QUANTILES - 1) * error", "-QUANTILES * error, (1 - QUANTILES) * error"),
    ("forecast_intervals", "past[:, -1, None, None] + change", "change"),
    ("rare_classes", "(1 - y).sum(dim=0) / y.sum(dim=0)", "y.sum(dim=0) / (1 - y).sum(dim=0)"),
    ("rare_classes", "f1((scores >= least).float(), truth)", "((scores >= least) == truth).float().mean()"),
    ("early_stopping_resume", "key: p.clone()", "key: p"),
    ("early_stopping_resume", 'torch.set_rng_state(run["rng"])', "pass"),
    ("early_stopping_resume", "parts = model, optimizer, scheduler", "parts = (model,)"),
    ("tagging", "right[tags != PAD]", "right"),
    ("tagging", "lengths.cpu()", "torch.full_like(lengths, T)"),
    ("generation", "before >= top_p", "before + ordered > top_p"),
    ("generation", "model(symbol, state)", "model(symbol)"),
    ("gradient_accumulation", 'reduction="sum"', 'reduction="mean"'),
    ("gradient_accumulation", "steps = sum(len(y) for y in tags)", "steps = len(tags)"),
    ("mixed_precision", "scaler.unscale_(optimizer)", "pass"),
    ("mixed_precision", ".to(device)  # the weights", ".to(device, dtype)  # the weights"),
    ("export", "register_lstm_while_loop_decomposition(), torch.no_grad()", "torch.no_grad()"),
    ("export", 'f"{path}.onnx", dynamic_shapes=axes', 'f"{path}.onnx"'),
    ("foreign_weights", '"iofg"', '"ifgo"'),
    ("foreign_weights", "bias_hh=np.zeros_like(bias)", "bias_hh=bias"),
    ("calibration", "fit_temperature(valid, y_valid)", "fit_temperature(model(x).detach(), y)"),
    ("calibration", "inside.float().mean() * gap", "gap"),
]


@pytest.mark.release
@pytest.mark.parametrize("name, right, wrong", WRONG, ids=lambda text: None if " " in text else text)
def test_a_recipe_done_wrong_fails_its_proof(name, right, wrong, tmp_path):
    text = (ROOT / "book" / "recipes" / f"{name}.py").read_text(encoding="utf-8")
    assert text.count(right) == 1
    (tmp_path / "wrong.py").write_text(text.replace(right, wrong), encoding="utf-8")
    assert "Error" in run(tmp_path / "wrong.py", tmp_path).stderr
