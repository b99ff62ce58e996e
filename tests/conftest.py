"""What all tests share: one thread, figures without a window, examples that are the same on every machine."""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import matplotlib
import nbval.plugin
from hypothesis import settings

os.environ["TQDM_DISABLE"] = "1"  # for the notebooks' kernels: a bar is no output of a cell

matplotlib.use("Agg")

settings.register_profile("course", deadline=None, derandomize=True, database=None, print_blob=True)
settings.load_profile("course")


def pytest_configure(config):
    # With --cov, nbval would trace the kernels too: labs twice as slow, and lines counted that no test looks at.
    nbval.plugin.setup_coverage = nbval.plugin.teardown_coverage = lambda *args: None
