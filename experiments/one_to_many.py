"""Study of the chapter one-to-many: city names written for a country, letter by letter.

960 test names are the same for all, and nothing has been chosen on them; the others are divided anew by each seed into
3,360 for training and 480 for validation, and the seed also draws the network and what it writes. Every contender has
six tries on the division of seed 100, and the one with the fewest bits per character on validation names, all letters
before being real ones, is trained with seeds 0 to 9; networks until these bits have stopped improving (`learning.py`).
The grids themselves were laid down after a few looks at the validation names of seed 100. Those trial runs printed test
bits too, of seed 100 and for Kneser-Ney of seed 0; nothing was chosen by them.

Networks: the country as a one-hot vector sets the initial state of an LSTM of H units, vectors of 32 for the letters,
batches of 64, dropout on these vectors and on what the head reads, weight decay 0.1. "Scheduled sampling" (Bengio et
al. 2015): in training each letter that is read is, with a probability, one that the network has sampled just before
instead of the real one; the probability grows linearly over `RAMP` epochs to what is tried, and stays, and only the
later epochs count. It has six tries of its own, with the dropout chosen for teacher forcing. "All sampled" is the
better of those tries whose probability grows to 1, on five seeds, since it is far from the others.

n-grams: "trigram" and "mixed" add to the counts `strength` times the distribution that looks back one letter less;
"Kneser-Ney" is interpolated modified Kneser-Ney (Chen and Goodman 1999). A country's distribution rests on a mean of
its own shorter one and, with the weight `pooled`, of the one of the same length counted over all countries.

What is written: EACH names a country, at several temperatures, and at those at which the entropy per symbol, mean over
the symbols written, is one of `ENTROPIES`, found by interpolation. Two judges of it learn from the test names: the
chosen n-gram and the LSTM (a sixth of the test names stops its training). Real names to hold beside are the validation
names. Empty names are counted and left out. "Within a letter": one letter changed, put in or taken out makes it a
training name.

Exposure: the n-gram judge's cross-entropy at a model's next symbol, after 1 to 10 letters of a validation name, of a
name that the model has written at temperature 1, and of a validation name in shuffled order; the mean over positions
weighs each by the number of validation names that reach it. About eighteen minutes on two cores.
"""

from collections import defaultdict
from functools import cache

import numpy as np
import torch
from learning import divide, learn, shuffled
from protocol import paired, run, save, search

from lstm_tutorial.data import IGNORE, START, STOP, Batch, city_names, shift
from lstm_tutorial.in_torch import OneToMany, cross_entropy

SEEDS, SEARCHED = range(10), 100
K, COUNTRIES, H, EMBEDDING, B, DECAY, RAMP = 32, 12, 96, 32, 64, 0.1, 5
DROPOUTS, SHARES = (0.1, 0.3, 0.5), (0.25, 0.5, 1.0)
TRIES = [dict(lr=lr, dropout=dropout) for lr in (3e-3, 1e-2) for dropout in DROPOUTS]
NGRAMS = {
    "letters": [dict(order=1, strength=s) for s in (1, 2, 4, 8, 16, 32)],
    "trigram": [dict(order=3, strength=s) for s in (2, 4, 8, 16, 32, 64)],
    "mixed": [dict(order=n, strength=s, pooled=0.2) for n in (3, 4, 5) for s in (8, 16)],
    "Kneser-Ney": [dict(order=n, pooled=p) for n in (4, 5, 6) for p in (0.0, 0.1)],
    "Kneser-Ney, no country": [dict(order=n) for n in (1, 2, 3, 4, 5, 6)],
}
WRITERS = ("Kneser-Ney", "LSTM", "scheduled sampling", "all sampled")
TEMPERATURES, ENTROPIES = (0.5, 0.75, 1.0, 1.25, 1.5), (2.0, 3.0)
EACH, STEPS, POSITIONS = 50, 30, range(1, 11)  # names a country, the longest, letters before the judged symbol


