"""The first code cell of every notebook: it installs the package where it is missing.

Only from where it is known to be: by its name once the package is on PyPI, before that
from the repository that _config.yml names. Where there is neither, the cell says so: on
PyPI a name that is not ours may be anybody's.

`make notebooks` puts it in; `python notebooks/first_cell.py` does so in all notebooks
without running anything. It is not counted among the cells that were run, and the book
does not show it.
"""

import tomllib
from pathlib import Path

import nbformat
import yaml

ROOT = Path(__file__).parents[1]
ON_PYPI = False  # once the first release is there: True, and put the cell in again
EXTRA = "notebook"
ID = "install"
SOURCE = """\
# The course's package, where it is missing: on Colab, on Binder, or beside this file.
from importlib.util import find_spec

if not find_spec("lstm_tutorial"):
    {remedy}"""
INSTALL = """get_ipython().run_line_magic("pip", 'install --quiet "{requirement}"')"""
REFUSE = (
    'raise ModuleNotFoundError("lstm_tutorial is missing: see the page How to run it")'
)


def source(address=None):
    """Return the text of the cell.

    Parameters
    ----------
    address : str, optional
        Of the repository. Not given, it is the one in _config.yml, if that names one.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    name = project["project"]["name"]
    if address is None:
        config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
        address = (config.get("repository") or {}).get("url")
    where = "" if ON_PYPI else f" @ git+{address}"
    install = INSTALL.format(requirement=f"{name}[{EXTRA}]{where}")
    return SOURCE.format(remedy=install if ON_PYPI or address else REFUSE)


def notebooks():
    """Return the paths of all notebooks."""
    found = sorted(ROOT.glob("notebooks/**/*.ipynb"))
    return [path for path in found if ".ipynb_checkpoints" not in path.parts]


def take_out(notebook):
    """Remove the cell from a notebook, if it is there."""
    notebook.cells = [cell for cell in notebook.cells if cell.get("id") != ID]


def put_in(notebook):
    """Put the cell into a notebook, below its title, in place of an older one."""
    take_out(notebook)
    how = dict(id=ID, metadata={"tags": ["remove-cell"]})
    cell = nbformat.v4.new_code_cell(source(), **how)
    notebook.cells.insert(1, cell)


if __name__ == "__main__":
    for path in notebooks():
        notebook = nbformat.read(path, as_version=4)
        put_in(notebook)
        nbformat.write(notebook, path)
