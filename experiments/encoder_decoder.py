"""Study of the chapter encoder-decoder: from spelling to sound, with and without attention.

Three splits of the words (20,000 to train, 2,000 to test; the 1,000 for validation stay unused), a seed each, that also
draws the network. Settings fixed before the first run, not chosen on any score (H = 96, embeddings of 32, Adam with a
one-cycle schedule to 5e-3, batches of 128, 5 epochs, gradients clipped at 1); the last epoch counts. Additive
attention, dot attention and none share every setting. `short`: 2 epochs with dot attention, which the lab runs again;
once more on the network's own phones, without teacher forcing in training.
The tables know no network: letters and phones of the training words are aligned (0, 1 or 2 phones a letter, four rounds
of the likeliest alignment), then each letter says what it said most often between the same neighbours, as many to both
sides, up to 3, as were seen twice together. About eight minutes of one processor.
"""

import time
from collections import Counter, defaultdict

import numpy as np
import torch
from protocol import save

from lstm_tutorial.data import IGNORE, STOP, shift, spellings
from lstm_tutorial.in_torch import Adam, EncoderDecoder, cross_entropy, fit

SEEDS, SIZES = range(3), (20_000, 1_000, 2_000)
SETTINGS = dict(H=96, embedding=32, lr=5e-3, B=128, epochs=5, clip=1.0)
SHORT = dict(epochs=2, attention="dot")
STEPS, BEAM, ROUNDS, WIDEST = 20, 5, 4, 3
GROUPS = {"3-5": (3, 5), "6-8": (6, 8), "9-11": (9, 11), "12-14": (12, 14)}  # letters in a word
SHOWN = ["phenomenon", "knoxville", "slaughterhouse"]  # test words of seed 0, picked for their letters, unheard


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
    """Return PER and WER over all words, and over those of each group of lengths."""
    right, found = rows(pairs.y, pairs.y_lengths), {}
    found["per"], found["wer"] = error_rates(written, right)
    found["by length"] = {}
    for name, (low, high) in GROUPS.items():
        group = np.flatnonzero((low <= pairs.lengths) & (pairs.lengths <= high))
        found["by length"][name] = error_rates([written[n] for n in group], [right[n] for n in group])
    return found


def batches_of(pairs, epochs, B, rng):
    """Return batches (letters, lengths, phones to feed back, phones to ask for), in a new order each epoch."""
    asked = shift(pairs.y, pairs.y_lengths).y  # phones and stop, IGNORE past it
    arrays = pairs.x, pairs.lengths, np.where(asked == IGNORE, STOP, asked), asked
    orders = [rng.permutation(len(pairs.x)) for _ in range(epochs)]
    return [tuple(a[order[k : k + B]] for a in arrays) for order in orders for k in range(0, len(order), B)]


def one_cycle(optimiser, lr, batches):
    """Yield each batch, and take a step of the schedule after its update."""
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, lr, total_steps=len(batches))
    for batch in batches:
        yield batch
        schedule.step()


def train(words, attention, seed, epochs=SETTINGS["epochs"], forced=True):
    """Train one network, with teacher forcing or on its own phones; return it and its losses."""
    s = SETTINGS
    sizes = len(words.letters), len(words.phones), s["H"]
    options = dict(attention=attention, embedding=s["embedding"], lstm=torch.nn.LSTM, rng=seed)
    model = EncoderDecoder(*sizes, stop=STOP, **options)
    batches = batches_of(words.train, epochs, s["B"], np.random.default_rng(seed))
    optimiser = Adam(model.parameters(), lr=s["lr"])
    scheduled = one_cycle(optimiser, s["lr"], batches)
    model.train(forced)  # there is no dropout, so the mode decides on teacher forcing alone
    losses = fit(model, scheduled, cross_entropy, optimiser, clip_norm=s["clip"], progress=False)
    return model.eval(), losses


