"""The exercises of the chapter many-to-many."""

import numpy as np

from lstm_tutorial.exercises.diagnosis import first_match
from lstm_tutorial.exercises.registry import draw_sizes, register
from lstm_tutorial.in_numpy import LSTM, cross_entropy

IGNORE = -100

# The loss of a word by hand

WORD = np.array([[0.7, 0.2, 0.1], [0.3, 0.6, 0.1], [0.8, 0.1, 0.1], [0.9, 0.05, 0.05], [0.8, 0.1, 0.1], [1 / 3] * 3])
TARGET = np.array([IGNORE, 1, IGNORE, IGNORE, 0, IGNORE])  # T EH M P OW, and a step of padding


def diagnose_word(got, want, inputs):
    """Say which steps were counted, or what was done with the probabilities."""
    vowels = WORD[[1, 4], [1, 0]]
    surprise, zeros = -np.log(vowels), -np.log(WORD[np.arange(6), np.where(TARGET == IGNORE, 0, TARGET)])
    turns = {
        "this is the sum over the vowels, the mean is asked for": surprise.sum(),
        "the sum is right, but divided by all 6 steps: how many of them have an answer?": surprise.sum() / 6,
        "the sum is right, but divided by the 5 phones: how many of them have an answer?": surprise.sum() / 5,
        "the consonants are counted as if their answer were 0": zeros[:5].mean(),
        "the consonants and the padding are counted as if their answer were 0": zeros.mean(),
        "this is a logarithm to the base 2, the natural one is asked for": surprise.mean() / np.log(2),
        "this is a logarithm to the base 10, the natural one is asked for": surprise.mean() / np.log(10),
        "this is the mean probability of the right answers: the logarithm is missing": vowels.mean(),
        "the logarithm is taken of the mean: take it at each vowel, then the mean": -np.log(vowels.mean()),
        "this is the loss of the first vowel alone": surprise[0],
        "this is the loss of the second vowel alone": surprise[1],
    }
    return first_match(got, {words: float(value) for words, value in turns.items()}, tolerance=0.003)


register(
    "word_loss_by_hand",
    chapter="many-to-many",
    title="The loss of a word by hand",
    reference=lambda: float(-np.log(WORD[[1, 4], [1, 0]]).mean()),
    diagnose=diagnose_word,
    tolerance=0.004,
)


# Loss and gradient behind a mask


def draw_tags(rng):
    """Scores, and targets of which some are left out: one a row at least, and another number of them in each row."""
    B, T, K = draw_sizes(rng, 3, low=2)
    y = rng.integers(0, K, size=(B, T))
    for b, row in enumerate(y):
        row[rng.permutation(T)[: b % T]] = IGNORE
    y[0, 0] = K - 1
    return 2 * rng.normal(size=(B, T, K)), y


def softmax(scores):
    """Probabilities over the last axis."""
    z = np.exp(scores - scores.max(-1, keepdims=True))
    return z / z.sum(-1, keepdims=True)


def weighted_loss(scores, y, share):
    """The surprise at every step times its share (B, T), summed, and the gradient; no answer counts as 0."""
    p, right = softmax(scores), np.where(y == IGNORE, 0, y)
    surprise = -np.log(np.take_along_axis(p, right[..., None], -1)[..., 0])
    return float((surprise * share).sum()), (p - np.eye(scores.shape[-1])[right]) * share[..., None]


def diagnose_loss(got, want, inputs):
    """Say which steps were counted, in the loss and in the gradient."""
    scores, y = inputs
    counted = y != IGNORE
    variants = {
        "the steps without an answer are counted as if it were 0": np.full(y.shape, 1 / y.size),
        "the sum is right, but divided by all B * T steps, those without an answer too": counted / y.size,
        "this is the sum over the steps that have an answer, the mean is asked for": counted,
        "this averages each sequence first, then the sequences: every answer should weigh the same": counted
        / counted.sum(1, keepdims=True)
        / len(y),
        "the sum over the steps is divided by the number of sequences": counted / len(y),
    }
    variants = {words: weighted_loss(scores, y, share) for words, share in variants.items()}
    found = first_match(got, variants)
    if found:
        return found
    if not isinstance(got, (tuple, list)) or len(got) != 2:
        return None
    found = first_match(got[0], {words: value[0] for words, value in variants.items()})
    if found:
        return f"`loss`: {found}"
    p, right = softmax(scores), np.where(counted, y, 0)
    one_hot = np.eye(scores.shape[-1])[right]
    share = (counted / counted.sum())[..., None]
    turns = {
        "the one-hot of the answer is not taken off": p * share,
        "the gradient points the wrong way: softmax minus one-hot": (one_hot - p) * share,
        "this is softmax minus one-hot, but where is the mean of the loss?": (p - one_hot) * counted[..., None],
        "steps without an answer still get a gradient": (p - one_hot * counted[..., None]) / counted.sum(),
    }
    turns |= {words: value[1] for words, value in variants.items()}
    found = first_match(got[1], turns)
    return f"`loss` is right; `d_scores`: {found}" if found else None


