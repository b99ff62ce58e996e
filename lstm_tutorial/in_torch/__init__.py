"""The LSTM in PyTorch: the same names and shapes, gradients by autograd."""

from lstm_tutorial.in_torch.cell import (
    candidate,
    forget_gate,
    input_gate,
    lstm_cell,
    output_gate,
    update_cell_state,
    update_hidden_state,
)
from lstm_tutorial.in_torch.dependencies import dependency_matrix
from lstm_tutorial.in_torch.encoder_decoder import Attention, EncoderDecoder
from lstm_tutorial.in_torch.lstm import LSTM, Gates
from lstm_tutorial.in_torch.one_to_many import OneToMany
from lstm_tutorial.in_torch.sequence import lstm_sequence
from lstm_tutorial.in_torch.topologies import ManyToMany, ManyToOne
from lstm_tutorial.in_torch.training import Adam, clip_gradients, cross_entropy, fit, mse_loss
from lstm_tutorial.in_torch.variants import RNN, rnn_cell

__all__ = [
    "LSTM",
    "RNN",
    "Adam",
    "Attention",
    "EncoderDecoder",
    "Gates",
    "ManyToMany",
    "ManyToOne",
    "OneToMany",
    "candidate",
    "clip_gradients",
    "cross_entropy",
    "dependency_matrix",
    "fit",
    "forget_gate",
    "input_gate",
    "lstm_cell",
    "lstm_sequence",
    "mse_loss",
    "output_gate",
    "rnn_cell",
    "update_cell_state",
    "update_hidden_state",
]
