"""Run notebooks in place, each in a kernel of its own, no bars: `make notebooks`."""

import os
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from tqdm import tqdm

from first_cell import put_in, take_out

os.environ["TQDM_DISABLE"] = "1"  # for the kernels; the bar below was told before
os.environ["LSTM_TUTORIAL_PROGRESS"] = ""  # what is stored is seen before all solving
for path in (bar := tqdm([Path(name) for name in sys.argv[1:]])):
    bar.set_description(path.stem)
    notebook = nbformat.read(path, as_version=4)
    # what a cell prints comes in pieces that depend on timing; in one it is the same
    options = {"coalesce_streams": True, "timeout": 600, "kernel_name": "python3"}
    take_out(notebook)  # the package is here
    resources = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, resources=resources, **options).execute()
    put_in(notebook)
    nbformat.write(notebook, path)