register(
    "masked_loss",
    chapter="many-to-many",
    title="Loss and gradient behind a mask",
    draw=draw_tags,
    reference=cross_entropy,
    names=("loss", "d_scores"),
    axes=("", "B T K"),
    diagnose=diagnose_loss,
)


# Who sees whom?


def draw_reach(rng):
    """A number of steps and a distance."""
    T = int(rng.integers(5, 10))
    return T, int(rng.integers(1, T - 2))


def who_sees_whom(T, k):
    """Four dependency matrices, row s for the answer to step s, column t for what is read at step t."""
    s, t = np.arange(T)[:, None], np.arange(T)
    return t <= s, t >= s, abs(t - s) <= k, t <= s + k


def diagnose_reach(got, want, inputs):
    """Name the matrix, and what is off."""
    T, k = inputs
    s, t = np.arange(T)[:, None], np.arange(T)
    turns = (
        {"a step sees itself too": t < s, "rows and columns are swapped: a row belongs to an answer": t >= s},
        {"a step sees itself too": t > s, "rows and columns are swapped: a row belongs to an answer": t <= s},
        {
            "the window reaches k steps to each side, this one reaches one less": abs(t - s) < k,
            "this window looks back only": (t <= s) & (t >= s - k),
            "this window looks ahead only": (t >= s) & (t <= s + k),
            "the window leaves out the step itself": (abs(t - s) <= k) & (t != s),
            "this is what the window does not see": abs(t - s) > k,
        },
        {
            "the answer to step s is given k steps later: what has been read by then?": t <= s - k,
            "this is the network that answers at once": t <= s,
            "this network sees k steps ahead, but it has not forgotten the start": abs(t - s) <= k,
            "k steps late means up to step s + k, and that one too": t < s + k,
            "rows and columns are swapped: a row belongs to an answer": t >= s - k,
            "it does not yet see the end of the word: that takes a delay as long as the word": t <= s + T,
        },
    )
    names = ("one_way", "backwards", "window", "late")
    if not isinstance(got, (tuple, list)) or len(got) != 4:
        return None
    for name, mine, right, wrong in zip(names, got, want, turns):
        mine = np.asarray(mine).astype(bool)
        if mine.shape == right.shape and (mine != right).any():
            found = next((words for words, matrix in wrong.items() if (mine == matrix).all()), None)
            missing, extra = np.argwhere(right & ~mine), np.argwhere(mine & ~right)
            place = "({}, {})".format(*(missing if len(missing) else extra)[0])
            seen = "should see" if len(missing) else "cannot see"
            return f"`{name}`: {found or f'at {place} the answer of the row {seen} the column'}"
    return None


register(
    "who_sees_whom",
    chapter="many-to-many",
    title="Who sees whom?",
    draw=draw_reach,
    reference=who_sees_whom,
    names=("one_way", "backwards", "window", "late"),
    diagnose=diagnose_reach,
)


# An accuracy that flatters


def draw_scored_tags(rng):
    """Scores, answers at some steps of words of different lengths."""
    B, T, K = int(rng.integers(4, 8)), int(rng.integers(6, 11)), 3
    lengths = rng.integers(2, T, size=B)
    y = np.full((B, T), IGNORE)
    for row, length in zip(y, lengths):
        vowels = rng.permutation(length)[: rng.integers(1, length + 1)]
        row[vowels] = rng.integers(0, K, size=len(vowels))
    scores = rng.normal(size=(B, T, K))
    scores[..., 0] += 0.5
    return scores, y


