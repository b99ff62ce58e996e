"""The LSTM with one part changed, and the loop that runs any cell, in PyTorch: the twin of `in_numpy.variants`."""

import torch
from torch import nn
from torch.nn.functional import layer_norm

from lstm_tutorial.in_torch.cell import _layer, update_cell_state, update_hidden_state
from lstm_tutorial.in_torch.lstm import LSTM
from lstm_tutorial.in_torch.padding import valid_steps
from lstm_tutorial.validation import check_cell, check_choice


def coupled_cell(x, state, *weights):
    """Forget where something is written: i = 1 - f, rows f, g, o (Greff et al. 2015).

    Examples
    --------
    >>> weights = torch.zeros(3, 1), torch.zeros(3, 1), torch.tensor([0.0, 50.0, 50.0]), torch.zeros(3)
    >>> coupled_cell(torch.ones(1), (torch.zeros(1), torch.zeros(1)), *weights)[1]  # f = 0.5, g = 1
    tensor([0.5000])
    """
    z_f, z_g, z_o = _pre_activations(x, state, weights, 3)
    f = torch.sigmoid(z_f)
    c = update_cell_state(f, state[1], 1 - f, torch.tanh(z_g))
    return update_hidden_state(torch.sigmoid(z_o), c), c


def no_forget_gate_cell(x, state, *weights):
    """Keep everything: f = 1, rows i, g, o, the cell of Hochreiter and Schmidhuber (1997).

    Examples
    --------
    >>> weights = torch.zeros(3, 1), torch.zeros(3, 1), torch.tensor([-200.0, 0.0, 0.0]), torch.zeros(3)
    >>> no_forget_gate_cell(torch.ones(1), (torch.zeros(1), torch.tensor([7.0])), *weights)[1]  # i = 0
    tensor([7.])
    """
    z_i, z_g, z_o = _pre_activations(x, state, weights, 3)
    c = update_cell_state(1, state[1], torch.sigmoid(z_i), torch.tanh(z_g))
    return update_hidden_state(torch.sigmoid(z_o), c), c


def no_input_gate_cell(x, state, *weights):
    """Write every candidate whole: i = 1, rows f, g, o (Greff et al. 2015).

    Examples
    --------
    >>> weights = torch.zeros(3, 1), torch.zeros(3, 1), torch.tensor([-200.0, 50.0, 0.0]), torch.zeros(3)
    >>> no_input_gate_cell(torch.ones(1), (torch.zeros(1), torch.tensor([7.0])), *weights)[1]  # f = 0, g = 1
    tensor([1.])
    """
    z_f, z_g, z_o = _pre_activations(x, state, weights, 3)
    c = update_cell_state(torch.sigmoid(z_f), state[1], 1, torch.tanh(z_g))
    return update_hidden_state(torch.sigmoid(z_o), c), c


def no_output_gate_cell(x, state, *weights):
    """Show the whole cell state: o = 1, rows i, f, g (Greff et al. 2015).

    Examples
    --------
    >>> weights = torch.zeros(3, 1), torch.zeros(3, 1), torch.zeros(3), torch.zeros(3)
    >>> no_output_gate_cell(torch.ones(1), (torch.zeros(1), torch.ones(1)), *weights)[1]  # i = f = 0.5, g = 0
    tensor([0.5000])
    """
    z_i, z_f, z_g = _pre_activations(x, state, weights, 3)
    c = update_cell_state(torch.sigmoid(z_f), state[1], torch.sigmoid(z_i), torch.tanh(z_g))
    return update_hidden_state(1, c), c


def layer_norm_cell(x, state, weight_ih, weight_hh, bias_ih, bias_hh, gain_ih, gain_hh, gain_c, bias_c):
    """Normalise both products over the units, and the cell state on its way out (Ba et al. 2016, equations 20 to 22).

    Examples
    --------
    >>> one, zero = torch.ones(8), torch.zeros(8)
    >>> weights = torch.zeros(8, 1), torch.zeros(8, 2), zero, zero, one, one, torch.ones(2), torch.zeros(2)
    >>> layer_norm_cell(torch.ones(1), (torch.zeros(2), torch.tensor([2.0, 4.0])), *weights)[1]  # 0.5 * c_prev
    tensor([1., 2.])
    """
    check_cell(x, state, weight_ih, weight_hh, bias_ih, bias_hh)
    h_prev, c_prev = state
    z = layer_norm(x @ weight_ih.T, gain_ih.shape, gain_ih, bias_ih)
    z = z + layer_norm(h_prev @ weight_hh.T, gain_hh.shape, gain_hh, bias_hh)
    z_i, z_f, z_g, z_o = z.chunk(4, dim=-1)
    c = update_cell_state(torch.sigmoid(z_f), c_prev, torch.sigmoid(z_i), torch.tanh(z_g))
    return update_hidden_state(torch.sigmoid(z_o), layer_norm(c, gain_c.shape, gain_c, bias_c)), c


