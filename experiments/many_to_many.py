"""Study of the chapter many-to-many: the stress of every vowel of a word, from its phones.

4,000 test words that are the same for all and that nothing has been chosen on. Each seed divides the other 21,000 anew
into 6,000 for training, 1,000 for validation and words that are not used, and draws the network too. Every network has
the same six tries (`TRIES`: learning rate, dropout, weight decay) on the division of seed 100; the one with the lowest
validation cross-entropy at the vowels is trained with seeds 0 to 4, each until its validation cross-entropy has
stopped improving (`learning.py`). The logistic regression has six tries too (C), chosen alike. A contender whose
difference from its rival (`RIVALS`, otherwise the LSTM both ways) is less than twice the spread of that difference gets
seeds 5 to 9 as well, and so does the rival. Dropout: on the phones' vectors of 32 and on what the head reads. Batches
of 128 words.

The LSTM has 64 units, in both directions twice as many; "H 96" has as many parameters as the LSTM both ways. "k late":
the answer for a phone is due k steps later; past the end of the word the padding is read. "twice": the word with its
padding is read two times and the answers are due in the second reading, so each is due 14 steps late and beside its own
phone. "whole word" is one hidden layer of 128 units on the vectors of all phones around, the logistic regression reads
three phones to each side.

Three programs with a mistake take the settings that the LSTM both ways has chosen and ten seeds: the loss counts
consonants as "no stress"; or the lengths are forgotten; or all steps count and the lengths are forgotten. Each stops by
the loss that it counts. About twenty minutes on two cores.
"""

import numpy as np
import torch
from learning import divide, learn, predict, shuffled
from protocol import paired, run, save, search
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import OneHotEncoder
from torch import nn

from lstm_tutorial.data import IGNORE, Batch, stress_tags
from lstm_tutorial.in_torch import ManyToMany, cross_entropy, dependency_matrix

SEEDS, MORE, SEARCHED = range(5), range(5, 10), 100
K, TOKENS, T = 3, 42, 14
TRIES = [
    dict(lr=lr, dropout=dropout, weight_decay=decay)
    for lr in (2e-3, 5e-3, 1e-2)
    for dropout, decay in ((0, 0), (0.3, 0.1))
]
STRENGTHS = [dict(C=C) for C in (0.03, 0.1, 0.3, 1, 3, 10)]
WORDS, EMBEDDING, WINDOW, B = 6000, 32, 3, 128


class WholeWord(nn.Module):
    """One hidden layer on the vectors of all phones around; the same at every step."""

    def __init__(self, H):
        super().__init__()
        self.embedding = nn.Embedding(TOKENS, EMBEDDING)
        self.hidden = nn.Conv1d(EMBEDDING, H, 2 * T - 1, padding=T - 1)
        self.head = nn.Linear(H, K)

    def forward(self, x):
        """Map tokens (B, T) to scores (B, T, K)."""
        vectors = self.embedding(x).transpose(1, 2)  # (B, E, T)
        return self.head(torch.relu(self.hidden(vectors)).transpose(1, 2))


NETWORKS = {
    "LSTM, both ways": dict(both=True),
    "RNN, both ways": dict(kind=nn.RNN, both=True),
    "LSTM, one way": {},
    "LSTM, one way, H 96": dict(H=96),
    "LSTM, backwards": dict(order="backwards"),
    **{f"LSTM, {k} late": dict(late=k) for k in (2, 4, 13)},
    "LSTM, twice, H 96": dict(order="twice", H=96),
    "whole word, hidden layer": dict(kind=WholeWord, H=128),
}
MISTAKES = {
    "consonants count": dict(both=True, counts="consonants"),
    "no lengths": dict(both=True, lengths=False),
    "all count, no lengths": dict(both=True, counts="all", lengths=False),
}
LOGISTIC, BOTH, ONE = "window, logistic", "LSTM, both ways", "LSTM, one way"
RIVALS = {name: ONE for name in ("LSTM, one way, H 96", "LSTM, backwards")}
WORD = "epitomize"


def data_of(seed):
    """Return the words, divided by a seed."""
    data = divide(stress_tags(rng=0), seed)
    return data._replace(train=Batch(*(a[:WORDS] for a in data.train)))


