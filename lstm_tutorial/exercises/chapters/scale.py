"""The exercises of the chapter scale. torch is imported where it is needed, never with the module."""

import hashlib
import json

import numpy as np

from lstm_tutorial.exercises import Box, exercise
from lstm_tutorial.exercises.chapters.numpy_lstm import other_words
from lstm_tutorial.exercises.chapters.shapes import torch_lstm
from lstm_tutorial.in_numpy.sequence import lstm_sequence, lstm_sequence_backward

MEANS = {
    "right": "all losses are added up and divided by the number of all tokens",
    "usual": "first the mean of each worker, then the mean of the two",
    "times": "by what is the loss of one token of worker 0 divided in the usual mean, and by what one of worker 1?",
    "factor": "DDP adds the two gradients up and divides by 2: what has to stand before it to leave a 12th?",
}


@exercise(
    "Two means, by hand",
    names=", ".join(MEANS),
    turns={
        "`right` and `usual` are exchanged": dict(right=1.5, usual=1.25),
        "`usual`: the shares do not weigh by their tokens": dict(usual=1.25),
        "`right`: this is the mean of the two means": dict(right=1.5),
        "`times`: this is how many times as many tokens, a token of which share counts more?": dict(times=1 / 3),
        "`factor`: DDP divides by the number of workers afterwards": dict(factor=1 / 12),
        "`factor`: it has to be the same on both workers": [dict(factor=1 / 3), dict(factor=2 / 3), dict(factor=1 / 9)],
    },
    diagnose=lambda got, want: next(
        f"`{name}`: {words}" for (name, words), a, b in zip(MEANS.items(), got, want) if abs(a - b) > 0.0005
    ),
    decimals=3,
)
def means_by_hand(*, right=1.25, usual=1.5, times=3.0, factor=2 / 12):
    return right, usual, times, factor


def draw_step(trial):
    """Draw gradients of several workers, of whom one may have no token, and a limit that is reached or not."""
    N, P = trial.sizes("N P", N=2)
    tokens = trial.rng.choice([1, 2, 10, 50], size=N)
    gradients = trial.normal(N, P) + 0.3
    if trial.choice(True, False):
        tokens[trial.rng.integers(N)] = 0
        tokens[0] += not tokens.any()
    length = np.linalg.norm(tokens @ gradients / tokens.sum())
    gradients[tokens == 0] = np.nan  # the mean of nothing
    return gradients, tokens, float(length * trial.choice(0.4, 1.5, 0.7, 1e6))


@exercise(
    "Three faults in a step",
    draw=draw_step,
    combine=4,
    turns={
        "every worker weighs the same: its mean has to count as often as it has tokens": dict(
            weighs=lambda n: 1 + 0 * n
        ),
        "every worker's gradient is clipped by itself: clip the one that is applied": dict(clipped="each"),
        "a worker without tokens makes everything NaN: leave it out": dict(kept=True),
        "nothing is clipped": dict(clipped=""),
        "every worker that has tokens weighs the same: its mean has to count as often as it has tokens": dict(
            weighs=lambda n: 1 * (n > 0)
        ),
        "this is the sum over the tokens: divide by the tokens of all workers": [
            dict(divided=lambda weights: 1),
            dict(divided=lambda weights: len(weights)),
        ],
        "a gradient shorter than the limit stays as it is": dict(longest=np.inf),
        "each number is clipped: it is the length of the whole vector that is limited": dict(clipped="numbers"),
    },
)
def combined_gradient(
    gradients, tokens, limit,
    *, weighs=lambda n: n, clipped="total", kept=False, divided=sum, longest=1.0,
):  # fmt: skip
    def clip(vector):
        return vector * min(longest, limit / np.linalg.norm(vector))

    if not kept:
        gradients = np.where(tokens[:, None] > 0, gradients, 0)
    if clipped == "each":
        gradients = np.array([clip(each) if each.any() else each for each in gradients])
    weights = weighs(tokens)
    found = (weights @ gradients / divided(weights)).astype(gradients.dtype)
    return {"total": clip, "numbers": lambda each: np.clip(each, -limit, limit)}.get(clipped, lambda each: each)(found)


