"""The pictures of the chapter gates."""

from functools import partial

import matplotlib.pyplot as plt
import numpy as np
from registry import figure

from lstm_tutorial import figures
from lstm_tutorial.in_numpy import Gates

figure("gate")(figures.draw_gate)
for part in ("forget", "update", "output"):
    figure(f"cell-{part}")(partial(figures.draw_cell, part))
figure("cell-write")(partial(figures.draw_cell, ("input", "candidate")))


@figure("gates-latches", study="gates")
def gates_latches(study):
    """Three latches on the same pulses: set by hand, trained, trained without recurrent weights."""
    results = study["results"]
    steps, pulses = np.arange(results["settings"]["latch"]["T"]) + 1, results["settings"]["pulses"]
    inputs = {name: np.isin(steps, where) * 1.0 for name, where in zip(("x", "reset"), pulses.values())}
    panels = plt.subplots(6, 3, sharex=True, sharey="row", figsize=(7.5, 6.6))[1]
    for k, (name, trace) in enumerate(results["traces"].items()):
        figures.plot_gates(Gates(**trace), inputs, axes=panels[:, k])
        panels[0, k].set_title("by hand" if name == "hand" else name.replace(" ", "\n", 1))
        for ax in panels[:, k]:
            if k > 0:
                ax.set_ylabel("")
            for text in list(ax.texts) * (k < 2):
                text.remove()
    panels[-1, 0].set_xticks((20, 40))
    return panels


@figure("gates-values", study="gates")
def gates_openings(study):
    """Values of gates under the default initialisation and under weights from 0 to 1, ten seeds together."""
    curves = study["results"]["quantiles"]
    names = {"default, 16 units": ("default", "16"), "all positive, 5 units": ("positive", "5")}
    names |= {"all positive, 16 units": ("positive", "16")}
    return figures.plot_gate_values({label: curves[kind][size] for label, (kind, size) in names.items()})
