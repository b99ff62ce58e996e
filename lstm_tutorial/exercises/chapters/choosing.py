"""The exercises of the chapter choosing."""

import copy

import numpy as np

from lstm_tutorial.data import symbol_question
from lstm_tutorial.exercises.diagnosis import first_match
from lstm_tutorial.exercises.matching import Misfit
from lstm_tutorial.exercises.registry import register
from lstm_tutorial.in_numpy import decay_weights, last_pool, max_pool, mean_pool, position_weights, weighted_pool

# Told apart by hand

PAIR = np.array([[1.0, 3.0, 2.0, 0.0], [3.0, 2.0, 1.0, 2.0]])[..., None]  # (2, T, 1)
PAIR_LENGTHS = np.array([3, 4])


def five_gaps(lengths=PAIR_LENGTHS, x=PAIR):
    """How far the first sequence's pooled value lies above the second's: last, max, mean, position, decay."""
    pooled = [last_pool(x, lengths), max_pool(x, lengths), mean_pool(x, lengths)]
    pooled += [weighted_pool(x, weights, lengths) for weights in (position_weights(4), decay_weights(4, 1))]
    return tuple(float(p[0, 0] - p[1, 0]) for p in pooled)


def diagnose_gaps(got, want, inputs):
    """Say what was done with the padding, the weights or the sign."""
    words = first_match(
        got,
        {
            "the padding is read as if it were a step: the first sequence has three": five_gaps(None),
            "every gap has the wrong sign: first sequence minus second": tuple(-gap for gap in want),
        },
        tolerance=0.01,
    )
    position = {
        "the weights are not divided by their sum": 13 - 18,
        "the weights fall here, they should grow towards the end": 11 / 6 - 22 / 10,
        "each sequence's weights sum to one over its own steps: here both are divided by 10": 13 / 10 - 18 / 10,
    }
    decay = {
        "the weights are not divided by their sum": 3.75 - 3.375,
        "the last step has the largest weight, here the first has": 3 / 1.75 - 4.5 / 1.875,
        "each sequence is weighed from its own last step: here the first is weighed from the end of its padding": 1
        - 1.8,
    }
    for name, k, turns in (("position", 3, position), ("decay", 4, decay)):
        if words is None and abs(got[k] - want[k]) > 0.003:
            found = first_match(got[k], turns, tolerance=0.01)
            words = found and f"`{name}`: {found}"
    return words


register(
    "gaps_by_hand",
    chapter="choosing",
    title="Told apart by hand",
    reference=five_gaps,
    names=("last", "max", "mean", "position", "decay"),
    diagnose=diagnose_gaps,
    tolerance=0.006,
)


# Two pools, several seeds


def draw_scores(rng):
    """Scores of two pools on the same seeds: the seeds differ more than the pools, and one pair ties."""
    S = int(rng.integers(5, 10))
    easy, gap = rng.uniform(0.5, 0.8, S), rng.normal(0.01, 0.02, S)
    first, second = easy + gap, easy.copy()
    first[int(rng.integers(S))] += 0.15  # an outlier, so that mean and median part
    tie = int(rng.integers(S))
    first[tie] = second[tie]
    return first, second


def compared(first, second):
    """The median, lowest and highest difference, and the share of seeds on which the first is ahead."""
    gap = first - second
    return float(np.median(gap)), float(gap.min()), float(gap.max()), float(np.mean(gap > 0))


def diagnose_comparison(got, want, inputs):
    """Say what was paired, averaged or counted instead."""
    first, second = inputs
    gap = first - second
    median, low, high, wins = want
    turns = {
        "this is the second minus the first": (*(-v for v in (median, high, low)), float(np.mean(gap < 0))),
        "the middle of the differences is asked for, this is the difference of the two medians": (
            float(np.median(first) - np.median(second)),
            low,
            high,
            wins,
        ),
        "this is the mean difference: one lucky seed moves it, the median is asked for": (
            float(gap.mean()),
            low,
            high,
            wins,
        ),
        "a tie is no win: count only the seeds on which the first is ahead": (
            median,
            low,
            high,
            float(np.mean(gap >= 0)),
        ),
        "a tie is no win, not half a one either": (median, low, high, float(np.mean((gap > 0) + 0.5 * (gap == 0)))),
        "the wins are counted over all pairs of runs: pair each seed with itself": (
            median,
            low,
            high,
            float(np.mean(first[:, None] > second)),
        ),
        "the wins are counted, their share is asked for": (median, low, high, float(np.sum(gap > 0))),
        "the spread is asked for as lowest and highest difference, this is the range of each pool apart": (
            median,
            float(first.min() - second.max()),
            float(first.max() - second.min()),
            wins,
        ),
        "lowest and highest are asked for, these are one standard deviation to each side": (
            median,
            float(median - gap.std()),
            float(median + gap.std()),
            wins,
        ),
    }
    return first_match(got, turns)


