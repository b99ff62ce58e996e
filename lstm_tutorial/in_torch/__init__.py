"""The LSTM in PyTorch: the same names and shapes, gradients by autograd."""

from lstm_tutorial.in_torch.attention_pooling import AttentionPool, attention_weights
from lstm_tutorial.in_torch.cell import (
    candidate,
    forget_gate,
    input_gate,
    lstm_cell,
    output_gate,
    update_cell_state,
    update_hidden_state,
)
from lstm_tutorial.in_torch.dependency_matrix import dependency_matrix
from lstm_tutorial.in_torch.encoder_decoder import Attention, EncoderDecoder
from lstm_tutorial.in_torch.lstm import LSTM, Gates
from lstm_tutorial.in_torch.one_to_many import OneToMany
from lstm_tutorial.in_torch.pooling import (
    decay_weights,
    last_pool,
    max_pool,
    mean_pool,
    position_weights,
    weighted_pool,
)
from lstm_tutorial.in_torch.rnn import RNN, rnn_cell
from lstm_tutorial.in_torch.sequence import lstm_sequence
from lstm_tutorial.in_torch.topologies import ManyToMany, ManyToOne
from lstm_tutorial.in_torch.training import Adam, clip_gradients, cross_entropy, fit, mse_loss, quantile_loss

__all__ = [
    "LSTM",
    "RNN",
    "Adam",
    "Attention",
    "AttentionPool",
    "EncoderDecoder",
    "Gates",
    "ManyToMany",
    "ManyToOne",
    "OneToMany",
    "attention_weights",
    "candidate",
    "clip_gradients",
    "cross_entropy",
    "decay_weights",
    "dependency_matrix",
    "fit",
    "forget_gate",
    "input_gate",
    "last_pool",
    "lstm_cell",
    "lstm_sequence",
    "max_pool",
    "mean_pool",
    "mse_loss",
    "output_gate",
    "position_weights",
    "quantile_loss",
    "rnn_cell",
    "update_cell_state",
    "update_hidden_state",
    "weighted_pool",
]
