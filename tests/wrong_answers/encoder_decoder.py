"""Plausible wrong answers to the exercises of the chapter encoder-decoder, and words of the message each must get."""

import numpy as np


def pairs(y, lengths, start, stop, shifted=True, stopped=True, past=-100, in_feed=0):
    """Fed and asked, right or with a fault."""
    steps = np.arange(y.shape[1] + 1)
    asked = np.where(steps < lengths[:, None], np.pad(y, ((0, 0), (0, 1))), past)
    if stopped:
        asked[np.arange(len(y)), lengths] = stop
    fed = np.pad(y, ((0, 0), (1, 0)), constant_values=start)
    fed = np.where(steps > lengths[:, None], in_feed, fed)
    if not shifted:
        fed = np.where(asked == -100, 0, asked)
    return fed, asked


def stop_in_last_column(y, lengths, start, stop):
    fed, asked = pairs(y, lengths, start, stop, stopped=False)
    asked[:, -1] = stop
    return fed, asked


def weigh(query, keys, memory, lengths, mask="before", axis=1, scale=1.0, empty=-np.inf):
    """Attention, right or with a fault."""
    valid = np.arange(keys.shape[1]) < lengths[:, None]
    scores = (keys * query[:, None]).sum(-1) / scale
    if mask == "before":
        scores = np.where(valid, scores, empty)
    weights = np.exp(scores - scores.max())
    weights = weights / weights.sum(axis=axis, keepdims=True)
    if mask == "after":
        weights = weights * valid
    return (weights[..., None] * memory).sum(1), weights


def mean_of_valid(query, keys, memory, lengths):
    weights = (np.arange(keys.shape[1]) < lengths[:, None]) / lengths[:, None].astype(query.dtype)
    return (weights[..., None] * memory).sum(1), weights.astype(query.dtype)


def writer(step, state, start, stop, steps, carry=True, feed=True, keep_stop=False, go_on=False, extra=0):
    """The greedy writer, right or with a fault."""
    written, token, first = [], start, state
    for _ in range(steps + extra):
        scores, state = step(token if feed else start, state if carry else first)
        token = int(np.argmax(scores))
        if token == stop and not go_on:
            return [*written, stop] if keep_stop else written
        written.append(token)
    return written


def beams(so_far, after, kind):
    """A step of a beam with a fault."""
    W, K = after.shape
    total = so_far[:, None] + after
    if kind == "each":
        order = np.argsort(-total.max(1))
        return total.max(1)[order], order, total.argmax(1)[order]
    if kind == "forgets":
        best = np.argsort(-after, axis=None)[:W]
        return after.ravel()[best], best // K, best % K
    if kind == "times":
        total = so_far[:, None] * after
    best = np.argsort(-total, axis=None)[:W]
    if kind == "worst":
        best = best[::-1]
    if kind == "size":
        return total.ravel()[best], best // W, best % W
    if kind == "alone":
        return after.ravel()[best], best // K, best % K
    if kind == "swapped":
        return total.ravel()[best], best % K, best // K
    return total.ravel()[best], best // K, best % K


def leaks(other_phones=6, alone=False, last_only=False, lengths="always", company=20, own_target=True):
    """An experiment for each of the three leaks, right or with a fault."""

    def find(write, letters, phones):
        rng = np.random.default_rng(1)
        words = rng.integers(1, letters + 1, size=(1 if alone else 30, 3)).tolist()

        def targets(n):
            return rng.integers(1, phones + 1, size=(len(words), n)).tolist()

        given, other = targets(6), targets(other_phones)
        plain = write(words, given)
        if last_only:
            other = [row[:-1] + [1 + row[-1] % phones] for row in given]
        beside = given if own_target else targets(6)
        ends = {n: [len(row) == n for row in write(words, targets(n))] for n in (3, 9)}
        taken = {"always": all(ends[3] + ends[9]), "once": any(ends[3] + ends[9])}
        taken["differs"] = [len(row) for row in write(words, targets(9))] != [len(row) for row in plain]
        return {
            "is fed the target": write(words, other) != plain,
            "takes the target's length": taken[lengths],
            "reads its padding": write([*words, [1] * company], [*beside, [1]])[:-1] != plain,
        }

    return find


def word_by_word(write, letters, phones):
    return {"reads its padding": [write([[k % letters + 1]], [[1]]) for k in range(50)]}