class Ngram:
    """Counts of the symbol after up to `order - 1` others, country by country; without a strength, Kneser-Ney."""

    def __init__(self, part, order, strength=None, pooled=0.0):
        self.order, self.strength, self.pooled = order, strength, pooled
        self.counts, self.known = defaultdict(lambda: np.zeros(K)), {}
        for tokens, length, country in zip(*part):
            line = [START, *tokens[:length].tolist(), STOP]
            for t in range(1, len(line)):
                for n in range(min(order, t + 1)):
                    for group in (int(country), -1):
                        self.counts[group, tuple(line[t - n : t])][line[t]] += 1
        if not strength:
            self._continue()

    def _continue(self):
        """Count in shorter contexts how many different symbols came before; find each length's three discounts."""
        before = defaultdict(lambda: np.zeros(K))
        for (group, context), counts in self.counts.items():
            if context:
                before[group, context[1:]] += counts > 0
        self.counts |= before  # what starts a name has nothing before it, and keeps its counts
        self.discounts = {}
        for kind in {(group < 0, len(context)) for group, context in self.counts}:
            found = np.concatenate([c for (g, context), c in self.counts.items() if (g < 0, len(context)) == kind])
            n = np.array([np.sum(found == k) for k in (1, 2, 3, 4)])
            D = np.array([0.5, 1, 1.5])  # where there are no counts of counts to find them from
            if n.all():
                D = np.clip([k - (k + 1) * n[0] / (n[0] + 2 * n[1]) * n[k] / n[k - 1] for k in (1, 2, 3)], 0, [1, 2, 3])
            self.discounts[kind] = np.r_[0, D]

    def after(self, group, context):
        """Return the distribution of the next symbol, (K,), for a country (or -1 for all) and the symbols before."""
        key = group, context
        if key not in self.known:
            below = (
                self.after(group, context[1:]) if context else np.r_[np.zeros(STOP), np.full(K - STOP, 1 / (K - STOP))]
            )
            if self.pooled and group >= 0:
                below = (1 - self.pooled) * below + self.pooled * self.after(-1, context)
            counts = self.counts.get(key, np.zeros(K))
            if self.strength:
                self.known[key] = (counts + self.strength * below) / (counts.sum() + self.strength)
            elif counts.any():
                less = self.discounts[group < 0, len(context)][np.minimum(counts, 3).astype(int)]
                self.known[key] = (counts - less + less.sum() * below) / counts.sum()
            else:
                self.known[key] = below
        return self.known[key]

    def next_of(self, part):
        """Return the distribution before each symbol of each name, stop included, (N, T + 1, K); 0 past the stop."""
        p = np.zeros((len(part.x), part.x.shape[1] + 1, K))
        for row, tokens, length, country in zip(p, part.x.tolist(), part.lengths, part.y.tolist()):
            line = [START, *tokens]
            row[: length + 1] = [
                self.after(country, tuple(line[: t + 1][1 - self.order or t + 1 :])) for t in range(length + 1)
            ]
        return p

    def write(self, countries, temperature, rng):
        """Write a name for each country, a letter at a time; return tokens (N, STEPS), with the stop after each."""
        names = np.full((len(countries), STEPS + 1), STOP)
        names[:, 0] = START
        for t in range(STEPS):
            for row in np.flatnonzero(names[:, t] != STOP):
                context = names[row, max(0, t + 2 - self.order) : t + 1] if self.order > 1 else ()
                p = self.after(int(countries[row]), tuple(map(int, context))) ** (1 / temperature)
                names[row, t + 1] = np.searchsorted(p.cumsum(), rng.random() * p.sum(), "right")
        return names[:, 1:]


