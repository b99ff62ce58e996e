"""The exercises of the chapter choosing."""

from numbers import Real

import numpy as np

from lstm_tutorial.data import symbol_question
from lstm_tutorial.exercises import Box, exercise
from lstm_tutorial.in_numpy import max_pool

GAPS = {  # A's pooled value minus B's, and where to look if it is another
    "last": (2.0 - 2, "take the last valid step of each: A has three, the fourth is padding"),
    "max": (3.0 - 3, "take the largest valid value of each"),
    "mean": (6 / 3 - 8 / 4, "divide each sum by the sequence's own length"),
    "position": (13 / 6 - 18 / 10, "weigh by 1, 2, 3, ... and divide by the sum of the sequence's own weights"),
    "decay": (3.75 / 1.75 - 3.375 / 1.875, "the weights are ..., ¼, ½, 1, divided by their sum over the valid steps"),
}


@exercise(
    "Told apart by hand",
    names=", ".join(GAPS),
    diagnose=lambda got, want: next(
        (f"`{name}`: {GAPS[name][1]}" for name, a, b in zip(GAPS, got, want) if min(abs(a - b), abs(a + b)) > 0.005),
        "a gap is A's pooled value minus B's: some have the wrong sign",
    ),
    decimals=2,
)
def gaps_by_hand():
    return tuple(gap for gap, _ in GAPS.values())


def draw_scores(trial):
    """Draw scores of two pools on the same seeds: the seeds differ more than the pools, and one pair ties."""
    (S,) = trial.sizes("S", high=9)
    second = trial.rng.uniform(0.5, 0.8, S)
    first = second + 0.01 + 0.02 * trial.normal(S)
    first[trial.rng.integers(S)] += 0.15  # an outlier, so that mean and median part
    tie = trial.rng.integers(S)
    first[tie] = second[tie]
    return first, second


@exercise(
    "Two pools, several seeds",
    draw=draw_scores,
    names="median, lowest, highest, share",
    turns={
        "this is the difference of the two medians": dict(median=lambda gap, a, b: np.median(a) - np.median(b)),
        "this is the mean difference, which one lucky seed moves": dict(median=lambda gap, a, b: gap.mean()),
        "lowest minus lowest: pair each seed with itself": dict(lowest=lambda gap, a, b: a.min() - b.min()),
        "this is a standard deviation below the mean": dict(lowest=lambda gap, a, b: gap.mean() - gap.std()),
        "a tie is no win: count the seeds on which the first is ahead": dict(share=lambda gap, a, b: np.mean(a >= b)),
        "the wins are counted, their share is asked for": dict(share=lambda gap, a, b: np.sum(a > b)),
    },
)
def compare_pools(first, second, **other):
    gap = first - second
    found = dict(median=np.median(gap), lowest=gap.min(), highest=gap.max(), share=np.mean(gap > 0))
    found |= {name: value(gap, first, second) for name, value in other.items()}
    return tuple(map(float, found.values()))


def verify_marked(answer, trial):
    """Run the layer, tanh and a masked max over ragged sequences; ask for the marked symbol."""
    weight, bias = (np.asarray(each, float) for each in answer)
    x, lengths, y = symbol_question("marked", 1000, 60, min_length=1, noise=0.05, rng=trial.rng)
    pooled = max_pool(np.tanh(x @ weight.T + bias), lengths)  # (B, 4)
    ranked = np.sort(pooled, axis=1)
    right = pooled.argmax(axis=1) == y
    if np.all(right & (ranked[:, -1] - ranked[:, -2] > 0.2)):
        return None
    if np.allclose(weight[:, 4], 0):
        return "no unit looks at the mark, the last of the five inputs: which of all symbols is asked for?"
    if np.median(ranked[:, 0]) > 0.5:
        return "all four units are large in most sequences, also where no mark stands: an AND needs a threshold, a bias"
    if np.mean(right) > 0.95:
        return "the right symbol is ahead, but by less than 0.2 in some sequences: make the weights larger"
    return f"right in {np.mean(right):.0%} of the sequences: unit k should be large where symbol k AND the mark stand"


