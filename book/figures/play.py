"""The pictures that stand where a figure cannot be moved: in print, without scripts. `play.json` has their numbers."""

import json

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle
from registry import figure, read

from lstm_tutorial import figures
from lstm_tutorial.figures.drawings import COLOURS, box, canvas, tint, write
from lstm_tutorial.in_numpy import (
    LSTM,
    RNN,
    Gates,
    attention_weights,
    decay_weights,
    last_pool,
    linear_scan,
    max_pool,
    max_pool_backward,
    mean_pool,
    sigmoid,
    weighted_pool,
)

NUMBERS = json.loads(read("book/figures/play.json"))


def run_unit(x, reset, rows):
    """Return h and the gates of one unit, (T,) each, whose layers have rows: weights on x, reset and h, the bias."""
    stacked = np.array([rows[name] for name in "ifgo"], float)  # (4, 4), in torch's order
    unit = LSTM(2, 1, dtype="float64")
    weights = {"weight_ih_l0": stacked[:, :2], "weight_hh_l0": stacked[:, 2:3]}
    unit.load_state_dict(weights | {"bias_ih_l0": stacked[:, 3], "bias_hh_l0": np.zeros(4)})
    output, _, gates = unit(np.stack([x, reset], axis=-1).astype(float), return_gates=True)
    return output[:, 0], Gates(*(values[:, 0] for values in gates))


@figure("play-unit")
def play_unit():
    """The latch set by hand on the pulses that the figure starts with."""
    found = NUMBERS["unit"]
    x, reset = found["sequences"]["pulses"], found["reset"]
    h, gates = run_unit(x, reset, found["presets"]["latch"])
    axes = plt.subplots(7, sharex=True, figsize=(7.5, 6.6))[1]
    figures.plot_gates(gates, {"x": x, "reset": reset}, axes=axes[:-1])
    axes[-2].set(xlabel="", ylim=(-0.15, 1.15))
    axes[-1].stairs(h, np.arange(len(h) + 1) + 0.5, baseline=None, color=COLOURS["hidden"], lw=2)
    axes[-1].stairs(h, np.arange(len(h) + 1) + 0.5, fill=True, color=tint("hidden", 0.12), zorder=0.5)
    axes[-1].set(xlabel="time step", ylim=(-0.15, 1.15), xticks=np.arange(len(h)) + 1)
    axes[-1].set_ylabel("hidden $h$", rotation=0, ha="right", va="center")
    axes[-1].axhline(0, color=COLOURS["pale"], lw=0.8, zorder=0.4)
    return axes


def count_brackets(sentence, change):
    """Return the LSTM unit's cell state and the depth read from the RNN unit, after each character, weights changed."""
    given = NUMBERS["brackets"]
    x = np.array([[character == bracket for bracket in "()"] for character in sentence], float)  # (T, 2)
    rows = {name: (1 + change) * np.array(row) for name, row in given["lstm"].items()}
    rnn = RNN(2, 1, dtype="float64")
    weight, u, bias = np.split((1 + change) * np.array(given["rnn"]), (2, 3))
    weights = {"weight_ih_l0": weight[None], "weight_hh_l0": u[None]}
    rnn.load_state_dict(weights | {"bias_ih_l0": bias, "bias_hh_l0": np.zeros(1)})
    slope, intercept = given["readout"]
    return run_unit(*x.T, rows)[1].c, slope * rnn(x[:, None])[0][:, 0, 0] + intercept


