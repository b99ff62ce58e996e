"""The pictures of the chapter memory."""

from functools import partial

import matplotlib.pyplot as plt
import numpy as np
from registry import figure

from lstm_tutorial import figures
from lstm_tutorial.figures.drawings import COLOURS

figure("unrolled-rnn")(partial(figures.draw_unrolled, 4, "rnn"))


@figure("memory-gradient", study="memory")
def memory_gradient(study, ax=None):
    """Gradient against lag, untrained RNN and LSTM at several forget biases, median and range over the seeds."""
    names = ["RNN", "LSTM, default", *(f"LSTM, bias {bias}" for bias in (1, 2, 3, 5))]
    ax = plt.subplots(figsize=(7.5, 4.6))[1] if ax is None else ax
    figures.plot_gradient_by_lag(study["results"]["lags"], spread(study, names), ax=ax)
    ax.set_ylabel("gradient, relative to lag 0")
    return ax


@figure("memory-gradient-top", study="memory")
def memory_gradient_top(study):
    """The upper end of the same figure, where curves go down and come back."""
    ax = plt.subplots(figsize=(7.5, 4.2))[1]
    ax.set(yscale="log", ylim=(0.01, 1.6))
    memory_gradient(study, ax).set(yticks=(0.01, 0.1, 1), yticklabels=("0.01", "0.1", "1"))
    for text in [text for text in ax.texts if text.get_text() in ("RNN", "LSTM, default", "LSTM, bias 1")]:
        text.remove()
    ax.text(9.7, 0.0108, "RNN,\ndefault", color=COLOURS["grey"])
    ax.text(33, 0.0108, "bias 1", color=COLOURS["grey"])
    return ax


@figure("memory-adding", study="memory")
def memory_adding(study):
    """What a trained RNN scores on the adding problem, by length."""
    scores = {f"RNN, T = {steps}": runs["mse"] for steps, runs in study["results"]["adding"].items()}
    ax = plt.subplots(figsize=(7.5, 3.6))[1]
    figures.plot_scores(scores, {"always 1": 1 / 6}, "mean squared error on new sequences", ax)
    ax.set(xlim=(-0.005, 0.2), xticks=(0, 0.05, 0.1, 0.15, 0.2))
    return ax


def spread(study, names):
    """Return the median, the lowest and the highest of the seeds' curves of each kind of network."""
    curves = {name: np.array(study["results"]["untrained"][name]["ratio"]) for name in names}
    return {name: (np.median(each, 0), each.min(0), each.max(0)) for name, each in curves.items()}