@exercise(
    "The marked symbol without a memory",
    verify=verify_marked,
    names="weight, bias",
    axes="H D, H",
    turns={
        "no unit looks at the mark": dict(mark=0.0, bias=-5.0),
        "an AND needs a threshold": [dict(bias=0.0), dict(bias=-5.0)],
        "make the weights larger": dict(symbols=0.1 * np.eye(4), mark=0.1, bias=-0.15),
        "symbol k AND the mark": dict(symbols=10 * np.roll(np.eye(4), 1, axis=0)),
    },
)
def marked_by_max(*, symbols=10 * np.eye(4), mark=10.0, bias=-15.0):  # noqa: B008
    return np.hstack([symbols, np.full((4, 1), mark)]), np.full(4, bias)


VERDICTS = {  # for each question and pool: whether it can be answered, and what to ask
    '"exists" with last': (False, "where may symbol 0 stand?"),
    '"exists" with max': (True, "what is the maximum of a unit that is 1 at symbol 0 and else 0?"),
    '"exists" with mean': (True, "the mean of a unit that is 1 once in 60 steps is small, but is it 0?"),
    '"exists" with attention': (True, "with equal weights attention is the mean"),
    '"average" with last': (False, "does the last step know the others?"),
    '"average" with max': (False, "does a maximum change when a symbol occurs twenty times and not once?"),
    '"average" with mean': (True, "what is the mean of a unit that is 1 at the first two symbols and else 0?"),
    '"average" with attention': (True, "with equal weights attention is the mean"),
    '"final" with last': (True, "which step does it take?"),
    '"final" with max': (False, "the steps are read one by one: does a maximum change when they are shuffled?"),
    '"final" with mean': (False, "the steps are read one by one: does a mean change when they are shuffled?"),
    '"final" with attention': (False, "a step's score depends on what it holds: does it know that it is the last?"),
    '"marked" with last': (False, "where may the mark stand?"),
    '"marked" with max': (True, "could a unit be 1 only where its symbol and the mark stand together?"),
    '"marked" with mean': (True, "if a unit is 1 only where its symbol is marked: which unit's mean is not 0?"),
    '"marked" with attention': (True, "could a step with a mark get a higher score than the others?"),
}


@exercise(
    "What can be answered at all",
    names=", ".join(VERDICTS),
    diagnose=lambda got, want: next(
        f"{name}: {ask}" for (name, (right, ask)), each in zip(VERDICTS.items(), np.ravel(got)) if each != right
    ),
)
def what_can_be_answered():
    right = [right for right, _ in VERDICTS.values()]
    return tuple(tuple(right[k : k + 4]) for k in range(0, 16, 4))


def draw_tables(trial):
    """Draw validation and test scores: the best pool has a failed run, another a lucky one, the test likes a third."""
    names, S = ["last", "max", "mean", "attention"], int(trial.rng.integers(5, 9))
    level = dict(zip(names, trial.rng.permutation([0.55, 0.6, 0.65, 0.7])))
    validation, test = (
        {str(name): level[name] - less + trial.rng.uniform(-0.01, 0.01, S) for name in trial.rng.permutation(names)}
        for less in (0, 0.05)
    )
    favourite, lucky, _, best = sorted(names, key=level.get)
    seed = trial.rng.integers(S)
    test[favourite] += 0.3
    validation[lucky][seed], test[lucky][seed] = 0.78, 0.97
    validation[best][trial.rng.integers(S)] -= 0.6
    return validation, test


@exercise(
    "The best of twenty",
    draw=draw_tables,
    names="pool, median, lowest, highest",
    turns={
        "the pool is chosen for its luckiest seed: one run is no pool": [dict(by=np.max), dict(by=np.max, on="test")],
        "the pool is chosen by the mean, which one failed run moves: the median is asked for": dict(by=np.mean),
        "the pool is chosen on the test scores, which are there to report on": dict(on="test"),
        "the right pool; the report is made on the validation scores, which chose it": dict(report="validation"),
        "the right pool; this is the mean of its test scores, the median is asked for": dict(middle=np.mean),
        "the right pool; its luckiest seed is reported as if it were the score": dict(middle=np.max),
    },
)
def choose_honestly(validation, test, *, on="validation", by=np.median, report="test", middle=np.median):
    tables = dict(validation=validation, test=test)
    pool = max(validation, key=lambda name: by(tables[on][name]))
    scores = tables[report][pool]
    return pool, float(middle(scores)), float(scores.min()), float(scores.max())