@figure("play-brackets")
def play_brackets():
    """The sentence, tinted by what the units hold, over curves of it: weights as they are, and changed by 10%."""
    sentence = NUMBERS["brackets"]["sentence"]
    axes = plt.subplots(2, figsize=(7.5, 5.2), sharex=True)[1]
    edges = np.arange(len(sentence) + 1)
    looks = {
        0.1: ("10% larger", "rnn", "--"),
        -0.1: ("10% smaller", "grey", ":"),
        0: ("weights as they are", "ink", "-"),
    }
    for change, (label, colour, style) in looks.items():
        for ax, values in zip(axes, count_brackets(sentence, change)):
            ax.stairs(values, edges, baseline=None, color=COLOURS[colour], ls=style, lw=2, label=label)
            if not change:
                for t, (character, value) in enumerate(zip(sentence, values)):
                    ax.add_patch(Rectangle((t, 4.1), 1, 0.9, fc=tint("input", 0.11 * abs(value)), lw=0, zorder=3))
                    ax.text(t + 0.5, 4.5, character, family="monospace", ha="center", va="center", zorder=4)
    for ax, title in zip(axes, ("LSTM unit: cell state c", "RNN unit: depth read from h")):
        ax.set(title=title, xlim=(0, len(sentence)), ylim=(-0.3, 5), yticks=range(5), xticks=())
        ax.grid(axis="y")
    axes[1].legend(
        *(each[::-1] for each in axes[1].get_legend_handles_labels()), loc="upper left", bbox_to_anchor=(0, 0), ncols=3
    )
    return axes


@figure("play-half-life")
def play_half_life():
    """The half-life against the forget bias, and what is left of a stored 1 over time at one bias."""
    bias, low, high, steps = NUMBERS["half-life"].values()
    biases, t = np.linspace(low, high, 200), np.linspace(0, steps, 400)
    life = -np.log(2) / np.log(sigmoid(np.append(biases, bias)))
    axes = plt.subplots(1, 2, figsize=(7.5, 3.8))[1]
    axes[0].plot(biases, life[:-1], color=COLOURS["forget"])
    axes[0].plot(bias, life[-1], "o", ms=9, color=COLOURS["forget"])
    axes[0].set(yscale="log", xlabel="forget bias", ylabel="half-life (time steps)", xticks=range(low, high + 1, 2))
    axes[0].yaxis.set_major_formatter("{x:g}")
    axes[0].minorticks_off()
    axes[0].grid()
    axes[1].plot(t, sigmoid(bias) ** t, color=COLOURS["cell"])
    axes[1].plot([0, life[-1], life[-1]], [0.5, 0.5, 0], color=COLOURS["grey"], lw=1.2, ls="--")
    axes[1].text(life[-1] + 2, 0.52, f"half after {life[-1]:.1f} steps")
    axes[1].set(xlabel="time step", ylabel="left of a stored 1", ylim=(0, 1.04), xlim=(0, steps))
    axes[1].set_title(f"forget bias {bias}: $f$ = {sigmoid(float(bias)):.3f}")
    return axes


@figure("play-output")
def play_output():
    """Three sequences through two layers and two directions: what the output holds, what h_n holds, what is padding."""
    given = NUMBERS["output"]
    steps, lengths, directions = len(given["steps"]), given["lengths"], given["directions"]
    rows = given["layers"] * directions
    ax, pitch, up = canvas(7.5, 3.3), 0.4, 0.46
    for b, length in enumerate(lengths):
        left = 1.3 + 2.17 * b
        write(ax, left + 2 * pitch, 3.05, f"sequence {b}", 13, weight="bold")
        for k in range(rows):
            y, reverse = 0.98 + up * k + 0.12 * (k >= directions), k % directions
            if b == 0:
                way = ("forward", "reverse")[reverse]
                write(ax, left - 0.27, y, way, 13, ha="right")
                if not reverse:
                    write(ax, 0.14, y + up / 2, f"layer {k // directions}", 13, rotation=90)
            for t in range(steps):
                x, last = left + pitch * t, t == (0 if reverse else length - 1)
                colour = "hidden" if k >= rows - directions else "ink"
                if t < length:
                    box(ax, x, y, 0.34, 0.36, "input" if last else colour, 0.55 if last else 0.14, 0.05)
                else:
                    look = dict(fc="white", ec=COLOURS["hidden"] if colour == "hidden" else COLOURS["pale"], lw=1.2)
                    ax.add_patch(Rectangle((x - 0.17, y - 0.18), 0.34, 0.36, hatch="////", **look))
                if last:
                    write(ax, x, y - 0.01, f"{k},{b}", 13, "black")
        for t in range(steps):
            write(ax, left + pitch * t, 0.62, f"{t}", 13, "grey")
    write(ax, 1.03, 0.62, "step", 13, "grey", ha="right")
    for x, colour, text in ((0.12, "hidden", "green: output"), (1.75, "input", "blue: h_n and c_n, by their indices")):
        write(ax, x, 0.2, text, 13, colour, ha="left", weight="bold")
    write(ax, 5.5, 0.2, "hatched: padding", 13, "grey", ha="left", weight="bold")
    return ax


