"""Every stored notebook is worth running: run once from top to bottom, clean, readable, and able to fail.

That its outputs are still true is nbval's part (`make test` runs it over `notebooks/`).
"""

import copy
import re
from base64 import b64decode, b64encode
from pathlib import Path

import nbformat
import pytest

import first_cell

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted(path for path in (ROOT / "notebooks").rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts)
LONGEST_CELL = 30
WIDEST = 88  # of a printed line; notebooks/ruff.toml says the same of code
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:root|home|Users|work|tmp|opt|usr|var|mnt)/|\b[A-Z]:\\")
METADATA = {"tags", "mystnb", "slideshow", "collapsed", "jupyter", "editable"}


def texts(outputs):
    """Everything in the outputs that is read as text: pictures are left out."""
    for output in outputs:
        yield output.get("text", "")
        yield "\n".join(output.get("traceback", []))
        for kind, data in output.get("data", {}).items():
            if not kind.startswith("image/") or kind == "image/svg+xml":
                yield data if isinstance(data, str) else str(data)


def is_packed(output):
    """Say of a PNG whether it has a table of colours, and pixels for fine screens, two for each that is shown."""
    head = b64decode(output["data"]["image/png"][:44])
    shown = output.metadata.get("image/png", {}).get("width", 10**6)
    return head[25] == 3 and int.from_bytes(head[16:20], "big") >= 2 * shown


def problems(notebook):
    """What is wrong with a notebook, as a list of sentences: empty when nothing is."""
    found = []
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    code = [cell for cell in code if cell.id != first_cell.ID]  # it is not run where the package is
    counts = [cell.execution_count for cell in code]
    if None in counts:
        found.append("a cell has not been run")
    elif counts != list(range(1, len(code) + 1)):
        found.append("the cells were not run once each, from top to bottom")
    if not any("assert " in cell.source or "nbval-check-output" in cell.metadata.get("tags", []) for cell in code):
        found.append("no checked cell: neither an assert nor the tag nbval-check-output")
    if set(notebook.metadata) - {"kernelspec"} or notebook.metadata.get("kernelspec", {}).get("name") != "python3":
        found.append(f"metadata other than the kernel python3: {sorted(notebook.metadata)}")
    for number, cell in enumerate(notebook.cells):
        where = f"cell {number}"
        if set(cell.metadata) - METADATA:
            found.append(f"{where}: metadata to clean: {sorted(set(cell.metadata) - METADATA)}")
        if cell.cell_type != "code":
            continue
        tags = cell.metadata.get("tags", [])
        if any("scrapbook" in output.get("metadata", {}) for output in cell.outputs):
            before = [each.source for each in notebook.cells[:number] if each.cell_type == "markdown"]
            heading = max((k for k, text in enumerate(before) if text.startswith("#")), default=0)
            if "hide-output" not in tags or not re.search("umbers? for the page", "\n".join(before[heading:])):
                found.append(f"{where}: numbers for the page, not folded (hide-output) or not said to be so before")
        if any(len(line) > WIDEST for output in cell.outputs for line in output.get("text", "").splitlines()):
            found.append(f"{where}: a printed line of more than {WIDEST} letters, which scrolls in the book")
        if len(cell.source.splitlines()) > LONGEST_CELL:
            found.append(f"{where}: more than {LONGEST_CELL} lines")
        if any(output.output_type == "error" for output in cell.outputs):
            found.append(f"{where}: a stored error")
        if any(output.get("name") == "stderr" for output in cell.outputs):
            found.append(f"{where}: a stored warning or progress bar (stderr)")
        if any(MACHINE_PATH.search(text) for text in texts(cell.outputs)):
            found.append(f"{where}: a machine's path in an output")
        checked = "nbval-check-output" in tags
        if checked and not cell.outputs:
            found.append(f"{where}: nbval-check-output, but no stored output to compare with")
        if any("image/png" in output.get("data", {}) and not is_packed(output) for output in cell.outputs):
            found.append(f"{where}: a picture that is not packed for fine screens: make notebooks")
        if any(kind.startswith("image/") for output in cell.outputs for kind in output.get("data", {})):
            shown = cell.metadata.get("mystnb", {})
            if not shown.get("image", {}).get("alt"):
                found.append(f"{where}: a figure without alternative text (mystnb.image.alt)")
            if not shown.get("figure", {}).get("caption"):
                found.append(f"{where}: a figure without a caption (mystnb.figure.caption)")
    return found


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.relative_to(ROOT / "notebooks").as_posix())
def test_stored_notebook_is_clean_and_can_fail(path):
    assert problems(nbformat.read(path, as_version=4)) == []


@pytest.mark.parametrize("path", [p for p in NOTEBOOKS if p.parent.name == "exercises"], ids=lambda path: path.stem)
def test_workbook_holds_untouched_exercises_with_hints_in_three_tiers(path):
    cells = nbformat.read(path, as_version=4).cells
    starts = [cell.source for cell in cells if "{exercise-start}" in cell.source]
    assert len(starts) >= 6
    for start in starts:
        assert re.search(r":label: ex-[a-z0-9-]+", start), start
        folds = re.findall(r"<summary>(.*?)</summary>", start)
        assert folds == ["Hint 1", "Hint 2", "Hint 3", "When it is right: what to try next"], start
        # JupyterLab shows roles raw.
        assert not re.search(r"\{(ref|numref|doc|eq|cite|cite:\w|term|glue:\w+)\}`", start), start
    stubs = [cell for cell in cells if cell.cell_type == "code" and re.search(r"^check\(\w+\)$", cell.source, re.M)]
    assert len(stubs) == len(starts)
    for stub in stubs:
        assert "return ..." in stub.source, stub.source
        assert "not attempted yet" in "\n".join(texts(stub.outputs)), stub.source


