"""The exercises of the chapter state. torch is imported where it is needed, never with the module."""

import numpy as np

from lstm_tutorial.exercises import Box, exercise
from lstm_tutorial.exercises.chapters.numpy_lstm import other_words
from lstm_tutorial.exercises.chapters.shapes import torch_lstm
from lstm_tutorial.in_numpy import lstm_cell, lstm_sequence

PATHS = {
    "whole": "from step 4 the gradient passes back to steps 3, 2 and 1, each time multiplied by a",
    "by_twos": "the second chunk holds steps 3 and 4: the gradient passes from 4 to 3 and no further",
    "by_ones": "the last chunk holds step 4 alone, and the state before it is a number that does not depend on a",
}


@exercise(
    "A gradient in chunks, by hand",
    names=", ".join(PATHS),
    turns={
        "the state is carried from chunk to chunk, only the gradient is not": [
            dict(by_twos=2.0, by_ones=0.0),
            dict(by_twos=2.0),
            dict(by_ones=0.0),
        ],
        "every step back multiplies by a": [dict(whole=10.5, by_twos=6.5), dict(whole=10.5), dict(by_twos=6.5)],
        "step t multiplies a by the state before it, not by the one after it": [
            dict(whole=9.25, by_twos=8.5, by_ones=6.75),
            dict(whole=9.25),
            dict(by_twos=8.5),
            dict(by_ones=6.75),
        ],
        "the gradient is the same in all three: what does a detached state no longer depend on?": dict(
            by_twos=6.0, by_ones=6.0
        ),
        "only the last chunk reaches the loss": dict(by_twos=6.75),
    },
    diagnose=lambda got, want: next(
        f"`{name}`: {words}" for (name, words), a, b in zip(PATHS.items(), got, want) if abs(a - b) > 0.005
    ),
    decimals=2,
)
def chunks_by_hand(*, whole=6.0, by_twos=5.0, by_ones=3.5):
    return whole, by_twos, by_ones


CHANGES = {
    "A": ("gradient", "in A the numbers handed on are the same: how far back does the gradient reach now?"),
    "B": ("both", "in B the second chunk starts from other numbers"),
    "C": ("gradient", "in C the gradient can still pass through c: does the next step depend on it?"),
    "D": ("gradient", "in D the borders lie elsewhere: do the states depend on them? Does the gradient?"),
    "E": ("neither", "in E the gradient of a sum is the sum of the gradients, and no state leads back"),
    "F": ("both", "in F row b starts from the numbers of another row"),
    "G": ("neither", "in G `backward()` does not change the state, and `detach()` not the graph of the loss"),
}


@exercise("Outputs, gradient, or neither?", words="neither, gradient, both", turns=other_words(CHANGES))
def what_changes(**answers):
    return {name: answers.get(name, word) for name, (word, _) in CHANGES.items()}


def draw_training(trial):
    """Draw a `torch.nn.LSTM`, a batch, a target for every hidden state, and the length of a chunk."""
    import torch

    T, B, D, H = trial.sizes("T B D H")
    x, y = (torch.as_tensor(trial.normal(*shape)) for shape in ((T, B, D), (T, B, H)))
    return torch_lstm(trial.rng, D, H), x, y, int(trial.choice(2, 1, 3, 4))