register(
    "compare_pools",
    chapter="choosing",
    title="Two pools, several seeds",
    draw=draw_scores,
    reference=compared,
    names=("median", "lowest", "highest", "share"),
    diagnose=diagnose_comparison,
)


# The marked symbol without a memory


def verify_marked(answer, rng):
    """Run the layer, tanh and a masked max over ragged sequences; ask for the marked symbol."""
    weight, bias = (np.asarray(each, float) for each in answer)
    if not (np.isfinite(weight).all() and np.isfinite(bias).all()):
        return "weights and biases must be finite numbers"
    x, lengths, y = symbol_question("marked", 400, 60, min_length=1, noise=0.05, rng=rng)
    pooled = max_pool(np.tanh(x @ weight.T + bias), lengths)  # (B, 4)
    ahead = np.sort(pooled, axis=1)
    clear = ahead[:, -1] - ahead[:, -2] > 0.2
    right = pooled.argmax(axis=1) == y
    if np.all(right & clear):
        return None
    if np.allclose(weight[:, 4], 0):
        return (
            "no unit looks at the mark, the last of the five inputs: which symbol is asked for, out of all that occur?"
        )
    if np.allclose(weight - weight[:1], 0):
        return "all four units look for the same: each should answer to one symbol"
    if np.median(ahead[:, 0]) > 0.5:
        return (
            "all four units come out large in most sequences: at which steps is a unit large though its symbol is not "
            "marked? An AND needs a threshold, a bias"
        )
    if np.all((right & clear)[lengths == 1]):
        return "right for one step, not for a longer sequence: a unit is large where its symbol, or the mark, is alone"
    if np.mean(right) > 0.95:
        return "the right symbol is ahead, but by less than 0.2 in some sequences: make the weights larger"
    return f"right in {np.mean(right):.0%} of the sequences: unit k should be large where symbol k AND the mark stand"


register(
    "marked_by_max",
    chapter="choosing",
    title="The marked symbol without a memory",
    reference=lambda: (np.zeros((4, 5)), np.zeros(4)),
    names=("weight", "bias"),
    axes=("H D", "H"),
    verify=verify_marked,
    trials=3,
)


# What can be answered at all

ASKED, POOLED = ("exists", "average", "final", "marked"), ("last", "max", "mean", "attention")


def and_units(x, sharp=50.0):
    """A layer for each step alone, (B, T, 8) of 0 and 1: units 0 to 3 say "symbol k", 4 to 7 "symbol k, and marked"."""
    symbols, mark = x[..., :4], x[..., 4:]
    z = np.concatenate([symbols - 0.5, symbols + mark - 1.5], axis=-1)
    return 0.5 + 0.5 * np.tanh(sharp * z)


def pooled_by(pool, features, lengths, query=None):
    """Pool (B, T, 8); attention with scores `features @ query`, which for query 0 is the mean."""
    if pool != "attention":
        return {"last": last_pool, "max": max_pool, "mean": mean_pool}[pool](features, lengths)
    valid = np.arange(features.shape[1]) < lengths[:, None]
    scores = np.where(valid, features @ (np.zeros(8) if query is None else query), -np.inf)
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    return weighted_pool(features, weights, lengths)


def answered(question, pooled, lengths):
    """A linear head by hand on the pooled units: the answer, (B,)."""
    if question == "exists":
        return pooled[:, 0] > 0.5 / 60
    if question == "average":
        return pooled[:, 0] + pooled[:, 1] > 0.5
    return pooled[:, :4].argmax(axis=1) if question == "final" else pooled[:, 4:].argmax(axis=1)