def tag_accuracy(scores, y):
    """The share of right answers among the steps that have one."""
    return float(np.mean((scores.argmax(-1) == y)[y != IGNORE]))


def diagnose_tags(got, want, inputs):
    """Say which steps were counted."""
    scores, y = inputs
    answers, vowel = scores.argmax(-1), y != IGNORE
    zeros, right = answers == np.where(vowel, y, 0), answers == y
    turns = {
        "the steps without an answer still count, as if 0 were right there": zeros.mean(),
        "only the vowels can be right, but it is divided by all steps": right.mean(),
        "every word weighs the same, whether it has one vowel or five: every vowel should": np.mean(
            right.sum(1) / vowel.sum(1)
        ),
        "this is the share of words that are right throughout": np.mean((right | ~vowel).all(1)),
        "this is the share of wrong answers": 1 - want,
        "this is a count, a share is asked for": right.sum(),
        "this is in percent, a share between 0 and 1 is asked for": 100 * want,
        "the smallest score was taken for the answer": np.mean((scores.argmin(-1) == y)[vowel]),
    }
    return first_match(got, {words: float(value) for words, value in turns.items()})


register(
    "tag_accuracy",
    chapter="many-to-many",
    title="An accuracy that flatters",
    draw=draw_scored_tags,
    reference=tag_accuracy,
    diagnose=diagnose_tags,
)


# What does this loss count?

LOSSES = {
    "diluted": "does the number fall when nothing but a step without an answer is added to the batch?",
    "every step": "does the number move when only the scores in the padding do?",
    "inside lengths": "does the number move with the scores of a step that is inside the length and has no answer?",
    "by sequence": "does an answer weigh more in a sequence that has no other one?",
}
CALLS = 8


class Loss:
    """A cross-entropy that counts the steps in a hidden way, with logarithms to a hidden base."""

    def __init__(self, kind, base):
        self._kind, self._base, self._calls = kind, base, 0

    def __call__(self, scores, y, lengths):
        """scores (B, T, K), y (B, T) with -100, lengths (B,) -> a number"""
        self._calls += 1
        if self._calls > CALLS:
            raise RuntimeError(f"the budget of {CALLS} calls is spent")
        scores, y, lengths = (np.asarray(each) for each in (scores, y, lengths))
        inside, answered = np.arange(y.shape[1]) < lengths[:, None], y != IGNORE
        if (answered & ~inside).any() or not answered.any(axis=1).all():
            raise ValueError("each sequence needs an answer, and none may stand behind its length")
        share = {
            "answers": answered / answered.sum(),
            "diluted": answered / y.size,
            "every step": np.full(y.shape, 1 / y.size),
            "inside lengths": inside / inside.sum(),
            "by sequence": answered / answered.sum(1, keepdims=True) / len(y),
        }[self._kind]
        return weighted_loss(scores, y, share)[0] / np.log(self._base)


def draw_loss(rng):
    """A loss of a hidden kind, and a number of classes."""
    return Loss(str(rng.choice(["answers", *LOSSES])), float(rng.choice([np.e, 2, 10]))), int(rng.integers(2, 6))


def diagnose_counts(got, want, inputs):
    """Say what the experiment has missed."""
    word, (loss, _) = str(got).strip().casefold(), inputs
    if word not in ("answers", *LOSSES):
        return f"`{word}` is none of the five words: answers, {', '.join(LOSSES)}"
    ask = LOSSES[word] if want == "answers" else LOSSES[want]
    base = "" if loss._base == np.e else ", with logarithms to another base than e,"
    return f'it takes a loss of the kind "{want}"{base} for "{word}": {ask}'


register(
    "what_it_counts",
    chapter="many-to-many",
    title="What does this loss count?",
    draw=draw_loss,
    reference=lambda loss, K: loss._kind,
    diagnose=diagnose_counts,
    names=("the verdict",),
    dtypes=("float64",),
    trials=30,
)


# Answer later


def draw_words(rng):
    """Tokens, answers at some steps, and a delay."""
    N, T, delay = draw_sizes(rng, 3, low=2)
    lengths = rng.integers(1, T + 1, size=N)
    lengths[0] = T  # an answer at the very last step must not be lost
    valid = np.arange(T) < lengths[:, None]
    y = np.where(valid & (rng.random((N, T)) < 0.5), rng.integers(0, 3, size=(N, T)), IGNORE)
    y[0, [0, -1]] = 1, 2
    return np.where(valid, rng.integers(3, 42, size=(N, T)), 0), y, delay