@exercise(
    "Detached between chunks",
    draw=draw_training,
    axes="4H D, 4H H, 4H, 4H",
    turns={
        "no state is detached: this is the gradient of the whole sequence": dict(detached=""),
        "the cell state is not detached: both h and c carry the gradient back": dict(detached="h"),
        "the hidden state is not detached: both h and c carry the gradient back": dict(detached="c"),
        "every chunk starts from zeros: hand the state on": dict(carried=False),
        "only one of h and c is handed on": [dict(kept="h"), dict(kept="c")],
        "these are the gradients of the last chunk alone: let the chunks add up": dict(chunks=slice(-1, None)),
        "these are the gradients of the first chunk alone": dict(chunks=slice(1)),
        "the last chunk is missing where it is shorter": dict(whole_chunks=True),
        "the loss is a sum, this is a mean": [
            dict(loss=lambda e: (e**2).mean()),
            dict(loss=lambda e: (e**2).sum() / len(e)),
        ],
        "the loss sums squares": dict(loss=lambda e: e.abs().sum()),
    },
)
def chunked_gradients(
    lstm, x, y, C,
    *, detached="hc", carried=True, kept="hc", chunks=slice(None), whole_chunks=False, loss=lambda e: (e**2).sum(),
):  # fmt: skip
    import torch

    state, losses, T = None, [], len(x)
    for start in range(0, T // C * C if whole_chunks else T, C):
        output, (h, c) = lstm(x[start : start + C], state)
        losses.append(loss(output - y[start : start + C]))
        ends = (each.detach() if name in detached else each for name, each in (("h", h), ("c", c)))
        h, c = (each * (name in kept) for name, each in zip("hc", ends))
        state = (h, c) if carried else None
    names, weights = zip(*lstm.named_parameters())
    found = torch.autograd.grad(sum(losses[chunks]), weights)
    return dict(zip(names, found))


def draw_text(trial):
    """Draw a long text as tokens, with none, some or many left over, and how it is to be cut."""
    B, T, n = trial.sizes("B T S", high=6)
    over = trial.choice(0, 1, B * T - 1, B * T // 2)
    return trial.rng.integers(1000, size=B * T * n + 1 + over), B, T


def streams(tokens, B, T, n):
    """Cut a text into B streams and each of them into n chunks of T, (S, B, T)."""
    return tokens[: B * n * T].reshape(B, n, T).swapaxes(0, 1)


@exercise(
    "A text as streams",
    draw=draw_text,
    names="x, y",
    axes="S B T, S B T",
    turns={
        "row b of a chunk does not go on in row b of the next: here the rows of one chunk follow each other": dict(
            cut=lambda tokens, B, T, n: tokens[: B * n * T].reshape(n, B, T)
        ),
        "neighbouring tokens stand in different rows: a stream is one long stretch of the text": dict(
            cut=lambda tokens, B, T, n: tokens[: B * n * T].reshape(n, T, B).swapaxes(1, 2)
        ),
        "the target of a step is the next token, here it is the step's own": dict(by=0),
        "the target of a step is the token before it: it should be the next one": dict(by=-1),
        "the target of a step is the token after the next": dict(by=2),
        "the last target of a chunk is the first token of the next chunk, not of its own": dict(
            y=lambda x: np.roll(x, -1, axis=2)
        ),
        "the target of a stream's last token is the next token of the text": dict(
            y=lambda x: (
                np.roll(x.swapaxes(0, 1).reshape(x.shape[1], -1), -1, axis=1)
                .reshape(x.shape[1], len(x), -1)
                .swapaxes(0, 1)
            )
        ),
    },
)
def text_streams(tokens, B, T, *, cut=streams, by=1, y=None):
    n = (len(tokens) - 1) // (B * T)
    x = cut(tokens, B, T, n)
    return x, (y(x) if y else cut(np.roll(tokens, -by), B, T, n))


def draw_gaps(trial):
    """Draw series in which half of the numbers are missing, also at the beginning."""
    T, D = trial.sizes("T D", high=9)
    x = 5 + trial.normal(T, D)
    missing = trial.rng.random((T, D)) < 0.5
    missing[0, trial.rng.integers(D)] = True
    return (np.where(missing, np.nan, x),)


def last_seen(x):
    """Return for each number the step of the last one that was seen, -1 before the first."""
    return np.maximum.accumulate(np.where(np.isnan(x), -1, np.arange(len(x))[:, None]), axis=0)


def forward(x):
    """Return each series with the last number seen in place of a missing one, 0 before the first."""
    last = last_seen(x)
    return np.where(last < 0, 0, np.take_along_axis(x, np.maximum(last, 0), axis=0))


def backward(x):
    """Return each series with the next number seen in place of a missing one."""
    return forward(x[::-1])[::-1]


def steps_since(x):
    """Return how many steps ago each number was seen last, counted from a step before the first."""
    return 1.0 * (np.arange(len(x))[:, None] - last_seen(x))


@exercise(
    "What is missing, and since when",
    draw=draw_gaps,
    names="filled, seen, since",
    axes="T D, T D, T D",
    turns={
        "a missing number becomes the last one seen, not 0": dict(filled=np.nan_to_num),
        "this takes the next number that is seen: at step t nobody knows it yet": dict(filled=backward),
        "before the first number seen stands 0: the number itself is not known yet": [
            dict(filled=lambda x: np.where(last_seen(x) < 0, backward(x), forward(x))),
        ],
        "this fills with the mean of the series, to which later numbers belong": dict(
            filled=lambda x: np.where(np.isnan(x), np.nan_to_num(np.nanmean(x, axis=0)), x)
        ),
        "the mask is upside down: true means seen": dict(seen=np.isnan),
        "`since` is 0 where a number is seen, it counts the steps since": dict(since=lambda x: steps_since(x) + 1),
        "`since` counts all missing numbers so far: at a number that is seen it goes back to 0": dict(
            since=lambda x: 1.0 * np.isnan(x).cumsum(axis=0)
        ),
        "before the first number seen `since` counts from 1: it was last seen before the series began": dict(
            since=lambda x: steps_since(x) - (last_seen(x) < 0)
        ),
        "this says whether it is missing: `since` counts the steps": dict(since=lambda x: 1.0 * np.isnan(x)),
        "this is the step at which it was last seen: `since` is the distance to it": dict(
            since=lambda x: 1.0 * last_seen(x)
        ),
    },
)
def fill_and_mark(x, *, filled=forward, seen=lambda x: ~np.isnan(x), since=steps_since):
    return filled(x), seen(x), since(x)


def draw_series(trial):
    """Draw a model of the next change, a series, where it is cut, how much the model reads, and how far to go."""
    width, horizon = int(trial.choice(2, 3, 1)), int(trial.choice(4, 6, 2, 1))
    cut = width + 1 + int(trial.choice(0, 2, 9))
    weights = trial.normal(width)

    def model(window):
        window = np.asarray(window, float)
        if window.shape != (width,):
            raise ValueError(f"the model reads {width} changes, got shape {window.shape}")
        return float(2 * np.tanh(weights @ window) + 0.1)

    return model, 50 + trial.normal(cut + horizon + 2).cumsum(), cut, width, horizon


@exercise(
    "A forecast that looked ahead",
    draw=draw_series,
    names="forecast",
    axes="T",
    combine=3,
    turns={
        "the first window holds the change to `values[cut]`, which is to be forecast": dict(late=1),
        "later windows hold changes that came after the cut: only the forecast ones are known": dict(own=False),
        "each change is added to the last known value: it belongs to the forecast before it": dict(summed=False),
        "these are changes: add them up, beginning with the last known value": dict(start=lambda v, cut, n: 0),
        "the changes are added to `values[cut]`, which is to be forecast": dict(start=lambda v, cut, n: v[cut]),
        "each step starts from the true value before it, which is not known yet": [
            dict(start=lambda v, cut, n: v[cut - 1 : cut - 1 + n], own=own, summed=False) for own in (False, True)
        ],
        "the first window ends one change too early": dict(late=-1),
        "every window is the first one: a forecast change belongs to the next window": dict(moved=False),
    },
    dtypes=("float64",),
)
def forecast_ahead(
    model, values, cut, width, horizon,
    *, late=0, own=True, summed=True, start=lambda v, cut, n: v[cut - 1], moved=True,
):  # fmt: skip
    changes, first = np.diff(values), max(cut - 1 + late, width)
    known, found = list(changes[:first]), []
    for k in range(horizon):
        found.append(model(known[-width:]))
        known += ([found[-1]] if own else [changes[first + k]]) if moved else []
    return start(values, cut, horizon) + (np.cumsum(found) if summed else np.array(found))


class CellBox(Box):
    """One step of an LSTM for one sequence: `cell(x_t, (h, c))` gives the new `(h, c)`."""

    budget = "a push may call the cell once"

    def __init__(self, trial, D, H, runs):
        super().__init__()
        self.runs = runs
        self.weights = [trial.normal(*shape) for shape in ((4 * H, D), (4 * H, H), (4 * H,), (4 * H,))]

    def answer(self, x_t, state):
        return lstm_cell(x_t, state, *self.weights)[0]


PUSHES = 40


def draw_cell(trial):
    """Draw a cell and the number of its units."""
    D, H = trial.sizes("D H")
    return CellBox(trial, D, H, PUSHES), H


def serve(cell, H, *, own=True, forgets=True, carried="hc", shows="h"):
    """Return a server of streams, right without options."""
    states, zero = {}, np.zeros(H)

    def push(client, x_t):
        key = client if own else None
        if x_t is None:
            states.pop(key, None) if forgets else None
            return None
        states[key] = cell(x_t, states.get(key, (zero, zero)))
        h, c = states[key]
        states[key] = h if "h" in carried else zero, c if "c" in carried else zero
        return {"h": h, "c": c}[shows]

    return push


SERVERS = {
    "one client's state is used for another: keep a state for each": [
        dict(own=False, forgets=forgets) for forgets in (True, False)
    ],
    "a client who has left and comes back starts from the old state": dict(forgets=False),
    "every push starts from zeros: keep the state between the pushes": dict(carried=""),
    "only one of h and c is kept between the pushes": [dict(carried="h"), dict(carried="c")],
    "this returns the cell state, the hidden state is expected": dict(shows="c"),
}


def verify_server(push, trial, cell, H):
    """Push numbers of several clients in turn, some of whom leave, and compare with servers right and wrong."""
    rng, D = trial.rng, cell.weights[0].shape[1]
    events = [(int(rng.integers(4)), rng.normal(size=D)) for _ in range(PUSHES)]
    for at in (30, 22, 15, 8):
        events.insert(at, (int(rng.integers(4)), None))
    names = [f"client {k}" for k in range(4)] if trial.choice(True, False) else [0, 1, 2, 3]

    def run(server):
        return [server(names[client], None if x_t is None else x_t.copy()) for client, x_t in events]

    def free(x_t, state):
        return cell.answer(x_t, state)

    right, got = run(serve(free, H)), run(push)
    for want, each in zip(right, got):
        if want is not None and np.shape(each) != np.shape(want):
            return f"a push should return the hidden state, of shape ({H},), got {type(each).__name__} {np.shape(each)}"

    def like(others):
        return all(want is None or np.allclose(each, want, atol=1e-9) for each, want in zip(got, others))

    if like(right):
        return None
    for words, slips in SERVERS.items():
        if any(like(run(serve(free, H, **slip))) for slip in (slips if isinstance(slips, list) else [slips])):
            return words
    return "what it returns is not the hidden state of an LSTM that has read the numbers of this client, and no others"


@exercise(
    "A server for many streams",
    draw=draw_cell,
    verify=verify_server,
    turns=SERVERS,
    dtypes=("float64",),
)
def make_server(cell, H, **slip):
    return serve(cell, H, **slip)


KINDS = ("carried", "reset", "h alone", "exchanged", "expires")


class ServiceBox(Box):
    """An LSTM behind a service that is called chunk by chunk and does something with its states between the calls."""

    runs, budget = 30, "the service can be called 30 times"

    def __init__(self, trial, kind, weights):
        super().__init__()
        self.kind, self.weights, self.state = kind, weights, None
        self.lasts = int(trial.rng.integers(3, 9))  # calls until the state expires

    def answer(self, x):
        x = np.asarray(x, float)
        D = self.weights[0].shape[1]
        if x.ndim != 3 or x.shape[2] != D or not x.size:
            raise ValueError(f"the service reads x of shape (B, T, {D}), got {x.shape}")
        if self.asked and len(x) != len(self.asked[0]):
            raise ValueError(f"the service has {len(self.asked[0])} streams, got {len(x)}: their number has to stay")
        output, (h, c) = run_batch(x, self.weights, self.state)
        self.asked.append(x)
        expired = self.kind == "expires" and len(self.asked) % self.lasts == 0
        self.state = None if self.kind == "reset" or expired else (h, 0 * c if self.kind == "h alone" else c)
        if self.kind == "exchanged":
            self.state = tuple(np.roll(each, 1, axis=0) for each in self.state)
        return output


def run_batch(x, weights, state=None):
    """Run an LSTM over x (B, T, D); return its output (B, T, H) and the states (B, H)."""
    zero = np.zeros((len(x), weights[1].shape[1]))
    output, state, _ = lstm_sequence(np.swapaxes(x, 0, 1), state or (zero, zero), *weights)
    return np.swapaxes(output, 0, 1), state


def draw_service(trial):
    """Draw a service, the LSTM that runs in it, and the number of its inputs."""
    D, H = trial.sizes("D H")
    weights = [trial.normal(*shape) for shape in ((4 * H, D), (4 * H, H), (4 * H,), (4 * H,))]

    def lstm(x, state=None):
        return run_batch(np.asarray(x, float), weights, state)

    return ServiceBox(trial, trial.choice(*KINDS), weights), lstm, D


def diagnose_service(got, want, service, lstm, D):
    calls = service.asked
    if len(calls) < 2:
        return "between two calls the state is carried or not: call the service at least twice"
    alike = len(calls[0]) == 1 or all(np.allclose(x, x[:1]) for x in calls)
    why = {
        "carried": "its second chunk is that of an LSTM which goes on from h and c: with which output did you compare?",
        "reset": "its second chunk is what `lstm` gives for this chunk alone",
        "h alone": "its second chunk is what `lstm` gives from the state (h, 0)",
        "exchanged": "every stream goes on from another stream's state"
        + (", and in your calls there is one stream, or all are alike" if alike else ""),
        "expires": f"its state is reset after {service.lasts} calls, and you made {len(calls)}",
    }[want]
    return f'it takes "{want}" for "{got}": {why}'


@exercise(
    "What happens to the state?",
    draw=draw_service,
    diagnose=diagnose_service,
    words=", ".join(KINDS),
    dtypes=("float64",),
    trials=20,
)
def fate_of_state(service, lstm, D):
    return service.kind
