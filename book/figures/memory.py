"""The pictures of the chapter memory."""

from functools import partial

import matplotlib.pyplot as plt
import numpy as np
from registry import figure

from lstm_tutorial import figures
from lstm_tutorial.data import first_symbol
from lstm_tutorial.figures.drawings import COLOURS

figure("unrolled-rnn")(partial(figures.draw_unrolled, 4, "rnn"))


@figure("memory-task")
def memory_task():
    """One sequence of the task: the symbol at step 1, noise after it, the question at the end."""
    x = first_symbol(1, 20, rng=4).x[0]
    steps = np.arange(1, 21)
    top, below = plt.subplots(2, sharex=True, figsize=(7.5, 3.4))[1]
    top.bar(steps, x[:, 0], width=0.5, color=COLOURS["input"])
    top.set(ylabel="symbol", ylim=(-1.4, 1.4), yticks=(-1, 0, 1))
    below.bar(steps, x[:, 1], width=0.5, color=COLOURS["grey"])
    below.set(ylabel="noise", xlabel="time step", xlim=(0.3, 25), xticks=(1, 5, 10, 15, 20), ylim=(-3, 3))
    for ax in (top, below):
        ax.axhline(0, color=COLOURS["grey"], lw=0.8)
    top.text(20.9, 0.15, "Was it\n+1 or −1?", va="center")
    return top


@figure("memory-learning", study="first_symbol")
def memory_learning(study, names=("RNN",), ax=None):
    """The share of seeds that learn the first symbol, by length, with its interval."""
    runs = study["results"]["runs"]
    curves = {}
    for name in names:
        shares = [runs[T][name]["learned"] for T in runs if name in runs[T]]
        curves[name] = np.array([(100 * each["share"], 100 * each["low"], 100 * each["high"]) for each in shares])
    ax = plt.subplots(figsize=(7.5, 3.6))[1] if ax is None else ax
    return figures.plot_shares([int(T) for T in runs], curves, ax=ax)


@figure("memory-gradient", study="memory")
def memory_gradient(study):
    """Gradient against lag of untrained RNNs: median and range over the seeds, beside the forecast."""
    results = study["results"]
    lags = np.array(results["lags"])
    near = lags <= 100
    ratio = np.array(results["ratio"]["RNN"])[:, near]
    ax = plt.subplots(figsize=(7.5, 4.2))[1]
    curves = {"RNN": (np.median(ratio, 0), ratio.min(0), ratio.max(0))}
    figures.plot_gradient_by_lag(lags[near], curves, ax=ax)
    ax.plot(lags[near], 3.0 ** (-lags[near] / 2), color=COLOURS["grey"], ls="--")
    ax.text(60, 3.0**-20, "forecast, 0.58 per step", color=COLOURS["grey"])
    ax.set_ylabel("influence left, relative to lag 0")
    return ax
