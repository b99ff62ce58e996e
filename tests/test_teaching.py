"""What teachers hand out holds no solutions and runs; what students hand in gets the marks it earns from nbgrader."""

import ast
import csv
import os
import re
import subprocess
import sys
import zipfile
from functools import cache
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from statements import statements, unindented

import assignment
import handout as packing

ROOT = Path(__file__).parents[1]
EXERCISES = ROOT / "notebooks" / "exercises"
# nbgrader calls a program that was installed with it. A short time for answers that never end.
ENVIRONMENT = os.environ | {
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    "LSTM_TUTORIAL_SECONDS": "5",
}


def run(*command, cwd=ROOT):
    """Run a Python command and return what it printed; fail with that if it fails."""
    done = subprocess.run([sys.executable, *command], cwd=cwd, capture_output=True, text=True, env=ENVIRONMENT)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


# The handout


@pytest.fixture(scope="module")
def handout(tmp_path_factory):
    """The handout, unpacked; the zip lies beside it."""
    folder = tmp_path_factory.mktemp("handout")
    run("teaching/handout.py", "--target", folder / "handout.zip")
    with zipfile.ZipFile(folder / "handout.zip") as packed:
        packed.extractall(folder)
    return folder / "lstm-handout"


def bodies():
    """Yield the name and the statements of every function among the solutions."""
    for path in sorted((ROOT / "book" / "solutions").glob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef):
                yield node.name, statements(ast.unparse(node)).partition("\n")[2]


def pieces(folder):
    """Yield name and statements of everything in a folder that holds Python."""
    for path in folder.rglob("*"):
        if path.suffix == ".py":
            yield path.relative_to(folder).as_posix(), statements(path.read_text(encoding="utf-8"))
        if path.suffix == ".ipynb":
            for cell in nbformat.read(path, as_version=4).cells:
                code = statements(cell.source) if cell.cell_type == "code" else unindented(cell.source)
                yield path.relative_to(folder).as_posix(), code


def test_handout_holds_every_notebook_and_no_solution(handout):
    names = {path.relative_to(handout).as_posix() for path in handout.rglob("*") if path.is_file()}
    notebooks = {path.relative_to(ROOT).as_posix() for path in (ROOT / "notebooks").rglob("*.ipynb")}
    assert {name for name in notebooks if ".ipynb_checkpoints" not in name} == {n for n in names if ".ipynb" in n}
    assert names >= {"README.md", "LICENSE", "pyproject.toml", "constraints.txt", "lstm_tutorial/data/cities.csv.gz"}
    assert [name for name in names if re.search("solution|wrong|^tests|^book|progress|__pycache__|/[.]", name)] == []


def test_handout_holds_no_body_of_a_solution(handout):
    texts = list(pieces(handout))
    found = [
        (solution, name)
        for solution, body in bodies()
        for name, text in texts
        if f"\n{body}\n" in f"\n{text}\n"
        # the package computes what the checks expect, and so it may say in one line what a solution says in one
        and ("\n" in body or not name.startswith("lstm_tutorial/"))
    ]
    assert found == []


def test_a_link_to_the_book_leads_to_a_sentence(handout):
    links = 0
    for path in (handout / "notebooks").rglob("*.ipynb"):
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "markdown":
                for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", cell.source):
                    assert (path.parent / target).is_file(), f"{path}: {target}"
                    links += target.endswith("WHERE-IS-THE-BOOK.md")
    assert links >= len(list(EXERCISES.glob("*.ipynb")))


def test_links_lead_to_the_books_address_where_there_is_one():
    notebook = nbformat.read(EXERCISES / "gates.ipynb", as_version=4)
    packing.turn_links(notebook, "https://example.org/lstm/", "NOTE.md")
    assert "(https://example.org/lstm/book/solutions/gates.html)" in notebook.cells[0].source
    assert "NOTE.md" not in notebook.cells[0].source and "(../" not in notebook.cells[0].source


