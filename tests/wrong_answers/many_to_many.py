"""Wrong answers to the exercises of the chapter many-to-many, and words of the message each must get."""

import numpy as np


def naive_loss(scores, y):
    p = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    counted = y != -100
    one_hot = np.eye(p.shape[-1])[np.where(counted, y, 0)]
    loss = -np.log((p * one_hot).sum(-1)[counted]).mean()
    return loss, (p - one_hot) * counted[..., None] / counted.sum()


def probe(padding=True, consonant=True, alike=False, default="answers"):
    """Experiments on a loss, some of them left out; `alike` gives every sequence one answer."""

    def run(loss, K):
        scores, lengths = np.random.default_rng(1).normal(size=(2, 4, K)), np.array([3, 3])
        scores[1, 0] = scores[0, 0]
        y = np.array([[1, -100 if alike else 0, -100, -100], [1, -100, -100, -100]])
        before = loss(scores, y, lengths)

        def change(b, t):
            other = scores.copy()
            other[b, t, 0] += 1
            return loss(other, y, lengths) - before

        wide, y_wide = np.pad(scores, ((0, 0), (0, 1), (0, 0))), np.pad(y, ((0, 0), (0, 1)), constant_values=-100)
        if padding and change(0, 3) != 0:
            return "every step"
        if consonant and change(0, 2) != 0:
            return "inside lengths"
        if loss(wide, y_wide, lengths) < 0.9 * before:
            return "diluted"
        return "by sequence" if not np.isclose(change(0, 0), change(1, 0)) else default

    return run


WRONG = {
    "word_loss_by_hand": [(lambda: 0.122, "divided by all 6 steps"), (lambda: -0.367, "it has the wrong sign")],
    "masked_loss": [(naive_loss, "Right but for scores in the hundreds")],
    "who_sees_whom": [(lambda T, k: (np.tri(T), np.tri(T).T, np.eye(T), np.tri(T, k=k)), "should see the column")],
    "tag_accuracy": [
        (lambda s, y: ((s.argmax(-1) == y).sum(1) / (y >= 0).sum(1).clip(1)).mean(), "every word weighs the same")
    ],
    "what_it_counts": [
        (probe(padding=False, consonant=False), "when only the scores in the padding do"),
        (probe(consonant=False), "inside the length and has no answer"),
        (probe(alike=True), "none of your batches tells the two apart; does an answer weigh more"),
        (probe(default="diluted"), 'for "diluted": your batches do tell'),
        (lambda loss, K: [loss(np.zeros((1, 1, K)), [[1]], [1]) for _ in range(9)] and "answers", "eight times"),
        (lambda loss, K: loss(np.zeros((1, 1, K)), [[-100]], [1]) and "answers", "each sequence needs an answer"),
        (lambda loss, K: "answers", "the loss was not called"),
    ],
    "answer_late": [
        (lambda x, y, delay: (x, np.roll(y, delay, 1)), "the time axis is"),
        (lambda x, y, delay: (np.pad(x, ((0, 0), (0, delay))), np.pad(1.0 * y, ((0, 0), (delay, 0)))), "whole numbers"),
    ],
    "between_marks": [(lambda: (np.ones((4, 1)), np.zeros(4), np.ones((1, 2)), np.zeros(1)), "one side is enough")],
}
