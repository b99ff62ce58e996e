"""A check leaves the learner's session as it found it, and does not depend on how it found it."""
# ruff: noqa: NPY002

import contextlib
import operator
import random
import sys
import warnings

import numpy as np

OURS = {"numpy", "torch", "lstm_tutorial"}  # what belongs to a check and its answers alike


@contextlib.contextmanager
def usual_settings():
    """Seed everything random, set number formats, gradients, errors and warnings to the usual; then put all back."""
    ours, own, torch = np.random.get_state(), random.getstate(), sys.modules.get("torch")
    dtype = torch and torch.get_default_dtype()
    with np.errstate(all="ignore"), warnings.catch_warnings(), contextlib.ExitStack() as stack:
        warnings.simplefilter("ignore")
        if torch:
            for setting in (torch.inference_mode(False), torch.enable_grad(), torch.random.fork_rng(devices=[])):
                stack.enter_context(setting)
            torch.set_default_dtype(torch.float32)
        seed()
        try:
            yield
        finally:
            np.random.set_state(ours)
            random.setstate(own)
            torch = sys.modules.get("torch")  # the answer may have imported it
            if torch:
                torch.set_default_dtype(dtype or torch.float32)


def seed():
    """Seed what draws without a generator, so that one answer gets one verdict."""
    np.random.seed(0)
    random.seed(0)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)


def functions():
    """Return every function and class of NumPy, PyTorch and the course, module by module, for `put_back`."""
    modules = [vars(module) for name, module in list(sys.modules.items()) if module and name.split(".")[0] in OURS]
    return [(names, {name: value for name, value in names.items() if callable(value)}) for names in modules]


def put_back(functions):
    """Put back each function that was replaced since.

    Examples
    --------
    >>> before = functions()
    >>> np.tanh = np.sin
    >>> put_back(before)
    >>> np.tanh
    <ufunc 'tanh'>
    """
    for names, before in functions:
        if not all(map(operator.is_, map(names.get, before), before.values())):
            names.update(before)
