"""What is published holds together: workflows, versions, the package by itself, notebooks far from the repository."""

import copy
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from pathlib import Path

import nbformat
import pytest
import yaml

import first_cell
import lstm_tutorial

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
WORKFLOWS = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / ".github" / "workflows").glob("*.yml")}

# Workflows


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_names_what_is_there_and_may_only_read(name):
    workflow = yaml.safe_load(WORKFLOWS[name])
    assert workflow["permissions"] == {"contents": "read"}
    targets = set(re.findall(r"^([a-z-]+):.*##", MAKEFILE, re.M))
    commands = [step.get("run", "") for job in workflow["jobs"].values() for step in job.get("steps", [])]
    for command in commands:
        assert set(re.findall(r"\bmake ([a-z-]+)", command)) <= targets
        extras = {each for found in re.findall(r"\.\[([\w,]+)\]", command) for each in found.split(",")}
        assert extras <= set(PROJECT["optional-dependencies"])


def test_the_package_is_tested_on_every_declared_python():
    declared = [each.rpartition(" ")[2] for each in PROJECT["classifiers"] if ":: Python ::" in each]
    matrix = yaml.safe_load(WORKFLOWS["test.yml"])["jobs"]["package"]["strategy"]["matrix"]
    assert matrix["python"] == declared
    assert PROJECT["requires-python"] == f">={declared[0]}"


@pytest.mark.parametrize("name", ["test.yml", "release.yml"])
def test_what_the_pdf_needs_is_what_contributing_says(name):
    said = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").replace("\\\n", " ")
    said = re.search(r"apt install (texlive.*)", said)[1].split()
    assert set(said) <= set(WORKFLOWS[name].split())


def test_the_version_is_the_same_wherever_it_stands():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert PROJECT["version"] == lstm_tutorial.__version__ == citation["version"]


# The first code cell of each notebook

NOTEBOOKS = first_cell.notebooks()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.relative_to(ROOT / "notebooks").as_posix())
def test_every_notebook_installs_the_package_where_it_is_missing(path):
    again = "run `python notebooks/first_cell.py`"
    text = path.read_text(encoding="utf-8")
    notebook = nbformat.reads(text, as_version=4)
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    assert first.source == first_cell.source(), again
    assert first.metadata == {"tags": ["remove-cell"]} and first.execution_count is None and not first.outputs, again
    before = copy.deepcopy(notebook)
    first_cell.put_in(notebook)
    assert nbformat.writes(notebook) + "\n" == text, again
    first_cell.take_out(notebook)
    assert notebook.cells == [cell for cell in before.cells if cell is not before.cells[1]]


class Shell:
    """What stands in for IPython: it only notes what it is asked for."""

    def __init__(self):
        self.asked = []

    def run_line_magic(self, *magic):
        self.asked.append(magic)


@pytest.mark.parametrize("there", [True, False])
def test_the_first_cell_installs_only_what_is_missing(there, monkeypatch):
    shell = Shell()
    if not there:
        monkeypatch.setitem(sys.modules, "lstm_tutorial", None)  # as if there were none
    exec(first_cell.source("https://example.org/a/b"), {"get_ipython": lambda: shell})
    asked = f'install --quiet "{PROJECT["name"]}[{first_cell.EXTRA}] @ git+https://example.org/a/b"'
    assert shell.asked == ([] if there else [("pip", asked)])
    assert first_cell.EXTRA in PROJECT["optional-dependencies"]


def test_a_name_that_may_be_anybodys_is_not_installed(monkeypatch):
    exec(first_cell.source(""), {})  # the package is here
    monkeypatch.setitem(sys.modules, "lstm_tutorial", None)
    with pytest.raises(ModuleNotFoundError, match="lstm_tutorial is missing: see the page How to run it"):
        exec(first_cell.source(""), {})
    monkeypatch.setattr(first_cell, "ON_PYPI", True)
    shell = Shell()
    exec(first_cell.source("https://example.org/a/b"), {"get_ipython": lambda: shell})
    assert shell.asked == [("pip", f'install --quiet "{PROJECT["name"]}[{first_cell.EXTRA}]"')]


def test_the_notebooks_extra_brings_what_notebooks_import_and_setup_asks_for():
    brought = dict(re.fullmatch(r"([\w-]+)(?:>=([\d.]+))?", each).groups() for each in extra("notebook"))
    ours, found = {"lstm_tutorial"}, set()
    for path in NOTEBOOKS:
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "code":
                found |= set(re.findall(r"^ *(?:from|import) (\w+)", cell.source, re.M))
    distributions = {name.replace("sklearn", "scikit-learn") for name in found - set(sys.stdlib_module_names) - ours}
    assert distributions <= set(brought)
    needed = nbformat.read(ROOT / "notebooks" / "setup.ipynb", as_version=4)
    (needed,) = [found for cell in needed.cells for found in re.findall(r"NEEDED = (\{.*\})", cell.source)]
    asked = {name: ".".join(map(str, version)) for name, version in eval(needed).items()}
    assert asked.items() <= brought.items()


