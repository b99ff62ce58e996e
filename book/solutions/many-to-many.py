"""Solutions to the exercises of the chapter `many-to-many`: a function an exercise, under the exercise's name."""

import numpy as np


def word_loss_by_hand():
    """The mean cross-entropy at the two vowels."""
    return (-np.log(0.6) - np.log(0.8)) / 2  # EH, answer 1, and OW, answer 0


def masked_loss(scores, y):
    """Return the mean cross-entropy where there is an answer, and its gradient."""
    counted = y != -100  # (B, T)
    one_hot = np.eye(scores.shape[-1])[np.where(counted, y, 0)]  # (B, T, K)
    right = one_hot * counted[..., None]  # all 0 where not counted
    z = scores - scores.max(axis=-1, keepdims=True)  # no overflow
    log_p = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
    loss = -(right * log_p).sum() / counted.sum()
    d_scores = (np.exp(log_p) * counted[..., None] - right) / counted.sum()
    return loss, d_scores


def who_sees_whom(T, k):
    """Return the matrices of four networks, (T, T) booleans each."""
    s, t = np.arange(T)[:, None], np.arange(T)  # row: answer, column: input
    one_way = t <= s
    backwards = t >= s
    window = abs(t - s) <= k
    late = t <= s + k
    return one_way, backwards, window, late


def tag_accuracy(scores, y):
    """Return the share of right answers among the steps that have one."""
    has_answer = y != -100
    return np.mean(scores.argmax(axis=-1)[has_answer] == y[has_answer])


def what_it_counts(loss, K):
    """Change one step at a time and see whether, and how much, the number moves."""
    scores = np.random.default_rng(0).normal(size=(2, 4, K))
    y = np.array([[0, 1, -100, -100], [1, -100, -100, -100]])  # two answers and one
    lengths = np.array([3, 3])  # a step without an answer inside, and padding behind
    before = loss(scores, y, lengths)

    def change(b, t):
        other = scores.copy()
        other[b, t, 0] += 1
        return loss(other, y, lengths) - before

    if change(0, 3) != 0:
        return "every step"
    if change(0, 2) != 0:
        return "inside lengths"
    wider = np.pad(scores, ((0, 0), (0, 1), (0, 0)))
    y_wider = np.pad(y, ((0, 0), (0, 1)), constant_values=-100)
    if loss(wider, y_wider, lengths) < 0.9 * before:
        return "diluted"
    scores[1, 0], y[0, 0] = scores[0, 0], 1  # the same in both sequences
    before = loss(scores, y, lengths)
    return "answers" if np.isclose(change(0, 0), change(1, 0)) else "by sequence"


def answer_late(x, y, delay):
    """Return words and answers, (N, T + delay) each, for a network that waits."""
    # time to read on after the last phone
    x_late = np.pad(x, ((0, 0), (0, delay)))
    # no answer is due at first
    y_late = np.pad(y, ((0, 0), (delay, 0)), constant_values=-100)
    return x_late, y_late


def between_marks():
    """Return the weights of the units, and of the linear layer on both."""
    # rows i, f, g, o: a mark is written, all else is 0
    weight_ih = np.array([[0.0], [0.0], [5.0], [0.0]])
    # all gates open: what was written stays, and shows
    bias = np.array([10.0, 10.0, 0.0, 10.0])
    # an "and": one side gives 1 at most, both give 1.5 at least
    head_weight, head_bias = np.array([[1.0, 1.0]]), np.array([-1.2])
    return weight_ih, bias, head_weight, head_bias