def answer_late(x, y, delay):
    """Read on into the padding, and be asked `delay` steps later."""
    return np.pad(x, ((0, 0), (0, delay))), np.pad(y, ((0, 0), (delay, 0)), constant_values=IGNORE)


def diagnose_late(got, want, inputs):
    """Say what happened to the words and to their answers."""
    x, y, delay = inputs
    T, mine = x.shape[1], [np.asarray(each) for each in got]
    wide = {"constant_values": IGNORE}
    if (mine[0] == np.pad(x, ((0, 0), (delay, 0)))).all():
        return "`x_late`: the words come later as well, so nothing is gained: only the answers are late"
    if (mine[0][:, T:] != 0).any() and (mine[0][:, :T] == x).all():
        return "`x_late`: what is read after the word should be padding, 0"
    if (mine[0] != want[0]).any():
        return None
    turns = {
        "the answers are not late: `y_late[:, t + delay]` answers `x[:, t]`": np.pad(y, ((0, 0), (0, delay)), **wide),
        "the first steps have no answer yet, and 0 is an answer: -100 is none": np.pad(y, ((0, 0), (delay, 0))),
        "the answers are turned round": np.pad(y[:, ::-1], ((0, 0), (delay, 0)), **wide),
        "the answers of the last steps have come round to the front": np.roll(
            np.pad(y, ((0, 0), (0, delay)), **wide), 2 * delay, axis=1
        ),
        "the answers are late by a step too few": np.pad(y, ((0, 0), (delay - 1, 1)), **wide),
    }
    found = first_match(mine[1], turns)
    return f"`x_late` is right; `y_late`: {found}" if found else None


register(
    "answer_late",
    chapter="many-to-many",
    title="Answer later",
    draw=draw_words,
    reference=answer_late,
    names=("x_late", "y_late"),
    axes=("B T", "B T"),
    diagnose=diagnose_late,
)


# Between two marks


def verify_between(answer, rng):
    """Let a bidirectional unit read marks; its score must be positive from the first mark to the last."""
    weight_ih, bias, head_weight, head_bias = answer
    unit = LSTM(1, 1, batch_first=True, bidirectional=True, dtype="float64")
    zero = {"weight_hh_l0": np.zeros((4, 1)), "bias_hh_l0": np.zeros(4)}
    one = {"weight_ih_l0": weight_ih, "bias_ih_l0": bias} | zero
    unit.load_state_dict(one | {f"{name}_reverse": value for name, value in one.items()})
    B, T = 60, 24
    marks = rng.random((B, T)) < rng.uniform(0.02, 0.3, size=(B, 1))
    marks[:4] = False
    marks[1, [0, -1]] = marks[2, 7] = True
    came, comes = np.maximum.accumulate(marks, 1), np.maximum.accumulate(marks[:, ::-1], 1)[:, ::-1]
    score = (unit(marks[..., None].astype(float))[0] @ np.asarray(head_weight).T + head_bias)[..., 0]
    wanted = came & comes
    positive = score > 0
    if positive[0].any():
        return "without any mark the score is positive: what do the hidden states hold, and what does `head_bias` add?"
    if (positive & ~came).any() and (positive & ~comes).any():
        return "one side is enough for a positive score, but both must have seen a mark: look at `head_bias`"
    if (positive & ~came).any():
        return "before the first mark the score is positive: what comes later alone must not be enough"
    if (positive & ~comes).any():
        return "after the last mark the score is positive: what came before alone must not be enough"
    if not positive[2, 7] or (marks & ~positive).any():
        return "at a mark the score is not positive: has each direction written it by then, and is it shown?"
    if (wanted & ~positive).any():
        return "between two marks the score falls to 0 or below: does the unit keep a mark, however far away?"
    return None


register(
    "between_marks",
    chapter="many-to-many",
    title="Between two marks",
    reference=lambda: (np.zeros((4, 1)), np.zeros(4), np.zeros((1, 2)), np.zeros(1)),
    names=("weight_ih", "bias", "head_weight", "head_bias"),
    axes=("4H D", "4H", "K H", "K"),
    verify=verify_between,
    trials=3,
)
