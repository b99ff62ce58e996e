"""The exercises of the chapter many-to-many."""

import numpy as np

from lstm_tutorial.exercises import Box, exercise
from lstm_tutorial.in_numpy import LSTM, cross_entropy

IGNORE = -100


def diagnose_word(got, want):
    if got > 0:
        return f"two probabilities with this mean loss have the product {np.exp(-2 * got):.2f}: which two are they?"


@exercise(
    "The loss of a word by hand",
    turns={
        "this is the sum over the vowels, the mean is expected": dict(of=lambda p: np.log(p).sum()),
        "the sum is divided by all 6 steps: how many have an answer?": dict(of=lambda p: np.log(p).sum() / 6),
        "the consonants are counted as if their answer were 0": dict(others=(0.7, 0.8, 0.9)),
        "the consonants and the padding are counted as if their answer were 0": dict(others=(0.7, 0.8, 0.9, 1 / 3)),
        "this is a logarithm to the base 10, the natural one is expected": dict(of=lambda p: np.log10(p).mean()),
        "this is the mean probability of the right answers: the logarithm is missing": dict(of=lambda p: -np.mean(p)),
        "this is the logarithm of the mean: take the mean of the logarithms": dict(of=lambda p: np.log(np.mean(p))),
        "each answer names its column, counted from 0: the class of EH is 1, that of OW is 0": [
            dict(p_EH=a, p_OW=b) for a, b in ((0.3, 0.8), (0.1, 0.8), (0.6, 0.1), (0.3, 0.1), (0.1, 0.1))
        ],
    },
    diagnose=diagnose_word,
    decimals=3,
)
def word_loss_by_hand(*, p_EH=0.6, p_OW=0.8, others=(), of=lambda p: np.mean(np.log(p))):
    return float(-of([p_EH, p_OW, *others]))


def draw_answered(trial, B, T, K):
    """Draw answers: at some steps, at one at least, sometimes at all; a sequence may have none."""
    y = np.where(trial.rng.random((B, T)) < trial.choice(0.3, 0.6, 1.0), trial.rng.integers(0, K, (B, T)), IGNORE)
    if (y == IGNORE).all():
        y[trial.rng.integers(B), trial.rng.integers(T)] = trial.rng.integers(K)
    return y


def draw_tags(trial):
    """Draw scores, and answers at some of the steps."""
    B, T, K = trial.sizes("B T K", K=2)
    return trial.scores(B, T, K), draw_answered(trial, B, T, K)


def log_softmax(scores):
    z = scores - scores.max(axis=-1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))


def mean_share(counted):
    return counted / counted.sum()


def by_sequence(counted):
    return counted / np.maximum(counted.sum(1, keepdims=True), 1) / len(counted)


def both(share):
    """Return the options of a wrong weight of the steps: in loss and gradient, in the loss, in the gradient alone."""
    return [dict(share=share, d_share=share), dict(share=share), dict(d_share=share)]


def diagnose_loss(got, want, scores, y):
    loss, d_scores = got
    sums_to_0 = np.allclose(d_scores[y != IGNORE].sum(-1), 0, atol=1e-5)
    if not np.isclose(loss, want[0], rtol=1e-4):
        if not sums_to_0:
            return "`loss`: do the probabilities of a step sum to 1? `d_scores` does not sum to 0 over the classes"
        if np.allclose(d_scores, want[1], atol=1e-6):
            return "`d_scores` is right; `loss`: is it -log p of the right class, over the number of answers?"
    elif (d_scores[y == IGNORE] != 0).any():
        return "`loss` is right; `d_scores`: it must be 0 at the steps without an answer"
    elif not sums_to_0:
        return "`loss` is right; `d_scores`: over the classes of a step it should sum to 0"


@exercise(
    "Loss and gradient behind a mask",
    draw=draw_tags,
    diagnose=diagnose_loss,
    names="loss, d_scores",
    axes=", B T K",
    same_as=cross_entropy,
    turns={
        "the steps without an answer are counted as if it were 0": both(lambda counted: mean_share(counted | True)),
        "the sum is divided by all B * T steps": both(lambda counted: counted / counted.size),
        "this is the sum over the answers, the mean is expected": both(lambda counted: 1.0 * counted),
        "this averages each sequence first, then the sequences: every answer should weigh the same": both(by_sequence),
        "the one-hot of the answer is not subtracted": dict(slope=lambda p, one_hot: p),
        "steps without an answer still get a gradient: the softmax is not masked": dict(masked=False),
        "the logarithm is missing: a loss is -log p": [dict(of=lambda log_p: -np.exp(log_p)), dict(of=np.exp)],
    },
)
def masked_loss(scores, y, *, share=mean_share, d_share=mean_share, masked=True, slope=np.subtract, of=np.negative):
    counted = y != IGNORE  # (B, T)
    one_hot = np.eye(scores.shape[-1])[np.where(counted, y, 0)]  # (B, T, K)
    log_p = log_softmax(scores)
    loss = (of(log_p) * one_hot * share(counted)[..., None]).sum()
    d_scores = slope(np.exp(log_p), one_hot) * d_share(counted)[..., None]
    return loss, d_scores if masked else np.where(counted[..., None], d_scores, np.exp(log_p) / counted.sum())