def can_answer():
    """For each question and pool: does the network by hand answer 500 sequences without a mistake?

    Where it does not, none can. The last step alone says nothing of the others. Max, mean and attention do not know the
    order of steps that are read one by one, which "final" asks for. Max knows which vectors occur, not how often, which
    "average" asks for.
    """
    rows = []
    for question in ASKED:
        batch = symbol_question(question, 500, 60, min_length=2, rng=0)
        features = and_units(batch.x.astype(float))
        pooled = {pool: pooled_by(pool, features, batch.lengths) for pool in POOLED}
        rows.append(tuple(bool(np.all(answered(question, p, batch.lengths) == batch.y)) for p in pooled.values()))
    return tuple(rows)


HINTS = {
    ("exists", "last"): "where may symbol 0 stand?",
    ("exists", "max"): "what does a unit that is 1 at symbol 0 and else 0 come to?",
    ("exists", "mean"): "the mean of a unit that is 1 once in 60 steps is small, but is it 0?",
    ("exists", "attention"): "with equal weights attention is the mean",
    ("average", "last"): "does the last step know the others?",
    ("average", "max"): "what is the same for a sequence that holds a symbol once and one that holds it twenty times?",
    ("average", "mean"): "what is the mean of a unit that is 1 at the first two symbols and else 0?",
    ("average", "attention"): "with equal weights attention is the mean",
    ("final", "last"): "which step does it take?",
    ("final", "max"): "the steps are read one by one: does any number of the pool change when they are shuffled?",
    ("final", "mean"): "the steps are read one by one: does any number of the pool change when they are shuffled?",
    ("final", "attention"): "a step's score depends on what the step holds: does it know that it is the last?",
    ("marked", "last"): "where may the mark stand?",
    ("marked", "max"): "could a unit be 1 only where its symbol and the mark stand together?",
    ("marked", "mean"): "give each symbol a unit that is 1 only where it is marked: which unit's mean is not 0?",
    ("marked", "attention"): "could a step with a mark get a higher score than the others?",
}


def diagnose_table(got, want, inputs):
    """Ask about the first verdict that is off."""
    for question, mine, right in zip(ASKED, got, want):
        for pool, a, b in zip(POOLED, np.ravel(mine), right):
            if bool(a) != b:
                return f'"{question}" with {pool}: {HINTS[question, pool]}'
    return None


register(
    "what_can_be_answered",
    chapter="choosing",
    title="What can be answered at all",
    reference=can_answer,
    diagnose=diagnose_table,
)


# The best of twenty


def draw_tables(rng):
    """Validation and test scores: the best pool has one run astray, another a lucky one, and the test likes a third."""
    names, S = [str(pool) for pool in rng.permutation(["last", "max", "mean", "attention"])], int(rng.integers(5, 8))
    level = dict(zip(names, rng.permutation([0.55, 0.6, 0.65, 0.7])))
    validation, test = ({p: level[p] - less + rng.uniform(-0.01, 0.01, S) for p in names} for less in (0, 0.05))
    favourite, lucky, _, best = sorted(names, key=level.get)
    seed = int(rng.integers(S))
    test[favourite] = test[favourite] + 0.3
    validation[lucky][seed], test[lucky][seed] = 0.78, 0.97
    validation[best][int(rng.integers(S))] -= 0.5
    return validation, test


def report(scores):
    """Median, lowest, highest."""
    return float(np.median(scores)), float(np.min(scores)), float(np.max(scores))


def by(scores, number):
    """The pool whose scores come first by a number of them."""
    return max(scores, key=lambda pool: number(scores[pool]))


def choose_honestly(validation, test):
    """Choose by the median on validation, report on test over all seeds."""
    pool = by(validation, np.median)
    return pool, *report(test[pool])