def verdicts(value):
    keys = ("is fed the target", "takes the target's length", "reads its padding")
    return lambda write, letters, phones: dict.fromkeys(keys, value)


WRONG = {
    "error_rates_by_hand": [
        (lambda: (26.7, 66.7), "phones written"),
        (lambda: (44.4, 66.7), "mean of the words"),
        (lambda: (53.8, 66.7), "place by place"),
        (lambda: (30.8, 33.3), "words that are right"),
        (lambda: (0.308, 0.667), "these are shares"),
        (lambda: (66.7, 30.8), "another order"),
        (lambda: 30.8, "where 2 results"),
    ],
    "decoder_pairs": [
        (lambda *given: pairs(*given, shifted=False), "one step behind"),
        (lambda *given: pairs(*given, stopped=False), "stop is never asked for"),
        (lambda *given: pairs(*given, past=0), "the padding is asked for too"),
        (lambda *given: pairs(*given, past=given[3]), "at every step of the padding"),
        (lambda *given: pairs(*given, in_feed=-100), "no embedding has such a token"),
        (stop_in_last_column, "last column"),
        (lambda *given: tuple(part[:, :-1] for part in pairs(*given)), "`fed` has shape"),
        (lambda *given: pairs(*given)[::-1], "another order"),
    ],
    "attend": [
        (lambda *given: weigh(*given, mask="none"), "the padding gets weight"),
        (lambda *given: weigh(*given, mask="after"), "after the softmax"),
        (lambda *given: weigh(*given, empty=0), "does not silence a step"),
        (lambda *given: weigh(*given, axis=0), "runs over the batch"),
        (lambda *given: weigh(*given, scale=np.sqrt(given[0].shape[-1])), "divided by the root"),
        (mean_of_valid, "the query is not used"),
        (lambda *given: weigh(*given)[::-1], "`context` has shape"),
    ],
    "spell_greedily": [
        (lambda *given: writer(*given, keep_stop=True), "stop token is in the answer"),
        (lambda *given: writer(*given, go_on=True), "writes on after the stop"),
        (lambda *given: writer(*given, carry=False), "state is not handed on"),
        (lambda *given: writer(*given, feed=False), "fed at every step"),
        (lambda *given: [given[2], *writer(*given)], "start token is in the answer"),
        (lambda *given: writer(*given, extra=1), "too few or too many"),
        (lambda *given: 3, "a list of tokens"),
    ],
    "beam_by_hand": [
        (lambda: (0.16, 0.16, 0.16), "keeps two first phones"),
        (lambda: (0.16, 0.225, 0.225), "has dropped"),
        (lambda: (0.16, 0.21, 0.21), "keeps all three"),
        (lambda: (0.4, 0.35, 0.25), "a first phone's probability alone"),
        (lambda: (0.4, 0.6, 0.9), "these are second phones' probabilities"),
        (lambda: (0.16, 0.37, 0.595), "added up"),
        (lambda: (0.225, 0.225, 0.225), "give up every first phone"),
        (lambda: (0.21, 0.225, 0.225), "then the likeliest second one"),
        (lambda: (0.16, 0.225), "2 results came where 3"),
    ],
    "beam_step": [
        (lambda a, b: beams(a, b, "each"), "continued once"),
        (lambda a, b: beams(a, b, "forgets"), "beginnings is forgotten"),
        (lambda a, b: beams(a, b, "worst"), "worst comes first"),
        (lambda a, b: beams(a, b, "size"), "wrong size"),
        (lambda a, b: beams(a, b, "times"), "their logarithms add"),
        (lambda a, b: beams(a, b, "alone"), "new tokens alone"),
        (lambda a, b: beams(a, b, "swapped"), "swapped"),
    ],
    "find_leaks": [
        (leaks(last_only=True), "and which at none"),
        (leaks(other_phones=3), "did the target's length change as well"),
        (leaks(lengths="once"), "hit a target's length by chance"),
        (leaks(lengths="differs"), "make it stop elsewhere"),
        (leaks(company=3), "put a short word beside a long one"),
        (leaks(own_target=False), "did anything but the company change"),
        (leaks(alone=True), "it need not show in each"),
        (verdicts(True), "and that one does not"),
        (verdicts(False), "it overlooks that a writer"),
        (word_by_word, "all 40 calls are spent"),
        (lambda write, letters, phones: True, "a dict with the keys"),
    ],
}
