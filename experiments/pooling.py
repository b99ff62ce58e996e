"""Study of the chapter pooling: padding, gradients and outliers under last, max and mean, and the median.

Real speech (Japanese Vowels, 270 utterances to learn from, the 370 published ones to test) and city names (five
splits). Five seeds draw the networks, the order of the batches and, for the names, the split. Settings fixed before the
first run: H = 32, lr 1e-2, batches of 30, 40 epochs for speech; those of `many_to_one` for names; Adam, one cycle,
gradients clipped at 1; the last epoch counts. Nothing was chosen on the test parts. Speech is standardised by the valid
steps of the training part.

Padding: speech is padded to 40 frames, names to 20 and, for the networks that nobody tells the lengths, to 40 as well.
`masked`: network and pool know the lengths. `pool blind`: the network knows them, so its output is 0 past a length, and
the pool goes over everything. `all blind`: nobody knows them, the network reads the padding.
Added after a first look: names with a stop symbol, because blind networks were ahead on names; the surprise in nats;
gates forced open, to find out which part of an LSTM shields its maximum.
Outliers: one frame of each test utterance, drawn uniformly, is moved by 3, 10 or 100 standard deviations in every
channel, each up or down by the toss of a coin; five such draws, averaged for each network. The networks never saw one
in training.
Gradients: of the loss, its norm at each step as a share of the sum over steps, averaged over sequences.
About twenty minutes of one processor.
"""

import numpy as np
import torch
from many_to_one import NAMES, predict, train
from protocol import save
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from lstm_tutorial.data import STOP, city_names, japanese_vowels
from lstm_tutorial.in_torch import cross_entropy, last_pool, max_pool, mean_pool
from lstm_tutorial.in_torch.padding import fill_padding, valid_steps
from lstm_tutorial.in_torch.topologies import run_lstm

SEEDS, SIZES, DRAWS = range(5), (3, 10, 100), 5
SPEECH = dict(H=32, lr=1e-2, B=30, epochs=40, clip=1.0, D=12, K=9, T=40)
WIDER = {"speech": (40, 80, 160), "names": (20, 40, 80)}
NOISE = dict(D=8, H=64, B=256, T=40)  # untrained networks on noise


