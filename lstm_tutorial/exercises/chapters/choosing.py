"""The exercises of the chapter choosing."""

from numbers import Real

import numpy as np

from lstm_tutorial.data import symbol_question
from lstm_tutorial.exercises import Box, exercise
from lstm_tutorial.in_numpy import max_pool

GAPS = {  # A's pooled value minus B's, and where to look if it is another
    "last": (2.0 - 2, "take the last valid step of each"),
    "max": (3.0 - 3, "take the largest valid value of each"),
    "mean": (6 / 3 - 8 / 4, "divide each sum by the sequence's own length"),
    "position": (13 / 6 - 18 / 10, "weigh by 1, 2, 3, ... and divide by the sum of the sequence's own weights"),
    "decay": (3.75 / 1.75 - 3.375 / 1.875, "the weights are ..., ¼, ½, 1, divided by their sum over the valid steps"),
}


@exercise(
    "Told apart by hand",
    names=", ".join(GAPS),
    turns={
        "every gap has the wrong sign: A minus B": dict(position=18 / 10 - 13 / 6, decay=3.375 / 1.875 - 3.75 / 1.75),
        "the padding is read as if it were a step: A has three": [dict(last=-2.0), dict(mean=6 / 4 - 8 / 4)],
        "`mean`: these are sums, not yet divided": dict(mean=6.0 - 8),
        "`position`: the weights are not divided by their sum": dict(position=13.0 - 18),
        "`position`: the weights fall here, they should grow towards the end": dict(position=11 / 6 - 22 / 10),
        "`position`: each sequence's weights sum to one over its own steps, here both are divided by 10": dict(
            position=13 / 10 - 18 / 10
        ),
        "`decay`: the weights are not divided by their sum": dict(decay=3.75 - 3.375),
        "`decay`: the last step has the largest weight, here the first has": dict(decay=3 / 1.75 - 4.5 / 1.875),
        "`decay`: each sequence is weighed from its own last step, A here from the end of its padding": dict(
            decay=1.0 - 1.8
        ),
    },
    diagnose=lambda got, want: next(
        (f"`{name}`: {GAPS[name][1]}" for name, a, b in zip(GAPS, got, want) if min(abs(a - b), abs(a + b)) > 0.005),
        None,
    ),
    decimals=2,
)
def gaps_by_hand(**others):
    return tuple(others.get(name, gap) for name, (gap, _) in GAPS.items())


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
        "this is the second minus the first": dict(pair=lambda a, b: (b, a)),
        "the differences have lost their sign": dict(pair=lambda a, b: (abs(a - b), 0 * a)),
        "this is the difference of the two medians: the median of the differences is asked for": dict(
            middle=lambda gap, a, b: np.median(a) - np.median(b)
        ),
        "this is the mean difference: one lucky seed moves it, the median is asked for": dict(
            middle=lambda gap, a, b: gap.mean()
        ),
        "lowest and highest difference are asked for, this is the range of each pool apart": dict(
            ends=lambda gap, a, b: (a.min() - b.max(), a.max() - b.min())
        ),
        "this is lowest minus lowest, highest minus highest: pair each seed with itself": dict(
            ends=lambda gap, a, b: (a.min() - b.min(), a.max() - b.max())
        ),
        "lowest and highest are asked for, these are one standard deviation to each side": [
            dict(ends=lambda gap, a, b: (np.median(gap) - gap.std(), np.median(gap) + gap.std())),
            dict(ends=lambda gap, a, b: (gap.mean() - gap.std(), gap.mean() + gap.std())),
        ],
        "a tie is no win: count only the seeds on which the first is ahead": dict(wins=np.greater_equal),
        "a tie is no win, not half a one either": dict(wins=lambda a, b: (np.sign(a - b) + 1) / 2),
        "the wins are counted over all pairs of runs: pair each seed with itself": dict(wins=np.greater.outer),
        "the wins are counted, their share is asked for": dict(share=np.sum),
        "these are the seeds on which the second is ahead": dict(wins=np.less),
        "these are the seeds on which the first is not ahead": dict(wins=np.less_equal),
    },
)
def compare_pools(
    first, second,
    *, pair=lambda a, b: (a, b), middle=lambda gap, a, b: np.median(gap), ends=lambda gap, a, b: (gap.min(), gap.max()),
    wins=np.greater, share=np.mean,
):  # fmt: skip
    first, second = pair(first, second)
    gap = first - second
    lowest, highest = ends(gap, first, second)
    return float(middle(gap, first, second)), float(lowest), float(highest), float(share(wins(first, second)))


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
    if np.allclose(weight - weight[:1], 0):
        return "all four units look for the same: each should answer to one symbol"
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
        "all four units look for the same": dict(symbols=np.ones((4, 4)), bias=0.0),
        "an AND needs a threshold": [dict(bias=0.0), dict(bias=-5.0), dict(size=-1)],
        "make the weights larger": dict(size=0.01),
        "symbol k AND the mark": dict(order=(4, 0, 1, 2, 3)),
    },
)
def marked_by_max(*, symbols=np.diag([10.0] * 4), mark=10.0, bias=-15.0, size=1, order=(0, 1, 2, 3, 4)):  # noqa: B008
    weight = np.hstack([symbols, np.full((4, 1), mark)])[:, list(order)]
    return size * weight, np.full(4, size * bias)


