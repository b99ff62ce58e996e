"""Study of the chapter encoder-decoder: from spelling to sound, with and without attention, under the protocol.

4,000 test words, the same for all; the other 11,000 are divided anew by each seed into 10,000 for training and 1,000
for validation, and the seed draws the network too. Every network (64 units, vectors of 32) has the same eight tries,
`TRIES`: learning rate, forget bias (None: torch's own initial values; else the b_f of encoder, both directions, and
decoder) and, with a forget bias of 1, dropout on the vectors of letters and phones. The one with the lowest validation
cross-entropy on the division of seed 100 is trained with seeds 0 to 4, each until its validation cross-entropy (under
teacher forcing) has not improved for six epochs (`learning.py`). Batches hold 64 words of similar length.

"dot": attention by a dot product, and the bridge, a linear layer and tanh from the encoder's final states to the
decoder's first one. "none": without attention, with the bridge. "bare": neither; the final states of the two directions
are added, and nothing is learned between encoder and decoder.

"table" knows no network: letters and phones of the training words are aligned (0, 1 or 2 phones a letter, four rounds
of the likeliest alignment), then each letter says what it said most often between the same neighbours: as many to both
sides, up to `widest`, as were seen `least` times together. Six tries as well, chosen by the validation words' PER.
"letter": the same without neighbours, for comparison; nothing is chosen.

`short`: dot attention after three epochs with the same settings, which the lab runs again. About eighteen minutes on
two cores.
"""

from collections import Counter, defaultdict
from functools import cache, partial

import numpy as np
import torch
from learning import divide, learn
from protocol import paired, run, save, search

from lstm_tutorial.data import IGNORE, STOP, shift, spellings
from lstm_tutorial.in_torch import EncoderDecoder, cross_entropy
from lstm_tutorial.in_torch.padding import valid_steps
from lstm_tutorial.in_torch.topologies import run_lstm

SEEDS, SEARCHED, SIZES = range(5), 100, (10_000, 1_000, 4_000)
H, EMBEDDING, B, EPOCHS, SHORT = 64, 32, 64, 100, 3
TRIES = [
    dict(lr=lr, forget_bias=bias, dropout=dropout)
    for lr in (3e-3, 1e-2)
    for bias, dropout in ((None, 0), (1, 0), (3, 0), (1, 0.3))
]
TABLES = [dict(widest=widest, least=least) for widest in (2, 3, 4) for least in (1, 2)]
NETWORKS = "dot", "none", "bare"
STEPS, BEAM, ROUNDS = 20, 5, 4
GROUPS = {"3-5": (3, 5), "6-8": (6, 8), "9-11": (9, 11), "12-14": (12, 14)}  # letters in a word
SHOWN = ["phenomenon", "knoxville", "slaughterhouse"]  # test words, picked for their letters


def edit_distance(written, right):
    """Return the fewest insertions, deletions and exchanges between two lists."""
    row = list(range(len(right) + 1))  # from nothing to right[:j]: j insertions
    for i, a in enumerate(written, start=1):
        above, row = row, [i]
        for j, b in enumerate(right, start=1):
            row.append(min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a != b)))
    return row[-1]


def error_rates(written, right):
    """Return phoneme and word error rate in percent: edits for each reference phone, words with any edit."""
    edits = [edit_distance(w, r) for w, r in zip(written, right, strict=True)]
    return 100 * sum(edits) / sum(map(len, right)), 100 * np.mean(np.array(edits) > 0)


def rows(tokens, lengths):
    """Return each row of tokens as a list without its padding."""
    return [row[:n].tolist() for row, n in zip(tokens, lengths)]


def report(written, pairs):
    """Return PER and WER over all words, and the PER of each group of lengths."""
    right, found = rows(pairs.y, pairs.y_lengths), {}
    found["per"], found["wer"] = error_rates(written, right)
    for name, (low, high) in GROUPS.items():
        group = np.flatnonzero((low <= pairs.lengths) & (pairs.lengths <= high))
        found[name] = error_rates([written[n] for n in group], [right[n] for n in group])[0]
    return found


