"""What every benchmark shares: contenders take turns, on one thread, and are compared round by round.

A benchmark is a script `bench_<name>.py` in this folder. `make bench BENCH=name` runs it; it ends with `save` and so
writes `results/bench_<name>.json`. What counts is a ratio of process CPU times within one run, never a time alone: how
fast a machine is changes from one hour to the next, and which of two programs is faster changes far less.
"""

import gc
import time

import numpy as np
import protocol
from protocol import one_thread


def race(contenders, rounds=31, warmup=3, seed=0):
    """Return the CPU times of each contender, an array (rounds,) in seconds; a new order each round.

    Parameters
    ----------
    contenders : dict of str to callable
    rounds, warmup : int
        How often each runs, and how often before that without being timed.
    """
    one_thread()
    times, rng = {name: [] for name in contenders}, np.random.default_rng(seed)
    gc.collect()
    gc.disable()
    try:
        for _ in range(warmup + rounds):
            for name in rng.permutation(list(contenders)):
                started = time.process_time()
                contenders[name]()
                times[name].append(time.process_time() - started)
    finally:
        gc.enable()
    return {name: np.array(each[warmup:]) for name, each in times.items()}


def race_all(contenders, reference, seconds=8.0, least=7, slow=0.3, too_slow=3.0):
    """Race the quick ones for so many seconds and the slow ones, with the reference, for three rounds.

    Parameters
    ----------
    contenders : dict of str to callable
    reference : str
        What the others are compared with.
    seconds, least : float, int
        How long the race of the quick ones may take; it has at least so many rounds, and at most 41.
    slow, too_slow : float
        From how many seconds a call is slow; from how many it is left out.

    Returns
    -------
    dict
        What `against` gives, in the order of the contenders.
    list of str
        Who was left out.
    """
    one_thread()
    first = {}
    for name, call in contenders.items():
        first[name] = _seconds(call)
        if first[name] < too_slow:
            first[name] = _seconds(call)
        if first[name] > too_slow:
            print(f"  {name}: left out, one round takes over {too_slow:g} s")
    out = [name for name in first if first[name] > too_slow and name != reference]
    late = [name for name in first if first[name] > slow and name not in [*out, reference]]
    late = [name for name in late if first[name] > 4 * first[reference]]
    quick = [name for name in first if name not in out + late]
    rounds = int(np.clip(seconds / sum(first[name] for name in quick), least, 41))
    found = against(race({name: contenders[name] for name in quick}, rounds, 1), reference)
    if late:
        found |= against(race({name: contenders[name] for name in [*late, reference]}, 3, 1), reference) | found
    return {name: found[name] for name in contenders if name in found}, out


def _seconds(call):
    """Return the CPU time of one call."""
    started = time.process_time()
    call()
    return time.process_time() - started


def against(times, reference):
    """Return the median and the quartiles of the ratio of each contender's time to that of the reference.

    Examples
    --------
    >>> against({"a": np.array([2.0, 4.0, 6.0]), "b": np.array([1.0, 2.0, 2.0])}, "b")["a"]
    {'median': 2.0, 'low': 2.0, 'high': 2.5, 'ms': 4000.0}
    """
    found = {}
    for name, each in times.items():
        low, median, high = np.percentile(each / times[reference], [25, 50, 75]).tolist()
        found[name] = {"median": median, "low": low, "high": high, "ms": 1e3 * float(np.median(each))}
    return found


def table(title, rows, reference):
    """Print ratios as a table: smaller is faster, below 1 is ahead of the reference."""
    print(f"\n{title}: CPU time as a multiple of {reference}")
    for name, row in rows.items():
        spread = f"({row['low']:.2f} to {row['high']:.2f})"
        print(f"  {name:34} {row['median']:6.2f}  {spread:18} {row['ms']:9.2f} ms")


def save(name, results):
    """Write results as a study does."""
    return protocol.save(f"bench_{name}", results, command=f"make bench BENCH={name}")
