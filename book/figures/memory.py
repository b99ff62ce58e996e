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
    top.text(20.9, 0.25, "Was it\n+1 or −1?", va="bottom")
    return top


@figure("memory-learning", study="first_symbol")
def memory_learning(study):
    """After how many updates each seed of the RNN has learned the first symbol, by length."""
    results = study["results"]
    runs = {int(T): networks["RNN"]["solved_at"] for T, networks in results["runs"].items() if "RNN" in networks}
    ax = plt.subplots(figsize=(7.5, 3.8))[1]
    return figures.plot_updates(list(runs), {"RNN": list(runs.values())}, results["settings"]["budget"], ax)


@figure("memory-gradient", study="memory")
def memory_gradient(study):
    """Gradient against lag of untrained RNNs: median and range over the seeds, beside the forecast."""
    results = study["results"]
    lags, ratio = np.array(results["lags"]), np.array(results["ratio"]["RNN"])
    ax = plt.subplots(figsize=(7.5, 4.2))[1]
    curves = {"RNN": (np.median(ratio, 0), ratio.min(0), ratio.max(0))}
    figures.plot_gradient_by_lag(lags, curves, ax=ax)
    ax.plot(lags, 3.0 ** (-lags / 2), color=COLOURS["grey"], ls="--")
    ax.text(60, 3.0**-20, "forecast, 0.58 per step", color=COLOURS["grey"])
    ax.set_ylabel("influence left, relative to lag 0")
    return ax