@cache
def words_of(seed):
    """Return the words, divided by a seed."""
    return divide(spellings(sizes=SIZES, rng=0), seed)


def examples(pairs):
    """Return what a network reads and has to write: letters, lengths, phones to feed back, phones to ask for."""
    asked = shift(pairs.y, pairs.y_lengths).y  # phones and stop, IGNORE past it
    return pairs.x, pairs.lengths, np.where(asked == IGNORE, STOP, asked), asked


def batches(arrays, rng):
    """Yield batches of words of similar length, without the columns that are padding alone, in a random order."""
    order = rng.permutation(len(arrays[0]))
    order = order[np.argsort(arrays[1][order], kind="stable")]
    for k in rng.permutation(range(0, len(order), B)):
        x, lengths, fed, asked = (a[order[k : k + B]] for a in arrays)
        S = (asked != IGNORE).sum(1).max()
        yield x[:, : lengths.max()], lengths, fed[:, :S], asked[:, :S]


class Bare(EncoderDecoder):
    """Without the bridge: the decoder begins with the sum of both directions' final states, h and c."""

    def encode(self, source, lengths):
        """Return what `EncoderDecoder.encode` returns."""
        source = torch.as_tensor(source)
        memory, (h_n, c_n) = run_lstm(self.encoder, self.drop(self.source_embedding(source)), lengths)
        valid = valid_steps(lengths, source.shape[1], source.device)
        return memory, valid, (h_n.sum(0, keepdim=True), c_n.sum(0, keepdim=True))


def make(words, contender, seed, forget_bias, dropout):
    """Return a network of `NETWORKS`, drawn from a seed."""
    options = dict(stop=STOP, embedding=EMBEDDING, dropout=dropout, attention="dot" if contender == "dot" else None)
    kind = Bare if contender == "bare" else EncoderDecoder
    model = kind(len(words.letters), len(words.phones), H, lstm=torch.nn.LSTM, rng=seed, **options)
    if contender == "bare":
        model.to_state = None
    if forget_bias is not None:
        for lstm in (model.encoder, model.decoder):
            for name, parameter in lstm.named_parameters():
                if name.startswith("bias"):
                    parameter.data[H : 2 * H] = forget_bias if "ih" in name else 0
    return model


def train(contender, seed, lr, forget_bias, dropout, epochs=EPOCHS):
    """Train a network until validation is best; return it and what `learn` returns."""
    words, rng = words_of(seed), np.random.default_rng(seed)
    model, data = make(words, contender, seed, forget_bias, dropout), examples(words.train)
    *inputs, asked = (torch.as_tensor(a) for a in examples(words.validation))

    def validate():
        return cross_entropy(model(*inputs, teacher_forcing=1), asked)

    return model, learn(model, lambda: batches(data, rng), cross_entropy, validate, lr=lr, epochs=epochs)


def write(model, pairs, beam=1, size=500):
    """Return what the network writes for each word, its log-probability and, with attention, what it looked at."""
    written, log_p, looked = [], [], []
    for k in range(0, len(pairs.x), size):
        x, lengths = pairs.x[k : k + size], pairs.lengths[k : k + size]
        tokens, lengths, p, weights = model.generate(x, lengths, STEPS, beam=beam)
        written += rows(tokens.numpy(), lengths)
        log_p += p.tolist()
        looked += [] if weights is None else list(weights.numpy())
    return written, np.array(log_p), looked


def forced(model, pairs):
    """Return what teacher forcing at evaluation would report: % of phones wrong, % of words with one wrong."""
    *inputs, asked = (torch.as_tensor(a) for a in examples(pairs))
    with torch.no_grad():
        wrong = (model(*inputs, teacher_forcing=1).argmax(-1) != asked) & (asked != IGNORE)
    phones = wrong & (asked != STOP)
    return {
        "forced per": 100 * phones.sum().item() / (asked > STOP).sum().item(),
        "forced wer": 100 * wrong.any(1).double().mean().item(),
    }