def make(seed, kind=nn.LSTM, H=64, both=False, dropout=0.0):
    """Return a network from phones to stress, drawn from a seed."""
    torch.manual_seed(seed)
    if kind is WholeWord:
        model = WholeWord(H)
    else:
        lstm = kind(EMBEDDING, H, batch_first=True, bidirectional=both)
        model = ManyToMany(TOKENS, H, K, embedding=EMBEDDING, lstm=lstm, rng=seed)
    if dropout:
        model.embedding = nn.Sequential(model.embedding, nn.Dropout(dropout))
        model.head = nn.Sequential(nn.Dropout(dropout), model.head)
    return model


def ordered(part, order=None, late=0):
    """Return the words as a network reads them, and the answers where they are due."""
    x, lengths, y = part
    if order == "backwards":
        t, end = np.arange(T), lengths[:, None]
        index = np.where(t < end, end - 1 - t, t)
        return Batch(np.take_along_axis(x, index, 1), lengths, np.take_along_axis(y, index, 1))
    if order == "twice":
        return Batch(np.tile(x, 2), lengths, np.c_[np.full_like(y, IGNORE), y])
    due = np.pad(y, ((0, 0), (late, 0)), constant_values=IGNORE)
    return Batch(np.pad(x, ((0, 0), (0, late))), lengths, due)


def counted(part, counts):
    """Return the answers with consonants, or all steps without an answer, counted as "no stress"."""
    valid = np.arange(T) < part.lengths[:, None]
    return part._replace(y=np.where((part.y == IGNORE) & (valid | (counts == "all")), 0, part.y))


def network(contender, seed, lr, dropout, weight_decay):
    """Train a network of `NETWORKS` or `MISTAKES`; return what its answers on the test words are worth."""
    options = dict((NETWORKS | MISTAKES)[contender])
    reading = {name: options.pop(name) for name in ("order", "late") if name in options}
    counts, with_lengths = options.pop("counts", None), options.pop("lengths", True) and "both" in options
    data, model = data_of(seed), make(seed, dropout=dropout, **options)
    train, validation = (ordered(counted(part, counts) if counts else part, **reading) for part in data[:2])
    rng, (x, lengths, y) = np.random.default_rng(seed), map(torch.as_tensor, validation)

    def epoch():
        for tokens, ends, target in shuffled(train, B, rng):
            yield tokens, *([ends] if with_lengths else []), target

    def validate():
        return cross_entropy(model(x, *([lengths] if with_lengths else [])), y)

    found = learn(model, epoch, cross_entropy, validate, lr=lr, weight_decay=weight_decay)
    test = ordered(data.test, **reading)
    answers = predict(model, test.x, *([test.lengths] if with_lengths else [])).argmax(-1).numpy()[:, -T:]
    if "order" in reading and reading["order"] == "backwards":
        answers = ordered(data.test._replace(y=answers), "backwards").y
    found |= judge(answers, data.test) | {"parameters": sum(p.numel() for p in model.parameters())}
    if options.get("both"):
        longer = [np.pad(data.test.x, ((0, 0), (0, more))) for more in (0, 16)]
        unread = [predict(model, x).argmax(-1).numpy()[:, :T] for x in longer]
        found["without lengths"] = [judge(each, data.test)["right"] for each in unread]
    if contender in (BOTH, ONE):
        found["matrix"] = matrix_of(model, data)
    return found


def judge(answers, test):
    """Return the percentages of right vowels, also by their place, of right words and of right steps without a mask."""
    y, vowel = test.y, test.y != IGNORE
    right, count, place = answers == y, vowel.sum(1, keepdims=True), vowel.cumsum(1)
    long = vowel & (count >= 3)
    groups = {"first": place == 1, "middle": (place > 1) & (place < count), "last": place == count}
    return {
        "right": 100 * np.mean(right[vowel]),
        "by place": {name: 100 * np.mean(right[long & group]) for name, group in groups.items()},
        "words": 100 * np.mean((right | ~vowel).all(1)),
        "not one primary": 100 * np.mean((vowel & (answers == 1)).sum(1) != 1),
        "all steps": 100 * np.mean(answers == np.where(vowel, y, 0)),
    }


def matrix_of(model, data):
    """Return the dependency matrix of a test word, each row divided by its sum, with its phones and its stress."""
    n = data.words.test.index(WORD)
    length = data.test.lengths[n]
    matrix = dependency_matrix(model, torch.as_tensor(data.test.x[None, n, :length])).numpy()
    phones = data.phones.decode(data.test.x[n])
    return {"phones": phones, "stress": data.test.y[n, :length], "matrix": matrix / matrix.sum(1, keepdims=True)}


