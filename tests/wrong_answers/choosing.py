"""Plausible wrong answers to the exercises of the chapter choosing, and words of the message each must get."""

import numpy as np

GAPS = (0.0, 0.0, 0.0, 0.3667, 0.3429)
TABLE = (
    (False, True, True, True),
    (False, False, True, True),
    (True, False, False, False),
    (False, True, True, True),
)


def with_gap(k, value):
    return tuple(value if n == k else gap for n, gap in enumerate(GAPS))


def with_verdict(question, pool):
    """The table with one verdict turned."""
    return tuple(
        tuple(bool(v) != (q == question and p == pool) for p, v in enumerate(row)) for q, row in enumerate(TABLE)
    )


def layer(symbol=10.0, mark=10.0, bias=-15.0):
    return np.hstack([symbol * np.eye(4), np.full((4, 1), mark)]), np.full(4, bias)


def three(scores):
    return np.median(scores), scores.min(), scores.max()


def choice(validation, test, on, number, report):
    pool = max(on, key=lambda name: number(on[name]))
    return pool, *three(report[pool])


def plan(pools=("last", "max", "mean", "attention"), seeds=range(3), rates=(3e-3, 1e-2), change=None, **more):
    """A fair plan, or one with a fault: `change(run)` returns what to change in a run."""
    runs = [
        dict(pool=pool, data_seed=seed, network_seed=seed, rate=rate, updates=300, mask=True)
        for pool in pools
        for rate in rates
        for seed in seeds
    ]
    runs = [run | (change(run) if change else {}) for run in runs]
    whole = dict(runs=runs, baselines=["majority", "bag of letters"], chosen_on="validation", reported_on="test")
    return whole | more


def of_attention(**what):
    return lambda: plan(change=lambda run: what if run["pool"] == "attention" else {})


def why(seeds=(1, 2), rates=(0.003, 0.03), most=3000, ahead=10, other_seeds=True, at_once=False, rising=False):
    """An experiment on why a network failed, right or with a fault."""

    def experiment(train, counts):
        bar = train(0, 0.01, 300) + 8 if rising else counts + ahead

        def cured(rate=0.01, updates=300):
            return max(train(seed, rate, updates) for seed in seeds) > bar

        if other_seeds and cured():
            return "seed"
        if any(cured(rate, most if at_once else 300) for rate in rates):
            return "rate"
        return "updates" if cured(updates=most) else "structure"

    return experiment


def whole_grid(train, counts):
    """Everything, on all seeds."""
    scores = {rate: [train(seed, rate, 3000) for seed in range(5)] for rate in (0.003, 0.01, 0.03)}
    return max(scores, key=scores.get)


