"""Wrong answers to the exercises of the chapter encoder-decoder, and words of the message each must get."""

import numpy as np


def stop_at_the_end(y, lengths, start, stop):
    start, stop = (np.full((len(y), 1), token) for token in (start, stop))
    return np.concatenate([start, y], axis=1), np.where((y := np.concatenate([y, stop], axis=1)) == 0, -100, y)


def one_long_softmax(query, keys, memory, lengths):
    scores = np.einsum("bh,bth->bt", query, keys)
    e = np.exp(scores - scores.max(axis=1, keepdims=True)) * (np.arange(scores.shape[1]) < lengths[:, None])
    return np.einsum("bt,btd->bd", e / e.sum(), memory), e / e.sum()


def until_it_stops(step, state, start, stop, steps):
    scores, state = step(start, state)
    written = []
    while (token := int(scores.argmax())) != stop:
        written.append(token)
        scores, state = step(token, state)
    return written[:steps]


def best_of_each(so_far, next_log_p):
    token = next_log_p.argmax(axis=1)
    return so_far + next_log_p.max(axis=1), np.arange(len(token)), token


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
        ends = [len(row) == n for n in (3, 9) for row in write(words, targets(n))]
        taken = {"always": all(ends), "once": any(ends)}
        taken["differs"] = [len(row) for row in write(words, targets(9))] != [len(row) for row in plain]
        return {
            "is fed the target": write(words, other) != plain,
            "takes the target's length": taken[lengths],
            "reads its padding": write([*words, [1] * company], [*beside, [1]])[:-1] != plain,
        }

    return find


WRONG = {
    "error_rates_by_hand": [(lambda: (30.8, 33.3), "words that are right"), (lambda: (31, 67), "give one decimal")],
    "decoder_pairs": [(stop_at_the_end, "the stop stands in the last column")],
    "attend": [(one_long_softmax, "Right for one sample, but not for a batch")],
    "spell_greedily": [(until_it_stops, "Does a loop never end?")],
    "beam_by_hand": [(lambda: (0.16, 0.21, 0.21), "beam 3 keeps all three first phones")],
    "beam_step": [(best_of_each, "each beginning is continued once")],
    "find_leaks": [
        (leaks(last_only=True), "and which at none"),
        (leaks(other_phones=3), "did the target's length change as well"),
        (leaks(lengths="once"), "A length that is taken is always hit"),
        (leaks(lengths="differs"), "make it stop elsewhere"),
        (leaks(company=3), "put a short word beside a long one"),
        (leaks(own_target=False), "did anything but the company change"),
        (leaks(alone=True), "it need not show in each"),
        (lambda write, letters, phones: [write([[1]], [[1]]) for _ in range(41)], "the program runs 40 times"),
        (lambda write, letters, phones: (True,) * 3, "a dict with the keys"),
    ],
}