SHUFFLED = "the steps are read one by one: does any number of the pool change when they are shuffled?"
ANSWERABLE = {  # for each question and pool: whether it can be answered, and what to ask
    "exists": {
        "last": (False, "where may symbol 0 stand?"),
        "max": (True, "what does a unit that is 1 at symbol 0 and else 0 come to?"),
        "mean": (True, "the mean of a unit that is 1 once in 60 steps is small, but is it 0?"),
        "attention": (True, "with equal weights attention is the mean"),
    },
    "average": {
        "last": (False, "does the last step know the others?"),
        "max": (False, "what differs between a sequence that holds a symbol once and one that holds it twenty times?"),
        "mean": (True, "what is the mean of a unit that is 1 at the first two symbols and else 0?"),
        "attention": (True, "with equal weights attention is the mean"),
    },
    "final": {
        "last": (True, "which step does it take?"),
        "max": (False, SHUFFLED),
        "mean": (False, SHUFFLED),
        "attention": (False, "a step's score depends on what the step holds: does it know that it is the last?"),
    },
    "marked": {
        "last": (False, "where may the mark stand?"),
        "max": (True, "could a unit be 1 only where its symbol and the mark stand together?"),
        "mean": (True, "give each symbol a unit that is 1 only where it is marked: which unit's mean is not 0?"),
        "attention": (True, "could a step with a mark get a higher score than the others?"),
    },
}
VERDICTS = {f'"{question}" with {pool}': each for question, row in ANSWERABLE.items() for pool, each in row.items()}


@exercise(
    "What can be answered at all",
    names=", ".join(VERDICTS),
    turns={f"{name}: {ask}": {name: not right} for name, (right, ask) in VERDICTS.items()},
)
def what_can_be_answered(**others):
    flat = [others.get(name, right) for name, (right, _) in VERDICTS.items()]
    return tuple(tuple(flat[k : k + 4]) for k in range(0, 16, 4))


def draw_tables(trial):
    """Draw validation and test scores: the best pool has a run astray, another a lucky one, the test likes a third."""
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
        "the pool is not chosen by the median, and so one run that went astray has moved the choice": [
            dict(by=np.mean),
            dict(by=np.min),
        ],
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


KEYS = {"runs", "baselines", "chosen_on", "reported_on"}
RUN_KEYS = ("pool", "data_seed", "network_seed", "rate", "updates", "mask")
COMPARED = ("last", "max", "mean", "attention")
DIFFER = {
    "data_seed": "see other data",
    "network_seed": "are drawn from other seeds",
    "rate": "are trained at other rates",
    "updates": "get another number of updates",
}


def plain(value):
    """Return a word without regard to its case and the blanks around it; anything else as it is."""
    return value.strip().casefold() if isinstance(value, str) else value


def whole(value, least=0):
    """Say whether a value is a whole number, and large enough."""
    return isinstance(value, Real) and not isinstance(value, bool) and float(value).is_integer() and value >= least


def verify_plan(answer, trial):
    """Look for what would make the comparison unfair."""
    if not isinstance(answer, dict):
        return f"something of type {type(answer).__name__} came where a dict is expected"
    for words, keys in (("lacks", KEYS - set(answer)), ("has the unknown", set(answer) - KEYS)):
        if keys:
            return f"the plan {words} {', '.join(sorted(map(str, keys)))}"
    runs, baselines = list(answer["runs"]), {plain(each) for each in answer["baselines"] if plain(each)}
    return unfair(runs) or unreported(baselines, plain(answer["chosen_on"]), plain(answer["reported_on"]))


