"""Study of the chapter one-to-many: city names written for a country, letter by letter.

Five splits of the names, a seed each, that also draws the network and the samples. The network: the country as a
one-hot vector sets the initial state, H = 96, Adam with a one-cycle schedule to 8e-3, batches of 64, 14 epochs, dropout
0.25 on what the LSTM puts out, gradients clipped at 1; the last epoch counts. These settings were fixed beforehand,
except where dropout stands and the size of the letters' vectors, looked at on validation names of a split that is not
among the five. "No country" is the same network, told the same country for every name. "Never forced" is the same
network trained with its own likeliest letters fed back. Smoothing, and the order of the longer n-gram, are chosen on
each split's validation names.

Every n-gram mixes an order with the one below by one rule: (count + strength * p_below) / (total + strength), from a
uniform distribution over 30 symbols upwards. "n-gram, country and all" rests each country's counts on the mean of its
own lower order and of the same order counted over all countries.

Judge of what was written: such an n-gram on the test names, which no generator has seen. Real names to hold beside
are the validation names. "Within a letter": one letter changed, put in or taken out makes it a training name.
About five minutes of one processor.
"""

import time
from collections import defaultdict

import numpy as np
import torch
from protocol import save

from lstm_tutorial.data import IGNORE, START, STOP, city_names, shift
from lstm_tutorial.in_torch import OneToMany, cross_entropy

SEEDS, K, COUNTRIES = range(5), 32, 12
NETWORK = dict(H=96, embedding=32, dropout=0.25, lr=8e-3, B=64, epochs=14, clip=1.0)
TEMPERATURES = [0.0, 0.5, 1.0, 1.5]
STRENGTHS, ORDERS = [1, 2, 4, 8, 16, 32, 64], [3, 4, 5, 6]
EACH, STEPS, POSITIONS = 100, 30, range(1, 11)  # samples a country, the longest name, letters before the judged symbol


class Ngram:
    """Counts of the symbol after the `order - 1` symbols before it, country by country, smoothed."""

    def __init__(self, order, strength, by_country=True, pooled=False):
        self.order, self.strength, self.by_country, self.pooled = order, strength, by_country, pooled
        self.counts, self.known = defaultdict(lambda: np.zeros(K)), {}

    def fit(self, part):
        """Count every context of every length up to the order."""
        for tokens, length, country in zip(*part):
            line = [START] * (self.order - 1) + tokens[:length].tolist() + [STOP]
            groups = [country] * self.by_country + [-1] * (self.pooled or not self.by_country)
            for t in range(self.order - 1, len(line)):
                for n in range(self.order):
                    for group in groups:
                        self.counts[int(group), tuple(line[t - n : t])][line[t]] += 1
        return self

    def after(self, group, context):
        """Return the distribution of the next symbol, (K,), for a country (or -1 for all) and the symbols before."""
        key = group, context
        if key not in self.known:
            if context:
                below = self.after(group, context[1:])
            else:
                below = np.where(np.arange(K) < STOP, 0, 1 / (K - STOP))
            if self.pooled and group >= 0:
                below = (below + self.after(-1, context)) / 2
            counts = self.counts.get(key, 0)
            self.known[key] = (counts + self.strength * below) / (np.sum(counts) + self.strength)
        return self.known[key]

    def next_symbol(self, country, prefix):
        """Return the distribution after all the letters so far."""
        line = [START] * (self.order - 1) + list(prefix)
        return self.after(int(country) if self.by_country else -1, tuple(line[len(line) - self.order + 1 :]))

    def bits(self, part, country=None):
        """Return the surprise at each name of a part, in bits, (N,); for another country if one is given."""
        return np.array(
            [
                -sum(
                    np.log2(self.next_symbol(k if country is None else country, tokens[:t])[symbol])
                    for t, symbol in enumerate([*tokens[:length], STOP])
                )
                for tokens, length, k in zip(*part)
            ]
        )

    def write(self, countries, temperature, rng):
        """Write a name for each country; return a list of token lists, without the stop."""
        names = []
        for country in countries:
            name = []
            while len(name) < STEPS:
                p = self.next_symbol(country, name)
                p = np.eye(K)[p.argmax()] if temperature == 0 else p ** (1 / temperature)
                symbol = int(rng.choice(K, p=p / p.sum()))
                if symbol == STOP:
                    break
                name.append(symbol)
            names.append(name)
        return names