KEYS = ("runs", "baselines", "chosen_on", "reported_on")
RUN_KEYS = ("pool", "data_seed", "network_seed", "rate", "updates", "mask")
COMPARED = ("last", "max", "mean", "attention")


def plain(value):
    """Return a word without regard to its case and the blanks around it; anything else as it is."""
    return value.strip().casefold() if isinstance(value, str) else value


def whole(value):
    """Say whether a value is a whole number, not negative."""
    return isinstance(value, Real) and not isinstance(value, bool) and value >= 0 and float(value).is_integer()


def verify_plan(answer, trial):
    """Look for what would make the comparison unfair."""
    if not isinstance(answer, dict) or set(answer) != set(KEYS):
        return f"a dict with the keys {', '.join(KEYS)} is expected"
    baselines = {plain(each) for each in answer["baselines"] if isinstance(each, str)} - {""}
    parts = plain(answer["chosen_on"]), plain(answer["reported_on"])
    fault = unfair(list(answer["runs"]))
    if not fault and ("majority" not in baselines or len(baselines) < 2):
        fault = "the baselines lack the majority, or a simple model beside it"
    if not fault and parts != ("validation", "test"):
        fault = "choose on the part that has neither trained nor will be reported, report on what has had no say"
        fault += f": here these are {parts[0]!r} and {parts[1]!r}"
    return fault


def unfair(runs):
    """Say what is wrong with the runs, if anything is."""
    if not runs or not all(isinstance(run, dict) and set(run) == set(RUN_KEYS) for run in runs):
        return f"every run must be a dict with the keys {', '.join(RUN_KEYS)}"
    if not all(whole(run[key]) for run in runs for key in ("data_seed", "network_seed", "updates")):
        return "seeds and updates must be whole numbers"
    if not all(isinstance(run["rate"], Real) and 0 < run["rate"] < 1 <= run["updates"] for run in runs):
        return "a learning rate must be a number between 0 and 1, and updates at least 1"
    if not all(isinstance(run["mask"], bool | np.bool_) and run["mask"] for run in runs):
        return "a run forgets the mask: padding would be pooled"
    settings = {}
    for run in runs:
        settings.setdefault(plain(run["pool"]), []).append(tuple(run[key] for key in RUN_KEYS[1:5]))
    if not set(COMPARED) <= set(settings):
        return f"the pools that are to be compared are {', '.join(COMPARED)}: one is missing"
    first = settings["last"]
    data_seeds, network_seeds, rates, _ = columns = [set(column) for column in zip(*first)]
    for pool, rows in settings.items():
        if sorted(rows) != sorted(first):
            keys = [key for key, mine, others in zip(RUN_KEYS[1:5], zip(*rows), columns) if set(mine) != others]
            return f"{pool} and last differ in {' and '.join(keys) or 'their runs'}: let the pool alone vary"
    if len(set(first)) < len(first):
        return "the same run stands in the plan twice: it would count as a second seed"
    if min(len(data_seeds), len(network_seeds)) < 3:
        return "at least three seeds are needed, for the data and for the network: with fewer you see no spread"
    if max(rates) < 1.05 * min(rates):
        return "one learning rate only: a pool that likes another rate is shown as worse; try two at least"
    if len({row[:3] for row in first}) < len(rates) * len({row[:2] for row in first}):
        return "the rates are not tried on the same seeds"
    return None


