"""Wrong answers to the exercises of the chapter scale, and words of the message each must get."""

import hashlib
import json

import numpy as np
from torch.nn.functional import cross_entropy


def workbooks_step(gradients, tokens, limit):
    """The function of the workbook, as it stands there."""
    clipped = [g * min(1, limit / np.linalg.norm(g)) for g in gradients]
    return np.mean(clipped, axis=0)


def mean_of_those_with_tokens(gradients, tokens, limit):
    """NaN is left out with nanmean; the means weigh the same."""
    found = np.nanmean(gradients, axis=0)
    return found * min(1, limit / np.linalg.norm(found))


def averaged_losses(lstm, parts):
    """What a loop over micro-batches usually looks like."""
    lstm.zero_grad()
    for x, y in parts:
        loss = cross_entropy(lstm(x)[0].flatten(0, 1), y.flatten(), ignore_index=-100)
        (loss / len(parts)).backward()
    return {name: weight.grad for name, weight in lstm.named_parameters()}


def cleared_each_time(lstm, parts):
    """The gradients are cleared in the loop."""
    tokens = sum((y != -100).sum() for _, y in parts)
    for x, y in parts:
        lstm.zero_grad()
        scores = lstm(x)[0].flatten(0, 1)
        (cross_entropy(scores, y.flatten(), ignore_index=-100, reduction="sum") / tokens).backward()
    return {name: weight.grad for name, weight in lstm.named_parameters()}


def rows_first(lengths, B, N):
    """The rows are dealt out first, and every worker makes batches of its own: one may have one more."""
    order = np.argsort(lengths)
    return [[mine[k : k + B // N] for k in range(0, len(mine), B // N)] for mine in (order[r::N] for r in range(N))]


def without_empty_ones(lengths, B, N):
    """A worker without a row in the last batch has no last batch."""
    order = np.argsort(lengths)
    batches = [order[k : k + B] for k in range(0, len(order), B)]
    return [[list(batch[r::N]) for batch in batches if len(batch) > r] for r in range(N)]


def as_they_come(lengths, B, N):
    """No order of length, as a loader that shuffles gives them."""
    rows = np.random.default_rng(0).permutation(len(lengths))
    return [[rows[k : k + B][r::N] for k in range(0, len(rows), B)] for r in range(N)]


def workbooks_newest(folders):
    """The function of the workbook, as it stands there."""
    for name in sorted(folders, reverse=True):
        digests = json.loads(folders[name]["digests.json"])
        if set(digests) <= set(folders[name]):
            return int(name.split("-")[1])
    return 0


def whole(files):
    try:
        listed = json.loads(files["digests.json"])
        return all(hashlib.sha256(files[name]).hexdigest() == each for name, each in listed.items())
    except (KeyError, ValueError):
        return False


def newest_word(folders):
    """The digests are compared, and the names are sorted as words."""
    found = [name for name in sorted(folders) if name.startswith("step") and whole(folders[name])]
    return int(found[-1].split("-")[1]) if found else 0


def newest_draft(folders):
    """All is right but that a draft counts, too."""
    return max((int(name.split("-")[1]) for name in folders if whole(folders[name])), default=0)


def fastest_measured(seconds, limit):
    """The fastest of four."""
    return min((1, limit // 4, limit // 2, limit), key=seconds)


def two_points(seconds, limit):
    """A step whose messages cost nothing, from two measurements: always the limit."""
    one, two = seconds(1), seconds(2)
    divided = 2 * (one - two)
    return min(range(1, limit + 1), key=lambda n: one - divided + divided / n)


def recompute(record_all=False, again=False, hand_on=True, end=0):
    """Compute the gradient in chunks."""

    def answer(layer, x, state, d_output, C):
        starts, states, total = range(0, len(x), C), [], {}
        for k in starts:
            states.append(layer.record(x[k : k + C], state) if record_all else state)
            _, state, *_ = states[-1] if record_all else layer(x[k : k + C], state)
        first, d_state = states[0], tuple(np.full_like(each, end) for each in state)
        for k, state in zip(starts[::-1], states[::-1]):
            if again:
                state = layer(x[:k], first)[1] if k else first
            recorded = layer.record(x[k : k + C], state)[2]
            _, d_new, found = layer.backward(d_output[k : k + C], d_state, recorded)
            d_state = d_new if hand_on else d_state
            total = {name: total.get(name, 0) + each for name, each in found.items()}
        return total

    return answer


WRONG = {
    "means_by_hand": [
        (lambda: (1.5, 1.25, 3, 2 / 12), "are exchanged"),
        (lambda: (1.25, 1.5, 2, 2 / 12), "by what is the loss of one token"),
        (lambda: (1.25, 1.5, 3, 1 / 12), "DDP divides by the number of workers afterwards"),
    ],
    "combined_gradient": [
        (workbooks_step, "three faults are left"),
        (mean_of_those_with_tokens, "every worker that has tokens weighs the same"),
        (lambda gradients, tokens, limit: tokens @ gradients / tokens.sum(), "makes everything NaN: leave it out"),
    ],
    "accumulated_gradients": [
        (averaged_losses, "divided by its own tokens, and then by their number"),
        (cleared_each_time, "only the last micro-batch"),
        (lambda lstm, parts: {}, "the dict lacks"),
    ],
    "share_out": [
        (rows_first, "different numbers of batches"),
        (without_empty_ones, "different numbers of batches"),
        (as_they_come, "neighbours in the order of length"),
        (lambda lengths, B, N: np.argsort(lengths)[: len(lengths) // B * B].reshape(-1, B), "a list for each of the"),
        (lambda lengths, B, N: [[np.arange(1, len(lengths) + 1)[r::N]] for r in range(N)], "they go from 0 to"),
    ],
    "what_is_lost": [
        (lambda: dict.fromkeys("ABCDEFGH", "changed"), "is there anything to keep"),
        (lambda: dict(zip("ABCDEFGH", ["changed", "same"] * 3 + ["same", "same"])), "from the state of the one before"),
    ],
    "newest_whole": [
        (workbooks_newest, "two faults are left: step-100 comes before step-20"),
        (newest_word, "in the order of words"),
        (newest_draft, "a draft was taken"),
        (lambda folders: 0, "0 says that none is"),
        (lambda folders: 20, "there is no folder step-20"),
    ],
    "best_workers": [
        (fastest_measured, "the best of those that were measured"),
        (two_points, "takes three measurements"),
        (lambda seconds, limit: min(range(1, limit + 1), key=seconds), "four measurements are allowed"),
        (lambda seconds, limit: 0, "goes from 1 to"),
    ],
    "recomputed_gradients": [
        (recompute(hand_on=False), "hand that of the state on to the chunk before"),
        (recompute(record_all=True), "the memory holds"),
        (recompute(again=True), "may be computed twice"),
        (recompute(end=1), "differ"),
    ],
}
