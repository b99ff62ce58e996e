"""Wrong answers to the exercises of the chapter state, and words of the message each must get."""

import numpy as np


def detached_hidden_state(lstm, x, y, C):
    """The hidden state is detached; the cell state leads into a graph that is gone."""
    lstm.zero_grad()
    state = None
    for start in range(0, len(x), C):
        output, (h, c) = lstm(x[start : start + C], state)
        ((output - y[start : start + C]) ** 2).sum().backward()
        state = h.detach(), c
    return {name: weight.grad for name, weight in lstm.named_parameters()}


def mean_of_chunks(lstm, x, y, C):
    """Each chunk's loss is a mean, as `mse_loss` gives it."""
    lstm.zero_grad()
    state = None
    for start in range(0, len(x), C):
        output, state = lstm(x[start : start + C], state)
        ((output - y[start : start + C]) ** 2).mean().backward()
        state = tuple(each.detach() for each in state)
    return {name: weight.grad for name, weight in lstm.named_parameters()}


def batches_of_the_loader(tokens, B, T):
    """Rows one behind the other, as a DataLoader over windows gives them."""
    n = (len(tokens) - 1) // (B * T)
    return tokens[: n * B * T].reshape(n, B, T), tokens[1 : n * B * T + 1].reshape(n, B, T)


def straight_lines(x):
    """Gaps filled by interpolation."""
    t, columns = np.arange(len(x)), []
    for series in x.T:
        seen = ~np.isnan(series)
        columns.append(np.interp(t, t[seen], series[seen]) if seen.any() else 0.0 * t)
    since = np.zeros(x.shape)
    for k in range(len(x)):
        since[k] = np.where(np.isnan(x[k]), (since[k - 1] if k else 0) + 1, 0)
    return np.stack(columns, axis=1), ~np.isnan(x), since


def one_step_each_time(model, values, cut, width, horizon):
    """Each window is known when its step comes, but not when the forecast is made."""
    changes = np.diff(values)
    found = [values[j - 1] + model(changes[j - 1 - width : j - 1]) for j in range(cut, cut + horizon)]
    return np.array(found)


def all_over_again(cell, H):
    """All numbers of a client are kept, and read again at each push."""
    sent = {}

    def push(client, x_t):
        if x_t is None:
            return sent.pop(client, None) and None
        sent.setdefault(client, []).append(x_t)
        state = np.zeros(H), np.zeros(H)
        for each in sent[client]:
            state = cell(each, state)
        return state[0]

    return push


def one_for_all(cell, H):
    """One state serves everybody."""
    state = [(np.zeros(H), np.zeros(H))]

    def push(client, x_t):
        if x_t is not None:
            state[0] = cell(x_t, state[0])
            return state[0][0]

    return push


def look(streams=3, calls=12, same=False):
    """Compare some calls with an LSTM that carries its state."""

    def answer(service, lstm, D):
        rng, state = np.random.default_rng(1), None
        for call in range(calls):
            x = rng.normal(size=(1 if same else streams, 2, D)) + np.zeros((streams, 1, 1))
            output = service(x)
            if call and not np.allclose(output, lstm(x, state)[0]):
                if np.allclose(output, lstm(x)[0]):
                    return "expires" if call > 1 else "reset"
                return "h alone" if np.allclose(output, lstm(x, (state[0], 0 * state[1]))[0]) else "exchanged"
            state = lstm(x, state)[1]
        return "carried"

    return answer


WRONG = {
    "chunks_by_hand": [
        (lambda: (6, 2, 0), "the state is carried from chunk to chunk"),
        (lambda: (6, 5, 4.5), "`by_ones`: the last chunk holds step 4 alone"),
    ],
    "what_changes": [
        (lambda: dict.fromkeys("ABCDEFG", "gradient"), "starts from other numbers"),
        (
            lambda: dict(zip("ABCDEFG", ["gradient", "both", "both", "gradient", "neither", "both", "neither"])),
            "in C the gradient",
        ),
    ],
    "chunked_gradients": [
        (detached_hidden_state, "backward through the graph a second time"),
        (mean_of_chunks, "the loss is a sum, this is a mean"),
    ],
    "text_streams": [
        (batches_of_the_loader, "does not go on in row b of the next"),
        (lambda tokens, B, T: (tokens[: len(tokens) // T * T].reshape(-1, T),) * 2, "3 axes are expected"),
    ],
    "fill_and_mark": [
        (straight_lines, "`seen` and `since` are right; `filled`"),
        (lambda x: (np.nan_to_num(x), ~np.isnan(x), np.isnan(x) * 1), "the last one seen, not 0"),
    ],
    "forecast_ahead": [
        (one_step_each_time, "starts from the true value before it"),
        (lambda model, values, cut, width, horizon: values[cut : cut + horizon], "differ"),
    ],
    "make_server": [
        (all_over_again, "a push may call the cell once"),
        (one_for_all, "keep a state for each"),
        (lambda cell, H: lambda client, x_t: np.zeros(H), "the numbers of this client, and no others"),
        (lambda cell, H: np.zeros(H), "is not callable"),
    ],
    "fate_of_state": [
        (look(calls=2), "its state is reset after"),
        (look(streams=1), "there is one stream, or all are alike"),
        (look(same=True), "there is one stream, or all are alike"),
        (lambda service, lstm, D: "carried", "at least twice"),
        (look(calls=40), "can be called 30 times"),
    ],
}
