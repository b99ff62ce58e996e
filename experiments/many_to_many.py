"""Study of the chapter many-to-many: the stress of every vowel of a word, from its phones.

Three splits of the words, a seed each, that also draws the networks. Settings fixed before the first run (H = 64,
vectors of 32 for the phones, Adam with a one-cycle schedule to 4e-3, batches of 128, 6 epochs, gradients clipped at
1); the last epoch counts, and nothing was chosen on these scores. Every network trains on the same batches in the
same order.
Beside the LSTM that reads one way and the one that reads both: the same one-way LSTM with as many parameters as the
bidirectional one (H = 96), reading each word backwards, or answering some steps late; plain RNNs; and models of a
window of three phones to each side or of the whole word: scikit-learn's logistic regression on one-hot vectors, and a
network with one hidden layer of 128 units on the phones' vectors.
Two programs with the loss's mask forgotten: consonants count as "no stress", or consonants and padding do, and the
lengths are forgotten too. "Short" is what the lab repeats: 2 epochs. About five minutes of one processor.
"""

import time

import numpy as np
import torch
from protocol import save
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import OneHotEncoder

from lstm_tutorial.data import IGNORE, Batch, stress_tags
from lstm_tutorial.in_torch import Adam, ManyToMany, cross_entropy, dependency_matrix, fit

SEEDS, K = range(3), 3
SETTINGS = dict(H=64, embedding=32, lr=4e-3, B=128, epochs=6, clip=1.0, wide=96, hidden=128, window=3, C=1.0, short=2)
DELAYS, WORDS, REACH = [1, 2, 4], 300, 7


def one_cycle(optimiser, lr, batches):
    """Yield each batch, and take a step of the schedule after its update."""
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, lr, total_steps=len(batches))
    for batch in batches:
        yield batch
        schedule.step()


def train(model, part, seed, epochs=SETTINGS["epochs"]):
    """Train a model on the arrays of `part`, the target last, in a new order each epoch; return the losses."""
    rng, B = np.random.default_rng(seed), SETTINGS["B"]
    orders = [rng.permutation(len(part[0])) for _ in range(epochs)]
    batches = [tuple(a[rows[k : k + B]] for a in part) for rows in orders for k in range(0, len(rows), B)]
    optimiser = Adam(model.parameters(), lr=SETTINGS["lr"])
    scheduled = one_cycle(optimiser, SETTINGS["lr"], batches)
    return fit(model, scheduled, cross_entropy, optimiser, clip_norm=SETTINGS["clip"], progress=False)


def predict(model, *inputs):
    """Return the model's answer at each step, (N, T)."""
    model.eval()
    with torch.no_grad():
        return model(*(torch.as_tensor(each) for each in inputs)).numpy().argmax(-1)


def make_tagger(kind, seed, tokens, H=SETTINGS["H"], bidirectional=False):
    """Return a network from phones to stress, drawn from a seed."""
    torch.manual_seed(seed)
    lstm = kind(SETTINGS["embedding"], H, batch_first=True, bidirectional=bidirectional)
    return ManyToMany(tokens, H, K, embedding=SETTINGS["embedding"], lstm=lstm, rng=seed)


class Window(torch.nn.Module):
    """One hidden layer on the vectors of `reach` phones to each side; the same at every step."""

    def __init__(self, tokens, reach, seed):
        super().__init__()
        torch.manual_seed(seed)
        E, hidden = SETTINGS["embedding"], SETTINGS["hidden"]
        self.embedding = torch.nn.Embedding(tokens, E)
        self.hidden = torch.nn.Conv1d(E, hidden, 2 * reach + 1, padding=reach)
        self.head = torch.nn.Linear(hidden, K)

    def forward(self, x):
        """Map tokens (B, T) to scores (B, T, K)."""
        vectors = self.embedding(x).transpose(1, 2)  # (B, E, T)
        return self.head(torch.relu(self.hidden(vectors)).transpose(1, 2))


def windows(x, reach):
    """Return what stands within `reach` steps of each step, (N, T, 2 * reach + 1); 0 outside."""
    padded = np.pad(x, ((0, 0), (reach, reach)))
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=1)


def backwards(part):
    """Turn each word, and its answers, round within its length."""
    t, lengths = np.arange(part.x.shape[1]), part.lengths[:, None]
    index = np.where(t < lengths, lengths - 1 - t, t)
    return Batch(np.take_along_axis(part.x, index, 1), part.lengths, np.take_along_axis(part.y, index, 1))