def diagnose_choice(got, want, inputs):
    """Say on what the choice or the report was made."""
    validation, test = inputs
    if got[0] != want[0]:
        pools = {
            "the pool is chosen for its luckiest seed: one run is no pool": by(validation, np.max),
            "the pool is chosen by the mean, which one run that went astray has moved: use the median": by(
                validation, np.mean
            ),
            "the pool is chosen on the test scores, which are there to report on": by(test, np.median),
        }
        return next((words for words, pool in pools.items() if got[0] == pool), None)
    row = test[want[0]]
    turns = {
        "the right pool; the report is made on the validation scores, which the choice has used": report(
            validation[want[0]]
        ),
        "the right pool; this is the mean of its test scores, the median is asked for": (np.mean(row), *want[2:]),
        "the right pool; its luckiest seed is reported as if it were the score": (want[3], *want[2:]),
    }
    return first_match(tuple(got[1:]), {words: tuple(map(float, value)) for words, value in turns.items()})


register(
    "choose_honestly",
    chapter="choosing",
    title="The best of twenty",
    draw=draw_tables,
    reference=choose_honestly,
    names=("pool", "median", "lowest", "highest"),
    diagnose=diagnose_choice,
)


# A plan

KEYS = {"runs", "baselines", "chosen_on", "reported_on"}
RUN_KEYS = {"pool", "data_seed", "network_seed", "rate", "updates", "mask"}


def verify_plan(answer, rng):
    """Look for what would make the comparison unfair."""
    if not isinstance(answer, dict):
        raise Misfit(f"a {type(answer).__name__} came where a dict is expected")
    if set(answer) != KEYS:
        missing, more = sorted(KEYS - set(answer)), sorted(set(answer) - KEYS, key=str)
        raise Misfit(f"the plan lacks {', '.join(missing)}" if missing else f"the plan has the unknown {more[0]!r}")
    runs = list(answer["runs"])
    if not all(isinstance(run, dict) and set(run) == RUN_KEYS for run in runs) or not runs:
        return f"every run must be a dict with the keys {', '.join(sorted(RUN_KEYS))}"
    pools = list(dict.fromkeys(run["pool"] for run in runs))
    if not {"last", "max", "mean", "attention"} <= set(pools):
        return "the pools that are to be compared are last, max, mean and attention: one is missing"
    if not all(run["mask"] is True for run in runs):
        return "a run forgets the mask: padding would be pooled"
    settings = {
        pool: sorted((r["data_seed"], r["network_seed"], r["rate"], r["updates"]) for r in runs if r["pool"] == pool)
        for pool in pools
    }
    first = settings[pools[0]]
    for k, words in enumerate(
        ("see other data", "are drawn from other seeds", "are trained at other rates", "get another number of updates")
    ):
        if any(sorted({row[k] for row in settings[pool]}) != sorted({row[k] for row in first}) for pool in pools):
            return f"some pools {words} than the others: let the pool alone vary"
    if any(settings[pool] != first for pool in pools):
        return "the pools do not get the same runs: each should meet the same data, seeds, rates and updates"
    if len(set(first)) < len(first):
        return "the same run stands in the plan twice: it would count as a second seed"
    for k, words in ((1, "three seeds for the network"), (0, "three seeds for the data")):
        if len({row[k] for row in first}) < 3:
            return f"at least {words} are needed: with fewer you see no spread"
    rates = {row[2] for row in first}
    if len(rates) < 2:
        return "one learning rate only: a pool that likes another rate is shown as worse; try two at least"
    per_rate = [sorted(row[:2] for row in first if row[2] == rate) for rate in rates]
    if any(each != per_rate[0] for each in per_rate):
        return "the rates are not tried on the same seeds"
    if not all(isinstance(r["rate"], float | int) and 0 < r["rate"] < 1 for r in runs):
        return "a learning rate should be a number between 0 and 1"
    if not set(answer["baselines"]) & {"majority"} or len(set(answer["baselines"])) < 2:
        return "the baselines lack the majority, or a simple model beside it"
    if answer["chosen_on"] == answer["reported_on"]:
        return f"chosen and reported on the same part, {answer['chosen_on']!r}: the report is then too good"
    if answer["chosen_on"] != "validation":
        return f"chosen on {answer['chosen_on']!r}: which part has neither trained the networks nor will be reported?"
    if answer["reported_on"] != "test":
        return f"reported on {answer['reported_on']!r}: which part has had no say in anything?"
    return None