def rate(bits, part):
    """Return bits per symbol, the stop counted."""
    return bits.sum() / (part[1] + 1).sum()


def chosen(train, validation, orders, **options):
    """Return the n-gram whose strength (and order) the validation names like best."""
    found = [Ngram(order, strength, **options).fit(train) for order in orders for strength in STRENGTHS]
    return min(found, key=lambda model: rate(model.bits(validation), validation))


def one_hot(countries):
    """Return a row for each country, (N, 12)."""
    return torch.eye(COUNTRIES)[torch.as_tensor(countries)]


def make_generator(seed, condition="state", settings=NETWORK):
    """Return an untrained generator; padding and start, tokens 0 and 1, have a score of -1e9 and never come out."""
    torch.manual_seed(seed)
    H, E = settings["H"], settings["embedding"]
    lstm = torch.nn.LSTM(E + COUNTRIES * (condition == "input"), H, batch_first=True)
    model = OneToMany(COUNTRIES, H, K, condition=condition, embedding=E, stop=STOP, lstm=lstm, rng=seed)
    with torch.no_grad():
        model.head.bias[:STOP] = -1e9
    model.head = torch.nn.Sequential(torch.nn.Dropout(settings["dropout"]), model.head)
    return model


def train(model, part, seed, told=None, forced=True, settings=NETWORK):
    """Train with teacher forcing, or with the model's own likeliest letters fed back; `told`: one country for all."""
    _, lengths, y = (torch.as_tensor(each) for each in shift(part.x, part.lengths))
    x = one_hot(part.y if told is None else np.full(len(part.y), told))
    rng, B = np.random.default_rng(seed), settings["B"]
    batches = [r[k : k + B] for r in map(rng.permutation, [len(y)] * settings["epochs"]) for k in range(0, len(r), B)]
    optimiser = torch.optim.Adam(model.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, settings["lr"], total_steps=len(batches))
    model.train()
    for rows in batches:
        if forced:
            scores = model(x[rows], targets=y[rows], lengths=lengths[rows])
        else:
            model.stop = None  # on to the last step, whatever it writes
            scores = model(x[rows], y.shape[1])
        optimiser.zero_grad()
        cross_entropy(scores, y[rows], ignore_index=IGNORE).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), settings["clip"])
        optimiser.step()
        schedule.step()
    model.stop = STOP
    return model.eval()


@torch.no_grad()
def surprises(model, part, told=None, forced=True):
    """Return the surprise at each name in bits, (N,)."""
    _, lengths, y = (torch.as_tensor(each) for each in shift(part[0], part[1]))
    x = one_hot(part[2] if told is None else np.full(len(part[2]), told))
    if forced:
        scores = model(x, targets=y, lengths=lengths)
    else:
        model.stop = None
        scores = model(x, y.shape[1])
        model.stop = STOP
    nats = torch.nn.functional.cross_entropy(scores.mT, y, ignore_index=IGNORE, reduction="none")
    return nats.sum(1).numpy() / np.log(2)


@torch.no_grad()
def next_of(model, part):
    """Return the generator's distribution before each symbol of each name, (N, T + 1, K)."""
    if isinstance(model, Ngram):
        p = np.zeros((len(part[0]), part[0].shape[1] + 1, K))
        for n, (tokens, length, country) in enumerate(zip(*part)):
            p[n, : length + 1] = [model.next_symbol(country, tokens[:t]) for t in range(length + 1)]
        return p
    _, lengths, y = (torch.as_tensor(each) for each in shift(part[0], part[1]))
    return torch.softmax(model(one_hot(part[2]), targets=y, lengths=lengths), -1).numpy().astype(float)


