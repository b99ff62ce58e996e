"""What teachers hand out holds no solutions and runs; what students hand in gets the marks it earns from nbgrader."""

import ast
import csv
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import assignment
import handout

ROOT = Path(__file__).parents[1]
GATES = ROOT / "notebooks" / "exercises" / "gates.ipynb"
SOLUTIONS = sorted((ROOT / "book" / "solutions").glob("*.py"))
FILES = sorted(handout.files())
# nbgrader calls a program that was installed with it. A short time for answers that never end.
PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
ENVIRONMENT = os.environ | {"PATH": PATH, "LSTM_TUTORIAL_SECONDS": "5"}


def run(*command, cwd=ROOT):
    """Run a Python command and return what it printed; fail with that if it fails."""
    done = subprocess.run([sys.executable, *command], cwd=cwd, capture_output=True, text=True, env=ENVIRONMENT)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def read(path):
    return nbformat.read(path, as_version=4)


def statements(source):
    """Return Python statements as text without comments, docstrings, kinds of quotes and indentation."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return unindented(ast.unparse(tree))


def unindented(text):
    return "\n".join(line.strip() for line in text.splitlines() if line.strip())


def answers():
    """Return, for each exercise of the chapter gates, a cell that answers it: imports, helpers, solution, check."""
    nodes = ast.parse((ROOT / "book" / "solutions" / "gates.py").read_text(encoding="utf-8")).body[1:]
    names = list(filter(None, map(handout.exercise, read(GATES).cells)))
    by_name = {getattr(node, "name", node): ast.unparse(node) for node in nodes}
    others = "\n".join(source for name, source in by_name.items() if name not in names)
    return {name: f"{others}\n\n\n{by_name[name]}\n\n\ncheck({name})" for name in names}


def filled(notebook, sources):
    """Put sources into the cells of stubs, as a student would."""
    for cell in notebook.cells:
        cell.source = sources.get(handout.exercise(cell), cell.source)
    return notebook


# What is handed out


def test_the_handout_has_every_notebook_and_no_solution():
    names = {path.relative_to(ROOT).as_posix() for path in FILES}
    notebooks = {path.relative_to(ROOT).as_posix() for path in (ROOT / "notebooks").rglob("*.ipynb")}
    assert {name for name in notebooks if ".ipynb_checkpoints" not in name} == {n for n in names if ".ipynb" in n}
    assert names >= {"LICENSE", "pyproject.toml", "constraints.txt", "lstm_tutorial/data/cities.csv.gz"}
    assert [name for name in names if re.search("solution|wrong|^tests|^book|progress|__pycache__|/[.]", name)] == []


def test_no_body_of_a_solution_is_in_the_handout():
    texts = [(path, statements(path.read_text(encoding="utf-8"))) for path in FILES if path.suffix == ".py"]
    for path in (path for path in FILES if path.suffix == ".ipynb"):
        for cell in read(path).cells:
            texts.append((path, statements(cell.source) if cell.cell_type == "code" else unindented(cell.source)))
    for solutions in SOLUTIONS:
        for node in ast.parse(solutions.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef):
                body = statements(ast.unparse(node)).partition("\n")[2]
                found = [path for path, text in texts if f"\n{body}\n" in f"\n{text}\n"]
                if "\n" not in body:  # the package computes what the checks expect, which may be said in one line
                    found = [path for path in found if "lstm_tutorial" not in path.parts]
                assert found == [], node.name


def test_links_to_the_book_lead_to_its_address_or_to_a_note():
    for path in (path for path in FILES if path.suffix == ".ipynb"):
        notebook = read(path)
        handout.turn_links(notebook, "", "NOTE")
        text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
            assert target == "NOTE" or (path.parent / target).resolve() in FILES, f"{path}: {target}"
    notebook = read(GATES)
    handout.turn_links(notebook, "https://example.org/lstm/", "NOTE")
    assert "(https://example.org/lstm/book/solutions/gates.html)" in notebook.cells[0].source


def test_a_stub_gets_a_locked_cell_that_grades_it_and_an_answered_one_is_not_handed_out(tmp_path):
    cells = assignment.assignment(GATES).cells
    stubs = [k for k, cell in enumerate(cells) if handout.exercise(cell)]
    right = answers()
    assert [handout.exercise(cells[k]) for k in stubs] == list(right)
    for k, name in zip(stubs, right):
        stub, below = (cells[n].metadata["nbgrader"] for n in (k, k + 1))
        assert stub["solution"] and not stub["locked"] and below["grade"] and below["locked"] and below["points"] == 1
        assert cells[k + 1].source.endswith(f"check({name}).points")
    nbformat.write(filled(read(GATES), {"forget_gate": right["forget_gate"]}), tmp_path / "gates.ipynb")
    for refuses in (lambda path: handout.notebook_bytes(path, "", "gates.ipynb"), assignment.assignment):
        with pytest.raises(SystemExit, match="forget_gate holds an answer"):
            refuses(tmp_path / "gates.ipynb")


@pytest.mark.release
def test_notebooks_of_the_handout_run_with_its_package(tmp_path):
    for name in ("one.zip", "two.zip"):
        run("teaching/handout.py", "--target", tmp_path / name)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.zip") as packed:
        packed.extractall(tmp_path)
    folder, package = tmp_path / "lstm-handout", tmp_path / "package"
    assert (folder / "README.md").is_file() and (folder / handout.NOTE.name).is_file()
    install = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    run(*install, "--target", package, folder)
    for path in (folder / "notebooks" / "gates.ipynb", folder / "notebooks" / "exercises" / "gates.ipynb"):
        notebook = read(path)
        notebook.cells.append(nbformat.v4.new_code_cell("import lstm_tutorial\n\nprint(lstm_tutorial.__file__)"))
        where = {"metadata": {"path": str(path.parent)}}
        client = NotebookClient(notebook, resources=where, timeout=600, kernel_name="python3")
        client.execute(env=ENVIRONMENT | {"PYTHONPATH": str(package)})
        assert notebook.cells[-1].outputs[0].text.startswith(str(package))


# What is handed in: each student returns the cells that they fill, and the points that these earn


def good(right):
    return right, len(right)


def untouched(right):
    return {}, 0


def mixed(right):
    """One is right though it warns; others cannot import, are no Python, never end; the rest is right."""
    noisy, missing, broken, endless, *_ = right
    cell = "{before}\n\n\ndef {name}(*inputs):\n    {body}\n\n\ncheck({name})".format
    before = f"import sys\nimport warnings\n\n{right[noisy]}\n\nright = {noisy}"
    body = "print('hm', file=sys.stderr)\n    warnings.warn('oh')\n    return right(*inputs)"
    return right | {
        noisy: cell(name=noisy, before=before, body=body),
        missing: cell(name=missing, before="import a_module_that_nobody_has", body="return 0"),
        broken: cell(name=broken, before="", body="return ("),
        endless: cell(name=endless, before="", body="while True: pass"),
    }, len(right) - 3


def forging(right):
    """One answer that is wrong, and right by the student's own check; one that is right."""
    first, second, *_ = right
    forged = "from lstm_tutorial.exercises import Result, engine\nimport lstm_tutorial\n\n\ndef check(answer):\n"
    forged += "    return Result(answer.__name__, True, True, 'right, on 12 random inputs.')\n\n\n"
    forged += "lstm_tutorial.exercises.check = engine.check = check\nResult.points = 1"
    return {first: f"def {first}(*inputs):\n    return 0\n\n\n{forged}\ncheck({first})", second: right[second]}, 1


