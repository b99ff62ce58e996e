"""Solutions to the exercises of the chapter `attention-pooling`: a function an exercise, under the exercise's name."""

import numpy as np


def attended_by_hand():
    """The four weights and the pooled value."""
    powers = np.exp([1.0, 2.0, 0.0])  # the valid steps alone: 2.718, 7.389, 1
    first, second, third = powers / powers.sum()  # 0.245, 0.665, 0.090
    return first, second, third, 0.0, first * 4 + second * -2 + third * 10


def fading_weights(times, half_life, lengths):
    """Return weights (B, T) that halve with every half-life before the last valid step, and sum to 1."""
    valid = np.arange(times.shape[1]) < lengths[:, None]
    now = times[np.arange(len(times)), lengths - 1][:, None]  # (B, 1)
    age = np.where(valid, now - times, 0)  # no power of an age that means nothing
    weights = valid * 0.5 ** (age / half_life)
    return weights / weights.sum(axis=1, keepdims=True)


def attention_gradients(d_pooled, x, weights):
    """Return d_x (B, T, D) and d_scores (B, T)."""
    d_x = weights[..., None] * d_pooled[:, None]  # pooled = sum over t of weights * x
    d_weights = (x * d_pooled[:, None]).sum(axis=2)  # (B, T)
    d_scores = weights * (d_weights - (weights * d_weights).sum(axis=1, keepdims=True))  # weights = softmax(scores)
    return d_x, d_scores


def mended_attention(x, query, lengths):
    """Average the valid steps of x (B, T, D) with the weights of attention."""
    valid = np.arange(x.shape[1]) < lengths[:, None]
    scores = np.where(valid, x @ query, -np.inf)  # (B, T), masked before the softmax
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))  # the largest is e to the 0
    weights = powers / powers.sum(axis=1, keepdims=True)  # over the steps
    return (weights[..., None] * x).sum(axis=1)


def predict_weights():
    """The weight of the first step in A, B, C, D, E."""
    return 1 / 3, 1 / 2, 0.0, 1 / 5, 1.0


def attend_where_they_differ():
    """Additive attention to the steps at which one switch is on and the other off."""
    weight = np.array([[20.0, 20.0], [20.0, 20.0]])  # both units count the switches that are on
    bias = np.array([-10.0, -30.0])  # the first says "at least one", the second "both"
    query = np.array([[6.0, -6.0]])  # at least one, but not both
    return weight, bias, query


def what_weighs(pool):
    """Return the kind, and whether the pool masks its padding."""
    rng, five = np.random.default_rng(0), np.array([5])
    x, y, z = rng.normal(size=(3, 1, 8, 4))
    other = np.concatenate([x[:, :5], z[:, 5:]], axis=1)  # in its padding alone
    pooled = pool(x, five)
    masks = np.allclose(pooled, pool(other, five))
    if not np.allclose(pooled + pool(y, five), pool(x + y, five)):
        return "content", masks  # the weights have looked at x

    def shares(length, T):
        """Sequence t of the batch holds 1 at step t and 0 elsewhere."""
        x = np.repeat(np.eye(T)[..., None], 4, axis=2)  # (T, T, 4)
        weights = pool(x, np.full(T, length))[:length, 0]
        return weights / weights.sum()

    longer, padded, short = shares(5, 5), shares(3, 5), shares(3, 3)
    if np.allclose(longer, longer[0]):
        return "equal", masks
    if not np.allclose(padded, short):  # the same steps, more columns
        return "column", masks
    first = longer[:3] / longer[:3].sum()  # the same steps, more follow
    return ("position" if np.allclose(first, short) else "age"), masks
