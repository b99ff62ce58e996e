"""Plausible wrong answers to the exercises of the chapter many-to-many, and words of the message each must get."""

import numpy as np


def log_softmax(scores):
    z = scores - scores.max(-1, keepdims=True)
    return z - np.log(np.exp(z).sum(-1, keepdims=True))


def parts_of(scores, y):
    """Probabilities, one-hot answers (0 where there is none), surprise, and what counts."""
    log_p, right = log_softmax(scores), np.eye(scores.shape[-1])[np.where(y == -100, 0, y)]
    return np.exp(log_p), right, -(log_p * right).sum(-1), y != -100


def weighed(share_of):
    """A loss with other shares for the steps."""

    def masked_loss(scores, y):
        p, right, surprise, counted = parts_of(scores, y)
        share = share_of(counted)
        return (surprise * share).sum(), (p - right) * share[..., None]

    return masked_loss


def right_loss(gradient_of):
    """The right loss, with another gradient."""

    def masked_loss(scores, y):
        p, right, surprise, counted = parts_of(scores, y)
        loss = surprise[counted].mean()
        return loss, gradient_of(p, right, counted[..., None], counted.sum())

    return masked_loss


def sees(one_way=None, backwards=None, window=None, late=None):
    """Four matrices, right unless one is given."""

    def who_sees_whom(T, k):
        s, t = np.arange(T)[:, None], np.arange(T)
        right = [lambda: t <= s, lambda: t >= s, lambda: abs(t - s) <= k, lambda: t <= s + k]
        given = [one_way, backwards, window, late]
        return tuple(r() if g is None else g(s, t, k) for r, g in zip(right, given))

    return who_sees_whom


def right_at_vowels(scores, y):
    return (scores.argmax(-1) == y), y != -100


def late(x=None, y=None):
    """Words and answers, right unless one is given."""

    def answer_late(words, answers, delay):
        late_x = np.pad(words, ((0, 0), (0, delay))) if x is None else x(words, delay)
        late_y = np.pad(answers, ((0, 0), (delay, 0)), constant_values=-100) if y is None else y(answers, delay)
        return late_x, late_y

    return answer_late


def unit(f=0.0, g=5.0, i=0.0, bias=(10, 10, 0, 10), head=(1, 1), head_bias=-1.2):
    """Marks kept by both directions, right unless something is given."""
    return (
        np.array([[i], [f], [g], [0.0]]),
        np.array(bias, float),
        np.array([head], float),
        np.array([head_bias], float),
    )


def probe(padding=True, consonant=True, wider=True, weight=True, alike=False, default="answers"):
    """Experiments on a loss, some of them left out; `alike` gives every sequence one answer."""

    def what_it_counts(loss, K):
        scores = np.random.default_rng(1).normal(size=(2, 4, K))
        scores[1, 0] = scores[0, 0]
        y = np.full((2, 4), -100)
        y[:, 0] = 1
        y[0, 1] = -100 if alike else 0
        lengths = np.array([3, 3])
        before = loss(scores, y, lengths)

        def change(b, t):
            other = scores.copy()
            other[b, t, 0] += 1
            return loss(other, y, lengths) - before

        if padding and change(0, 3) != 0:
            return "every step"
        if consonant and change(0, 2) != 0:
            return "inside lengths"
        if wider:
            more = np.pad(y, ((0, 0), (0, 1)), constant_values=-100)
            if loss(np.pad(scores, ((0, 0), (0, 1), (0, 0))), more, lengths) < 0.9 * before:
                return "diluted"
        return "by sequence" if weight and not np.isclose(change(0, 0), change(1, 0)) else default

    return what_it_counts


def by_its_value(loss, K):
    """Compare one number with what each kind would give, with natural logarithms."""
    scores = np.random.default_rng(0).normal(size=(2, 4, K))
    y, lengths = np.array([[0, 1, -100, -100], [1, -100, -100, -100]]), np.array([3, 3])
    _, _, surprise, counted = parts_of(scores, y)
    inside = np.arange(4) < lengths[:, None]
    values = {
        "answers": surprise[counted].mean(),
        "diluted": (surprise * counted).mean(),
        "every step": surprise.mean(),
        "inside lengths": surprise[inside].mean(),
        "by sequence": np.mean([row[has].mean() for row, has in zip(surprise, counted)]),
    }
    value = loss(scores, y, lengths)
    return min(values, key=lambda kind: abs(values[kind] - value))


def asks_too_often(loss, K):
    y = np.array([[0, 1, -100]])
    return [loss(np.zeros((1, 3, K)), y, [2]) for _ in range(20)] and "answers"


def without_an_answer(loss, K):
    return "answers" if loss(np.zeros((1, 3, K)), np.full((1, 3), -100), [3]) == 0 else "every step"


