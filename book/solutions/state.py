"""Solutions to the exercises of the chapter `state`: a function an exercise, under the exercise's name."""

import numpy as np


def chunks_by_hand():
    """The gradient of a: of the whole sequence, in chunks of two steps, in chunks of one."""
    a, c_1, c_2, c_3 = 0.5, 4.0, 3.0, 3.5  # the states before steps 2, 3 and 4
    at_4, at_3, at_2 = c_3, a * c_2, a * a * c_1  # what each step adds
    return at_4 + at_3 + at_2, at_4 + at_3, at_4


def what_changes():
    """What each change to the loop changes: the outputs and the gradient, the gradient alone, or neither."""
    return {
        "A": "gradient",
        "B": "both",
        "C": "gradient",
        "D": "gradient",
        "E": "neither",
        "F": "both",
        "G": "neither",
    }


def chunked_gradients(lstm, x, y, C):
    """Return the gradients of the LSTM's parameters, a dict; none passes from one chunk to the one before."""
    lstm.zero_grad()
    state = None
    for start in range(0, len(x), C):
        output, state = lstm(x[start : start + C], state)
        loss = ((output - y[start : start + C]) ** 2).sum()
        loss.backward()  # adds to the gradients of the chunks before
        state = tuple(each.detach() for each in state)
    return {name: weight.grad for name, weight in lstm.named_parameters()}


def text_streams(tokens, B, T):
    """Return inputs and targets, (n, B, T) each: row b of a chunk goes on in row b of the next."""
    n = (len(tokens) - 1) // (B * T)  # one token more is needed, for the last target
    x = tokens[: B * n * T].reshape(B, n, T)
    y = tokens[1 : B * n * T + 1].reshape(B, n, T)
    return x.transpose(1, 0, 2), y.transpose(1, 0, 2)


def fill_and_mark(x):
    """Return the filled series (T, D), a mask of what was seen, and the steps since each number was seen last."""
    seen = ~np.isnan(x)
    filled, since = np.zeros_like(x), np.zeros(x.shape)
    last, steps = np.zeros(x.shape[1]), np.zeros(x.shape[1])
    for t in range(len(x)):
        last = np.where(seen[t], x[t], last)
        steps = np.where(seen[t], 0, steps + 1)
        filled[t], since[t] = last, steps
    return filled, seen, since


def forecast_ahead(model, values, cut, width, horizon):
    """Forecast values[cut], values[cut + 1] and so on from values[:cut] alone, (horizon,)."""
    changes = list(np.diff(values[:cut]))  # what is known when the forecast is made
    forecast, level = [], values[cut - 1]
    for _ in range(horizon):
        changes.append(model(np.array(changes[-width:])))  # its own forecast is part of the next window
        level = level + changes[-1]
        forecast.append(level)
    return np.array(forecast)


def make_server(cell, H):
    """Return push(client, x_t), which keeps a state for each client."""
    states = {}

    def push(client, x_t):
        if x_t is None:
            states.pop(client, None)
            return None
        if client not in states:
            states[client] = np.zeros(H), np.zeros(H)
        states[client] = cell(x_t, states[client])
        return states[client][0]

    return push


def fate_of_state(service, lstm, D):
    """Run the same random chunks through the service and through an LSTM whose states are known."""
    rng, state = np.random.default_rng(0), None
    for call in range(12):
        x = rng.normal(size=(3, 2, D))  # three streams, all different
        output = service(x)
        if not np.allclose(output, lstm(x, state)[0]):
            if call > 1:
                return "expires"  # it was right at first
            if np.allclose(output, lstm(x)[0]):
                return "reset"
            h, c = state
            return "h alone" if np.allclose(output, lstm(x, (h, 0 * c))[0]) else "exchanged"
        _, state = lstm(x, state)
    return "carried"
