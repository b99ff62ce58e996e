"""The pictures of the chapter pytorch-lstm."""

from registry import figure

from lstm_tutorial.figures.drawings import box, canvas, tint, wire, write


@figure("pytorch-lstm-three")
def pytorch_lstm_three():
    """One state dict, three networks that it fits, and who writes the forward and the backward pass."""
    ax, xs = canvas(7.5, 4.0), (1.3, 3.75, 6.2)
    box(ax, 3.75, 3.42, 5.9, 0.92, "ink", 0.04)
    write(ax, 3.75, 3.63, "one state dict", 14, weight="bold")
    write(ax, 3.75, 3.27, "weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0", 13)
    for x, name, title, colour, forward, back in (
        (xs[0], "in_numpy.LSTM", "NumPy", "lstm", "by hand", "by hand"),
        (xs[1], "in_torch.LSTM", "the twin", "forget", "by hand", "autograd"),
        (xs[2], "torch.nn.LSTM", "torch's LSTM", "hidden", "compiled", "autograd"),
    ):
        top = min(max(x, 2.1), 5.4)
        for shift, ends in ((-0.09, ((top, 2.92), (x, 2.42))), (0.09, ((x, 2.42), (top, 2.92)))):
            wire(ax, *[(end[0] + shift, end[1]) for end in ends], colour="grey", width=1.6)
        box(ax, x, 1.62, 2.2, 1.52, colour, 0.07)
        write(ax, x, 2.17, title, 14, tint(colour, 0.85, "black"), weight="bold")
        write(ax, x, 1.9, name, 13)
        for y, which, how in ((1.5, "forward", forward), (1.15, "backward", back)):
            write(ax, x - 1.02, y, which, 13, "grey", ha="left")
            write(ax, x + 1.02, y, how, 13, ha="right", weight="bold" if how == "by hand" else "normal")
        wire(ax, (x, 0.82), (x, 0.5), colour="ink", width=2)
    write(ax, 3.75, 0.27, "the same outputs, the same gradients", 14, weight="bold")
    return ax


@figure("pytorch-lstm-graph")
def pytorch_lstm_graph():
    """The records behind the hidden state of one step, each with the values that it keeps."""
    ax, half = canvas(7.5, 3.3), 0.78
    boxes = {
        "h": (6.6, 1.9, "hidden", r"$o \odot \tanh(c)$", r"$o$, $\tanh c$"),
        "o": (4.6, 2.75, "output", r"$o$: $\sigma$ of its $z$", "$o$"),
        "tanh": (4.6, 1.15, "cell", r"$\tanh c$", r"$\tanh c$"),
        "c": (2.75, 1.15, "cell", "$c$: a sum", "nothing"),
        "kept": (0.9, 1.95, "forget", r"$f \odot$ old $c$", "$f$, old $c$"),
        "written": (0.9, 0.45, "input", r"$i \odot g$", "$i$, $g$"),
    }
    for x, y, colour, made, kept in boxes.values():
        box(ax, x, y, 2 * half, 0.82, colour, 0.07)
        write(ax, x, y + 0.17, made, 14)
        write(ax, x, y - 0.2, f"keeps {kept}", 13)
    for start, end in (("h", "o"), ("h", "tanh"), ("tanh", "c"), ("c", "kept"), ("c", "written")):
        (x, y), (to_x, to_y) = boxes[start][:2], boxes[end][:2]
        wire(ax, (x - half, y), (to_x + half + 0.03, to_y), colour="ink", width=1.8)
    write(ax, 6.6, 2.62, "from the loss", 13, "grey")
    wire(ax, (6.6, 2.5), (6.6, 2.36), colour="grey", width=1.8)
    return ax