def write(model, temperature, rng):
    """Write EACH names for every country with any generator; return a part: tokens, lengths, countries."""
    countries = np.repeat(np.arange(COUNTRIES), EACH)
    if isinstance(model, Ngram):
        names = model.write(countries, temperature, rng)
    else:
        torch_rng = int(rng.integers(2**31))
        tokens, lengths = model.generate(one_hot(countries), STEPS, temperature=temperature, rng=torch_rng)
        names = [row[:n] for row, n in zip(tokens.tolist(), lengths.tolist())]
    lengths = np.array([len(name) for name in names])
    x = np.zeros((len(names), STEPS), np.int64)
    for row, name in zip(x, names):
        row[: len(name)] = name
    return x, lengths, countries


def texts(part, alphabet):
    """Return the names as str."""
    return [alphabet.decode(tokens[:length]) for tokens, length in zip(part[0], part[1])]


def neighbourhood(names):
    """Return all that is within a letter of a name, as patterns: the name, a letter starred, a letter taken out."""
    found = set(names)
    for name in names:
        for t in range(len(name)):
            found |= {name[:t] + "*" + name[t + 1 :], "-" + name[:t] + name[t + 1 :]}
    return found


def is_near(name, train_set, patterns):
    """Whether one letter changed, put in or taken out makes it a training name, or it is one."""
    cuts = [(name[:t] + "*" + name[t + 1 :], name[:t] + name[t + 1 :]) for t in range(len(name))]
    return name in train_set or "-" + name in patterns or any(a in patterns or b in train_set for a, b in cuts)


def describe(part, judge, train_set, patterns, alphabet):
    """Return what can be said of a list of names."""
    names = texts(part, alphabet)
    bits = np.array([judge.bits(part, country) for country in range(COUNTRIES)])
    return {
        "judged": rate(bits[part[2], np.arange(len(names))], part),
        "right country": 100 * np.mean(bits.argmin(0) == part[2]),
        "different": 100 * len(set(names)) / len(names),
        "in training": 100 * np.mean([name in train_set for name in names]),
        "within a letter": 100 * np.mean([is_near(name, train_set, patterns) for name in names]),
        "length": part[1].mean(),
        "empty": 100 * np.mean(part[1] == 0),
        "unfinished": 100 * np.mean(part[1] == STEPS),
    }


def shuffled(part, rng):
    """The same names, the letters of each in another order."""
    x = part[0].copy()
    for row, length in zip(x, part[1]):
        row[:length] = rng.permutation(row[:length])
    return x, part[1], part[2]


def judged_by_position(model, prefixes, judge):
    """Return the judge's expected surprise at the model's next symbol after 1, 2, ... letters, and how many names."""
    p, found = next_of(model, prefixes), defaultdict(list)
    for n, (tokens, length, country) in enumerate(zip(*prefixes)):
        for t in range(1, length + 1):
            found[t].append(-p[n, t] @ np.log2(np.maximum(judge.next_symbol(country, tokens[:t]), 1e-300)))
    return [np.mean(found[t]) for t in POSITIONS]


def exposure(model, own, real, judge, rng):
    """Return the judge's surprise at the next symbol: real ones, the model's after real, own and shuffled letters."""
    own = tuple(each[own[1] > 0] for each in own)
    truth = defaultdict(list)
    for tokens, length, country in zip(*real):
        for t, symbol in enumerate([*tokens[:length], STOP]):
            truth[t].append(-np.log2(judge.next_symbol(country, tokens[:t])[symbol]))
    curves = {
        "real names": [np.mean(truth[t]) for t in POSITIONS],
        "after real letters": judged_by_position(model, real, judge),
        "after its own": judged_by_position(model, own, judge),
        "after shuffled": judged_by_position(model, shuffled(real, rng), judge),
    }
    counts = [np.sum(real[1] >= t) for t in POSITIONS]  # the same weight of a position everywhere
    return {"by position": curves, "mean": {name: np.average(c, weights=counts) for name, c in curves.items()}}