def in_place(written, right):
    """Return % of reference phones that do not stand at their own position: no edit distance."""
    off = sum(sum(a != b for a, b in zip(w, r)) + max(len(r) - len(w), 0) for w, r in zip(written, right))
    return 100 * off / sum(map(len, right))


def widened(model, pairs, written, log_p):
    """Return what a beam changes in what was written without: PER, WER, and counts."""
    wide, log_p_wide, _ = write(model, pairs, beam=BEAM)
    right = rows(pairs.y, pairs.y_lengths)
    found = dict(zip(("per", "wer"), error_rates(wide, right)))
    found["likelier"] = 100 * np.mean(log_p_wide > log_p + 1e-4)
    found["less likely"] = 100 * np.mean(log_p_wide < log_p - 1e-4)
    changed = [(w != r) - (g != r) for g, w, r in zip(written, wide, right) if g != w]
    return found | {"mended": changed.count(-1), "broken": changed.count(1)}


def forwards(written, looked):
    """Return % of steps in which the peak of attention does not move backwards."""
    peaks = [w[: len(p)].argmax(1) for w, p in zip(looked, written) if len(p) > 1]
    return 100 * np.mean(np.concatenate([np.diff(p) for p in peaks]) >= 0)


def network(contender, seed, **settings):
    """Train a network; return what is reported of it on test words and on its training words."""
    words, (model, found) = words_of(seed), train(contender, seed, **settings)
    written, log_p, looked = write(model, words.test)
    found |= report(written, words.test) | forced(model, words.test)
    found |= {"in place": in_place(written, rows(words.test.y, words.test.y_lengths))}
    found |= {"beam": widened(model, words.test, written, log_p)}
    found |= {"on training words": report(write(model, words.train)[0], words.train)}
    found |= {"parameters": sum(p.numel() for p in model.parameters())}
    if looked:
        found |= {"forwards": forwards(written, looked)}
    if looked and seed == 0:
        found |= {"shown": show(words, written, looked)}
    return found


def show(words, written, looked):
    """Return for the shown words what is right, what was written and what attention looked at."""
    texts, found = [words.letters.decode(x) for x in words.test.x], {}
    for word in SHOWN:
        n = texts.index(word)
        found[word] = {"right": words.phones.decode(words.test.y[n]), "written": words.phones.decode(written[n])}
        found[word]["weights"] = np.round(looked[n][: len(written[n]) + 1, : len(word)], 3)  # the stop's too
    return found


def align(word, phones, score):
    """Return the likeliest way to give each letter 0, 1 or 2 of the phones, or None where there is none."""
    best = {0: (0.0, ())}  # phones said so far: log-probability, what each letter said
    for letter in word:
        reached = {}
        for j, (so_far, said) in best.items():
            for n in range(min(2, len(phones) - j) + 1):
                value = so_far + score(letter, phones[j : j + n])
                if j + n not in reached or value > reached[j + n][0]:
                    reached[j + n] = value, (*said, phones[j : j + n])
        best = reached
    return best[len(phones)][1] if len(phones) in best else None


def aligned(pairs):
    """Return each word whose letters could be given phones, and what each of its letters said."""
    known = [(tuple(x), tuple(y)) for x, y in zip(rows(pairs.x, pairs.lengths), rows(pairs.y, pairs.y_lengths))]
    said = [(x, tuple((b,) for b in y)) for x, y in known if len(x) == len(y)]  # to begin with: one phone a letter
    for round_ in range(ROUNDS):
        counts = defaultdict(Counter)
        for x, chunks in said:
            for a, chunk in zip(x, chunks):
                counts[a][chunk] += 1
        floor = (1e-1, 1e-3, 1e-4) if round_ == 0 else (1e-5, 1e-5, 1e-6)
        score = cache(partial(log_share, counts, floor))
        said = [(x, chunks) for x, y in known if (chunks := align(x, y, score))]
    return said


