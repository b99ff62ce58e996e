"""Pack labs and workbooks for students, without solutions, into dist/lstm-handout.zip: `make handout`.

Links from a notebook to a page of the book lead to the book's address where one is given, else to a file that says
where to ask. The same files give the same bytes.
"""

import argparse
import ast
import re
import zipfile
from pathlib import Path, PurePosixPath

import nbformat

ROOT = Path(__file__).parents[1]
WHAT = {  # the folders that go in, and which files of them
    "lstm_tutorial": "*",
    "notebooks": "*.ipynb",
    "experiments/results": "*.json",  # the labs read them
    ".": ("pyproject.toml", "constraints.txt", "LICENSE", "CITATION.cff"),
}
STUDENTS = Path(__file__).with_name("students")  # lies at the top of the handout
NOTE = STUDENTS / "WHERE-IS-THE-BOOK.md"
LINK = re.compile(r"\]\((?:\.\./)+(book/[^)#]+)\.md(#[^)]*)?\)")


def main(book, target):
    """Write the zip; `book` is the address of the online book, or an empty string."""
    contents = {path.name: path.read_bytes() for path in STUDENTS.iterdir() if not (book and path == NOTE)}
    for path in files():
        name = path.relative_to(ROOT).as_posix()
        contents[name] = notebook_bytes(path, book, name) if path.suffix == ".ipynb" else path.read_bytes()
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w") as handout:
        for name in sorted(contents):
            entry = zipfile.ZipInfo(f"lstm-handout/{name}")  # dated 1980, so that the date is no input
            entry.external_attr = 0o644 << 16
            entry.create_system = 3
            handout.writestr(entry, contents[name], zipfile.ZIP_DEFLATED, compresslevel=9)
    print(f"{target}: {len(contents)} files, {target.stat().st_size / 1e6:.1f} MB")


def files():
    """Yield what goes in; nothing hidden and nothing that Python has compiled."""
    for folder, patterns in WHAT.items():
        for pattern in [patterns] if isinstance(patterns, str) else patterns:
            for path in (ROOT / folder).glob(pattern) if folder == "." else (ROOT / folder).rglob(pattern):
                parts = path.relative_to(ROOT).parts
                if path.is_file() and "__pycache__" not in parts and not any(part.startswith(".") for part in parts):
                    yield path


def notebook_bytes(path, book, name):
    """Return a notebook with its links turned; refuse one that holds an answer."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        refuse_answer(cell, path)
    up = "../" * (len(PurePosixPath(name).parts) - 1)
    turn_links(notebook, book, up + NOTE.name)
    return nbformat.writes(notebook).encode() + b"\n"


def turn_links(notebook, book, note):
    """Point links to pages of the book to its address, or to the note if there is none."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            to = rf"]({book.rstrip('/')}/\1.html\2)" if book else f"]({note})"
            cell.source = LINK.sub(to, cell.source)


def exercise(cell):
    """Return the id of the exercise whose stub a cell holds: the one that its last line checks. None without one."""
    found = re.search(r"^check\((\w+)\)\s*\Z", cell.source, re.M) if cell.cell_type == "code" else None
    return found and found[1]


def refuse_answer(cell, path):
    """Stop if a stub no longer returns `...`, or tuples of them: the one who hands out has done the exercise there."""
    name = exercise(cell)
    for node in ast.parse(cell.source).body if name else []:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            last = node.body[-1]
            values = last.value.elts if isinstance(getattr(last, "value", None), ast.Tuple) else [last]
            if not all(ast.unparse(value).removeprefix("return ") == "..." for value in values):
                raise SystemExit(f"{path}: {name} holds an answer; hand out the workbook as it was")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--book", default="", help="address of the online book, such as https://example.org/lstm")
    parser.add_argument("--target", type=Path, default=ROOT / "dist" / "lstm-handout.zip")
    main(**vars(parser.parse_args()))