def diagnose_reach(got, want, T, k):
    for name, mine, right in zip(("one_way", "backwards", "window", "late"), got, want):
        if not np.array_equal(mine, right):
            row, column = np.argwhere(mine != right)[0]
            sees = "should see" if right[row, column] else "cannot see"
            return f"`{name}`: at ({row}, {column}) the answer of the row {sees} the column"


@exercise(
    "Who sees whom?",
    draw=lambda trial: (*trial.sizes("T", high=9), trial.choice(0, 1, 2, 4)),
    names="one_way, backwards, window, late",
    diagnose=diagnose_reach,
    turns={
        "`one_way`: a step sees itself too": dict(one_way=lambda s, t, k: t < s),
        "`one_way`: rows and columns are swapped, a row belongs to an answer": dict(one_way=lambda s, t, k: t >= s),
        "`backwards`: rows and columns are swapped, a row belongs to an answer": dict(backwards=lambda s, t, k: t <= s),
        "`window`: k steps to each side, this is one less": dict(window=lambda s, t, k: abs(t - s) < k),
        "`window`: it leaves out the step itself": dict(window=lambda s, t, k: (abs(t - s) <= k) & (t != s)),
        "`late`: when it answers k steps later, what has it read by then?": dict(late=lambda s, t, k: t <= s - k),
        "`late`: it has not forgotten the start": dict(late=lambda s, t, k: abs(t - s) <= k),
        "`late`: k steps late means up to step s + k, and that one too": dict(late=lambda s, t, k: t < s + k),
        "`late`: rows and columns are swapped, a row belongs to an answer": dict(late=lambda s, t, k: t >= s - k),
    },
)
def who_sees_whom(
    T, k,
    *, one_way=lambda s, t, k: t <= s, backwards=lambda s, t, k: t >= s, window=lambda s, t, k: abs(t - s) <= k,
    late=lambda s, t, k: t <= s + k,
):  # fmt: skip
    s, t = np.arange(T)[:, None], np.arange(T)
    return tuple(sees(s, t, k) for sees in (one_way, backwards, window, late))


def by_word(right, counted):
    return np.mean(right.sum(1) / np.maximum(counted.sum(1), 1))


@exercise(
    "An accuracy that flatters",
    draw=draw_tags,
    turns={
        "the steps without an answer count, as if 0 were right there": dict(stands_in=0),
        "it is divided by all steps, those without an answer too": dict(mean=lambda right, counted: right.mean()),
        "every word weighs the same, whether it has one vowel or five: every vowel should": dict(mean=by_word),
        "this is the share of words that are right throughout": dict(mean=lambda r, c: (r | ~c).all(1).mean()),
        "this is a count, a share is expected": dict(mean=lambda right, counted: right.sum()),
        "this is in percent, a share is expected": dict(mean=lambda right, c: 100 * right.sum() / c.sum()),
        "the smallest score was taken for the answer": dict(pick=np.argmin),
        "this looks at the steps that have no answer": dict(mean=lambda right, counted: right[~counted].mean()),
    },
    combine=3,
)
def tag_accuracy(scores, y, *, pick=np.argmax, stands_in=IGNORE, mean=lambda right, c: right.sum() / c.sum()):
    counted = y != IGNORE
    right = pick(scores, axis=-1) == np.where(counted, y, stands_in)
    return float(mean(right, counted))


LOSSES = {
    "answers": "",
    "diluted": "does the number fall when nothing but a step without an answer is added to the batch?",
    "every step": "does the number move when only the scores in the padding do?",
    "inside lengths": "does the number move with the scores of a step that is inside the length and has no answer?",
    "by sequence": "does an answer weigh more in a sequence that has no other one?",
}


class LossBox(Box):
    """A cross-entropy that counts the steps in a hidden way, with logarithms to a hidden base."""

    runs, budget = 8, "the loss may be called eight times"

    def __init__(self, trial):
        super().__init__()
        self.kind, self.base = trial.choice(*LOSSES), trial.choice(np.e, 2, 10)

    def answer(self, scores, y, lengths):
        scores, y, lengths = np.asarray(scores, float), np.asarray(y), np.asarray(lengths)
        inside, answered = np.arange(y.shape[1]) < lengths[:, None], y != IGNORE
        if (answered & ~inside).any() or not answered.any(axis=1).all():
            raise ValueError("each sequence needs an answer, and none may stand behind its length")
        shares = {
            "answers": mean_share(answered),
            "diluted": answered / y.size,
            "every step": np.full(y.shape, 1 / y.size),
            "inside lengths": mean_share(inside),
            "by sequence": by_sequence(answered),
        }
        log_p = np.take_along_axis(log_softmax(scores), np.where(answered, y, 0)[..., None], -1)[..., 0]
        values = {kind: -np.sum(log_p * share) for kind, share in shares.items()}
        self.asked.append(values)
        return float(values[self.kind] / np.log(self.base))