def _pre_activations(x, state, weights, layers):
    """Check the arguments of a step, and return its pre-activations z, (B, H) each."""
    check_cell(x, state, *weights, layers=layers)
    return _layer(x, state[0], *weights).chunk(layers, dim=-1)


def cell_sequence(cell, x, state, *weights, lengths=None):
    """Run any cell over a batch of sequences x (T, B, D): the loop of `lstm_sequence`.

    `cell(x, state, *weights)` returns the new state, a tuple that begins with h. Returned are the hidden states
    (T, B, H), and the state of each sequence's last valid step.

    Examples
    --------
    >>> weights = torch.zeros(3, 2), torch.zeros(3, 1), torch.zeros(3), torch.zeros(3)
    >>> state = torch.zeros(1, 1), torch.ones(1, 1)
    >>> cell_sequence(coupled_cell, torch.ones(4, 1, 2), state, *weights)[1][1]  # f = 0.5 at each of four steps
    tensor([[0.0625]])
    """
    if lengths is not None:
        valid = valid_steps(lengths, len(x), x.device).T[..., None]  # (T, B, 1)
        x = torch.where(valid, x, 0)
    output = []
    for t, x_t in enumerate(x):
        new = cell(x_t, state, *weights)
        if lengths is not None:  # a sequence that has ended keeps its last state
            new = tuple(torch.where(valid[t], *pair) for pair in zip(new, state, strict=True))
        state = new
        output.append(new[0] if lengths is None else torch.where(valid[t], new[0], 0))
    return torch.stack(output), state


CELLS = {  # kind: what its rows are for, the step
    "coupled": ("fgo", coupled_cell),
    "no forget gate": ("igo", no_forget_gate_cell),
    "no input gate": ("fgo", no_input_gate_cell),
    "no output gate": ("ifg", no_output_gate_cell),
    "layer norm": ("ifgo", layer_norm_cell),
}
GAINS = {"gain_ih": 4, "gain_hh": 4, "gain_c": 1, "bias_c": 1}  # of layer norm: how many times H numbers


class LSTMVariant(LSTM):
    """An `LSTM` in which one part is changed: the twin of `in_numpy.LSTMVariant`.

    Parameters
    ----------
    kind : str
        "coupled": i = 1 - f; "no forget gate": f = 1, the cell of 1997; "no input gate": i = 1; "no output gate":
        o = 1; "layer norm": both products and the cell state on its way out are normalised over the units.
    forget_bias : float, optional
        As for `LSTM`; refused where there is no forget gate.
    input_size, hidden_size, num_layers, batch_first, bidirectional, dropout, rng, dtype
        As for `LSTM`.

    Notes
    -----
    Parameters and sources as in the NumPy twin. Chapter: variants.

    Examples
    --------
    >>> output, (h_n, c_n) = LSTMVariant(10, 5, kind="coupled", rng=0)(torch.ones(7, 4, 10))
    >>> output.shape, c_n.shape
    (torch.Size([7, 4, 5]), torch.Size([1, 4, 5]))
    """

    def __init__(
        self,
        input_size,
        hidden_size,
        num_layers=1,
        *,
        kind,
        batch_first=False,
        bidirectional=False,
        dropout=0.0,
        forget_bias=None,
        rng=None,
        dtype="float32",
    ):
        check_choice("kind", kind, tuple(CELLS))
        self._rows, cell = CELLS[kind]
        if forget_bias is not None and "f" not in self._rows:
            raise ValueError(f"forget_bias must be None where there is no forget gate, got {forget_bias}")
        options = {"batch_first": batch_first, "bidirectional": bidirectional, "dropout": dropout}
        super().__init__(input_size, hidden_size, num_layers, **options, forget_bias=forget_bias, rng=rng, dtype=dtype)
        self.kind, self._cell = kind, cell
        if kind == "layer norm":
            for layer in range(num_layers):
                for direction in range(self._directions):
                    for name, size in GAINS.items():
                        value = torch.full(
                            (size * hidden_size,), float(name != "bias_c"), dtype=self.weight_ih_l0.dtype
                        )
                        self.register_parameter(self._name(name, layer, direction), nn.Parameter(value))

    def forward(self, x, state=None, *, lengths=None):
        """Run the network, as `LSTM` does."""
        return super().forward(x, state, lengths=lengths)

    def _run_layer(self, x, state, weights, lengths):
        return *cell_sequence(self._cell, x, state, *weights, lengths=lengths), ()

    def _weights(self, layer, direction):
        kinds = ["weight_ih", "weight_hh", "bias_ih", "bias_hh", *(GAINS if self.kind == "layer norm" else ())]
        return [getattr(self, self._name(each, layer, direction)) for each in kinds]
