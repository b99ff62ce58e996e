"""Run notebooks in place, each in a kernel of its own, no bars: `make notebooks`.

Pictures are stored with 256 colours: a third of the bytes, and to the eye the same.
"""

import os
import sys
from base64 import b64decode, b64encode
from io import BytesIO
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from PIL import Image
from tqdm import tqdm

from first_cell import put_in, take_out


def pack(picture):
    """Return a PNG, in base64, with 256 colours."""
    image, packed = Image.open(BytesIO(b64decode(picture))).convert("RGB"), BytesIO()
    image.quantize(256, dither=Image.Dither.NONE).save(packed, "PNG", optimize=True)
    return b64encode(packed.getvalue()).decode()


def pack_all(notebook):
    outputs = [each for cell in notebook.cells for each in cell.get("outputs", [])]
    for data in (each.data for each in outputs if "image/png" in each.get("data", {})):
        data["image/png"] = pack(data["image/png"])


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
    pack_all(notebook)
    put_in(notebook)
    nbformat.write(notebook, path)
