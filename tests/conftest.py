"""What all tests share: one thread, figures without a window, examples that are the same on every machine."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import matplotlib
import pytest
from filelock import FileLock
from hypothesis import settings

os.environ["LSTM_TUTORIAL_PROGRESS"] = ""  # what a test solves, nobody has solved
os.environ["TQDM_DISABLE"] = "1"  # for the notebooks' kernels: a bar is no output of a cell

matplotlib.use("Agg")

settings.register_profile("course", deadline=None, derandomize=True, database=None, print_blob=True)
settings.load_profile("course")


# With `--no-loadscope-reorder` each worker takes whole files in this order: the book is built while the other worker is
# busy with what does not need it.
FIRST = ["test_book", "test_mutants", "test_every_exercise"]
LAST = ["test_site", "test_pages", "test_browser"]


def pytest_collection_modifyitems(items):
    def place(item):
        name = item.path.stem
        return FIRST.index(name) if name in FIRST else len(FIRST) + (name in LAST)

    items.sort(key=place)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Keep the tests of a file on one worker, but spread those of the slips, which share nothing and take minutes."""
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid):
            return nodeid if "test_mutants.py" in nodeid else super()._split_scope(nodeid)

    return Scheduling(config, log)


ROOT = Path(__file__).parents[1]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
FLAGS += ["--disable-component-update", "--disable-sync", "--allow-file-access-from-files"]


@pytest.fixture(scope="session")
def html(tmp_path_factory):
    """The folder of the built site, built once for all workers. A warning is an error here, as in `make book`."""
    folder = tmp_path_factory.getbasetemp()
    folder = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder
    site, done = folder / "_build" / "html", folder / "book-is-built"
    with FileLock(folder / "book.lock"):
        if not done.exists():
            jupyter_book = Path(sys.executable).with_name("jupyter-book")
            command = [jupyter_book, "build", ROOT, "--path-output", folder, "-W", "-n", "--keep-going"]
            run = subprocess.run(command, capture_output=True, text=True, cwd=folder)
            lines = (run.stdout + run.stderr).splitlines()
            warnings = [
                line for line in lines if re.search("WARNING|ERROR|Error", line) and "NbParserConfig" not in line
            ]
            assert run.returncode == 0, "\n".join(warnings or lines[-30:])
            done.touch()
    return site


@pytest.fixture(scope="module")
def browser():
    """A browser without a window. Not for a whole session: it keeps an event loop, and notebooks need their own."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = CHROMIUM or playwright.chromium.executable_path
        if not Path(found).exists():
            pytest.skip("no Chromium in PATH, and none of Playwright's: the pages are not opened")
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        browser.close()