def draw_parts(trial):
    """Draw a `torch.nn.LSTM` and micro-batches of different sizes, each with targets that are -100 in the padding."""
    import torch

    D, H = trial.sizes("D H", H=2)
    parts = []
    for _ in range(trial.choice(3, 2, 4)):
        B, T = (int(size) for size in trial.rng.integers(1, 6, size=2))
        lengths = trial.rng.integers(1, T + 1, size=B)
        y = np.where(np.arange(T) < lengths[:, None], trial.rng.integers(H, size=(B, T)), -100)
        parts.append((torch.as_tensor(trial.normal(B, T, D)), torch.as_tensor(y)))
    parts.append((torch.as_tensor(trial.normal(6, 7, D)), torch.as_tensor(trial.rng.integers(H, size=(6, 7)))))
    return torch_lstm(trial.rng, D, H, batch_first=True), parts


@exercise(
    "Micro-batches of unequal length",
    draw=draw_parts,
    axes="4H D, 4H H, 4H, 4H",
    turns={
        "each micro-batch is divided by its own tokens, and then by their number: divide by the tokens of all": dict(
            by=lambda y, parts: (y != -100).sum() * len(parts)
        ),
        "the means of the micro-batches are added up: divide each sum by the tokens of all": dict(
            by=lambda y, parts: (y != -100).sum()
        ),
        "this is the gradient of the sum: divide by the tokens of all micro-batches": dict(by=lambda y, parts: 1),
        "the padded steps are counted as tokens": [
            dict(by=lambda y, parts: sum(each.numel() for _, each in parts)),
            dict(by=lambda y, parts: y.numel() * len(parts)),
        ],
        "it is divided by the number of sequences, it should be the tokens": dict(
            by=lambda y, parts: sum(len(each) for _, each in parts)
        ),
        "only the last micro-batch is in it: when are the gradients cleared?": [
            dict(used=slice(-1, None)),
            dict(used=slice(-1, None), by=lambda y, parts: (y != -100).sum()),
        ],
    },
)
def accumulated_gradients(
    lstm, parts, *, by=lambda y, parts: sum((each != -100).sum() for _, each in parts), used=slice(None)
):
    import torch

    losses = []
    for x, y in parts[used]:
        scores = lstm(x)[0].flatten(0, 1)
        total = torch.nn.functional.cross_entropy(scores, y.flatten(), ignore_index=-100, reduction="sum")
        losses.append(total / by(y, parts))
    names, weights = zip(*lstm.named_parameters())
    return dict(zip(names, torch.autograd.grad(sum(losses), weights)))


def draw_rows(trial):
    """Draw lengths of sequences, a number of rows for a batch, and a number of workers."""
    N = int(trial.choice(2, 3, 4))
    B = N + int(trial.choice(0, 1, 3))
    M = int(trial.rng.integers(2, 6)) * B + trial.choice(1, 0, B - 1)
    lengths = trial.rng.integers(1, 15, size=M)
    lengths[:2] = 1, 14
    return lengths[trial.rng.permutation(M)], B, N


SHARES = {
    "the workers have different numbers of batches, so one waits for others that have finished: give an empty share "
    "where there are too few rows": dict(share=lambda batch, r, N: batch[r::N] if len(batch) > r else None),
    "some rows are with nobody": [dict(end=True), dict(share=lambda batch, r, N: batch[r :: N + 1])],
    "some rows are there twice": dict(share=lambda batch, r, N: batch),
    "a batch, all shares together, has more than B rows": dict(rows=lambda B, N: B * N),
    "there are more batches than the rows need": dict(rows=lambda B, N: B - 1),
    "the shares of a batch differ by more than one row": dict(
        share=lambda batch, r, N: batch[1:] if r == 0 else batch[:1] if r == 1 else batch[:0]
    ),
    "a row's length lies between those of another batch: a batch holds neighbours in the order of length": dict(
        order=lambda lengths: np.arange(len(lengths))
    ),
}