def later(part, delay):
    """Let each answer be given `delay` steps late: the word is read on, into the padding, before it is due."""
    x = np.pad(part.x, ((0, 0), (0, delay)))
    return Batch(x, part.lengths, np.pad(part.y, ((0, 0), (delay, 0)), constant_values=IGNORE))


def counted(part, padding):
    """Forget the mask: consonants, and `padding` if it is True, count as vowels without stress."""
    valid = np.arange(part.x.shape[1]) < part.lengths[:, None]
    return part._replace(y=np.where((part.y == IGNORE) & (valid | padding), 0, part.y))


def accuracy(answers, y):
    """Return the percentage of right answers where there is one to give: at the vowels."""
    return 100 * np.mean(answers[y != IGNORE] == y[y != IGNORE])


def words_right(answers, y):
    """Return the percentage of words with all vowels right, and of words given not exactly one primary stress."""
    vowel = y != IGNORE
    return 100 * np.mean(((answers == y) | ~vowel).all(1)), 100 * np.mean((vowel & (answers == 1)).sum(1) != 1)


def by_place(answers, y):
    """Return the accuracy at the first, the middle and the last vowel of words of three vowels or more."""
    vowel = y != IGNORE
    count, place = vowel.sum(1, keepdims=True), vowel.cumsum(1)
    long = vowel & (count >= 3)
    groups = {"first": place == 1, "middle": (place > 1) & (place < count), "last": place == count}
    return {name: 100 * np.mean((answers == y)[long & group]) for name, group in groups.items()}


def matrix_of(model, x, length):
    """Return the dependency matrix of a word (T, T), each row divided by its sum."""
    matrix = dependency_matrix(model, torch.as_tensor(x[None, :length])).numpy()
    return matrix / matrix.sum(1, keepdims=True)


def reach_of(model, test):
    """Return what share of a vowel's dependence lies on the phone 7 before, ..., itself, ..., 7 after it."""
    shares = np.zeros(2 * REACH + 1)
    for x, length, y in zip(test.x[:WORDS], test.lengths, test.y):
        matrix = matrix_of(model, x, length)
        for s in np.flatnonzero(y[:length] != IGNORE):
            for t in range(max(0, s - REACH), min(length, s + REACH + 1)):
                shares[t - s + REACH] += matrix[s, t]
    return shares / (test.y[:WORDS] != IGNORE).sum()


def linear(data, reach):
    """Return the answers of a logistic regression on a window of one-hot phones."""
    (x, _, y), test = data.train, data.test
    encoder = OneHotEncoder(handle_unknown="ignore").fit(windows(x, reach)[y != IGNORE])
    model = LogisticRegression(C=SETTINGS["C"], max_iter=300)
    model.fit(encoder.transform(windows(x, reach)[y != IGNORE]), y[y != IGNORE])
    answers = np.zeros_like(test.y)
    answers[test.y != IGNORE] = model.predict(encoder.transform(windows(test.x, reach)[test.y != IGNORE]))
    return answers


def per_vowel(data):
    """Return the answers of a table: the most common stress of each vowel in training."""
    (x, _, y), vowel = data.train, data.train.y != IGNORE
    counts = np.zeros((len(data.phones), K))
    np.add.at(counts, (x[vowel], y[vowel]), 1)
    return counts.argmax(1)[data.test.x]