def log_share(counts, floor, letter, chunk):
    """Return the logarithm of how often a letter said a chunk of phones."""
    return float(np.log(counts[letter][chunk] / max(counts[letter].total(), 1) + floor[len(chunk)]))


def around(x, t, k):
    """Return a letter with k neighbours to each side, 0 past the word's ends."""
    padded = (0,) * k + tuple(x) + (0,) * k
    return padded[t : t + 2 * k + 1]


def table(contender, seed, widest, least):
    """Return what a table of letters and their neighbours reports, and its PER on validation words."""
    words, windows = words_of(seed), [defaultdict(Counter) for _ in range(widest + 1)]
    for x, said in aligned(words.train):
        for t, chunk in enumerate(said):
            for k, window in enumerate(windows):
                window[around(x, t, k)][chunk] += 1

    def say(word):
        said = []
        for t in range(len(word)):
            for k in range(widest, -1, -1):
                found = windows[k].get(around(word, t, k))
                if found and (k == 0 or found.total() >= least):
                    said += found.most_common(1)[0][0]
                    break
        return said

    found = {part: report(list(map(say, rows(p.x, p.lengths))), p) for part, p in zip(words._fields[:3], words[:3])}
    return found["test"] | {"on training words": found["train"], "best": found["validation"]["per"]}


def validation_of_network(**setting):
    """Return the validation cross-entropy of a try."""
    return train(**setting)[1]["best"]


def validation_of_table(**setting):
    """Return the validation PER of a try."""
    return table(**setting)["best"]


def gather(runs):
    """Return lists over the seeds; of the curves those of the first two, of what is shown the first."""
    if not isinstance(runs[0], dict):
        return runs
    found = {key: gather([each[key] for each in runs]) for key in runs[0] if key != "shown"}
    for key in {"curve", "losses"} & set(found):
        found[key] = [np.round(each, 3) for each in found[key][:2]]
    return found | {key: each for key, each in runs[0].items() if key == "shown"}


def compare():
    """Search, then train, every contender; return {contender: what was found}."""
    chosen = search(validation_of_network, NETWORKS, TRIES, SEARCHED)
    chosen |= search(validation_of_table, ["table"], TABLES, SEARCHED)
    chosen["letter"] = {"chosen": dict(widest=0, least=1), "scores": []}
    chosen["short"] = {"chosen": chosen["dot"]["chosen"] | {"epochs": SHORT}, "scores": []}
    found = {}
    for name, each in chosen.items():
        function = table if name in ("table", "letter") else network
        contender = "dot" if name == "short" else name
        settings = [dict(contender=contender, seed=seed) | each["chosen"] for seed in SEEDS]
        found[name] = gather(list(run(function, settings))) | {"chosen": each["chosen"], "tries": each["scores"]}
        print(f"{name}: PER {np.round(found[name]['per'], 1)}, {each['chosen']}, {each['scores']}", flush=True)
    return found


def differences(found):
    """Return paired differences in PER, by the length of the word, on test words and on training words."""
    pairs = [("dot", "none"), ("bare", "none"), ("table", "none"), ("table", "dot")]
    parts = {"test": lambda each: each, "training words": lambda each: each["on training words"]}
    return {
        f"{a} - {b}": {
            part: {key: paired(of(found[a])[key], of(found[b])[key]) for key in ("per", "wer", *GROUPS)}
            for part, of in parts.items()
        }
        for a, b in pairs
    }


if __name__ == "__main__":
    found, words = compare(), words_of(0)
    settings = {"H": H, "embedding": EMBEDDING, "B": B, "epochs": EPOCHS, "short": SHORT, "steps": STEPS, "beam": BEAM}
    settings |= {"sizes": SIZES, "searched": SEARCHED, "tries": TRIES, "tables": TABLES}
    counts = {
        part: {name: int(np.sum((low <= p.lengths) & (p.lengths <= high))) for name, (low, high) in GROUPS.items()}
        for part, p in (("train", words.train), ("test", words.test))
    }
    save("encoder_decoder", {"settings": settings, "words": counts, "differences": differences(found)} | found, SEEDS)