@pytest.mark.release
def test_nbgrader_gives_what_was_earned(tmp_path):
    run("teaching/assignment.py", GATES, "--course", tmp_path)
    right, students = answers(), (good, untouched, mixed, forging)
    for student in students:
        notebook = filled(read(tmp_path / "release" / "gates" / "gates.ipynb"), student(right)[0])
        if student is good:  # the cells that grade are put back where a student has deleted them
            notebook.cells = [cell for cell in notebook.cells if not cell.get("id", "").startswith("points-")]
        folder = tmp_path / "submitted" / student.__name__ / "gates"
        folder.mkdir(parents=True)
        nbformat.write(notebook, folder / "gates.ipynb")
    run("-m", "nbgrader", "autograde", "gates", cwd=tmp_path)
    run("-m", "nbgrader", "export", cwd=tmp_path)
    with open(tmp_path / "grades.csv", newline="", encoding="utf-8") as file:
        earned = {row["student_id"]: (float(row["score"]), float(row["max_score"])) for row in csv.DictReader(file)}
    assert earned == {student.__name__: (student(right)[1], len(right)) for student in students}


@pytest.mark.release
def test_every_solution_is_right_where_the_check_was_imported_again():
    """As the cells that grade do it: the classes that a solution uses are then not those that the check knows."""
    code = """
import runpy, sys

wrong = []
for path in sys.argv[1:]:
    solutions = runpy.run_path(path)
    for name in [name for name in sys.modules if name.startswith("lstm_tutorial")]:
        del sys.modules[name]
    from lstm_tutorial.exercises import check, exercises

    wrong += [result for name in exercises() if name in solutions and not (result := check(solutions[name]))]
print(wrong)
"""
    assert run("-c", code, *SOLUTIONS).strip() == "[]"