def run(seed):
    """Train every model on one split; return the answers at every step of the test words, and what else was found."""
    data, tokens = stress_tags(rng=seed), 42
    (x, _, y), test = data.train, data.test
    LSTM, RNN = torch.nn.LSTM, torch.nn.RNN
    answers, models, losses, seconds = {}, {}, {}, {}

    def score(name, value, begun):
        answers[name], seconds[name] = value, time.process_time() - begun
        print(f"  {name:28} {accuracy(value, test.y):5.1f}  {seconds[name]:5.1f} s", flush=True)

    common = np.bincount(y[y != IGNORE]).argmax()
    score("majority", np.full_like(test.y, common), time.process_time())
    score("per vowel", per_vowel(data), time.process_time())
    begun = time.process_time()
    score("window, logistic", linear(data, SETTINGS["window"]), begun)
    for name, reach in {"window, hidden layer": SETTINGS["window"], "whole word, hidden layer": x.shape[1] - 1}.items():
        begun, model = time.process_time(), Window(tokens, reach, seed)
        train(model, (x, y), seed)
        score(name, predict(model, test.x), begun)

    # name: kind, options, training words, test words, are the lengths told, how the answers find their steps again
    both, plain = dict(bidirectional=True), (data.train, test)
    kinds = {
        "RNN, one way": (RNN, {}, *plain, False),
        "LSTM, one way": (LSTM, {}, *plain, False),
        "LSTM, one way, H 96": (LSTM, {"H": SETTINGS["wide"]}, *plain, False),
        "LSTM, backwards": (LSTM, {}, backwards(data.train), backwards(test), False),
        **{f"LSTM, {k} late": (LSTM, {}, later(data.train, k), later(test, k), False) for k in DELAYS},
        "RNN, both ways": (RNN, both, *plain, True),
        "LSTM, both ways": (LSTM, both, *plain, True),
        "consonants count": (LSTM, both, counted(data.train, False), test, True),
        "all count, no lengths": (LSTM, both, counted(data.train, True), test, False),
    }
    for name, (kind, options, learned, asked, told) in kinds.items():
        begun, model = time.process_time(), make_tagger(kind, seed, tokens, **options)
        losses[name] = train(model, learned if told else (learned.x, learned.y), seed)
        found = predict(model, asked.x, asked.lengths) if told else predict(model, asked.x)
        if name == "LSTM, backwards":
            found = backwards(asked._replace(y=found)).y
        score(name, found[:, found.shape[1] - x.shape[1] :], begun)
        models[name] = model
    short = {}
    for name, options in {"LSTM, one way": {}, "LSTM, both ways": both}.items():
        model = make_tagger(LSTM, seed, tokens, **options)
        train(model, data.train, seed, SETTINGS["short"])
        short[name] = accuracy(predict(model, test.x, test.lengths), test.y)
    found = {"short": short, "seconds": seconds} | judge(answers, models, losses, data)
    found["parameters"] = {name: sum(p.numel() for p in model.parameters()) for name, model in models.items()}
    return {name: accuracy(each, test.y) for name, each in answers.items()}, found


def judge(answers, models, losses, data):
    """Return what the answers are worth by other measures, and what the networks look at."""
    test, y = data.test, data.test.y
    vowel, valid = y != IGNORE, np.arange(y.shape[1]) < data.test.lengths[:, None]
    found = {"share": {"vowels": 100 * vowel.mean(), "consonants": 100 * (valid & ~vowel).mean()}}
    found["stress"] = 100 * np.bincount(y[vowel]) / vowel.sum()
    found["words"] = {name: words_right(each, y) for name, each in answers.items()}
    found["by place"] = {name: by_place(each, y) for name, each in answers.items()}
    zeros = np.where(vowel, y, 0)  # the answers as a program without a mask has them
    unmasked = {"always none": np.zeros_like(y)} | {
        n: answers[n] for n in ("consonants count", "all count, no lengths")
    }
    found["over all steps"] = {name: 100 * np.mean(each == zeros) for name, each in unmasked.items()}
    found["loss at the end"] = {name: np.mean(each[-100:]) for name, each in losses.items()}
    forgotten = {}
    for name in ("LSTM, both ways", "all count, no lengths"):  # not told the lengths, and with more padding
        wide = np.pad(test.x, ((0, 0), (0, 16)))
        forgotten[name] = [accuracy(predict(models[name], x)[:, : y.shape[1]], y) for x in (test.x, wide)]
    found["lengths forgotten"] = forgotten
    trained = ("LSTM, one way", "LSTM, both ways", "RNN, both ways")
    found["reach"] = {name: reach_of(models[name], test) for name in trained}
    found["matrices"] = {}
    for n in [n for n, word in enumerate(data.words.test) if data.test.lengths[n] == 8 and vowel[n].sum() >= 3][:3]:
        phones = data.phones.decode(test.x[n])
        matrices = {name: matrix_of(models[name], test.x[n], 8) for name in trained[:2]}
        found["matrices"][data.words.test[n]] = {"phones": phones, "stress": y[n, :8], **matrices}
    return found


if __name__ == "__main__":
    torch.set_num_threads(1)
    started = time.process_time()
    runs = []
    for seed in SEEDS:
        print(f"seed {seed}", flush=True)
        runs.append(run(seed))
    scores = {name: [scores[name] for scores, _ in runs] for name in runs[0][0]}
    minutes = (time.process_time() - started) / 60
    results = {"settings": SETTINGS, "scores": scores, "runs": [found for _, found in runs]}
    save("many_to_many", results | {"cpu_minutes": round(minutes, 1)}, seeds=SEEDS)