def extra(name):
    """Return what an extra brings, with what the package needs anyway."""
    return PROJECT["dependencies"] + PROJECT["optional-dependencies"][name]


@pytest.mark.slow
def test_the_book_does_not_show_the_first_cell(html):
    pages = [html / path.relative_to(ROOT).with_suffix(".html") for path in NOTEBOOKS]
    assert [page.name for page in pages if "where it is missing: on Colab" in page.read_text(encoding="utf-8")] == []


# The package by itself


def run(*command, cwd, **more):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, **more)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, made as `python -m build` makes it: from the unpacked source distribution."""
    folder = tmp_path_factory.mktemp("dist")
    hatch = [sys.executable, "-m", "hatchling", "build", "-d", folder]
    run(*hatch, "-t", "sdist", cwd=ROOT)
    shutil.unpack_archive(next(folder.glob("*.tar.gz")), folder)
    run(*hatch, "-t", "wheel", cwd=next(path for path in folder.iterdir() if path.is_dir()))
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def alone(wheel, tmp_path_factory):
    """The Python of a fresh environment that holds the wheel, and sees the packages of this one but not its course."""
    folder = tmp_path_factory.mktemp("alone")
    run(sys.executable, "-m", "venv", folder, cwd=folder)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    run(python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=folder)
    here = run(python, "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])", cwd=folder).strip()
    (Path(here) / "these.pth").write_text(sysconfig.get_paths()["purelib"] + "\n", encoding="utf-8")
    return python


@pytest.mark.release
def test_wheel_holds_the_data_and_the_results_and_nothing_of_the_workshop(wheel):
    with zipfile.ZipFile(wheel) as packed:
        names = set(packed.namelist())
        (metadata,) = [packed.read(name).decode() for name in names if name.endswith("/METADATA")]
    package = ROOT / "lstm_tutorial"
    wanted = {path.relative_to(ROOT).as_posix() for path in package.rglob("*") if path.suffix not in (".pyc", "")}
    wanted |= {f"lstm_tutorial/results/{path.name}" for path in (ROOT / "experiments" / "results").glob("*.json")}
    assert {name for name in names if ".dist-info/" not in name} == wanted
    assert sum("results" in name for name in wanted) > 10 and "lstm_tutorial/data/cities.csv.gz" in wanted
    needed = [line for line in metadata.splitlines() if line.startswith("Requires-Dist") and "extra ==" not in line]
    assert sorted(re.findall(r": ([a-z]+)", "\n".join(needed))) == ["numpy", "tqdm"]


COUNT = """
import numpy, lstm_tutorial
from lstm_tutorial.in_numpy import LSTM
from lstm_tutorial.notebook import study
output, state = LSTM(3, 4, rng=0)(numpy.zeros((10, 2, 3)))
print(lstm_tutorial.__file__, output.shape, len(study("gates")["results"]) > 2, sep="|")
"""


@pytest.mark.release
def test_the_wheel_alone_shows_progress_runs_an_lstm_and_reads_a_study(alone, tmp_path):
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("LSTM_", "PYTHONPATH"))}
    shown = run(alone, "-m", "lstm_tutorial", "progress", cwd=tmp_path, env=bare)
    assert "In all" in shown and "Next: " in shown
    file, shape, read = run(alone, "-c", COUNT, cwd=tmp_path, env=bare).strip().split("|")
    assert Path(file).is_relative_to(alone.parents[1]) and (shape, read) == ("(10, 2, 4)", "True")


RUN = """
import sys, nbclient, nbformat
notebook = nbformat.read(sys.argv[1], as_version=4)
notebook.cells.append(nbformat.v4.new_code_cell("import lstm_tutorial; print(lstm_tutorial.__file__)"))
nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
print(notebook.cells[-1].outputs[0].text)
"""


@pytest.mark.release
@pytest.mark.parametrize("name", ["gates", "exercises/gates"])
def test_a_notebook_runs_in_an_empty_folder_with_the_wheel_alone(alone, tmp_path, name):
    (tmp_path / "it.ipynb").write_bytes((ROOT / "notebooks" / f"{name}.ipynb").read_bytes())
    file = run(alone, "-c", RUN, "it.ipynb", cwd=tmp_path).strip()
    assert Path(file).is_relative_to(alone.parents[1])
