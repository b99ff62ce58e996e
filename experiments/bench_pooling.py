"""Benchmark of pooling: (100, 1000, 32) to (100, 32) in float32 on one thread, NumPy beside torch; half a minute.

Each row is a ratio of CPU time to what one would write in torch. "Ragged" has lengths drawn evenly from 1 to 1,000;
torch then fills the padding, as the twin does. "Best layout" is the bare maximum over an array whose time axis comes
first.
"""

from functools import partial

import numpy as np
import torch
from bench import against, race, save, table

from lstm_tutorial import in_numpy, in_torch

B, T, D = 100, 1000, 32
TWIN = "the torch twin"


def backward(function, leaf, d_pooled, *lengths):
    """Run a pool of torch and its gradient."""
    function(leaf, *lengths).backward(d_pooled)


def both_ways(pool, x, d_pooled, *lengths):
    """Run an attention pool of NumPy and its gradient."""
    pool(x, *lengths)
    pool.backward(d_pooled)


def draw():
    """Return x and the gradient of its pool, each as an array and as a tensor, and lengths."""
    rng = np.random.default_rng(0)
    x, d_pooled = (rng.standard_normal(shape).astype(np.float32) for shape in ((B, T, D), (B, D)))
    return x, torch.tensor(x), d_pooled, torch.tensor(d_pooled), rng.integers(1, T + 1, B)


def bare_pools():
    """Return the races of maximum and mean: what everything is compared with, and the contenders."""
    x, theirs, d_pooled, their_d_pooled, lengths = draw()
    time_first, time_last = np.ascontiguousarray(x.swapaxes(0, 1)), theirs.permute(0, 2, 1)
    leaf, pooled = theirs.clone().requires_grad_(), in_numpy.max_pool(x)
    yield (
        "maximum",
        "torch.amax",
        {
            "max_pool": partial(in_numpy.max_pool, x),
            "best layout, time first": partial(time_first.max, axis=0),
            "x.max(axis=1)": partial(x.max, axis=1),
            "torch.amax": partial(theirs.amax, dim=1),
            "AdaptiveMaxPool1d": partial(torch.nn.AdaptiveMaxPool1d(1), time_last),
        },
    )
    yield (
        "mean",
        "torch.mean",
        {
            "mean_pool": partial(in_numpy.mean_pool, x),
            "x.mean(axis=1)": partial(x.mean, axis=1),
            "torch.mean": partial(theirs.mean, dim=1),
            "AdaptiveAvgPool1d": partial(torch.nn.AdaptiveAvgPool1d(1), time_last),
        },
    )
    for name in ("max_pool", "mean_pool"):
        ours, twin = (partial(getattr(each, name), data, lengths) for each, data in ((in_numpy, x), (in_torch, theirs)))
        yield f"{name}, ragged", TWIN, {name: ours, TWIN: twin}
    ours = partial(in_numpy.max_pool_backward, d_pooled, x, pooled)
    yield (
        "gradient of max_pool",
        TWIN,
        {"max_pool_backward": ours, TWIN: partial(backward, in_torch.max_pool, leaf, their_d_pooled)},
    )


def attention():
    """Return the races of attention, forward alone and with the gradient."""
    x, theirs, d_pooled, their_d_pooled, lengths = draw()
    leaf = theirs.clone().requires_grad_()
    for kind in ("dot", "additive"):
        ours, twin = (each.AttentionPool(D, kind=kind, rng=0) for each in (in_numpy, in_torch))
        for words, given in (("", ()), (", ragged", (lengths,))):
            contenders = {
                "AttentionPool": partial(ours, x, *given, keep_cache=False),
                TWIN: partial(torch.no_grad()(twin), theirs, *given),
            }
            yield f"attention, {kind}{words}", TWIN, contenders
            contenders = {
                "AttentionPool": partial(both_ways, ours, x, d_pooled, *given),
                TWIN: partial(backward, twin, leaf, their_d_pooled, *given),
            }
            yield f"attention, {kind}{words}, with gradient", TWIN, contenders


def main():
    """Run every race and print its table."""
    results = {}
    for races in (bare_pools(), attention()):
        for title, reference, contenders in races:
            results[title] = against(race(contenders), reference)
            table(title, results[title], reference)
    own, best = (results["maximum"][name]["ms"] for name in ("max_pool", "best layout, time first"))
    print(f"\nmax_pool takes {own / best:.2f} times the best layout")
    save("pooling", {"shape": [B, T, D], "dtype": "float32", "races": results})


if __name__ == "__main__":
    main()