def pools(x, length, half_life, query):
    """Return by pool the shares that it gives the steps of x (T,), and what it makes of them; the median by NumPy."""
    valid, each = np.arange(len(x)) < length, x[None, :, None]
    found = {
        "last": (np.arange(len(x)) == length - 1, last_pool(each, [length])),
        "max": (max_pool_backward([[1]], each, max_pool(each, [length]), [length]).ravel(), max_pool(each, [length])),
        "mean": (valid / length, mean_pool(each, [length])),
    }
    middle = np.argsort(np.where(valid, x, np.inf))[[(length - 1) // 2, length // 2]]
    found["median"] = (np.bincount(middle, minlength=len(x)) / 2, np.median(x[:length]))
    decay = valid * decay_weights(len(x), half_life)
    for name, weights in (
        ("decay", decay / decay.sum()),
        ("attention", attention_weights(query * x[None], [length])[0]),
    ):
        found[name] = (weights, weighted_pool(each, weights, [length]))
    return {name: (shares, np.asarray(value).item()) for name, (shares, value) in found.items()}


@figure("play-pooling")
def play_pooling():
    """A sequence before and after an outlier of ten spreads; under it each pool's shares, and how far it has moved."""
    given = NUMBERS["pooling"]
    before = np.array(given["x"])
    after = before.copy()
    after[given["step"]] += 10 * given["spread"]
    steps, length = len(before), given["length"]
    old, new = (pools(x, length, given["half-life"], given["query"]) for x in (before, after))
    axes = plt.subplots(7, figsize=(7.5, 6.6), sharex=True, height_ratios=(3.6, *[1] * 6))[1]
    top, time = axes[0], np.arange(1, steps + 1)
    for x, fill in ((before, "white"), (after, COLOURS["ink"])):
        top.plot(time[:length], x[:length], "o", ls="", ms=7, mfc=fill, mec=COLOURS["ink"], clip_on=False)
    top.axhline(0, color=COLOURS["pale"], lw=0.8, zorder=0.4)
    top.set(ylabel="x", xlim=(0.5, steps + 0.5), xticks=time)
    for ax in axes:
        ax.axvspan(length + 0.5, steps + 0.5, fc="white", ec=COLOURS["pale"], hatch="////", lw=0, zorder=0.3)
    for ax, (name, (shares, value)) in zip(axes[1:], new.items()):
        colour = COLOURS[given["looks"][name].removeprefix("play-")]
        top.plot([0.5, length + 0.5], [value] * 2, color=colour, lw=1.6, ls="-", zorder=1)
        ax.bar(time, shares, 0.8, fc=tint(colour, 0.35), ec=colour, lw=1.2)
        ax.set(ylim=(0, 1.05), yticks=(0, 1))
        ax.set_ylabel(name, rotation=0, ha="right", va="center", labelpad=12)
        words = f"{old[name][1]:.2f} → {value:.2f}".replace("-", "−")
        ax.annotate(words, (1, 0.5), (8, 0), "axes fraction", "offset points", va="center")
    top.set_ylabel("x", rotation=0, ha="right", va="center", labelpad=12)
    axes[-1].set_xlabel("step")
    return axes


def beliefs(tokens, arrays):
    """Return the probabilities (T, K) of the countries after each token, by a network whose arrays a study has kept."""
    whole = {k: each["scale"] * np.frombuffer(bytes.fromhex(each["hex"]), np.int8) for k, each in arrays.items()}
    H = len(whole["bias_ih"]) // 4
    shaped = {name: whole[name].reshape(4 * H, -1) for name in ("weight_ih", "weight_hh")}
    E = shaped["weight_ih"].shape[1]
    lstm = LSTM(E, H, dtype="float64")
    lstm.load_state_dict({f"{k}_l0": v for k, v in (shaped | {b: whole[b] for b in ("bias_ih", "bias_hh")}).items()})
    output, _ = lstm(whole["embedding"].reshape(-1, E)[tokens][:, None])
    scores = np.exp(output[:, 0] @ whole["W_y"].reshape(-1, H).T + whole["b_y"])
    return scores / scores.sum(axis=1, keepdims=True)


@figure("play-city", study="city")
def play_city(study):
    """The belief over the countries after each letter of a name, and of the network that reads padding at two steps."""
    found, name = study["results"], NUMBERS["city"]["name"]
    tokens, steps = [3 + found["letters"].index(letter) for letter in name], found["steps"]
    columns = beliefs(tokens, found["masked"]["weights"])
    padded = beliefs([*tokens, *[0] * (2 * steps - len(tokens))], found["unmasked"]["weights"])[[steps - 1, -1]]
    axes = plt.subplots(1, 2, figsize=(7.5, 5.2), sharey=True, width_ratios=(len(name), 2))[1]
    for ax, shown, colour, labels in zip(axes, (columns, padded), ("input", "output"), (name, (steps, 2 * steps))):
        for (t, k), p in np.ndenumerate(shown):
            ax.add_patch(Rectangle((t, k), 1, 1, fc=tint(colour, p), ec=COLOURS["pale"], lw=0.8))
            if p >= 0.2:
                light = "white" if p > 0.75 else "black"
                ax.text(t + 0.5, k + 0.5, f"{100 * p:.0f}", ha="center", va="center", color=light)
        ax.set(xlim=(0, len(shown)), ylim=(shown.shape[1], 0), xticks=np.arange(len(shown)) + 0.5)
        ax.set_xticklabels(labels)
        ax.tick_params(length=0, labeltop=True, labelbottom=False)
        ax.spines[:].set_visible(False)
    axes[0].set_yticks(np.arange(len(found["countries"])) + 0.5, found["countries"])
    axes[0].set_xlabel("after each letter, in %")
    axes[1].set_xlabel("padded to")
    return axes


def track(bits, kind, weights):
    """Return the shown unit's state after each bit (T,) and whether the network says odd, by the weights of a study."""
    w = {name: np.array(value, float) for name, value in weights.items()}
    if kind == "LSTM":
        lstm = LSTM(1, len(w["head"]), dtype="float64")
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        lstm.load_state_dict({f"{name}_l0": w[name] for name in names})
        h = lstm(np.array(bits, float)[:, None, None])[0][:, 0]
    else:
        factors = np.tanh(w["factor"]) if "−" in kind else sigmoid(w["factor"])
        h = linear_scan(factors[bits], w["add"][bits])
    return h[:, weights["unit"]], h @ w["head"] + w["head_bias"] > 0


@figure("play-parity", study="parity")
def play_parity(study):
    """The bits that the figure starts with, and a unit's state in each network; where the answer is wrong, a bar."""
    found, bits = study["results"], np.array(NUMBERS["parity"]["sequences"]["mixed"])
    axes = plt.subplots(4, figsize=(7.5, 6.2), sharex=True, height_ratios=(0.5, 1, 1, 1))[1]
    edges, odd = np.arange(len(bits) + 1), bits.cumsum() % 2 == 1
    axes[0].stairs(bits, edges, fill=True, color=COLOURS["x"])
    axes[0].set_title("bits")
    for ax, (kind, weights) in zip(axes[1:], found["networks"].items()):
        state, said = track(bits, kind, weights)
        wrong = said != odd
        low, high = -1.1 * np.abs(state).max(), 1.1 * np.abs(state).max()
        ax.stairs(np.where(wrong, high, low), edges, baseline=low, fill=True, color=tint("output", 0.35), zorder=0.5)
        ax.plot(edges[:-1] + 0.5, state, color=COLOURS["hidden"])
        ax.set(ylim=(low, high), xlim=(0, len(bits)))
        ax.set_title(f"{kind}: {np.sum(~wrong)} of {len(bits)} right")
    for ax in axes:
        ax.axvline(found["trained"], color=COLOURS["grey"], lw=1.4, ls=(0, (5, 3)))
    axes[-1].set_xlabel("step")
    return axes