def unfair(runs):
    """Say what is wrong with the runs, if anything is."""
    if not runs or not all(isinstance(run, dict) and set(run) == set(RUN_KEYS) for run in runs):
        return f"every run must be a dict with the keys {', '.join(RUN_KEYS)}"
    if not all(whole(run["data_seed"]) and whole(run["network_seed"]) for run in runs):
        return "a seed must be a whole number"
    if not all(whole(run["updates"], least=1) for run in runs):
        return "the number of updates must be a whole number, and at least 1"
    if not all(isinstance(run["rate"], Real) and 0 < run["rate"] < 1 for run in runs):
        return "a learning rate should be a number between 0 and 1"
    if not all(isinstance(run["mask"], bool | np.bool_) and run["mask"] for run in runs):
        return "a run forgets the mask: padding would be pooled"
    settings = {}
    for run in runs:
        settings.setdefault(plain(run["pool"]), []).append(tuple(run[key] for key in DIFFER))
    if not set(COMPARED) <= set(settings):
        return f"the pools that are to be compared are {', '.join(COMPARED)}: one is missing"
    first = settings[COMPARED[0]]
    for k, words in enumerate(DIFFER.values()):
        if any({row[k] for row in rows} != {row[k] for row in first} for rows in settings.values()):
            return f"some pools {words} than the others: let the pool alone vary"
    if any(sorted(rows) != sorted(first) for rows in settings.values()):
        return "the pools do not get the same runs: each should meet the same data, seeds, rates and updates"
    if len(set(first)) < len(first):
        return "the same run stands in the plan twice: it would count as a second seed"
    for k, words in ((1, "for the network"), (0, "for the data")):
        if len({row[k] for row in first}) < 3:
            return f"at least three seeds {words} are needed: with fewer you see no spread"
    rates = sorted({row[2] for row in first})
    if rates[-1] < 1.05 * rates[0]:
        return "one learning rate only: a pool that likes another rate is shown as worse; try two at least"
    if any({row[:2] for row in first if row[2] == rate} != {row[:2] for row in first} for rate in rates):
        return "the rates are not tried on the same seeds"
    return None


def unreported(baselines, chosen_on, reported_on):
    """Say what is wrong with the baselines and the parts of the data, if anything is."""
    if "majority" not in baselines or len(baselines) < 2 or not all(isinstance(each, str) for each in baselines):
        return "the baselines lack the majority, or a simple model beside it"
    if chosen_on == reported_on:
        return f"chosen and reported on the same part, {chosen_on!r}: the report is then too good"
    if chosen_on != "validation":
        return f"chosen on {chosen_on!r}: which part has neither trained the networks nor will be reported?"
    if reported_on != "test":
        return f"reported on {reported_on!r}: which part has had no say in anything?"
    return None


def of_attention(**what):
    """Return a change to the runs of one pool alone."""
    return lambda run: what if run["pool"] == "attention" else {}


@exercise(
    "A fair plan",
    verify=verify_plan,
    turns={
        "a seed must be a whole number": dict(change=lambda run: dict(data_seed="all")),
        "updates must be a whole number": [
            dict(change=lambda run: dict(updates=0)),
            dict(change=lambda run: dict(updates="many")),
        ],
        "a number between 0 and 1": dict(change=lambda run: dict(rate=3)),
        "forgets the mask": dict(change=of_attention(mask=False)),
        "one is missing": dict(pools=COMPARED[:3]),
        "see other data": dict(change=of_attention(data_seed=7)),
        "are drawn from other seeds": dict(change=of_attention(network_seed=7)),
        "are trained at other rates": dict(change=of_attention(rate=0.1)),
        "another number of updates": dict(change=of_attention(updates=600)),
        "stands in the plan twice": dict(seeds=(0, 1, 2, 2)),
        "three seeds for the network": [dict(seeds=(0, 1)), dict(change=lambda run: dict(network_seed=0))],
        "three seeds for the data": dict(change=lambda run: dict(data_seed=0)),
        "one learning rate only": [dict(rates=(0.01,)), dict(rates=(0.01, 0.010001))],
        "the rates are not tried on the same seeds": dict(
            change=lambda run: dict(data_seed=run["data_seed"] + (run["rate"] > 0.005))
        ),
        "the baselines lack": [
            dict(baselines=()),
            dict(baselines=("majority",)),
            dict(baselines=("majority", " ")),
            dict(baselines=("bag of letters", "logistic regression")),
        ],
        "the same part": dict(chosen_on="test"),
        "neither trained the networks": dict(chosen_on="train"),
        "had no say": dict(reported_on="train"),
    },
)
def plan_comparison(
    *, pools=COMPARED, seeds=(0, 1, 2), rates=(0.003, 0.01), change=lambda run: {},
    baselines=("majority", "bag of letters"), chosen_on="validation", reported_on="test",
):  # fmt: skip
    rest = dict(updates=300, mask=True)
    runs = [
        dict(pool=pool, data_seed=seed, network_seed=seed, rate=rate) | rest
        for pool in pools
        for rate in rates
        for seed in seeds
    ]
    runs = [run | change(run) for run in runs]
    return dict(runs=runs, baselines=baselines, chosen_on=chosen_on, reported_on=reported_on)