def png(colours=3, width=20):
    """Return how a PNG begins, in base64, and something that looks like a path, as may be in it."""
    head = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + width.to_bytes(4, "big") + b"\0\0\0\x0a\x08" + bytes([colours])
    return b64encode(head.ljust(33, b"\0")).decode() + "/tmp/aaaa"


def small_notebook():
    """A notebook with nothing wrong: a checked cell and a captioned figure."""
    v4 = nbformat.v4
    checked = v4.new_code_cell("1 + 1", execution_count=1, metadata={"tags": ["nbval-check-output"]})
    checked.outputs = [v4.new_output("execute_result", {"text/plain": "2"}, execution_count=1)]
    figure = v4.new_code_cell("plt.show()", execution_count=2)
    figure.metadata["mystnb"] = {"figure": {"name": "fig-x", "caption": "A line."}, "image": {"alt": "A line."}}
    figure.outputs = [v4.new_output("display_data", {"image/png": png(), "text/plain": "<Figure>"})]
    figure.outputs[0].metadata["image/png"] = {"width": 10, "height": 5}
    kernel = {"name": "python3", "display_name": "Python 3"}
    return v4.new_notebook(cells=[checked, figure], metadata={"kernelspec": kernel})


def unrun(notebook):
    notebook.cells[1].execution_count = None


def run_out_of_order(notebook):
    notebook.cells[0].execution_count = 7


def stored_error(notebook):
    notebook.cells[0].outputs = [nbformat.v4.new_output("error", ename="ValueError", evalue="x", traceback=["x"])]


def stored_warning(notebook):
    notebook.cells[0].outputs.append(nbformat.v4.new_output("stream", name="stderr", text="UserWarning"))


def path_in_output(notebook):
    notebook.cells[0].outputs[0].data["text/plain"] = "'/home/someone/lstm'"


def nothing_checked(notebook):
    notebook.cells[0].metadata["tags"] = []


def nothing_to_compare(notebook):
    notebook.cells[0].outputs = []


def figure_without_alt(notebook):
    del notebook.cells[1].metadata["mystnb"]["image"]


def figure_without_caption(notebook):
    del notebook.cells[1].metadata["mystnb"]["figure"]


def figure_of_all_colours(notebook):
    notebook.cells[1].outputs[0].data["image/png"] = png(colours=6)


def coarse_figure(notebook):
    notebook.cells[1].outputs[0].data["image/png"] = png(width=10)


def long_cell(notebook):
    notebook.cells[0].source = "1 + 1\n" * (LONGEST_CELL + 1)


def wide_line(notebook):
    notebook.cells[0].outputs.append(nbformat.v4.new_output("stream", text="a" * (WIDEST + 1)))


def numbers_unfolded(notebook):
    shown = {"application/papermill.record/text/plain": "1"}
    record = nbformat.v4.new_output("display_data", data=shown, metadata={"scrapbook": {"name": "one"}})
    notebook.cells[0].outputs.append(record)


def timings_left(notebook):
    notebook.cells[0].metadata["execution"] = {"iopub.execute_input": "2020-01-01"}


def another_kernel(notebook):
    notebook.metadata["kernelspec"]["name"] = "my-env"


@pytest.mark.parametrize(
    "spoil, words",
    [
        (unrun, "has not been run"),
        (run_out_of_order, "from top to bottom"),
        (stored_error, "a stored error"),
        (stored_warning, "stderr"),
        (path_in_output, "a machine's path"),
        (nothing_checked, "no checked cell"),
        (nothing_to_compare, "no stored output"),
        (figure_without_alt, "alternative text"),
        (figure_without_caption, "caption"),
        (figure_of_all_colours, "not packed"),
        (coarse_figure, "fine screens"),
        (long_cell, "more than"),
        (wide_line, "scrolls"),
        (numbers_unfolded, "not folded"),
        (timings_left, "metadata to clean"),
        (another_kernel, "kernel python3"),
    ],
)
def test_each_fault_is_refused(spoil, words):
    good = small_notebook()
    assert problems(good) == []
    bad = copy.deepcopy(good)
    spoil(bad)
    assert any(words in problem for problem in problems(bad)), problems(bad)


@pytest.mark.parametrize("path", sorted((ROOT / "book" / "solutions").glob("*.md")), ids=lambda path: path.stem)
def test_every_solution_names_its_common_wrong_turn(path):
    folds = path.read_text(encoding="utf-8").split(":::{dropdown} Show one solution")[1:]
    assert len(folds) >= 6
    for fold in folds:
        assert "{literalinclude}" in fold and "**The common wrong turn.**" in fold.split("\n:::\n")[0], fold