class Writer(OneToMany):
    """A generator that may read letters of its own in training; padding and start never come out."""

    def __init__(self, seed, dropout):
        torch.manual_seed(seed)
        lstm = torch.nn.LSTM(EMBEDDING, H, batch_first=True)
        super().__init__(COUNTRIES, H, K, embedding=EMBEDDING, stop=STOP, lstm=lstm, rng=seed)
        with torch.no_grad():
            self.head.bias[:STOP] = -1e9
        self.embedding = torch.nn.Sequential(self.embedding, torch.nn.Dropout(dropout))
        self.head = torch.nn.Sequential(torch.nn.Dropout(dropout), self.head)
        self.share = 0.0  # of the letters that are read in training, how many are its own

    def forward(self, countries, y):
        """Return the scores (N, T, K) of the next symbol, before each of the targets y (N, T)."""
        x, real = torch.eye(COUNTRIES)[countries], y.clamp(min=0)
        if not (self.training and self.share):
            return super().forward(x, targets=real)
        state, fed, scores = self._state(x), self._first(x), []
        for t in range(y.shape[1]):
            output, state = self.run(fed, state=state)
            scores.append(self.head(output[:, 0]))
            own = torch.distributions.Categorical(logits=scores[-1].detach()).sample()
            fed = self._feed(torch.where(torch.rand(len(y)) < self.share, own, real[:, t])[:, None])
        return torch.stack(scores, dim=1)

    @torch.no_grad()
    def next_of(self, part):
        """Return the distribution before each symbol of each name, as an n-gram does."""
        y = torch.as_tensor(shift(part.x, part.lengths).y)
        return (torch.softmax(self(torch.as_tensor(part.y), y), -1) * (y >= 0)[..., None]).numpy().astype(float)

    def write(self, countries, temperature, rng):
        """Write a name for each country, as an n-gram does."""
        seed = int(rng.integers(2**31))
        tokens, _ = self.generate(torch.eye(COUNTRIES)[countries], STEPS, temperature=temperature, rng=seed)
        return np.pad(tokens, ((0, 0), (0, STEPS - tokens.shape[1])), constant_values=STOP)


def targets(part):
    """Return the countries, and all symbols that are to be predicted, `IGNORE` past the stop."""
    return torch.as_tensor(part.y), torch.as_tensor(shift(part.x, part.lengths).y)


def train(parts, seed, lr, dropout, share=0.0):
    """Train a network on the first of two parts until its bits on the second are best; return it, and its curve."""
    model, rng = Writer(seed, dropout), np.random.default_rng(seed)
    countries, y = targets(parts[0])
    validation, epochs = targets(parts[1]), []

    def epoch():
        epochs.append(1)
        model.share = share * min(1, (len(epochs) - 1) / RAMP)
        for rows, lengths in shuffled((np.arange(len(y)), parts[0].lengths), B, rng):
            longest = lengths.max() + 1
            yield countries[rows], y[rows, :longest], y[rows, :longest]

    def loss(scores, y):
        return cross_entropy(scores, y, ignore_index=IGNORE) / np.log(2)

    def validate():
        if share and len(epochs) <= RAMP:  # no weights of these epochs count
            return 100 - len(epochs)
        return loss(model(*validation), validation[1])

    found = learn(model, epoch, loss, validate, lr=lr, weight_decay=DECAY, epochs=100)
    return model, found | {"curve": [each for each in found["curve"] if each < 50]}


def bits(p, part):
    """Return the bits of each name, (N,), given p (N, T + 1, K): -log2 p of its symbols, the stop included, summed."""
    y = shift(part.x, part.lengths).y
    symbols = np.take_along_axis(p, np.maximum(y, 0)[..., None], 2)[..., 0]
    return -np.log2(np.where(y >= 0, symbols, 1)).sum(1)


def rate(p, part):
    """Return the bits per character of a part."""
    return bits(p, part).sum() / (part.lengths + 1).sum()


def entropy(p, temperature, part):
    """Return the mean entropy in bits of p ** (1 / temperature) before all symbols of a part."""
    p = p[shift(part.x, part.lengths).y >= 0] ** (1 / temperature)
    p /= p.sum(1, keepdims=True)
    return -(p * np.log2(np.maximum(p, 1e-300))).sum(1).mean()


def write(model, temperature, rng):
    """Write EACH names for every country; return a part."""
    countries = np.repeat(np.arange(COUNTRIES), EACH)
    tokens = model.write(countries, temperature, rng)
    lengths = (tokens != STOP).sum(1)
    return Batch(np.where(tokens == STOP, 0, tokens), lengths, countries)


def texts(part, alphabet):
    """Return the names as str."""
    return [alphabet.decode(tokens[:length]) for tokens, length in zip(part.x, part.lengths)]


def neighbourhood(names):
    """Return all that is within a letter of a name, as patterns: the name, a letter starred, a letter taken out."""
    cuts = {(name[:t], name[t + 1 :]) for name in names for t in range(len(name))}
    return set(names) | {a + "*" + b for a, b in cuts} | {"-" + a + b for a, b in cuts}