def test_the_same_files_give_the_same_handout(handout, tmp_path):
    packing.main("", tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == (handout.parent / "handout.zip").read_bytes()


def test_a_workbook_with_an_answer_in_it_is_not_handed_out(tmp_path):
    notebook = nbformat.read(EXERCISES / "gates.ipynb", as_version=4)
    nbformat.write(filled(notebook, {"forget_gate": answers("gates")["forget_gate"]}), tmp_path / "gates.ipynb")
    for refuses in (lambda path: packing.notebook_bytes(path, "", "gates.ipynb"), assignment.assignment):
        with pytest.raises(SystemExit, match="forget_gate holds an answer"):
            refuses(tmp_path / "gates.ipynb")


@pytest.mark.slow
def test_notebooks_of_the_handout_run_with_its_package(handout, tmp_path):
    install = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    run(*install, "--target", tmp_path, handout)
    for name in ("notebooks/gates.ipynb", "notebooks/exercises/gates.ipynb"):
        notebook = nbformat.read(handout / name, as_version=4)
        notebook.cells.append(nbformat.v4.new_code_cell("import lstm_tutorial\n\nprint(lstm_tutorial.__file__)"))
        where = {"metadata": {"path": str((handout / name).parent)}}
        client = NotebookClient(notebook, resources=where, timeout=600, kernel_name="python3")
        client.execute(env=ENVIRONMENT | {"PYTHONPATH": str(tmp_path)})
        assert notebook.cells[-1].outputs[0].text.startswith(str(tmp_path))


# Grading: submissions as students hand them in


@cache
def answers(stem):
    """Return, for each exercise of a chapter, a cell that answers it: imports, helpers, solution, check."""
    nodes = ast.parse((ROOT / "book" / "solutions" / f"{stem}.py").read_text(encoding="utf-8")).body[1:]
    names = [name for name, _ in stubs(nbformat.read(EXERCISES / f"{stem}.ipynb", as_version=4))]
    by_name = {getattr(node, "name", node): ast.unparse(node) for node in nodes}
    others = "\n".join(source for name, source in by_name.items() if name not in names)
    return {name: f"{others}\n\n\n{by_name[name]}\n\n\ncheck({name})" for name in names}


def stubs(notebook):
    """Yield the name of each exercise and the cell that holds its stub."""
    for cell in notebook.cells:
        if cell.cell_type == "code" and (found := re.search(r"^check\((\w+)\)\Z", cell.source, re.M)):
            yield found[1], cell


def filled(notebook, sources):
    """Put sources into the cells of stubs, as a student would."""
    for name, cell in stubs(notebook):
        cell.source = sources.get(name, cell.source)
    return notebook


def good(right):
    return right, len(right)


def partial(right):
    """Half of them; the first warns and writes to standard error, which nbgrader takes for a failure of a cell."""
    first, *_ = half = list(right)[::2]
    body = f"print('hm', file=sys.stderr)\n    warnings.warn('oh')\n    return right_{first}(*inputs)"
    before = f"import sys\nimport warnings\n\n{right[first]}\n\nright_{first} = {first}"
    return {name: right[name] for name in half} | {first: written(first, body, before=before)}, len(half)


def untouched(right):
    return {}, 0


def written(name, body, before="", after=""):
    """Return a cell that writes its function in this way."""
    return f"{before}\n\n\ndef {name}(*inputs):\n    {body}\n\n\n{after}\ncheck({name})"


def broken(right):
    """One cell that cannot import what it wants, one that is no Python; the others are right."""
    first, *_, last = right
    no_module = written(first, "return 0", before="import a_module_that_nobody_has")
    return right | {first: no_module, last: written(last, "return (")}, len(right) - 2


def endless(right):
    first = next(iter(right))
    return right | {first: written(first, "while True: pass")}, len(right) - 1


def check_overwritten(right):
    """One answer that is wrong, and right by the student's own check; one that is right."""
    first, second, *_ = right
    forged = "from lstm_tutorial.exercises import Result, engine\nimport lstm_tutorial\n\n\ndef check(answer):\n"
    forged += "    return Result(answer.__name__, True, True, 'right, on 12 random inputs.')\n\n\n"
    forged += "lstm_tutorial.exercises.check = engine.check = check\nResult.points = 1"
    return {first: written(first, "return 0", after=forged), second: right[second]}, 1


def grading_deleted(right):
    """Right, but the cells that grade are gone from the notebook."""
    return right, len(right)


SUBMISSIONS = [
    *(("gates", student) for student in (good, partial, untouched, broken, endless, check_overwritten)),
    *(("pytorch-lstm", student) for student in (grading_deleted, untouched)),
]


@pytest.fixture(scope="module")
def grades(tmp_path_factory):
    """Hand out, collect and grade, for real; return earned and greatest score by chapter and student."""
    course = tmp_path_factory.mktemp("course")
    stems = sorted({stem for stem, _ in SUBMISSIONS})
    run("teaching/assignment.py", *(EXERCISES / f"{stem}.ipynb" for stem in stems), "--course", course)
    for stem, student in SUBMISSIONS:
        notebook = nbformat.read(course / "release" / stem / f"{stem}.ipynb", as_version=4)
        if student is grading_deleted:
            notebook.cells = [cell for cell in notebook.cells if not cell.get("id", "").startswith("points-")]
        folder = course / "submitted" / student.__name__ / stem
        folder.mkdir(parents=True)
        nbformat.write(filled(notebook, student(answers(stem))[0]), folder / f"{stem}.ipynb")
    for stem in stems:
        run("-m", "nbgrader", "autograde", stem, cwd=course)
    run("-m", "nbgrader", "export", cwd=course)
    with open(course / "grades.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {(row["assignment"], row["student_id"]): (float(row["score"]), float(row["max_score"])) for row in rows}


@pytest.mark.slow
@pytest.mark.parametrize("stem, student", SUBMISSIONS, ids=lambda each: getattr(each, "__name__", each))
def test_nbgrader_gives_what_was_earned(grades, stem, student):
    right = answers(stem)
    assert grades[stem, student.__name__] == (student(right)[1], len(right))


@pytest.mark.slow
def test_every_solution_is_right_where_the_check_was_imported_anew():
    """As the cells that grade do it: the classes that a solution uses are then not those that the check knows."""
    code = """
import importlib.util, sys
from pathlib import Path

wrong = []
for path in sorted(Path("book/solutions").glob("*.py")):
    spec = importlib.util.spec_from_file_location(path.stem.replace("-", "_"), path)
    solutions = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(solutions)
    for name in [name for name in sys.modules if name.startswith("lstm_tutorial")]:
        del sys.modules[name]
    from lstm_tutorial.exercises import check, exercises

    names = [name for name, exercise in exercises().items() if exercise.chapter == path.stem]
    wrong += [result for name in names if not (result := check(getattr(solutions, name)))]
print(wrong)
"""
    assert run("-c", code).strip() == "[]"
