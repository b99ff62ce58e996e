"""The LSTM in NumPy, every gradient spelled out."""

from lstm_tutorial.in_numpy.activations import sigmoid, sigmoid_slope, softmax, softmax_backward, tanh, tanh_slope
from lstm_tutorial.in_numpy.attention_pooling import AttentionPool, attention_weights
from lstm_tutorial.in_numpy.cell import (
    candidate,
    forget_gate,
    input_gate,
    lstm_cell,
    lstm_cell_backward,
    output_gate,
    update_cell_state,
    update_hidden_state,
)
from lstm_tutorial.in_numpy.fast import FastLSTM
from lstm_tutorial.in_numpy.layers import Embedding, Layer, Linear
from lstm_tutorial.in_numpy.lstm import LSTM, Gates
from lstm_tutorial.in_numpy.one_to_many import OneToMany
from lstm_tutorial.in_numpy.pooling import (
    decay_weights,
    last_pool,
    last_pool_backward,
    max_pool,
    max_pool_backward,
    mean_pool,
    mean_pool_backward,
    position_weights,
    weighted_pool,
    weighted_pool_backward,
)
from lstm_tutorial.in_numpy.rnn import RNN, rnn_cell
from lstm_tutorial.in_numpy.sequence import lstm_sequence, lstm_sequence_backward
from lstm_tutorial.in_numpy.topologies import ManyToMany, ManyToOne
from lstm_tutorial.in_numpy.training import Adam, clip_gradients, cross_entropy, fit, mse_loss, quantile_loss

__all__ = [
    "LSTM",
    "RNN",
    "Adam",
    "AttentionPool",
    "Embedding",
    "FastLSTM",
    "Gates",
    "Layer",
    "Linear",
    "ManyToMany",
    "ManyToOne",
    "OneToMany",
    "attention_weights",
    "candidate",
    "clip_gradients",
    "cross_entropy",
    "decay_weights",
    "fit",
    "forget_gate",
    "input_gate",
    "last_pool",
    "last_pool_backward",
    "lstm_cell",
    "lstm_cell_backward",
    "lstm_sequence",
    "lstm_sequence_backward",
    "max_pool",
    "max_pool_backward",
    "mean_pool",
    "mean_pool_backward",
    "mse_loss",
    "output_gate",
    "position_weights",
    "quantile_loss",
    "rnn_cell",
    "sigmoid",
    "sigmoid_slope",
    "softmax",
    "softmax_backward",
    "tanh",
    "tanh_slope",
    "update_cell_state",
    "update_hidden_state",
    "weighted_pool",
    "weighted_pool_backward",
]