def write(model, pairs, beam=1, size=500):
    """Return what the network writes for each word, its log-probability and, with attention, what it looked at."""
    written, log_p, looked = [], [], []
    for k in range(0, len(pairs.x), size):
        tokens, lengths, p, weights = model.generate(
            pairs.x[k : k + size], pairs.lengths[k : k + size], STEPS, beam=beam
        )
        written += rows(tokens.numpy(), lengths)
        log_p += p.tolist()
        looked += [] if weights is None else list(weights.numpy())
    return written, np.array(log_p), looked


def forced(model, pairs):
    """Return what teacher forcing at evaluation would report: % of phones wrong, % of words with one wrong."""
    _, lengths, fed, asked = batches_of(pairs, 1, len(pairs.x), np.random.default_rng(0))[0]
    x, lengths, fed, asked = (torch.as_tensor(a) for a in (_, lengths, fed, asked))
    with torch.no_grad():
        wrong = (model(x, lengths, fed, teacher_forcing=1).argmax(-1) != asked) & (asked != IGNORE)
    phones = wrong & (asked != STOP)
    return 100 * phones.sum().item() / (asked > STOP).sum().item(), 100 * wrong.any(1).double().mean().item()


def in_place(written, right):
    """Return % of reference phones that do not stand at their own position: no edit distance."""
    off = sum(sum(a != b for a, b in zip(w, r)) + max(len(r) - len(w), 0) for w, r in zip(written, right))
    return 100 * off / sum(map(len, right))


def alignment(written, looked, lengths):
    """Return how the peak of attention moves: % of steps not backwards, and the mean weight at the peak."""
    peaks = [w[: len(p)].argmax(1) for w, p in zip(looked, written) if len(p) > 1]
    moves = np.concatenate([np.diff(p) for p in peaks])
    return {
        "forwards": 100 * np.mean(moves >= 0),
        "peak": np.concatenate([w[: len(p)].max(1) for w, p in zip(looked, written)]).mean(),
    }


def judge(model, pairs):
    """Return everything that is reported of a network on test words, greedy and with a beam."""
    written, log_p, looked = write(model, pairs)
    wide, log_p_wide, _ = write(model, pairs, beam=BEAM)
    right = rows(pairs.y, pairs.y_lengths)
    found = report(written, pairs)
    found["beam"] = report(wide, pairs)
    found["beam"]["likelier"] = 100 * np.mean(log_p_wide > log_p + 1e-4)
    found["beam"]["less likely"] = 100 * np.mean(log_p_wide < log_p - 1e-4)
    changed = [(w != r) - (g != r) for g, w, r in zip(written, wide, right) if g != w]
    found["beam"]["mended"], found["beam"]["broken"] = changed.count(-1), changed.count(1)
    found["forced per"], found["forced wer"] = forced(model, pairs)
    found["in place"] = in_place(written, right)
    if looked:
        found["alignment"] = alignment(written, looked, pairs.lengths)
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


def tables(words):
    """Return what letters said in the training words, by their neighbours: one Counter a window."""
    pairs = words.train
    known = [(tuple(x), tuple(y)) for x, y in zip(rows(pairs.x, pairs.lengths), rows(pairs.y, pairs.y_lengths))]
    counts = defaultdict(Counter)
    for x, y in known:
        if len(x) == len(y):  # to begin with: the n-th letter says the n-th phone
            for a, b in zip(x, y):
                counts[a][(b,)] += 1
    for round_ in range(ROUNDS):
        totals = {a: sum(c.values()) for a, c in counts.items()}
        floor = {0: 1e-1, 1: 1e-3, 2: 1e-4} if round_ == 0 else {0: 1e-5, 1: 1e-5, 2: 1e-6}

        def score(a, said, counts=counts, totals=totals, floor=floor):
            return np.log(counts[a][said] / totals.get(a, 1) + floor[len(said)])

        score = memoised(score)
        aligned = [(x, said) for x, y in known if (said := align(x, y, score))]
        counts = defaultdict(Counter)
        for x, said in aligned:
            for a, chunk in zip(x, said):
                counts[a][chunk] += 1
    windows = [defaultdict(Counter) for _ in range(WIDEST + 1)]
    for x, said in aligned:
        for t, chunk in enumerate(said):
            for k, window in enumerate(windows):
                window[around(x, t, k)][chunk] += 1
    return windows