WRONG = {
    "gaps_by_hand": [
        (lambda: (-2.0, 0.0, -0.5, -0.5, -0.8), "padding is read"),
        (lambda: tuple(-gap for gap in GAPS), "wrong sign"),
        (lambda: with_gap(3, -5.0), "not divided by their sum"),
        (lambda: with_gap(3, -0.5), "over its own steps"),
        (lambda: with_gap(3, 11 / 6 - 2.2), "grow towards the end"),
        (lambda: with_gap(4, 0.375), "not divided by their sum"),
        (lambda: with_gap(4, 3 / 1.75 - 2.4), "here the first has"),
        (lambda: with_gap(4, -0.8), "from the end of its padding"),
        (lambda: GAPS[:4], "4 results came where 5"),
    ],
    "compare_pools": [
        (lambda a, b: (np.median(b - a), (b - a).min(), (b - a).max(), np.mean(b > a)), "second minus the first"),
        (
            lambda a, b: (np.median(a) - np.median(b), (a - b).min(), (a - b).max(), np.mean(a > b)),
            "difference of the two medians",
        ),
        (lambda a, b: (np.mean(a - b), (a - b).min(), (a - b).max(), np.mean(a > b)), "mean difference"),
        (lambda a, b: (np.median(a - b), (a - b).min(), (a - b).max(), np.mean(a >= b)), "a tie is no win"),
        (lambda a, b: (np.median(a - b), (a - b).min(), (a - b).max(), np.mean(a[:, None] > b)), "over all pairs"),
        (lambda a, b: (np.median(a - b), (a - b).min(), (a - b).max(), float(np.sum(a > b))), "share is asked for"),
        (
            lambda a, b: (np.median(a - b), a.min() - b.max(), a.max() - b.min(), np.mean(a > b)),
            "range of each pool apart",
        ),
        (lambda a, b: (np.median(a - b), np.mean(a > b)), "2 results came where 4"),
    ],
    "marked_by_max": [
        (lambda: layer(mark=0.0, bias=-5.0), "looks at the mark"),
        (lambda: layer(bias=0.0), "an AND needs a threshold"),
        (lambda: layer(bias=-5.0), "an AND needs a threshold"),
        (lambda: (np.hstack([np.ones((4, 4)), np.ones((4, 1))]), np.zeros(4)), "all four units look for the same"),
        (lambda: layer(0.1, 0.1, -0.15), "make the weights larger"),
        (lambda: (layer()[0][:, [4, 0, 1, 2, 3]], layer()[1]), "symbol k AND the mark"),
        (lambda: (layer()[0].T, layer()[1]), "where (4, 5) is expected"),
        (lambda: (layer()[0] * np.nan, layer()[1]), "values are NaN or infinite"),
    ],
    "choose_honestly": [
        (lambda v, t: choice(v, t, t, np.median, t), "chosen on the test scores"),
        (lambda v, t: choice(v, t, t, np.max, t), "luckiest seed: one run"),
        (lambda v, t: choice(v, t, v, np.max, t), "luckiest seed: one run"),
        (lambda v, t: choice(v, t, v, np.mean, t), "chosen by the mean"),
        (lambda v, t: choice(v, t, v, np.median, v), "report is made on the validation scores"),
        (
            lambda v, t: (p := max(v, key=lambda n: np.median(v[n])), t[p].mean(), t[p].min(), t[p].max()),
            "mean of its test scores",
        ),
        (
            lambda v, t: (p := max(v, key=lambda n: np.median(v[n])), t[p].max(), t[p].min(), t[p].max()),
            "luckiest seed is reported",
        ),
    ],
    "what_can_be_answered": [
        (lambda: with_verdict(0, 2), '"exists" with mean'),
        (lambda: with_verdict(1, 1), '"average" with max'),
        (lambda: with_verdict(1, 3), '"average" with attention'),
        (lambda: with_verdict(2, 3), '"final" with attention'),
        (lambda: with_verdict(3, 2), '"marked" with mean'),
        (lambda: with_verdict(3, 0), '"marked" with last'),
        (lambda: TABLE[:3], "3 results came where 4"),
    ],
    "plan_comparison": [
        (lambda: plan(seeds=range(2)), "at least three seeds"),
        (lambda: plan(change=lambda run: dict(data_seed=0)), "three seeds for the data"),
        (lambda: plan(rates=(1e-2,)), "one learning rate only"),
        (lambda: plan(pools=("last", "max", "mean")), "one is missing"),
        (of_attention(mask=False), "forgets the mask"),
        (of_attention(data_seed=7), "see other data"),
        (of_attention(updates=600), "another number of updates"),
        (
            lambda: plan(change=lambda r: dict(network_seed=r["network_seed"] + len(r["pool"]))),
            "drawn from other seeds",
        ),
        (lambda: plan(seeds=[0, 1, 2, 2]), "stands in the plan twice"),
        (lambda: plan(baselines=[]), "baselines lack"),
        (lambda: plan(chosen_on="test"), "same part"),
        (lambda: plan(chosen_on="train"), "neither trained the networks"),
        (lambda: plan(reported_on="train"), "had no say"),
        (lambda: {"runs": plan()["runs"]}, "the plan lacks"),
        (lambda: plan()["runs"], "where a dict is expected"),
        (lambda: plan(runs=[]), "every run must be a dict"),
    ],
    "why_it_failed": [
        (why(seeds=(0,)), "on seed 0 alone"),
        (why(other_seeds=False), "not tried another seed"),
        (why(rates=(0.03,)), "not tried a rate of 0.003"),
        (why(most=1000), "not tried 3,000 updates"),
        (why(rates=(0.03,), most=2800, at_once=True), "rate and updates had both changed"),
        (why(rising=True), "to what the counts score, and stay there"),
        (why(ahead=80), "what did you compare that score with"),
        (whole_grid, "the budget is spent"),
        (lambda train, counts: "structure", "nothing was trained"),
        (lambda train, counts: "capacity", "the cause is one of"),
        (lambda train, counts: train(0, 0.02, 300), "rates (0.003, 0.01, 0.03)"),
    ],
}