@exercise(
    "A fair plan",
    verify=verify_plan,
    turns={
        "must be whole numbers": dict(change=lambda run: dict(updates="many")),
        "updates at least 1": [dict(change=lambda run: dict(updates=0)), dict(change=lambda run: dict(rate=3))],
        "forgets the mask": dict(change=lambda run: dict(mask=run["pool"] != "attention")),
        "one is missing": dict(pools=COMPARED[:3]),
        "let the pool alone vary": [
            dict(change=lambda run, key=key: {key: run[key] * (1 + (run["pool"] == "attention"))})
            for key in RUN_KEYS[1:5]
        ],
        "stands in the plan twice": dict(seeds=(0, 1, 2, 2)),
        "three seeds are needed": [dict(change=lambda run, key=key: {key: 0}) for key in RUN_KEYS[1:3]],
        "one learning rate only": [dict(rates=(0.01,)), dict(rates=(0.01, 0.010001))],
        "not tried on the same seeds": dict(change=lambda run: dict(data_seed=run["data_seed"] + run["rate"] // 0.005)),
        "the baselines lack": [dict(baselines=("majority", " ")), dict(baselines=("counts", "logistic regression"))],
        "has had no say": [dict(chosen_on="test"), dict(chosen_on="train"), dict(reported_on="train")],
    },
)
def plan_comparison(
    *, pools=COMPARED, seeds=(0, 1, 2), rates=(0.003, 0.01), change=lambda run: {},
    baselines=("majority", "bag of letters"), chosen_on="validation", reported_on="test",
):  # fmt: skip
    runs = [
        dict(pool=pool, data_seed=seed, network_seed=seed, rate=rate, updates=300, mask=True)
        for pool in pools
        for rate in rates
        for seed in seeds
    ]
    runs = [run | change(run) for run in runs]
    return dict(runs=runs, baselines=baselines, chosen_on=chosen_on, reported_on=reported_on)


CAUSES = ("seed", "rate", "updates", "structure")
RATES, RATE, UPDATES = (0.003, 0.01, 0.03), 0.01, 300  # the last two are those of the run that failed


class Laboratory(Box):
    """A simulated one: `train(seed, rate, updates)` gives a score in percent. Its budget counts updates."""

    def __init__(self, trial):
        super().__init__()
        self.cause, self.left = trial.choice(*CAUSES), 12_000
        self.counts, self.rate = trial.rng.uniform(40, 65), trial.choice(0.003, 0.03)
        self.unlucky = 0 if self.cause == "seed" else trial.choice(0, 0, 0, 0, 1, 2, 3, 4)
        self.needed, self.seed = trial.rng.uniform(1500, 2700), int(trial.rng.integers(2**32))

    def __call__(self, seed, rate, updates):
        near = [each for each in RATES if np.isclose(each, rate, rtol=1e-6)]
        if seed not in range(5) or not near or not 1 <= updates <= 3000:
            raise ValueError(f"seeds are 0 to 4, rates {RATES}, updates 1 to 3000; got {seed}, {rate}, {updates}")
        seed, rate, updates = int(seed), near[0], int(updates)
        self.left -= updates
        if self.left < 0:
            raise RuntimeError(f"run {len(self.asked) + 1} would go beyond 12,000 updates: the budget is spent")
        self.asked.append((seed, rate, updates))
        noise = np.random.default_rng([self.seed, seed, RATES.index(rate), updates]).normal()
        enough = updates >= (self.needed if self.cause == "updates" else 250)
        suits = rate == self.rate or self.cause != "rate"
        if enough and suits and seed != self.unlucky and self.cause != "structure":
            return 100 - abs(noise)
        return self.counts + (25 - self.counts) * np.exp(-updates / 400) + noise  # from a guess to the counts


def diagnose_failure(got, want, train, counts):
    """Say what the experiment has not tried, or has changed together with something else."""
    met = {  # the seeds that have met what cures it
        "seed": {seed for seed, *other in train.asked if other == [RATE, UPDATES]} - {train.unlucky},
        "rate": {seed for seed, rate, _ in train.asked if rate == train.rate},
        "updates": {seed for seed, rate, updates in train.asked if rate == RATE and updates > 2700},
    }
    cures = {"seed": "another seed, all else as it was", "rate": f"a rate of {train.rate}"}
    cure = cures.get(want, "3,000 updates at the rate as it was")
    if want == "structure":
        why = "its scores rise with the updates, to what the counts score, and stay there: that is no cure"
    elif {got, want} == {"rate", "updates"} and any(run[1] != RATE and run[2] > UPDATES for run in train.asked):
        why = "in some run rate and updates had both changed: which of them was it?"
    elif not met[want]:
        why = f"it has not tried {cure}"
    elif met[want] == {train.unlucky}:
        why = f"it has tried {cure} on seed {train.unlucky} alone, and one seed may be the unlucky one"
    else:
        why = "it has run what cures it: what did you compare that score with?"
    return f"it takes {want!r} for {got!r}: {why}"


@exercise(
    "Why it failed",
    draw=lambda trial: (train := Laboratory(trial), train.counts),
    diagnose=diagnose_failure,
    words=", ".join(CAUSES),
    dtypes=("float64",),
    trials=24,
)
def why_it_failed(train, counts):
    return train.cause
