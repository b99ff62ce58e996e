"""LSTM from the gates up: one machine, written twice, to be read.

`lstm_tutorial.in_numpy` spells out every gradient; `lstm_tutorial.in_torch` lets autograd find them. Both keep the
shapes, the names and the gate order of `torch.nn.LSTM`. This module imports neither.
"""

__version__ = "0.1.0"