register(
    "plan_comparison",
    chapter="choosing",
    title="A fair plan",
    verify=verify_plan,
    trials=1,
)


# Why a network failed

CAUSES = {
    "seed": "an unlucky seed",
    "rate": "a rate that does not suit",
    "updates": "too few updates",
    "structure": "a pool that cannot",
}
RATES, RATE, UPDATES = (0.003, 0.01, 0.03), 0.01, 300  # the last two are those of the run that failed


class Laboratory:
    """A simulated one: `train(seed, rate, updates)` gives a score in percent. It has a budget, and notes its runs."""

    def __init__(self, cause, rng):
        self.cause, self.log, self.left = cause, [], 12_000
        self.counts, self.rate = float(rng.uniform(40, 65)), float(rng.choice([0.003, 0.03]))
        self.unlucky = 0 if cause == "seed" or rng.random() < 0.5 else int(rng.integers(1, 5))
        self._needed, self._noise = rng.uniform(1500, 2700), int(rng.integers(2**32))

    def __deepcopy__(self, memo):
        return copy.copy(self)  # a budget of its own, the same log

    def __call__(self, seed, rate, updates):
        """Train and return the right answers in percent."""
        if seed not in range(5) or rate not in RATES or not 1 <= updates <= 3000:
            got = f"{seed}, {rate}, {updates}"
            raise ValueError(f"seeds are 0 to 4, rates {RATES}, updates 1 to 3000; got {got}")
        self.left -= updates
        if self.left < 0:
            raise RuntimeError(f"run {len(self.log) + 1} would go beyond 12,000 updates: the budget is spent")
        self.log.append((seed, rate, updates))
        tremble = np.random.default_rng([self._noise, int(seed), RATES.index(rate), int(updates)]).normal()
        finds = {
            "seed": updates >= 250,
            "rate": rate == self.rate and updates >= 250,
            "updates": updates >= self._needed,
            "structure": False,
        }
        if finds[self.cause] and seed != self.unlucky:
            return 100 - abs(tremble)
        return self.counts + (25 - self.counts) * np.exp(-updates / 400) + tremble  # from a guess to the counts


def diagnose_failure(got, want, inputs):
    """Say what the experiment has not tried, or has changed together with something else."""
    (train, _), got = inputs, str(got).strip().casefold()
    if got not in CAUSES:
        return f"the cause is one of {', '.join(CAUSES)}, got {got!r}"
    if not train.log:
        return "nothing was trained: one run that failed fits all four causes"
    seeds = {  # which seeds have met each cure
        "seed": {seed for seed, *other in train.log if other == [RATE, UPDATES] and seed != train.unlucky},
        "rate": {seed for seed, rate, _ in train.log if rate == train.rate},
        "updates": {seed for seed, rate, updates in train.log if rate == RATE and updates > 2700},
        "structure": range(5),
    }[want]
    cure = {
        "seed": "another seed with rate and updates as they were",
        "rate": f"a rate of {train.rate}",
        "updates": "3,000 updates at the rate as it was",
    }
    if want == "structure":
        why = "Its scores rise with the updates, to what the counts score, and stay there: that is no cure"
    elif {got, want} == {"rate", "updates"} and any(run[1] != RATE and run[2] > UPDATES for run in train.log):
        why = "In some run rate and updates had both changed: which of them was it?"
    elif not seeds:
        why = f"It has not tried {cure[want]}"
    elif seeds == {train.unlucky}:
        why = f"It has tried {cure[want]} on seed {train.unlucky} alone, and one seed may be the unlucky one"
    else:
        why = "It has run what cures it: what did you compare that score with?"
    return f"it takes {CAUSES[want]} for {CAUSES[got]}. {why}"


register(
    "why_it_failed",
    chapter="choosing",
    title="Why it failed",
    draw=lambda rng: (train := Laboratory(str(rng.choice(list(CAUSES))), rng), train.counts),
    reference=lambda train, counts: train.cause,
    names=("the cause",),
    diagnose=diagnose_failure,
    dtypes=("float64",),
    trials=24,
)