def is_near(name, train_set, patterns):
    """Whether one letter changed, put in or taken out makes it a training name, or it is one."""
    cuts = [(name[:t] + "*" + name[t + 1 :], name[:t] + name[t + 1 :]) for t in range(len(name))]
    return name in train_set or "-" + name in patterns or any(a in patterns or b in train_set for a, b in cuts)


@cache
def judges(ngram, network):
    """Return the two judges, learned from the test names with settings given as tuples of items."""
    test = city_names(rng=0).test
    stopping = np.arange(len(test.x)) % 6 == 0
    parts = [Batch(*(a[rows] for a in test)) for rows in (~stopping, stopping)]
    return Ngram(test, **dict(ngram)), train(parts, SEARCHED, **dict(network))[0]


def describe(part, judging, train_set, patterns, alphabet):
    """Return what can be said of a list of names."""
    empty = 100 * np.mean(part.lengths == 0)
    part = Batch(*(a[part.lengths > 0] for a in part))
    names, (ngram, network) = texts(part, alphabet), judging
    of = np.array([bits(ngram.next_of(part._replace(y=np.full(len(names), k))), part) for k in range(COUNTRIES)])
    return {
        "judged": rate(ngram.next_of(part), part),
        "judged by LSTM": rate(network.next_of(part), part),
        "right country": 100 * np.mean(of.argmin(0) == part.y),
        "different": 100 * len(set(names)) / len(names),
        "in training": 100 * np.mean([name in train_set for name in names]),
        "within a letter": 100 * np.mean([is_near(name, train_set, patterns) for name in names]),
        "length": part.lengths.mean(),
        "empty": empty,
        "unfinished": 100 * np.mean(part.lengths == STEPS),
    }


def exposure(model, own, real, judge, rng):
    """Return the judge's cross-entropy at a model's next symbol, by what stands before: the mean over positions."""
    mixed = real._replace(x=np.array([np.r_[rng.permutation(x[:n]), x[n:]] for x, n in zip(real.x, real.lengths)]))
    found = {}
    for name, part in (("real", real), ("own", own), ("shuffled", mixed)):
        cost = -(model.next_of(part) * np.log2(np.maximum(judge.next_of(part), 1e-300))).sum(2)
        found[name] = [cost[part.lengths >= t, t].mean() for t in POSITIONS]
    truth = judge.next_of(real)
    found["truth"] = [bits_at(truth, real, t) for t in POSITIONS]
    weights = [np.sum(real.lengths >= t) for t in POSITIONS]
    return {name: np.average(curve, weights=weights) for name, curve in found.items()}


def bits_at(p, part, t):
    """Return the mean bits of the symbols after t letters."""
    rows = part.lengths >= t
    return -np.log2(p[rows, t, shift(part.x, part.lengths).y[rows, t]]).mean()


def look(model, data, seed, judging):
    """Write names with a model; return all that is measured of them."""
    rng, judging = np.random.default_rng(seed), judges(*judging)
    train_set = set(texts(data.train, data.alphabet))
    known = judging, train_set, neighbourhood(train_set), data.alphabet
    found, samples, entropies = {"real": describe(data.validation, *known)}, {}, []

    def measure(name, temperature):
        part = write(model, temperature, rng)
        found[name] = describe(part, *known) | {"temperature": temperature}
        part = Batch(*(a[part.lengths > 0] for a in part))
        found[name]["entropy"] = entropy(model.next_of(part), temperature, part)
        samples[name] = [texts(Batch(*(a[part.y == k][:3] for a in part)), data.alphabet) for k in range(COUNTRIES)]
        return part

    parts = {T: measure(f"temperature {T}", T) for T in TEMPERATURES}
    entropies = [found[f"temperature {T}"]["entropy"] for T in TEMPERATURES]
    for wanted in ENTROPIES:
        measure(f"entropy {wanted}", float(np.interp(wanted, entropies, TEMPERATURES)))
    return {
        "written": found,
        "exposure": exposure(model, parts[1.0], data.validation, judging[0], rng),
        "samples": samples,
    }


def same_country(part):
    """Return a part in which every name is of the same country."""
    return part._replace(y=np.zeros_like(part.y))