def run(seed):
    """Everything on one split."""
    cities = city_names(rng=seed)
    rng = np.random.default_rng(seed)
    parts = {"train": cities.train, "validation": cities.validation, "test": cities.test}
    n_grams = {
        "letters, country": chosen(cities.train, cities.validation, [1]),
        "trigram, all": chosen(cities.train, cities.validation, [3], by_country=False),
        "trigram, country": chosen(cities.train, cities.validation, [3]),
        "n-gram, country and all": chosen(cities.train, cities.validation, ORDERS, pooled=True),
    }
    networks = {
        "LSTM, country": train(make_generator(seed), cities.train, seed),
        "LSTM, no country": train(make_generator(seed), cities.train, seed, told=0),
        "LSTM, country at every step": train(make_generator(seed, "input"), cities.train, seed),
        "LSTM, never forced": train(make_generator(seed), cities.train, seed, forced=False),
    }
    bits = {name: {of: rate(m.bits(part), part) for of, part in parts.items()} for name, m in n_grams.items()}
    how = {"LSTM, no country": dict(told=0), "LSTM, never forced": dict(forced=False)}
    for name, model in networks.items():
        bits[name] = {of: rate(surprises(model, part, **how.get(name, {})), part) for of, part in parts.items()}
    print(seed, {name: round(each["test"], 3) for name, each in bits.items()}, flush=True)
    chose = {name: {"order": model.order, "strength": model.strength} for name, model in n_grams.items()}

    judge_of = n_grams["n-gram, country and all"]
    judge = Ngram(judge_of.order, judge_of.strength, pooled=True).fit(cities.test)
    train_set = set(texts(cities.train, cities.alphabet))
    known = train_set, neighbourhood(train_set), cities.alphabet
    written, samples, exposed = {"real": describe(cities.validation, judge, *known)}, {}, {}
    for name in ("LSTM, country", "trigram, country"):
        model = (networks | n_grams)[name]
        written[name] = {}
        for temperature in TEMPERATURES:
            part = write(model, temperature, rng)
            written[name][temperature] = describe(part, judge, *known)
            if seed == SEEDS[0] and name == "LSTM, country":
                samples[temperature] = [texts(part, cities.alphabet)[k * EACH : k * EACH + 3] for k in range(COUNTRIES)]
            if temperature == 1:
                exposed[name] = exposure(model, part, cities.validation, judge, rng)
                seen = Ngram(judge_of.order, judge_of.strength, pooled=True).fit(cities.train)
                exposed[name + ", judge of training names"] = exposure(model, part, cities.validation, seen, rng)
    part = write(networks["LSTM, never forced"], 1.0, rng)
    written["LSTM, never forced"] = {1.0: describe(part, judge, *known)}
    if seed == SEEDS[0]:
        samples["never forced"] = texts(part, cities.alphabet)[::EACH]
    print(seed, {name: exposed[name]["mean"] for name in exposed}, flush=True)
    return {"bits": bits, "chose": chose, "written": written, "exposure": exposed, "samples": samples}


if __name__ == "__main__":
    torch.set_num_threads(1)
    begun = time.process_time()
    runs = [run(seed) for seed in SEEDS]
    settings = {"network": NETWORK, "strengths": STRENGTHS, "orders": ORDERS, "samples a country": EACH}
    bits = {name: {of: [r["bits"][name][of] for r in runs] for of in each} for name, each in runs[0]["bits"].items()}
    results = {"settings": settings, "bits": bits, "samples": runs[0]["samples"], "positions": list(POSITIONS)}
    results["runs"] = [{key: r[key] for key in ("chose", "written", "exposure")} for r in runs]
    results["cpu_minutes"] = round((time.process_time() - begun) / 60, 1)
    save("one_to_many", results, seeds=SEEDS)