WRONG = {
    "word_loss_by_hand": [
        (lambda: 0.734, "the sum over the vowels"),
        (lambda: 0.122, "divided by all 6 steps"),
        (lambda: 0.147, "divided by the 5 phones"),
        (lambda: 0.284, "the consonants are counted"),
        (lambda: 0.420, "the padding are counted"),
        (lambda: 0.529, "to the base 2"),
        (lambda: 0.159, "to the base 10"),
        (lambda: 0.7, "the logarithm is missing"),
        (lambda: 0.357, "taken of the mean"),
        (lambda: 0.511, "the first vowel alone"),
        (lambda: -0.367, "it has the wrong sign"),
    ],
    "masked_loss": [
        (weighed(lambda counted: np.full(counted.shape, 1 / counted.size)), "counted as if it were 0"),
        (weighed(lambda counted: counted / counted.size), "divided by all B * T steps"),
        (weighed(lambda counted: 1.0 * counted), "the mean is asked for"),
        (weighed(lambda counted: counted / counted.sum(1, keepdims=True) / len(counted)), "averages each sequence"),
        (weighed(lambda counted: counted / len(counted)), "the number of sequences"),
        (right_loss(lambda p, right, counted, n: p * counted / n), "one-hot of the answer is not taken off"),
        (right_loss(lambda p, right, counted, n: (right - p) * counted / n), "points the wrong way"),
        (right_loss(lambda p, right, counted, n: (p - right) * counted), "where is the mean"),
        (right_loss(lambda p, right, counted, n: (p - right * counted) / n), "still get a gradient"),
        (right_loss(lambda p, right, counted, n: (p - right) * counted / counted.size), "divided by all B * T"),
    ],
    "who_sees_whom": [
        (sees(one_way=lambda s, t, k: t < s), "`one_way`: a step sees itself"),
        (sees(one_way=lambda s, t, k: t >= s), "`one_way`: rows and columns"),
        (sees(backwards=lambda s, t, k: t <= s), "`backwards`: rows and columns"),
        (sees(window=lambda s, t, k: abs(t - s) < k), "one less"),
        (sees(window=lambda s, t, k: (t <= s) & (t >= s - k)), "looks back only"),
        (sees(window=lambda s, t, k: (t != s) & (abs(t - s) <= k)), "leaves out the step itself"),
        (sees(late=lambda s, t, k: t <= s - k), "k steps later"),
        (sees(late=lambda s, t, k: t <= s), "answers at once"),
        (sees(late=lambda s, t, k: abs(t - s) <= k), "has not forgotten the start"),
        (sees(late=lambda s, t, k: t < s + k), "that one too"),
    ],
    "tag_accuracy": [
        (lambda scores, y: (scores.argmax(-1) == np.where(y == -100, 0, y)).mean(), "as if 0 were right"),
        (lambda scores, y: right_at_vowels(scores, y)[0].mean(), "divided by all steps"),
        (lambda scores, y: np.mean([r[v].mean() for r, v in zip(*right_at_vowels(scores, y))]), "every word weighs"),
        (lambda scores, y: np.mean([r[v].all() for r, v in zip(*right_at_vowels(scores, y))]), "right throughout"),
        (lambda scores, y: float(right_at_vowels(scores, y)[0].sum()), "this is a count"),
        (lambda scores, y: 100 * np.mean((scores.argmax(-1) == y)[y != -100]), "this is in percent"),
        (lambda scores, y: np.mean((scores.argmin(-1) == y)[y != -100]), "the smallest score"),
    ],
    "what_it_counts": [
        (lambda loss, K: "answers", 'for "answers"'),
        (probe(padding=False, consonant=False), "when only the scores in the padding do"),
        (probe(consonant=False), "inside the length and has no answer"),
        (probe(wider=False), "a step without an answer is added"),
        (probe(weight=False), "in a sequence that has no other one"),
        (probe(alike=True), "in a sequence that has no other one"),
        (by_its_value, "to another base than e"),
        (probe(default="diluted"), 'for "diluted": does the number fall'),
        (asks_too_often, "the budget of 8 calls is spent"),
        (without_an_answer, "each sequence needs an answer"),
        (probe(default="vowels"), "none of the five words"),
    ],
    "answer_late": [
        (late(x=lambda x, d: x, y=lambda y, d: np.roll(y, d, 1)), "`x_late` has shape"),
        (late(x=lambda x, d: np.pad(x, ((0, 0), (d, 0)))), "the words come later as well"),
        (late(x=lambda x, d: np.pad(x, ((0, 0), (0, d)), constant_values=-100)), "should be padding"),
        (late(y=lambda y, d: np.pad(y, ((0, 0), (0, d)), constant_values=-100)), "are not late"),
        (late(y=lambda y, d: np.pad(y, ((0, 0), (d, 0)))), "0 is an answer"),
        (
            late(y=lambda y, d: np.pad(y, ((0, 0), (d - 1, 1)), constant_values=-100)),
            "a step too few",
        ),
    ],
    "between_marks": [
        (lambda: unit(head_bias=-0.5), "one side is enough"),
        (lambda: unit(head=(1, 0), head_bias=-0.5), "after the last mark"),
        (lambda: unit(head=(0, 1), head_bias=-0.5), "before the first mark"),
        (lambda: unit(bias=(10, -10, 0, 10)), "does the unit keep a mark"),
        (lambda: unit(bias=(10, 10, 3, 10)), "without any mark"),
        (lambda: unit(head_bias=-3), "at a mark the score is not positive"),
        (lambda: unit(g=-5.0), "at a mark the score is not positive"),
        (lambda: unit()[:2], "2 results came where 4"),
    ],
}
