"""Solutions to the exercises of the chapter `many-to-many`: a function an exercise, under the exercise's name."""

import numpy as np


def word_loss_by_hand():
    """The mean surprise at the two vowels."""
    return (-np.log(0.6) - np.log(0.8)) / 2  # EH, answer 1, and OW, answer 0


def masked_loss(scores, y):
    """Return the mean surprise over the steps that have an answer, and its gradient (B, T, K)."""
    counted = y != -100  # (B, T)
    right = np.eye(scores.shape[-1])[np.where(counted, y, 0)] * counted[..., None]  # one-hot, all 0 where not counted
    z = scores - scores.max(axis=-1, keepdims=True)  # no overflow
    log_p = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
    loss = -(right * log_p).sum() / counted.sum()
    d_scores = (np.exp(log_p) * counted[..., None] - right) / counted.sum()
    return loss, d_scores


def who_sees_whom(T, k):
    """Return the matrices of four networks, (T, T) booleans each."""
    s, t = np.arange(T)[:, None], np.arange(T)  # a row an answer, a column an input
    one_way = t <= s
    backwards = t >= s
    window = abs(t - s) <= k
    late = t <= s + k
    return one_way, backwards, window, late


def tag_accuracy(scores, y):
    """Return the share of right answers among the steps that have one."""
    has_answer = y != -100
    return np.mean(scores.argmax(axis=-1)[has_answer] == y[has_answer])


def answer_late(x, y, delay):
    """Return words and answers for a network that answers `delay` steps late, (N, T + delay) each."""
    x_late = np.pad(x, ((0, 0), (0, delay)))  # time to read on after the last phone
    y_late = np.pad(y, ((0, 0), (delay, 0)), constant_values=-100)  # no answer is due at first
    return x_late, y_late


def between_marks():
    """Return the weights of a unit for each direction, and of the linear layer on both."""
    weight_ih = np.array([[0.0], [0.0], [5.0], [0.0]])  # rows i, f, g, o: a mark is written, all else is 0
    bias = np.array([10.0, 10.0, 0.0, 10.0])  # all gates open: what was written stays, and shows
    head_weight = np.array([[1.0, 1.0]])
    head_bias = np.array([-1.2])  # one side gives 1 at most, both give 1.5 at least: an "and"
    return weight_ih, bias, head_weight, head_bias
