"""From one vector to a sequence: every output is fed back as the next input."""

import numpy as np

from lstm_tutorial.in_numpy.activations import softmax, tanh, tanh_slope
from lstm_tutorial.in_numpy.layers import Embedding, Layer, Linear
from lstm_tutorial.in_numpy.lstm import LSTM
from lstm_tutorial.in_numpy.padding import fill_padding, valid_steps
from lstm_tutorial.in_numpy.topologies import build_lstm
from lstm_tutorial.validation import as_array, check_choice, check_number, check_shape, check_sizes, check_tokens


class OneToMany(Layer):
    """Read one vector, write a sequence: every output is fed back as the next input.

    Parameters
    ----------
    input_size, hidden_size, output_size : int
        Size of the vector; H; K, the size of an output, or the number of different tokens.
    condition : str
        Where the vector goes: "state" makes the initial h and c of it, "input" repeats it beside every input.
    embedding : int, optional
        Size of the vector that stands for each token; outputs are then scores of tokens, and a token is fed back.
    stop : int, optional
        The token that ends a sequence in `generate`.
    lstm, rng, dtype, options
        See `ManyToOne`.

    Examples
    --------
    >>> model = OneToMany(10, 8, 2, rng=0)
    >>> model(np.zeros((4, 10)), steps=5).shape
    (4, 5, 2)
    """

    def __init__(
        self,
        input_size,
        hidden_size,
        output_size,
        *,
        condition="state",
        embedding=None,
        stop=None,
        lstm=LSTM,
        rng=None,
        dtype="float32",
        **options,
    ):
        super().__init__()
        check_choice("condition", condition, ("state", "input"))
        check_sizes(input_size=input_size, hidden_size=hidden_size, output_size=output_size)
        if stop is not None and (embedding is None or not 0 <= stop < output_size):
            raise ValueError(f"stop must be one of {output_size} tokens, got {stop} with embedding={embedding}")
        rng = np.random.default_rng(rng)
        dtype = lstm.dtype if isinstance(lstm, LSTM) else dtype
        self.embedding = None
        if embedding is not None:
            check_sizes(embedding=embedding)
            self.embedding = Embedding(output_size + 1, embedding, rng=rng, dtype=dtype)  # the last one says: start
        fed = (embedding or output_size) + (input_size if condition == "input" else 0)
        self.lstm = build_lstm(lstm, fed, hidden_size, rng, dtype, options)
        if self.lstm.bidirectional:
            raise ValueError("lstm must read forwards only, got bidirectional=True: the next output is not there yet")
        self.to_state = None
        if condition == "state":
            self.to_state = Linear(input_size, 2 * self.lstm.num_layers * hidden_size, rng=rng, dtype=dtype)
        self.head = Linear(hidden_size, output_size, rng=rng, dtype=dtype)
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.output_size = output_size
        self.condition = condition
        self.stop = stop

    def __call__(self, x, steps=None, *, targets=None, lengths=None):
        """Write a sequence for each vector.

        Parameters
        ----------
        x : array (B, input_size)
        steps : int
            How many outputs to write, each fed back as it is, or as its likeliest token. `backward` needs targets.
        targets : array (B, T, K) or tokens (B, T), instead of `steps`
            Teacher forcing: what is fed back is the target, not the output. For training only.
        lengths : sequence of int, shape (B,), optional
            Valid steps of the targets.

        Returns
        -------
        array (B, T, K)
            Outputs, or scores of tokens; with lengths 0 past them.
        """
        x = as_array("x", x)
        check_shape("x", x, ("B", self.input_size))
        if (steps is None) == (targets is None):
            raise ValueError("steps or targets must be given, and not both")
        if steps is not None:
            return self._write(x, steps, lambda scores: scores.argmax(axis=-1))[0]
        if self.embedding is not None:
            targets = check_tokens(as_array("targets", targets), self.output_size, lengths)
            start = np.full((len(x), 1), self.output_size)
        else:
            targets = as_array("targets", targets)
            check_shape("targets", targets, (len(x), "T", self.output_size))
            start = np.zeros((len(x), 1, self.output_size), targets.dtype)
        fed = self._feed(np.concatenate([start, targets[:, :-1]], axis=1))  # (B, T, ...): shifted by a step
        state = self._state(x)
        output, _ = self.lstm(self._beside(fed, x), state, lengths=lengths)
        valid = valid_steps(lengths, output.shape[1])
        self._cache = valid, fed.shape, state
        return fill_padding(self.head(output), valid, 0)

    def backward(self, d_scores):
        """Return d_x of the last forward, which was given targets; `gradients` then holds every parameter's."""
        valid, (B, T, fed_size), state = self._last_forward()
        d_scores = as_array("d_scores", d_scores)
        check_shape("d_scores", d_scores, (B, T, self.output_size))
        d_output = self.head.backward(fill_padding(d_scores, valid, 0))  # scores = fill_padding(head(output), valid, 0)
        self._cache = None
        d_read, d_state = self.lstm.backward(d_output)
        if self.embedding is not None:
            self.embedding.backward(d_read[..., :fed_size])
        if self.condition == "input":
            return d_read[..., fed_size:].sum(axis=1)  # x was repeated beside every input
        d_h_0 = d_state[0] * tanh_slope(state[0])  # h_0 = tanh(to_state(x)), first half
        d_rows = np.stack([d_h_0, d_state[1]]).transpose(2, 0, 1, 3)  # (B, 2, layers, H)
        return self.to_state.backward(d_rows.reshape(len(d_rows), -1))

    def generate(self, x, steps, *, temperature=0.0, rng=None):
        """Write tokens until each sequence has stopped, or for `steps`.

        Parameters
        ----------
        x : array (B, input_size)
        steps : int
            The longest a sequence may become.
        temperature : float
            Scores are divided by it before a token is drawn; 0 takes the likeliest, always.
        rng : numpy.random.Generator, int or None

        Returns
        -------
        tokens : array (B, T)
            The stop token from where a sequence has ended.
        lengths : array (B,)
            Tokens of each before the stop.
        """
        x = as_array("x", x)
        check_shape("x", x, ("B", self.input_size))
        check_number("temperature", temperature, 0, np.inf)
        if self.embedding is None:
            raise ValueError("generate needs tokens: build the network with embedding=")
        rng = np.random.default_rng(rng)

        def pick(scores):
            if temperature == 0:
                return scores.argmax(axis=-1)
            below = softmax(scores.astype("float64") / temperature).cumsum(axis=-1)
            return (below < rng.random((len(scores), 1)) * below[:, -1:]).sum(axis=-1)

        _, tokens = self._write(x, steps, pick)
        if self.stop is None:
            return tokens, np.full(len(x), tokens.shape[1])
        stopped = np.cumsum(tokens == self.stop, axis=1) > 0
        return np.where(stopped, self.stop, tokens), (~stopped).sum(axis=1)

    def _write(self, x, steps, pick):
        """Feed outputs back; return scores (B, T, K) and, where there is an embedding, the tokens (B, T)."""
        check_sizes(steps=steps)
        embeds = self.embedding is not None
        fed = np.full((len(x), 1), self.output_size) if embeds else np.zeros((len(x), 1, self.output_size))
        state, outputs, tokens = self._state(x), [], []
        for _ in range(steps):
            output, state = self.lstm(self._beside(self._feed(fed), x), state, keep_cache=False)
            outputs.append(self.head(output[:, 0]))
            tokens.append(pick(outputs[-1]) if embeds else outputs[-1])
            fed = tokens[-1][:, None]
            if self.stop is not None and (np.stack(tokens, axis=1) == self.stop).any(axis=1).all():
                break
        self._cache = None
        return np.stack(outputs, axis=1), np.stack(tokens, axis=1)

    def _state(self, x):
        if self.to_state is None:
            return None
        rows = self.to_state(x).reshape(len(x), 2, self.lstm.num_layers, self.hidden_size)
        h_0, c_0 = rows.transpose(1, 2, 0, 3)
        return tanh(h_0), c_0  # each (layers, B, H)

    def _feed(self, y):
        return y if self.embedding is None else self.embedding(y)

    def _beside(self, fed, x):
        if self.condition == "state":
            return fed
        return np.concatenate([fed, np.broadcast_to(x[:, None], (*fed.shape[:2], x.shape[1]))], axis=-1)