def contend(contender, seed, judging=None, **settings):
    """Fit a contender; return its bits on all parts and, where the settings of two judges are given, what it writes."""
    data = divide(city_names(rng=0), seed)
    parts = {part: getattr(data, part) for part in ("train", "validation", "test")}
    if contender.endswith("no country"):
        parts = {name: same_country(part) for name, part in parts.items()}
    if contender in NGRAMS:
        model, found = Ngram(parts["train"], **settings), {}
    else:
        model, found = train((parts["train"], parts["validation"]), seed, **settings)
    found["bits"] = {name: rate(model.next_of(part), part) for name, part in parts.items()}
    return found | (look(model, data, seed, judging) if judging else {})


def validation(**setting):
    """Return the validation bits of a try."""
    return contend(**setting)["bits"]["validation"]


def gather(runs, tries):
    """Return lists over the seeds; the curves of two seeds, the samples of one."""
    found = tries | {f"{of} bits": [each["bits"][of] for each in runs] for of in runs[0]["bits"]}
    if "curve" in runs[0]:
        found |= {"best epoch": [each["at"] for each in runs], "ended": [each["ended"] for each in runs]}
        found["curves"] = [np.round(each["curve"], 3) for each in runs[:2]]
    if "written" in runs[0]:
        for kind in ("written", "exposure"):
            found[kind] = lists([each[kind] for each in runs])
        found["samples"] = runs[0]["samples"]
    return found


def lists(runs):
    """Turn a list of dicts (of dicts) of numbers into a dict (of dicts) of lists."""
    if not isinstance(runs[0], dict):
        return runs
    return {key: lists([each[key] for each in runs]) for key in runs[0]}


def differences(results):
    """Return the paired differences that the chapter quotes: of bits, and of what is written at an equal entropy."""
    ours, found = results["LSTM"], {"bits": {}, "exposure": {}}
    for name in [name for name in results if name not in ("LSTM", "settings")]:
        other = results[name]["test bits"]
        found["bits"][name] = paired(other, ours["test bits"][: len(other)])
    for name in WRITERS:
        exposed = results[name]["exposure"]
        found["exposure"][name] = paired(exposed["own"], exposed["real"])
    for at in ("temperature 1.0", *(f"entropy {wanted}" for wanted in ENTROPIES)):
        found[at] = {}
        for name in [name for name in WRITERS if name != "LSTM"]:
            of = results[name]["written"][at]
            found[at][name] = {k: paired(v, ours["written"][at][k][: len(v)]) for k, v in of.items()}
    return found


if __name__ == "__main__":
    chosen = {}
    for name, tries in NGRAMS.items():
        chosen |= search(validation, [name], tries, SEARCHED)
    chosen |= search(validation, ["LSTM"], TRIES, SEARCHED)
    dropout = chosen["LSTM"]["chosen"]["dropout"]
    tries = [dict(lr=lr, dropout=dropout, share=share) for lr in (3e-3, 1e-2) for share in SHARES]
    chosen |= search(validation, ["scheduled sampling"], tries, SEARCHED)
    whole = [k for k, each in enumerate(tries) if each["share"] == 1]
    best = min(whole, key=lambda k: chosen["scheduled sampling"]["scores"][k])
    chosen["all sampled"] = {"chosen": tries[best], "scores": chosen["scheduled sampling"]["scores"][whole]}
    judging = [tuple(sorted(chosen[name]["chosen"].items())) for name in ("Kneser-Ney", "LSTM")]
    results = {"settings": {"networks": TRIES, "n-grams": NGRAMS, "scheduled sampling": tries}}
    for name, each in chosen.items():
        writes = {"judging": judging} if name in WRITERS else {}
        seeds = SEEDS[:5] if name == "all sampled" else SEEDS
        settings = [dict(contender=name, seed=seed) | each["chosen"] | writes for seed in seeds]
        results[name] = gather(list(run(contend, settings)), {"chosen": each["chosen"], "tries": each["scores"]})
        print(name, each["chosen"], np.round(np.median(results[name]["test bits"]), 3), flush=True)
    results["differences"] = differences(results)
    save("one_to_many", results, SEEDS)
