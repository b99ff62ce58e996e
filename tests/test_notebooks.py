"""Every stored notebook is worth running: run once from top to bottom, clean, readable, and able to fail.

That its outputs are still true is nbval's part (`make test` runs it over `notebooks/`).
"""

import re
from pathlib import Path

import nbformat
import pytest
from nbformat import v4

import first_cell

ROOT = Path(__file__).parents[1]
NOTEBOOKS = first_cell.notebooks()
LONGEST_CELL = 30
WIDEST = 88  # of a printed line; notebooks/ruff.toml says the same of code
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:root|home|Users|work|tmp|opt|usr|var|mnt)/|\b[A-Z]:\\")
METADATA = {"tags", "mystnb", "slideshow", "collapsed", "jupyter", "editable"}


def texts(outputs):
    """Yield everything in the outputs that is read as text: pictures are left out."""
    for output in outputs:
        yield output.get("text", "")
        for kind, data in output.get("data", {}).items():
            if not kind.startswith("image/") or kind == "image/svg+xml":
                yield data if isinstance(data, str) else str(data)


def problems(notebook):
    """Return what is wrong with a notebook, as a list of sentences: empty when nothing is."""
    found = []
    # The first cell installs the package where it is missing; here it is not run.
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source and cell.id != first_cell.ID]
    if [cell.execution_count for cell in code] != list(range(1, len(code) + 1)):
        found.append("the cells were not run once each, from top to bottom")
    if not any("assert " in cell.source or "nbval-check-output" in cell.metadata.get("tags", []) for cell in code):
        found.append("no checked cell: neither an assert nor the tag nbval-check-output")
    if set(notebook.metadata) - {"kernelspec"} or notebook.metadata.get("kernelspec", {}).get("name") != "python3":
        found.append(f"metadata other than the kernel python3: {sorted(notebook.metadata)}")
    for number, cell in enumerate(notebook.cells):
        faults = {f"metadata to clean: {sorted(set(cell.metadata) - METADATA)}": set(cell.metadata) - METADATA}
        if cell.cell_type == "code":
            outputs, shown, tags = cell.outputs, cell.metadata.get("mystnb", {}), cell.metadata.get("tags", [])
            lines = [line for output in outputs for line in output.get("text", "").splitlines()]
            picture = any(kind.startswith("image/") for output in outputs for kind in output.get("data", {}))
            record = any("scrapbook" in output.get("metadata", {}) for output in outputs)
            faults |= {
                f"more than {LONGEST_CELL} lines": len(cell.source.splitlines()) > LONGEST_CELL,
                f"a printed line of more than {WIDEST} letters": any(len(line) > WIDEST for line in lines),
                "a stored error": any(output.output_type == "error" for output in outputs),
                "a stored warning or progress bar (stderr)": any(o.get("name") == "stderr" for o in outputs),
                "a machine's path in an output": any(MACHINE_PATH.search(text) for text in texts(outputs)),
                "nbval-check-output, but no stored output": "nbval-check-output" in tags and not outputs,
                "numbers for the page that are not folded (hide-output)": record and "hide-output" not in tags,
                "no alternative text (mystnb.image.alt)": picture and not shown.get("image", {}).get("alt"),
                "no caption (mystnb.figure.caption)": picture and not shown.get("figure", {}).get("caption"),
            }
        found += [f"cell {number}: {fault}" for fault, there in faults.items() if there]
    return found


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.relative_to(ROOT / "notebooks").as_posix())
def test_stored_notebook_is_clean_and_can_fail(path):
    assert problems(nbformat.read(path, as_version=4)) == []


