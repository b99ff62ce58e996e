"""Wrong answers to the exercises of the chapter encoder-decoder, and words of the message each must get."""

import numpy as np


def stop_at_the_end(y, lengths, start, stop):
    target = np.pad(y, ((0, 0), (0, 1)), constant_values=stop)
    return np.pad(y, ((0, 0), (1, 0)), constant_values=start), np.where(target == 0, -100, target)


def one_long_softmax(query, keys, memory, lengths):
    scores = np.einsum("bh,bth->bt", query, keys)
    e = np.exp(scores - scores.max(axis=1, keepdims=True)) * (np.arange(scores.shape[1]) < lengths[:, None])
    return np.einsum("bt,btd->bd", e / e.sum(), memory), e / e.sum()


def until_it_stops(step, state, start, stop, steps):
    written = [start]
    while written[-1] != stop:
        scores, state = step(written[-1], state)
        written.append(int(scores.argmax()))
    return written[1:-1][:steps]


def leaks(other_phones=6, alone=False, last_only=False, at_all=False, company=20, own_target=True):
    """An experiment for each of the three leaks, right or with a fault."""

    def find(write, letters, phones):
        rng = np.random.default_rng(1)
        words = rng.integers(1, letters + 1, size=(1 if alone else 30, 3)).tolist()

        def targets(n):
            return rng.integers(1, phones + 1, size=(len(words), n)).tolist()

        given, other = targets(6), targets(other_phones)
        plain = write(words, given)
        other = [row[:-1] + [1 + row[-1] % phones] for row in given] if last_only else other
        ends = [len(row) == n for n in (3, 9) for row in write(words, targets(n))]
        return {
            "is fed the target": write(words, other) != plain,
            "takes the target's length": any(ends) if at_all else all(ends),
            "reads its padding": write([*words, [1] * company], [*(given if own_target else targets(6)), [1]])[:-1]
            != plain,
        }

    return find


WRONG = {
    "error_rates_by_hand": [(lambda: (30.8, 33.3), "words that are right"), (lambda: (31, 67), "give one decimal")],
    "decoder_pairs": [(stop_at_the_end, "the stop stands in the last column")],
    "attend": [(one_long_softmax, "weights of each word should sum to 1")],
    "spell_greedily": [(until_it_stops, "Does a loop never end?")],
    "beam_by_hand": [(lambda: (0.16, 0.21, 0.21), "beam 3 keeps all three first phones")],
    "beam_step": [(lambda s, n: (s + n.max(1), np.arange(len(n)), n.argmax(1)), "each beginning is continued once")],
    "find_leaks": [
        (leaks(last_only=True), "and which at none"),
        (leaks(other_phones=3), "did the target's length change as well"),
        (leaks(at_all=True), "A length that is taken is always hit"),
        (leaks(company=3), "put a short word beside a long one"),
        (leaks(own_target=False), "did anything but the company change"),
        (leaks(alone=True), "it need not show in each"),
        (lambda write, letters, phones: [write([[1]], [[1]]) for _ in range(41)], "the program runs 40 times"),
    ],
}
