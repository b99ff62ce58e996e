"""Wrong answers to the exercises of the chapter choosing, and words of the message each must get."""

import numpy as np


def unpaired(first, second):
    return np.median(first) - np.median(second), min(first - second), max(first - second), np.mean(first > second)


def faulty(validation, test):
    score, best = max((max(scores), pool) for pool, scores in test.items())
    return best, score, test[best].min(), test[best].max()


def plan(**change):
    """A fair plan but for what is changed in the runs of the last pool."""
    runs = [
        dict(pool=pool, data_seed=seed, network_seed=seed, rate=rate, updates=500, mask=True)
        for pool in ("max", "mean", "attention", "last")
        for rate in (1e-3, 3e-3, 1e-2)
        for seed in range(5)
    ]
    runs = [run | (change if run["pool"] == "last" else {}) for run in runs]
    return dict(runs=runs, baselines=["majority", "counts"], chosen_on="validation", reported_on="test")


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


WRONG = {
    "gaps_by_hand": [
        (lambda: (0, 0, 0, 0.37, 0.5), "`decay`: the weights are"),
        (lambda: (0, 0, 0, -0.37, -0.34), "some have the wrong sign"),
    ],
    "compare_pools": [(unpaired, "difference of the two medians")],
    "marked_by_max": [(lambda: (np.hstack([np.eye(4), np.ones((4, 1))]), np.zeros(4)), "an AND needs a threshold")],
    "what_can_be_answered": [(lambda: np.ones((4, 4), bool), '"exists" with last')],
    "choose_honestly": [(faulty, "chosen for its luckiest seed")],
    "plan_comparison": [
        (lambda: plan(rate=0.02), "last differ in rate"),
        (lambda: plan(mask="yes"), "forgets the mask"),
        (lambda: plan() | {"seeds": 5}, "a dict with the keys runs, baselines"),
        (lambda: plan() | {"runs": [{"pool": "max"}]}, "every run must be a dict"),
    ],
    "why_it_failed": [
        (why(seeds=(0,)), "on seed 0 alone"),
        (why(other_seeds=False), "not tried another seed"),
        (why(rates=(0.03,)), "not tried a rate of 0.003"),
        (why(most=1000), "not tried 3,000 updates"),
        (why(rates=(0.003,), most=2800, at_once=True), "rate and updates had both changed"),
        (why(rising=True), "to what the counts score, and stay there"),
        (why(ahead=80), "what did you compare that score with"),
        (lambda train, counts: [train(seed, 0.01, 3000) for seed in range(5)], "the budget is spent"),
        (lambda train, counts: train(0, 0.02, 300), "rates (0.003, 0.01, 0.03)"),
    ],
}
