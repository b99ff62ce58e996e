"""The gated recurrent unit in PyTorch: the twin of `in_numpy.gru`. The order of the rows is r, z, n."""

import torch

from lstm_tutorial.in_torch.lstm import LSTM
from lstm_tutorial.in_torch.variants import cell_sequence
from lstm_tutorial.validation import check_kinds, check_shape


def gru_cell(x, h, weight_ih, weight_hh, bias_ih, bias_hh):
    """Advance a GRU by one step: h = (1 - z) * n + z * h_prev.

    Parameters
    ----------
    x : tensor (B, D) or (D,)
    h : tensor (B, H) or (H,)
    weight_ih, weight_hh, bias_ih, bias_hh : tensors (3H, D), (3H, H), (3H,), (3H,)
        Rows r, z, n: the reset gate, the update gate, the candidate.

    Returns
    -------
    tensor (B, H)
        The new h.

    Notes
    -----
    `torch.nn.GRUCell` is the same. Sources as in the NumPy twin.

    Examples
    --------
    >>> weights = torch.zeros(3, 1), torch.zeros(3, 1), torch.tensor([0.0, 0.0, 50.0]), torch.zeros(3)
    >>> gru_cell(torch.ones(1), torch.zeros(1), *weights)  # r = z = 0.5, n = 1
    tensor([0.5000])
    """
    check_kinds(torch.Tensor, x=x, h=h, weight_ih=weight_ih, weight_hh=weight_hh, bias_ih=bias_ih, bias_hh=bias_hh)
    H = weight_hh.shape[-1]
    check_shape("h", h, (*x.shape[:-1], H))
    check_shape("weight_ih", weight_ih, (3 * H, x.shape[-1]))
    r_from_x, z_from_x, n_from_x = (x @ weight_ih.T + bias_ih).chunk(3, dim=-1)  # (B, H) each
    r_from_h, z_from_h, n_from_h = (h @ weight_hh.T + bias_hh).chunk(3, dim=-1)
    r = torch.sigmoid(r_from_x + r_from_h)
    z = torch.sigmoid(z_from_x + z_from_h)
    n = torch.tanh(n_from_x + r * n_from_h)
    return (1 - z) * n + z * h


class GRU(LSTM):
    """Gated recurrent units over sequences, with the signature and the numbers of `torch.nn.GRU`.

    Parameters
    ----------
    input_size, hidden_size, num_layers, batch_first, bidirectional, dropout, rng, dtype
        As for `LSTM`, whose `forget_bias`, `peephole` and `return_gates` belong to its own gates.

    Notes
    -----
    It runs in the frame of `LSTM`, with `gru_cell` for the cell. Parameters and sources as in the NumPy twin.
    Chapter: variants.

    Examples
    --------
    >>> output, h_n = GRU(10, 5, num_layers=2, bidirectional=True, rng=0)(torch.ones(7, 4, 10))
    >>> output.shape, h_n.shape
    (torch.Size([7, 4, 10]), torch.Size([4, 4, 5]))
    """

    _rows = "rzn"

    def __init__(
        self,
        input_size,
        hidden_size,
        num_layers=1,
        *,
        batch_first=False,
        bidirectional=False,
        dropout=0.0,
        rng=None,
        dtype="float32",
    ):
        options = {"batch_first": batch_first, "bidirectional": bidirectional, "dropout": dropout}
        super().__init__(input_size, hidden_size, num_layers, **options, rng=rng, dtype=dtype)

    def forward(self, x, h_0=None, *, lengths=None):
        """Run the network: as `LSTM`, with one state `h_0` (layers * directions, B, H); return `output` and `h_n`."""
        state = None if h_0 is None else (h_0, h_0)  # the frame carries two states: the second is not used
        output, (h_n, _) = super().forward(x, state, lengths=lengths)
        return output, h_n

    def _run_layer(self, x, state, weights, lengths):
        output, (h,) = cell_sequence(_step, x, state[:1], *weights, lengths=lengths)
        return output, (h, h), ()


def _step(x, state, *weights):
    return (gru_cell(x, state[0], *weights),)