def diagnose_counts(got, want, loss, K):
    if not loss.asked:
        return "the loss was not called"
    mine, right = (np.array([values[kind] for values in loss.asked]) for kind in (got, want))
    alike = np.allclose(np.outer(mine, right), np.outer(right, mine))  # up to a factor, which the base may be
    tell = "none of your batches tells the two apart" if alike else "your batches do tell the two apart"
    return f'it takes a loss of the kind "{want}" for "{got}": {tell}; {LOSSES[got if want == "answers" else want]}'


@exercise(
    "What does this loss count?",
    draw=lambda trial: (LossBox(trial), *trial.sizes("K", K=2)),
    diagnose=diagnose_counts,
    words=", ".join(LOSSES),
    dtypes=("float64",),
    trials=30,
)
def what_it_counts(loss, K):
    return loss.kind


def draw_words(trial):
    """Draw tokens, answers at some steps, the last among them, and a delay."""
    B, T, delay = trial.sizes("B T delay")
    lengths = trial.lengths(B, T)
    valid = np.arange(T) < lengths[:, None]
    y = np.where(valid, draw_answered(trial, B, T, 3), IGNORE)
    y[np.arange(B), lengths - 1] = trial.rng.integers(0, 3, B)
    return np.where(valid, trial.rng.integers(3, 42, size=(B, T)), 0), y, delay


@exercise(
    "Answer later",
    draw=draw_words,
    names="x_late, y_late",
    axes="B T, B T",
    turns={
        "`x_late`: the words come later as well, so nothing is gained": dict(x_pad=(1, 0)),
        "`x_late`: what is read after the word should be padding, 0": dict(x_fill=IGNORE),
        "`y_late`: `y_late[:, t + delay]` answers `x[:, t]`": dict(y_pad=(0, 1)),
        "`y_late`: no answer yet is -100: 0 is an answer": dict(y_fill=0),
    },
)
def answer_late(x, y, delay, *, x_pad=(0, 1), x_fill=0, y_pad=(1, 0), y_fill=IGNORE):
    def padded(a, pad, fill):
        return np.pad(a, ((0, 0), (pad[0] * delay, pad[1] * delay)), constant_values=fill)

    return padded(x, x_pad, x_fill), padded(y, y_pad, y_fill)


def verify_between(answer, trial):
    """Let the network read no mark, one, two, and many, at every place; positive from the first to the last?"""
    weight_ih, bias, head_weight, head_bias = (np.asarray(each, float) for each in answer)
    unit = LSTM(1, 1, batch_first=True, bidirectional=True, dtype="float64")
    weights = {"weight_ih_l0": weight_ih, "bias_ih_l0": bias, "weight_hh_l0": np.zeros((4, 1)), "bias_hh_l0": 0 * bias}
    unit.load_state_dict(weights | {f"{name}_reverse": value for name, value in weights.items()})
    one = np.eye(24, dtype=bool)
    several = trial.rng.random((200, 24)) < trial.rng.uniform(0.02, 1, size=(200, 1))
    marks = np.concatenate([np.zeros((1, 24), bool), *(one | row for row in one), several, np.ones((1, 24), bool)])
    came = np.maximum.accumulate(marks, 1)
    comes = np.maximum.accumulate(marks[:, ::-1], 1)[:, ::-1]
    positive = (unit(marks[..., None].astype(float))[0] @ head_weight.T + head_bias)[..., 0] > 0
    early, late = (positive & ~came).any(), (positive & ~comes).any()
    for is_wrong, words in (
        (positive[0].any(), "without any mark the score is positive: what do the hidden states and `head_bias` give?"),
        (early and late, "one side is enough for a positive score, but both must have seen a mark"),
        (early, "before the first mark the score is positive: what comes later alone must not be enough"),
        (late, "after the last mark the score is positive: what came before alone must not be enough"),
        (not positive[marks].all(), "at a mark the score is not positive: has each direction written it by then?"),
        (not positive[came & comes].all(), "between two marks the score is not positive: does the unit keep a mark?"),
    ):
        if is_wrong:
            return words


@exercise(
    "Between two marks",
    verify=verify_between,
    names="weight_ih, bias, head_weight, head_bias",
    axes="4H D, 4H, K H, K",
    turns={
        "without any mark": [dict(bias=(10, 10, 3, 10)), dict(head_bias=1)],
        "one side is enough": [dict(head_bias=-0.5), dict(head_bias=-0.9)],
        "before the first mark": dict(head=(0, 1), head_bias=-0.5),
        "after the last mark": dict(head=(1, 0), head_bias=-0.5),
        "at a mark the score is not positive": [dict(head_bias=-1.7), dict(g=-5), dict(bias=(10, 10, 0, -10))],
        "does the unit keep a mark": [dict(bias=(10, -10, 0, 10)), dict(bias=(10, 3, 0, 10))],
    },
)
def between_marks(*, i=0, f=0, g=5, bias=(10, 10, 0, 10), head=(1, 1), head_bias=-1.2):
    return np.array([[i], [f], [g], [0.0]]), np.array(bias, float), np.array([head], float), np.array([head_bias])