def memoised(function):
    """Return the function with a memory of its answers."""
    known = {}

    def remembered(*inputs):
        if inputs not in known:
            known[inputs] = float(function(*inputs))
        return known[inputs]

    return remembered


def around(x, t, k):
    """Return a letter with k neighbours to each side, 0 past the word's ends."""
    padded = (0,) * k + tuple(x) + (0,) * k
    return padded[t : t + 2 * k + 1]


def say(windows, word, widest):
    """Return the phones that the tables give a word."""
    said = []
    for t in range(len(word)):
        for k in range(widest, -1, -1):
            found = windows[k].get(around(word, t, k))
            if found and (k == 0 or sum(found.values()) >= 2):
                said += found.most_common(1)[0][0]
                break
    return said


def show(model, words):
    """Return what a network writes for the shown words, and what it looks at."""
    texts, found = [words.letters.decode(x) for x in words.test.x], {}
    for word in SHOWN:
        n = texts.index(word)
        one = type(words.test)(*(a[n : n + 1] for a in words.test))
        (written,), _, looked = write(model, one)
        found[word] = {"right": words.phones.decode(one.y[0]), "written": words.phones.decode(written)}
        if looked:
            found[word]["weights"] = np.round(looked[0][: len(written) + 1], 3)  # the stop's too
    return found


def run(seed):
    """Train and judge everything on one split; return {name: what was found} and the alignments of seed 0."""
    words, found, shown = spellings(sizes=SIZES, rng=seed), {}, {}
    begun = time.process_time()
    windows = tables(words)
    letters = rows(words.test.x, words.test.lengths)
    for name, widest in {"letter": 0, "letter and 1": 1, "letter and 3": WIDEST}.items():
        found[name] = report([say(windows, x, widest) for x in letters], words.test)
        print(f"  {name}: PER {found[name]['per']:.1f}, {time.process_time() - begun:.0f} s", flush=True)
    for name in ("additive", "dot", None):
        begun = time.process_time()
        model, losses = train(words, name, seed)
        seconds = time.process_time() - begun
        name = name or "none"
        found[name] = judge(model, words.test)
        found[name] |= {"seconds": round(seconds), "parameters": sum(p.numel() for p in model.parameters())}
        found[name]["losses"] = np.reshape(losses[: len(losses) // 10 * 10], (-1, 10)).mean(1)
        if seed == 0:
            shown[name] = show(model, words)
        print(f"  {name}: PER {found[name]['per']:.1f}, WER {found[name]['wer']:.1f}, {seconds:.0f} s", flush=True)
    model, _ = train(words, SHORT["attention"], seed, SHORT["epochs"])
    found["short"] = report(write(model, words.test)[0], words.test)
    model, _ = train(words, SHORT["attention"], seed, SHORT["epochs"], forced=False)
    found["short, own phones"] = report(write(model, words.test)[0], words.test)
    print("  short:", *(f"{found[name]['per']:.1f}" for name in ("short", "short, own phones")), flush=True)
    return found, shown


if __name__ == "__main__":
    torch.set_num_threads(1)
    begun, runs, shown = time.process_time(), [], {}
    for seed in SEEDS:
        print(f"seed {seed}", flush=True)
        found, examples = run(seed)
        runs.append(found)
        shown |= examples
    settings = SETTINGS | {"sizes": SIZES, "short": SHORT, "steps": STEPS, "beam": BEAM, "groups": GROUPS}
    results = {"settings": settings, "runs": runs, "shown": shown}
    save("encoder_decoder", results | {"cpu_minutes": round((time.process_time() - begun) / 60, 1)}, seeds=SEEDS)
