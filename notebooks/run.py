"""Run notebooks in place, each in a kernel of its own, and leave the bars of long trainings out: `make notebooks`."""

import os
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from tqdm import tqdm

from first_cell import put_in, take_out

os.environ["TQDM_DISABLE"] = "1"  # for the kernels; the bar below was told before
os.environ["LSTM_TUTORIAL_PROGRESS"] = ""  # what is stored is what somebody sees who has solved nothing
for path in (bar := tqdm([Path(name) for name in sys.argv[1:]])):
    bar.set_description(path.stem)
    notebook = nbformat.read(path, as_version=4)
    # what a cell prints comes in pieces that depend on timing; stored in one piece it is the same every time
    options = {"coalesce_streams": True, "timeout": 600, "kernel_name": "python3"}
    take_out(notebook)  # the package is here
    NotebookClient(notebook, resources={"metadata": {"path": str(path.parent)}}, **options).execute()
    put_in(notebook)
    nbformat.write(notebook, path)