@pytest.mark.parametrize("path", [p for p in NOTEBOOKS if p.parent.name == "exercises"], ids=lambda path: path.stem)
def test_workbook_holds_untouched_exercises_with_hints_in_three_tiers(path):
    cells = nbformat.read(path, as_version=4).cells
    starts = [cell.source for cell in cells if "{exercise-start}" in cell.source]
    for start in starts:
        folds = re.findall(r"<summary>(.*?)</summary>", start)
        assert folds == ["Hint 1", "Hint 2", "Hint 3", "When it is right: what to try next"], start
        # JupyterLab shows roles raw.
        assert not re.search(r"\{(ref|numref|doc|eq|cite|cite:\w|term|glue:\w+)\}`", start), start
    stubs = [cell for cell in cells if cell.cell_type == "code" and re.search(r"^check\(\w+\)$", cell.source, re.M)]
    assert len(stubs) == len(starts) >= 6
    for stub in stubs:
        assert "return ..." in stub.source, stub.source
        assert "not attempted yet" in "\n".join(texts(stub.outputs)), stub.source
    assert cells[-1].source == "from lstm_tutorial.exercises import progress\n\nprogress()"


def small_notebook():
    """Return a notebook with nothing wrong: a checked cell and a captioned figure."""
    checked = v4.new_code_cell("1 + 1", execution_count=1, metadata={"tags": ["nbval-check-output"]})
    checked.outputs = [v4.new_output("execute_result", {"text/plain": "2"}, execution_count=1)]
    figure = v4.new_code_cell("plt.show()", execution_count=2)
    figure.metadata["mystnb"] = {"figure": {"name": "fig-x", "caption": "A line."}, "image": {"alt": "A line."}}
    figure.outputs = [v4.new_output("display_data", {"image/png": "/tmp/ is no path here", "text/plain": "<Figure>"})]
    return v4.new_notebook(cells=[checked, figure], metadata={"kernelspec": {"name": "python3", "display_name": "3"}})


RECORD = {"data": {"application/papermill.record/text/plain": "1"}, "metadata": {"scrapbook": {"name": "one"}}}
SPOILED = {  # what is wrong: how to make it so
    "once each": lambda one, figure, whole: figure.update(execution_count=None),
    "top to bottom": lambda one, figure, whole: one.update(execution_count=7),
    "a stored error": lambda one, figure, whole: one.outputs.append(v4.new_output("error", traceback=["x"])),
    "stderr": lambda one, figure, whole: one.outputs.append(v4.new_output("stream", name="stderr", text="careful")),
    "a machine's path": lambda one, figure, whole: one.outputs[0].data.update({"text/plain": "'/home/me/lstm'"}),
    "no checked cell": lambda one, figure, whole: one.metadata.update(tags=[]),
    "no stored output": lambda one, figure, whole: one.update(outputs=[]),
    "alternative text": lambda one, figure, whole: figure.metadata["mystnb"].pop("image"),
    "caption": lambda one, figure, whole: figure.metadata["mystnb"].pop("figure"),
    "more than 30 lines": lambda one, figure, whole: one.update(source="1 + 1\n" * 31),
    "more than 88 letters": lambda one, figure, whole: one.outputs.append(v4.new_output("stream", text="a" * 89)),
    "not folded": lambda one, figure, whole: one.outputs.append(v4.new_output("display_data", **RECORD)),
    "to clean": lambda one, figure, whole: one.metadata.update(execution={"iopub.execute_input": "2020-01-01"}),
    "kernel python3": lambda one, figure, whole: whole.metadata["kernelspec"].update(name="my-env"),
}


@pytest.mark.parametrize("words", SPOILED)
def test_each_fault_is_refused(words):
    assert problems(small_notebook()) == []
    bad = small_notebook()
    SPOILED[words](*bad.cells, bad)
    assert len(problems(bad)) == 1 and words in problems(bad)[0]


@pytest.mark.parametrize("path", sorted((ROOT / "book" / "solutions").glob("*.md")), ids=lambda path: path.stem)
def test_every_solution_names_its_common_wrong_turn(path):
    folds = path.read_text(encoding="utf-8").split(":::{dropdown} Show one solution")[1:]
    assert len(folds) >= 6
    for fold in folds:
        assert "{literalinclude}" in fold and "**The common wrong turn.**" in fold.split("\n:::\n")[0], fold