CAUSES = {
    "seed": "an unlucky seed",
    "rate": "a rate that does not suit",
    "updates": "too few updates",
    "structure": "a pool that cannot",
}
RATES, RATE, UPDATES = (0.003, 0.01, 0.03), 0.01, 300  # the last two are those of the run that failed


class Laboratory(Box):
    """A simulated one: `train(seed, rate, updates)` gives a score in percent. Its budget counts updates."""

    def __init__(self, trial):
        super().__init__()
        self.cause, self.left = trial.choice(*CAUSES), 12_000
        self.counts, self.rate = trial.rng.uniform(40, 65), trial.choice(0.003, 0.03)
        self.unlucky = 0 if self.cause == "seed" else trial.choice(0, 0, 0, 0, 1, 2, 3, 4)
        self.needed, self.noise = trial.rng.uniform(1500, 2700), int(trial.rng.integers(2**32))

    def __call__(self, seed, rate, updates):
        near = [each for each in RATES if np.isclose(each, rate, rtol=1e-6)]
        if seed not in range(5) or not near or not 1 <= updates <= 3000:
            expected = f"seeds are 0 to 4, rates {RATES}, updates 1 to 3000"
            raise ValueError(f"{expected}; got {seed}, {rate}, {updates}")
        seed, rate, updates = int(seed), near[0], int(updates)
        self.left -= updates
        if self.left < 0:
            raise RuntimeError(f"run {len(self.asked) + 1} would go beyond 12,000 updates: the budget is spent")
        self.asked.append((seed, rate, updates))
        tremble = np.random.default_rng([self.noise, seed, RATES.index(rate), updates]).normal()
        finds = {
            "seed": updates >= 250,
            "rate": rate == self.rate and updates >= 250,
            "updates": updates >= self.needed,
            "structure": False,
        }
        if finds[self.cause] and seed != self.unlucky:
            return 100 - abs(tremble)
        return self.counts + (25 - self.counts) * np.exp(-updates / 400) + tremble  # from a guess to the counts


def diagnose_failure(got, want, train, counts):
    """Say what the experiment has not tried, or has changed together with something else."""
    if not train.asked:
        return "nothing was trained: one run that failed fits all four causes"
    cures = {  # what would have shown it, and the seeds that have met it
        "seed": (
            "another seed with rate and updates as they were",
            {seed for seed, *other in train.asked if other == [RATE, UPDATES] and seed != train.unlucky},
        ),
        "rate": (f"a rate of {train.rate}", {seed for seed, rate, _ in train.asked if rate == train.rate}),
        "updates": (
            "3,000 updates at the rate as it was",
            {seed for seed, rate, updates in train.asked if rate == RATE and updates > 2700},
        ),
        "structure": ("", {0, 1}),
    }
    cure, seeds = cures[want]
    if want == "structure":
        why = "Its scores rise with the updates, to what the counts score, and stay there: that is no cure"
    elif {got, want} == {"rate", "updates"} and any(run[1] != RATE and run[2] > UPDATES for run in train.asked):
        why = "In some run rate and updates had both changed: which of them was it?"
    elif not seeds:
        why = f"It has not tried {cure}"
    elif seeds == {train.unlucky}:
        why = f"It has tried {cure} on seed {train.unlucky} alone, and one seed may be the unlucky one"
    else:
        why = "It has run what cures it: what did you compare that score with?"
    return f"it takes {CAUSES[want]} for {CAUSES[got]}. {why}"


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