def median_pool(x, lengths):
    """Take the median of each feature over the valid steps, x (B, T, D) to (B, D)."""
    ordered = fill_padding(x, valid_steps(lengths, x.shape[1]), torch.inf).sort(dim=1).values
    rows, lengths = torch.arange(len(x)), torch.as_tensor(lengths)
    return (ordered[rows, (lengths - 1) // 2] + ordered[rows, lengths // 2]) / 2


POOLS = {"last": last_pool, "max": max_pool, "mean": mean_pool, "median": median_pool}


class Pooled(nn.Module):
    """A layer on every step, or a recurrent network, then a pool, then a linear layer; each may be blind to lengths."""

    def __init__(self, kind, pool, sizes, told="network and pool", embedding=None):
        super().__init__()
        D, H, K = sizes
        self.embedding = nn.Embedding(embedding, D) if embedding else None
        recurrent = {"LSTM": nn.LSTM, "RNN": nn.RNN}
        self.layer = recurrent[kind](D, H, batch_first=True) if kind in recurrent else nn.Linear(D, H)
        self.head = nn.Linear(H, K)
        self.kind, self.pool, self.told = kind, pool, told

    def states(self, x, lengths=None):
        """Return what the pool sees, (B, T, H)."""
        x = self.embedding(x) if self.embedding else x
        if isinstance(self.layer, nn.RNNBase):
            return run_lstm(self.layer, x, lengths if "network" in self.told else None)[0]
        return self.layer(x).tanh() if self.kind == "tanh" else self.layer(x)

    def pooled(self, x, lengths=None):
        """Return what the linear layer sees, (B, H)."""
        lengths = None if lengths is None else np.asarray(lengths)
        return POOLS[self.pool](self.states(x, lengths), lengths if "pool" in self.told else None)

    def forward(self, x, lengths=None):
        return self.head(self.pooled(x, lengths))


def speech():
    """Return the training and the test part, standardised, padding 0."""
    parts = japanese_vowels(validation=0, rng=0)
    valid = [np.arange(part.x.shape[1]) < part.lengths[:, None] for part in (parts.train, parts.test)]
    frames = parts.train.x[valid[0]]
    mean, std = frames.mean(axis=0), frames.std(axis=0)
    z = [((part.x - mean) / std * mask[..., None]).astype("float32") for part, mask in zip(parts[::2], valid)]
    return [part._replace(x=x) for part, x in zip(parts[::2], z)]


def widened(part, T):
    """The same part, padded with zeros (or token 0) to T steps."""
    shape = [(0, 0), (0, T - part.x.shape[1])] + [(0, 0)] * (part.x.ndim - 2)
    return part._replace(x=np.pad(part.x, shape))


def report(name, row):
    """Print means over the seeds so far."""
    print(f"  {name}", {key: round(float(np.mean(values)), 2) for key, values in row.items()}, flush=True)


def array(function, x, lengths):
    """Return what a network makes of x, as an array without gradients."""
    return function(torch.as_tensor(x), lengths).detach().numpy()


def accuracy(model, part):
    """Return the percentage of right answers."""
    return 100 * np.mean(predict(model, part.x, part.lengths).argmax(1) == part.y)


def fitted(part, seed, kind="LSTM", pool="last", **options):
    """Train one network on speech."""
    torch.manual_seed(seed)
    model = Pooled(kind, pool, (SPEECH["D"], SPEECH["H"], SPEECH["K"]), **options)
    train(model, part, cross_entropy, SPEECH, np.random.default_rng(seed))
    return model.eval()


# Padding


def wrong_max(states, lengths):
    """Return the percentage of units whose maximum over the valid steps is below 0: a zero in the padding wins."""
    return 100 * np.mean(max_pool(states, lengths).detach().numpy() < 0)


def wrong_by_length(states, lengths):
    """As `wrong_max`, when only the first steps of each sequence are its own: for every length from 2 on."""
    found = {}
    for n in range(2, states.shape[1]):  # not the last: without padding nothing is wrong
        rows = np.flatnonzero(lengths >= n)
        if len(rows) >= 30:
            found[n] = wrong_max(states[rows], np.full(len(rows), n))
    return found


def on_noise(seed, kind):
    """An untrained network on noise: a step's state does not know how long the sequence will be."""
    torch.manual_seed(seed)
    layer = {"LSTM": nn.LSTM, "RNN": nn.RNN}[kind](NOISE["D"], NOISE["H"], batch_first=True)
    x = torch.as_tensor(
        np.random.default_rng(seed).normal(size=(NOISE["B"], NOISE["T"], NOISE["D"])), dtype=torch.float32
    )
    return wrong_by_length(layer(x)[0], np.full(NOISE["B"], NOISE["T"]))


TOLD = {"masked": "network and pool", "pool blind": "network", "all blind": "nobody"}


def surprise(model, part):
    """Return the mean cross-entropy, in nats."""
    scores = torch.as_tensor(predict(model, part.x, part.lengths))
    return float(cross_entropy(scores, torch.as_tensor(part.y)))


def padded_speech(train_part, test):
    """Train at 40 frames with each kind of blindness, test at 40, 80 and 160: percentages and nats."""
    wide, found, nats = widened(train_part, SPEECH["T"]), {}, {}
    for pool in ("last", "max", "mean"):
        for how, told in TOLD.items():
            runs = [fitted(wide, seed, pool=pool, told=told) for seed in SEEDS]
            found[f"{pool}, {how}"] = {T: [accuracy(m, widened(test, T)) for m in runs] for T in WIDER["speech"]}
            nats[f"{pool}, {how}"] = {T: [surprise(m, widened(test, T)) for m in runs] for T in WIDER["speech"]}
            report(f"speech {pool}, {how}", found[f"{pool}, {how}"])
    return found, nats


def padded_names():
    """The same with city names, trained at 20 and tested at 20, 40 and 80; all blind also trained at 40."""
    found = {}
    for seed in SEEDS:
        cities = city_names(rng=seed)
        for trained_at, ways in ((20, TOLD), (40, ["all blind"])):
            for how in ways:
                for pool in ("last", "max", "mean"):
                    torch.manual_seed(seed)
                    sizes = NAMES["embedding"], NAMES["H"], 12
                    model = Pooled("LSTM", pool, sizes, TOLD[how], embedding=32)
                    wide = widened(cities.train, trained_at)
                    train(model, wide, cross_entropy, NAMES, np.random.default_rng(seed))
                    row = found.setdefault(f"{pool}, {how}, {trained_at}", {})
                    for T in WIDER["names"]:
                        row.setdefault(T, []).append(accuracy(model, widened(cities.test, T)))
                    report(f"names {seed}, {pool}, {how}, {trained_at}", row)
    return found


def with_stop(part):
    """The same names with a stop symbol after the last letter: one step more."""
    x = widened(part, part.x.shape[1] + 1).x.copy()
    x[np.arange(len(x)), part.lengths] = STOP
    return part._replace(x=x, lengths=part.lengths + 1)


def stopped_names():
    """Names that say where they end, to networks that know the lengths."""
    found = {}
    for seed in SEEDS:
        cities = city_names(rng=seed)
        for pool in ("last", "max", "mean"):
            torch.manual_seed(seed)
            model = Pooled("LSTM", pool, (NAMES["embedding"], NAMES["H"], 12), embedding=32)
            train(model, with_stop(cities.train), cross_entropy, NAMES, np.random.default_rng(seed))
            found.setdefault(pool, []).append(accuracy(model, with_stop(cities.test)))
        report(f"names {seed}, with a stop", found)
    return found


# Gradients


def shares(d, lengths):
    """Return the norm of d (B, T, D) at each step, as a share of the sequence's sum."""
    norms = d.norm(dim=2).numpy() * (np.arange(d.shape[1]) < lengths[:, None])
    return norms / norms.sum(axis=1, keepdims=True)


def flow(model, x, lengths, y):
    """Return the shares (B, T) of the loss's gradient that arrive at each output and at each input."""
    x = torch.as_tensor(x).requires_grad_()
    states = model.states(x, lengths)
    states.retain_grad()
    loss = nn.functional.cross_entropy(
        model.head(POOLS[model.pool](states, lengths)), torch.as_tensor(y), reduction="sum"
    )
    loss.backward()
    return shares(states.grad, lengths), shares(x.grad, lengths)


def by_place(share, lengths, bins=10):
    """Return a share (B, T) by relative place in the sequence, (bins,); a step covers its part of the whole."""
    edges, found = np.linspace(0, 1, bins + 1), np.zeros(bins)
    for row, n in zip(share, lengths):
        total = np.concatenate([[0], np.cumsum(row[:n])])
        found += np.diff(np.interp(edges, np.arange(n + 1) / n, total))
    return found / len(share)


def winners(model, x, lengths):
    """Return the share of units that win their maximum at each step (B, T), and how many steps win any unit (B,)."""
    states = model.states(torch.as_tensor(x), lengths)
    states = fill_padding(states, valid_steps(lengths, states.shape[1]), -torch.inf).detach().numpy()
    won = np.stack([(states.argmax(axis=1) == t) for t in range(states.shape[1])], axis=1)  # (B, T, H)
    return won.mean(axis=2), won.any(axis=2).sum(axis=1)


def untrained_flow(seed, kind, T=50):
    """Noise of T steps through a network as it is drawn: {pool: (outputs, inputs)}, shares (T,)."""
    rng, found = np.random.default_rng(seed), {}
    x, y = rng.normal(size=(64, T, SPEECH["D"])).astype("float32"), rng.integers(SPEECH["K"], size=64)
    for pool in ("last", "max", "mean"):
        torch.manual_seed(seed)
        model = Pooled(kind, pool, (SPEECH["D"], SPEECH["H"], SPEECH["K"]))
        found[pool] = [each.mean(axis=0) for each in flow(model, x, np.full(64, T), y)]
    return found


# Outliers


def raw_outliers(draws=4000, T=50):
    """One of T normal values becomes +s: how far max, mean and median move, on average; and with s up or down."""
    rng, found = np.random.default_rng(0), {}
    clean = rng.normal(size=(draws, T))
    signs = rng.choice([-1, 1], size=draws)
    for s in SIZES:
        for name, value in {"up": s, "up or down": s * signs}.items():
            bad = clean.copy()
            bad[:, 0] = value
            pools = {"max": np.max, "mean": np.mean, "median": np.median}
            moved = {key: np.abs(pool(bad, axis=1) - pool(clean, axis=1)) for key, pool in pools.items()}
            found[f"{s} {name}"] = {key: each.mean() for key, each in moved.items()}
    return found


def corrupted(part, s, seed):
    """Move a frame of each utterance by s standard deviations in every channel, up or down; return x and the frames."""
    rng = np.random.default_rng([seed, 1])
    frames = rng.integers(part.lengths)
    x = part.x.copy()
    x[np.arange(len(x)), frames] += s * rng.choice([-1, 1], size=(len(x), x.shape[2]))
    return x, frames


def judge_outliers(model, test):
    """Return the accuracy clean and with outliers, and how far the pooled features move, in their own spread."""
    clean = array(model.pooled, test.x, test.lengths)
    found = {"clean": accuracy(model, test)}
    for s in SIZES:
        bad = [test._replace(x=corrupted(test, s, draw)[0]) for draw in range(DRAWS)]
        found[s] = np.mean([accuracy(model, each) for each in bad])
        found[f"moved {s}"] = np.mean(
            [np.abs(array(model.pooled, each.x, each.lengths) - clean) / clean.std(axis=0) for each in bad]
        )
    return found


def lasting(model, test, longest=12):
    """Return how far h is off, on average over units, from the frame that was moved on: {s: (longest + 1,)}."""
    clean, found = array(model.states, test.x, test.lengths), {}
    for s in SIZES:
        x, frames = corrupted(test, s, 0)
        off = np.abs(array(model.states, x, test.lengths) - clean).mean(axis=2)  # (B, T)
        found[s] = []
        for lag in range(longest + 1):
            rows = np.flatnonzero(frames + lag < test.lengths)
            found[s].append(off[rows, frames[rows] + lag].mean())
    return found


def gates_apart(model, test, s=100):
    """Return the accuracy when only some of i, f, g, o read the moved frame, or are forced there, and h at that frame.

    The others read the clean frame. "io forced open": g reads the moved frame, i and o are 1 there; "f shut": f is 0.
    """
    lstm, found, clean = model.layer, {}, torch.as_tensor(test.x)
    bad, frames = corrupted(test, s, 0)
    here = np.arange(clean.shape[1]) == frames[:, None]  # (B, T)
    bias = lstm.bias_ih_l0 + lstm.bias_hh_l0
    ways = {sees or "none": (sees, {}) for sees in ("", "g", "o", "ig", "ifo", "ifg", "ifgo")}
    ways |= {"io forced open": ("g", {"i": 1, "o": 1}), "io forced open, f shut": ("g", {"i": 1, "o": 1, "f": 0})}
    ways["io forced open, f shut, nothing reads it"] = "", {"i": 1, "o": 1, "f": 0}
    for name, (sees, forced) in ways.items():
        rows = torch.tensor([gate in sees for gate in "ifgo"]).repeat_interleave(lstm.hidden_size)  # (4H,)
        x_gates = torch.where(rows, torch.as_tensor(bad) @ lstm.weight_ih_l0.T, clean @ lstm.weight_ih_l0.T) + bias
        h = c = torch.zeros(len(clean), lstm.hidden_size)
        output = []
        for t in range(clean.shape[1]):
            gates = dict(zip("ifgo", (x_gates[:, t] + h @ lstm.weight_hh_l0.T).chunk(4, dim=1)))
            gates = {gate: z.tanh() if gate == "g" else z.sigmoid() for gate, z in gates.items()}
            at = torch.as_tensor(here[:, t, None])
            gates |= {gate: torch.where(at, float(value), gates[gate]) for gate, value in forced.items()}
            c = gates["f"] * c + gates["i"] * gates["g"]
            h = gates["o"] * c.tanh()
            output.append(h)
        output = torch.stack(output, dim=1)  # (B, T, H)
        scores = model.head(POOLS[model.pool](output, test.lengths)).detach().numpy()
        right = 100 * np.mean(scores.argmax(1) == test.y)
        found[name] = {"right": right, "size": output[torch.as_tensor(here)].abs().mean().item()}
    return found


def taken(model, test):
    """Return the share of units whose maximum the moved frame wins, before and after, in percent; and h there."""
    found, rows = {}, np.arange(len(test.x))
    for s in SIZES:
        x, frames = corrupted(test, s, 0)
        for when, each in {"before": test.x, "after": x}.items():
            h = array(model.states, each, test.lengths)
            at = h[rows, frames]  # (B, H)
            top = max_pool(torch.as_tensor(h), test.lengths).numpy()
            found[f"{s} {when}"] = {"won": 100 * np.mean(at == top), "size": np.abs(at).mean(), "top": top.mean()}
    return found


FEATURES = {
    "mean": lambda frames: frames.mean(axis=0),
    "median": lambda frames: np.median(frames, axis=0),
    "max": lambda frames: frames.max(axis=0),
    "mean, std, first, last": lambda f: np.concatenate([f.mean(axis=0), f.std(axis=0), f[0], f[-1]]),
}


def logistic(train_part, test):
    """Logistic regression on a few numbers of each utterance, clean and with outliers."""
    found = {"majority": {"clean": 100 * np.bincount(test.y).max() / len(test.y)}}
    for name, feature in FEATURES.items():

        def rows(x, lengths, feature=feature):
            return np.array([feature(each[:n]) for each, n in zip(x, lengths)])

        line = make_pipeline(StandardScaler(), LogisticRegression(max_iter=5000)).fit(
            rows(*train_part[:2]), train_part.y
        )
        found[name] = {"clean": 100 * line.score(rows(*test[:2]), test.y)}
        for s in SIZES:
            scores = [line.score(rows(corrupted(test, s, draw)[0], test.lengths), test.y) for draw in range(DRAWS)]
            found[name][s] = 100 * np.mean(scores)
    return found


def outliers(train_part, test, models):
    """Every layer under every pool, five networks each; the networks go into `models`."""
    found = {}
    for kind in ("linear", "tanh", "RNN", "LSTM"):
        for pool in ("max", "mean", "median") + (("last",) if kind in ("RNN", "LSTM") else ()):
            models[kind, pool] = [fitted(train_part, seed, kind, pool) for seed in SEEDS]
            each = [judge_outliers(model, test) for model in models[kind, pool]]
            found[f"{kind}, {pool}"] = {key: [run[key] for run in each] for key in each[0]}
            report(f"{kind}, {pool}", found[f"{kind}, {pool}"])
    return found


def trained_flow(models, test):
    """Where the gradient arrives in trained networks, by place; and which steps win the maximum."""
    found = {"outputs": {}, "inputs": {}}
    for pool in ("last", "max", "mean"):
        runs = [flow(model, test.x, test.lengths, test.y) for model in models["LSTM", pool]]
        for k, side in enumerate(("outputs", "inputs")):
            found[side][pool] = [by_place(run[k], test.lengths) for run in runs]
    won = [winners(model, test.x, test.lengths) for model in models["LSTM", "max"]]
    found["winners"] = [by_place(share, test.lengths) for share, _ in won]
    found["distinct"] = [count.mean() for _, count in won]
    ends = [(share[:, 0].mean(), share[np.arange(len(share)), test.lengths - 1].mean()) for share, _ in won]
    found["first"], found["last"] = zip(*ends)
    found["mean length"] = test.lengths.mean()
    found["one"] = {
        pool: [d[0, : test.lengths[0]] for d in flow(models["LSTM", pool][0], *test)]
        for pool in ("last", "max", "mean")
    }
    return found


def wrong_maxima(models, test):
    """By kind of network, and by the number of valid steps, the percentage of units whose maximum a zero would win."""
    found = {f"noise, {kind}, untrained": [on_noise(seed, kind) for seed in SEEDS] for kind in ("RNN", "LSTM")}
    groups, as_it_is = {"untrained": []} | {pool: models["LSTM", pool] for pool in ("last", "max", "mean")}, {}
    for seed in SEEDS:
        torch.manual_seed(seed)
        groups["untrained"].append(Pooled("LSTM", "max", (SPEECH["D"], SPEECH["H"], SPEECH["K"])))
    for name, group in groups.items():
        states = [model.states(torch.as_tensor(test.x), test.lengths) for model in group]
        found[f"speech, LSTM, {name}"] = [wrong_by_length(each, test.lengths) for each in states]
        as_it_is[name] = [wrong_max(each, test.lengths) for each in states]
    return found, as_it_is


def main():
    torch.set_num_threads(1)
    train_part, test = speech()
    models, results = {}, {"raw": raw_outliers(), "logistic": logistic(train_part, test)}
    results["outliers"] = outliers(train_part, test, models)
    results["lasting"] = {kind: [lasting(m, test) for m in models[kind, "max"]] for kind in ("RNN", "LSTM")}
    results["taken"] = {
        kind: [taken(m, test) for m in models[kind, "max"]] for kind in ("linear", "tanh", "RNN", "LSTM")
    }
    results["gates"] = [gates_apart(m, test) for m in models["LSTM", "max"]]
    results["flow"] = {kind: [untrained_flow(seed, kind) for seed in SEEDS] for kind in ("RNN", "LSTM")}
    results["trained"] = trained_flow(models, test)
    results["wrong max"], results["wrong max, whole utterances"] = wrong_maxima(models, test)
    results["padded speech"], results["padded speech, nats"] = padded_speech(train_part, test)
    results["padded names"], results["stopped names"] = padded_names(), stopped_names()
    return results


if __name__ == "__main__":
    save("pooling", main(), seeds=SEEDS)
