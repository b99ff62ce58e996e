"""The pictures of the chapter pytorch-lstm."""

import matplotlib.pyplot as plt
import numpy as np
from registry import figure

from lstm_tutorial.figures.drawings import COLOURS, box, canvas, tint, wire, write


@figure("pytorch-lstm-three")
def pytorch_lstm_three():
    """One state dict, three networks that it fits, and who writes the way there and the way back."""
    ax, xs = canvas(7.5, 4.0), (1.3, 3.75, 6.2)
    box(ax, 3.75, 3.42, 5.9, 0.92, "ink", 0.04)
    write(ax, 3.75, 3.63, "one state dict", 14, weight="bold")
    write(ax, 3.75, 3.27, "weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0", 13)
    for x, name, title, colour, forward, back in (
        (xs[0], "in_numpy.LSTM", "NumPy", "lstm", "written out", "written out"),
        (xs[1], "in_torch.LSTM", "the twin", "forget", "written out", "autograd"),
        (xs[2], "torch.nn.LSTM", "torch's own", "hidden", "compiled", "autograd"),
    ):
        top = min(max(x, 2.1), 5.4)
        for shift, ends in ((-0.09, ((top, 2.92), (x, 2.42))), (0.09, ((x, 2.42), (top, 2.92)))):
            wire(ax, *[(end[0] + shift, end[1]) for end in ends], colour="grey", width=1.6)
        box(ax, x, 1.62, 2.2, 1.52, colour, 0.07)
        write(ax, x, 2.17, title, 14, tint(colour, 0.85, "black"), weight="bold")
        write(ax, x, 1.9, name, 13)
        for y, way, how in ((1.5, "forward", forward), (1.15, "way back", back)):
            write(ax, x - 1.02, y, way, 13, "grey", ha="left")
            write(ax, x + 1.02, y, how, 13, ha="right", weight="bold" if how == "written out" else "normal")
        wire(ax, (x, 0.82), (x, 0.5), colour="ink", width=2)
    write(ax, 3.75, 0.27, "the same outputs, the same gradients", 14, weight="bold")
    return ax


@figure("pytorch-lstm-drift", study="pytorch_lstm")
def pytorch_lstm_drift(study):
    """How far the twins' losses are apart while both are trained, a line a seed."""
    results, every = study["results"], study["results"]["settings"]["every"]
    ax = plt.subplots(figsize=(7.5, 4.2))[1]
    for run, label, colour, dash, place in (
        ("clipped", "float64, clipped by\ntwo formulas", "forget", "-", 1e-5),
        ("float32", "float32", "candidate", (0, (3, 1.5)), 3e-8),
        ("float64", "float64", "lstm", "-", 1e-15),
    ):
        for differences in results[run]["loss_difference"]:
            updates = every * np.arange(1, len(differences) + 1)
            ax.plot(updates, np.maximum(differences, 1e-17), color=COLOURS[colour], ls=dash, lw=1, alpha=0.8)
        ax.text(updates[-1] * 1.02, place, label, color=tint(colour, 0.75, "black"), va="center")
    ax.set(yscale="log", xlabel="updates", ylabel="difference of the losses", xlim=(0, updates[-1]), ylim=(5e-18, 1e-3))
    return ax