def verify_shares(answer, trial, lengths, B, N):
    """Check the shares one promise after the other."""
    few, lost, twice, large, many, uneven, mixed = SHARES
    lists = list | tuple | np.ndarray
    if not isinstance(answer, lists) or getattr(answer, "ndim", 1) == 0 or len(answer) != N:
        return f"a list with a list for each of the {N} workers is expected"
    for each in answer:
        if not isinstance(each, lists) or getattr(each, "ndim", 1) == 0 or any(np.ndim(share) != 1 for share in each):
            return "a worker's list holds a list or an array of row numbers for each batch"
    if len(set(map(len, answer))) > 1:
        return few
    batches = [np.concatenate([np.asarray(share, int) for share in shares]) for shares in zip(*answer)]
    rows = np.concatenate([*batches, np.empty(0, int)])
    if len(rows) and (rows.min() < 0 or rows.max() >= len(lengths)):
        return f"a row has the number {rows.max()}: they go from 0 to {len(lengths) - 1}"
    if len(np.unique(rows)) < len(rows):
        return twice
    if len(rows) < len(lengths):
        return lost
    if max(map(len, batches)) > B:
        return large
    if len(batches) > -(-len(lengths) // B):
        return many
    if any(max(sizes) - min(sizes) > 1 for sizes in (list(map(len, shares)) for shares in zip(*answer))):
        return uneven
    ends = sorted((lengths[batch].min(), lengths[batch].max()) for batch in batches)
    return mixed if any(a[1] > b[0] for a, b in zip(ends, ends[1:])) else None


@exercise("Equally many batches for all", draw=draw_rows, verify=verify_shares, turns=SHARES)
def share_out(
    lengths, B, N,
    *, order=lambda lengths: np.argsort(lengths, kind="stable"), rows=lambda B, N: B, end=False,
    share=lambda batch, r, N: batch[r::N],
):  # fmt: skip
    sorted_rows, size = order(lengths), rows(B, N)
    batches = [sorted_rows[k : k + size] for k in range(0, len(lengths), size)]
    if end:
        batches = [batch[:-1] for batch in batches]
    shares = [[share(batch, r, N) for batch in batches] for r in range(N)]
    return [[each for each in of_one if each is not None] for of_one in shares]


LEFT_OUT = {
    "A": ("changed", "in A Adam divides each step by its running means: where do they begin again?"),
    "B": ("same", "in B a step depends on the gradient alone: is there anything to keep?"),
    "C": ("changed", "in C, which names come next if nobody knows where in the epoch the run was?"),
    "D": ("same", "in D the order is computed from two numbers that are known. What else draws random numbers?"),
    "E": ("changed", "in E the next mask comes from the generator: where does it begin again?"),
    "F": ("same", "in F they are cleared before they are used"),
    "G": ("changed", "in G a chunk goes on from the state of the one before: what does the next one start from?"),
    "H": ("same", "in H, what does every batch start from?"),
}


@exercise("What may be left out?", words="changed, same", turns=other_words(LEFT_OUT))
def what_is_lost(**answers):
    return {name: answers.get(name, word) for name, (word, _) in LEFT_OUT.items()}


DAMAGES = "cut", "flipped", "missing", "no digests", "torn digests"


def digest(content):
    """Return the SHA-256 digest of bytes."""
    return hashlib.sha256(content).hexdigest()


def draw_folders(trial):
    """Draw folders of checkpoints, the newest ones damaged in some way, and a draft."""
    rng = trial.rng
    steps = [int(20 * step) for step in (*rng.permutation(np.arange(1, 5))[:2], *rng.permutation(np.arange(5, 16))[:2])]
    newest = sorted(steps, reverse=True)
    first = trial.choice("none", *DAMAGES)
    damaged = {newest[0]: first} if first != "none" else {}
    damaged |= {newest[1]: DAMAGES[rng.integers(5)]} if first != "none" and trial.choice(False, True) else {}
    if trial.choice(False, False, False, True):  # none is whole
        damaged = {step: DAMAGES[rng.integers(5)] for step in steps}
    folders = {}
    for name, step in [*((f"step-{step}", step) for step in steps), (f"draft-{newest[0] + 20}", None)]:
        files = {file: rng.bytes(int(rng.integers(30, 60))) for file in ("model.pt", "optimiser.pt", "position.pt")}
        listed = json.dumps({file: digest(content) for file, content in files.items()}).encode()
        files["digests.json"] = listed
        damage, file = damaged.get(step), ("model.pt", "optimiser.pt", "position.pt")[rng.integers(3)]
        if damage == "cut":
            files[file] = files[file][:-8]
        elif damage == "flipped":
            files[file] = bytes([files[file][0] ^ 1]) + files[file][1:]
        elif damage == "missing":
            del files[file]
        elif damage == "no digests":
            del files["digests.json"]
        elif damage == "torn digests":
            files["digests.json"] = listed[:-30]
        folders[name] = files
    return ({name: folders[name] for name in rng.permutation(list(folders)).tolist()},)


def damage_of(files):
    """Say what is damaged in a checkpoint, None if nothing is."""
    try:
        listed = json.loads(files["digests.json"])
    except (KeyError, ValueError):
        return "its digests.json is missing or cut off"
    for file, expected in listed.items():
        if file not in files:
            return f"its {file} is missing"
        if digest(files[file]) != expected:
            return f"its {file} has another digest"
    return None


def diagnose_folders(got, want, folders):
    if not isinstance(got, int) or (got and f"step-{got}" not in folders):
        return f"there is no folder step-{got}"
    if got and (damage := damage_of(folders[f"step-{got}"])):
        return f"step-{got} was taken, and {damage}"
    return f"step-{want} is whole, and " + ("newer" if got else "0 says that none is")


@exercise(
    "The newest whole checkpoint",
    draw=draw_folders,
    diagnose=diagnose_folders,
    combine=3,
    turns={
        "step-100 comes before step-20 in the order of words: compare the numbers": dict(order=str),
        "the names of the files are compared, but not their digests": dict(overlooked="another digest"),
        "a draft was taken: it was still being written": dict(drafts=True),
        "a file that is listed and not there was overlooked": dict(overlooked="pt is missing"),
        "the newest is damaged, and none of those before it was looked at": dict(tries=1),
        "this is the oldest one that is whole": dict(order=lambda step: -step),
        "this is the newest, whole or not": dict(overlooked=""),
    },
    dtypes=("float64",),
    trials=24,
)
def newest_whole(folders, *, order=int, overlooked=None, drafts=False, tries=None):
    found = [(int(name.split("-")[1]), name) for name in folders if drafts or name.startswith("step")]
    for step, name in sorted(found, key=lambda each: order(each[0]), reverse=True)[:tries]:
        damage = damage_of(folders[name])
        if damage is None or (overlooked is not None and overlooked in damage):
            return step
    return 0


class StepBox(Box):
    """Measures the time of a step on n workers: exact, and by the formula of the chapter."""

    runs, budget = 4, "four measurements are allowed"

    def __init__(self, fixed, divided, latency, sending, limit):
        super().__init__()
        self.fixed, self.divided, self.latency, self.sending, self.limit = fixed, divided, latency, sending, limit

    def answer(self, n):
        if n != int(n) or not 1 <= n <= self.limit:
            raise ValueError(f"a step can be measured on 1 to {self.limit} workers, got {n}")
        self.asked.append(int(n))
        return float(self.seconds(int(n)))

    def seconds(self, n):
        """Return the seconds of a step on n workers."""
        return self.fixed + self.divided / n + 2 * (n - 1) * (self.latency + self.sending / n)


def draw_network(trial):
    """Draw a network that trains on 1 worker to a limit; what a step costs is known to nobody."""
    divided, limit = trial.log_uniform(0.1, 10), int(trial.choice(500, 64, 9))
    fixed, sending = divided * trial.log_uniform(1e-3, 0.1), divided * trial.log_uniform(1e-3, 0.1)
    best = trial.log_uniform(0.3, 1.2) * limit
    return StepBox(fixed, divided, divided / (2 * best**2), sending, limit), limit


def diagnose_workers(got, want, seconds, limit):
    if not 1 <= got <= limit:
        return f"the number of workers goes from 1 to {limit}"
    words = f"with {got} workers a step takes {seconds.seconds(got):.6g} s, with another number less"
    if len(set(seconds.asked)) < 3:
        return f"{words}: the formula is a + b / n + c n, and takes three measurements to find a, b and c"
    if got in seconds.asked:
        return f"{words}: it is the best of those that were measured, and the formula gives the others"
    return words


@exercise("How many workers?", draw=draw_network, diagnose=diagnose_workers, dtypes=("float64",))
def best_workers(seconds, limit):
    return int(np.argmin(seconds.seconds(np.arange(1, limit + 1)))) + 1


class Recorded:
    """What a backward pass over some steps needs; it can be used once."""

    def __init__(self, steps, cache):
        self.steps, self.cache = steps, cache


class LayerBox(Box):
    """An LSTM layer whose memory holds what a backward pass needs of `most` steps, and that counts its steps."""

    def __init__(self, weights, most, T):
        super().__init__()
        self.weights, self.most, self.left, self.held, self.twice = weights, most, 2 * T, 0, T

    def _run(self, x, state):
        self.left -= len(x)
        if self.left < 0:
            raise RuntimeError(f"each of the {self.twice} steps may be computed twice, and this was more often")
        return lstm_sequence(x, state, *self.weights)

    def __call__(self, x, state):
        """Return the outputs (T, B, H) and the state after the last step, and keep nothing."""
        return self._run(x, state)[:2]

    def record(self, x, state):
        """Return the outputs, the state, and what `backward` needs."""
        self.held += len(x)
        if self.held > self.most:
            raise RuntimeError(f"the memory holds {self.most} recorded steps, and these would be {self.held}")
        output, state, cache = self._run(x, state)
        return output, state, Recorded(len(x), cache)

    def backward(self, d_output, d_state, recorded):
        """Return d_x, the gradients of the state before the first step, and a dict of those of the weights."""
        if not isinstance(recorded, Recorded):
            raise TypeError(f"backward takes what `record` has returned last, got {type(recorded).__name__}")
        if recorded.cache is None:
            raise RuntimeError("this was used by `backward` before, and is gone")
        found = lstm_sequence_backward(d_output, d_state, recorded.cache)
        self.held, recorded.cache = self.held - recorded.steps, None
        return found


def draw_long(trial):
    """Draw a layer, a sequence with a state before it, the gradient of its outputs, and the length of a chunk."""
    T, B, D, H = trial.sizes("T B D H")
    C = int(trial.choice(2, 3, 1))
    weights = [trial.normal(*shape) for shape in ((4 * H, D), (4 * H, H), (4 * H,), (4 * H,))]
    state = trial.normal(B, H), trial.normal(B, H)
    return LayerBox(weights, C, T), trial.normal(T, B, D), state, trial.normal(T, B, H), C


@exercise(
    "Compute it again",
    draw=draw_long,
    axes="4H D, 4H H, 4H, 4H",
    turns={
        "the gradient ends at the beginning of each chunk: hand that of the state on to the chunk before": dict(
            passed=""
        ),
        "the gradient of only one of h and c is handed on": [dict(passed="h"), dict(passed="c")],
        "every chunk starts from the state before the first step": dict(carried=False),
        "these are the gradients of the first chunk alone: add them up": dict(chunks=slice(1)),
        "these are the gradients of the last chunk alone: add them up": dict(chunks=slice(-1, None)),
        "the last chunk is missing where it is shorter": dict(whole_chunks=True),
        "the gradient of the state is handed on from the first chunk to the last: go through them from the end": dict(
            forwards=True
        ),
    },
    dtypes=("float64",),
)
def recomputed_gradients(
    layer, x, state, d_output, C, *, passed="hc", carried=True, chunks=slice(None), whole_chunks=False, forwards=False
):
    starts = list(range(0, len(x) // C * C if whole_chunks else len(x), C))
    caches, first = [], state
    for k in starts:
        _, state, cache = lstm_sequence(x[k : k + C], state if carried else first, *layer.weights)
        caches.append(cache)
    d_state, found = tuple(0 * each for each in first), []
    for k, cache in list(zip(starts, caches))[:: 1 if forwards else -1]:
        _, d_state, gradients = lstm_sequence_backward(d_output[k : k + C], d_state, cache)
        d_state = tuple(each * (name in passed) for name, each in zip("hc", d_state))
        found.append(gradients)
    found = (found if forwards else found[::-1])[chunks]
    return {name: sum(each[name] for each in found) for name in found[0]}