def windows(part):
    """Return the phones within the window of every vowel, 0 outside the word, and the stress of the vowel."""
    padded = np.pad(part.x, ((0, 0), (WINDOW, WINDOW)))
    vowel = part.y != IGNORE
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * WINDOW + 1, axis=1)[vowel], part.y[vowel]


def logistic(contender, seed, C):
    """Fit a logistic regression on a window of one-hot phones; return what `network` returns."""
    data = data_of(seed)
    (x, y), (x_validation, y_validation), (x_test, _) = map(windows, data[:3])
    encoder = OneHotEncoder(handle_unknown="ignore").fit(x)
    model = LogisticRegression(C=C, max_iter=1000).fit(encoder.transform(x), y)
    scores = torch.as_tensor(model.predict_log_proba(encoder.transform(x_validation)))
    answers = np.zeros_like(data.test.y)
    answers[data.test.y != IGNORE] = model.predict(encoder.transform(x_test))
    return judge(answers, data.test) | {"best": cross_entropy(scores, torch.as_tensor(y_validation)).item()}


def table(seed, by_vowel):
    """Return the percentage right of the most common stress in training: of each vowel, or of all."""
    data = data_of(seed)
    vowel, counts = data.train.y != IGNORE, np.zeros((TOKENS, K))
    np.add.at(counts, (data.train.x[vowel] if by_vowel else 0, data.train.y[vowel]), 1)
    answers = counts.argmax(1)[data.test.x if by_vowel else np.zeros_like(data.test.x)]
    return judge(answers, data.test)


def validation_of_network(**setting):
    """Return the validation cross-entropy of a try."""
    return network(**setting)["best"]


def validation_of_logistic(**setting):
    """Return the validation cross-entropy of a try."""
    return logistic(**setting)["best"]


def train(name, chosen, seeds):
    """Return the runs of a contender with the chosen settings."""
    function = logistic if name == LOGISTIC else network
    runs = list(run(function, [dict(contender=name, seed=seed) | chosen[name]["chosen"] for seed in seeds]))
    print(f"{name:26}", *(f"{each['right']:.1f}" for each in runs), chosen[name]["chosen"], flush=True)
    return runs


def difference(runs, a, b):
    """Return the differences between two contenders in percentage points, over the seeds that both have."""
    return np.array([first["right"] - second["right"] for first, second in zip(runs[a], runs[b])])


def gather(runs):
    """Return lists over the seeds, and two curves."""
    found = {name: [each[name] for each in runs] for name in runs[0] if name not in ("curve", "losses", "matrix")}
    found |= {"curves": [np.round(each["curve"], 3) for each in runs[:2]]} if "curve" in runs[0] else {}
    return found | {"matrix": runs[0]["matrix"]} if "matrix" in runs[0] else found


if __name__ == "__main__":
    chosen = search(validation_of_network, list(NETWORKS), TRIES, SEARCHED)
    chosen |= search(validation_of_logistic, [LOGISTIC], STRENGTHS, SEARCHED)
    runs = {name: train(name, chosen, SEEDS) for name in chosen}
    close = {BOTH}  # the three mistakes have ten seeds
    for name in (name for name in runs if name != BOTH):
        rival = RIVALS.get(name, BOTH)
        each = difference(runs, name, rival)
        close |= {name, rival} if abs(each.mean()) < 2 * each.std(ddof=1) else set()
    for name in (name for name in runs if name in close):
        runs[name] += train(name, chosen, MORE)
    chosen |= {name: chosen[BOTH] for name in MISTAKES}
    runs |= {name: train(name, chosen, [*SEEDS, *MORE]) for name in MISTAKES}
    found = {name: gather(each) | {"chosen": chosen[name]["chosen"]} for name, each in runs.items()}
    for name, each in found.items():
        each |= {f"against {rival}": paired(difference(runs, name, rival), 0) for rival in (BOTH, ONE) if name != rival}
        each |= {} if name in MISTAKES else {"tries": np.round(chosen[name]["scores"], 4)}
    for name, by_vowel in {"per vowel": True, "majority": False}.items():
        found[name] = gather([table(seed, by_vowel) for seed in SEEDS])
    save("many_to_many", {"tries": TRIES, "logistic tries": STRENGTHS, "models": found}, [*SEEDS, *MORE])
