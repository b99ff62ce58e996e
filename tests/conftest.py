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
import nbval.plugin
import pytest
from filelock import FileLock
from hypothesis import settings
from xdist.scheduler import LoadFileScheduling

os.environ["LSTM_TUTORIAL_PROGRESS"] = ""  # what a test solves, nobody has solved
os.environ["TQDM_DISABLE"] = "1"  # for the notebooks' kernels: a bar is no output of a cell

matplotlib.use("Agg")

settings.register_profile("course", deadline=None, derandomize=True, database=None, print_blob=True)
settings.load_profile("course")


def pytest_configure(config):
    # With --cov, nbval would trace the kernels too: labs twice as slow, and lines counted that no test looks at.
    nbval.plugin.setup_coverage = nbval.plugin.teardown_coverage = lambda *args: None


# Workers: the longest files first (the second builds the book), each whole on one worker, which its fixtures and
# notebooks need; the book's pages last, each by itself where a worker is free, so that all end together.
FIRST = ["test_paper", "test_book", "test_teaching", "test_exercises"]
PAGE = "test_browser.py::test_page_has_no_fault["


def pytest_collection_modifyitems(items):
    def place(item):
        return PAGE in item.nodeid, FIRST.index(item.path.stem) if item.path.stem in FIRST else len(FIRST)

    items.sort(key=place)


class FilesThenPages(LoadFileScheduling):
    def _split_scope(self, nodeid):
        return nodeid if PAGE in nodeid else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config, log):
    if config.option.dist == "loadfile":
        config.option.loadscopereorder = False  # as sorted above, not by the number of tests
        return FilesThenPages(config, log)


def pytest_terminal_summary(terminalreporter):
    reports = [each for kind in ("passed", "failed") for each in terminalreporter.stats.get(kind, [])]
    if pages := [each for each in reports if PAGE in each.nodeid and each.when == "call"]:
        work, wall = sum(each.duration for each in pages), max(r.stop for r in pages) - min(r.start for r in pages)
        terminalreporter.write_line(f"{len(pages)} pages in a browser: {work:.0f} s of work, {wall:.0f} s on the clock")


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
    if CHROMIUM is None:
        pytest.skip("no chromium, chromium-browser or google-chrome in PATH: the pages are not opened")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()
