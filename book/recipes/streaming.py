"""Run a trained LSTM one step at a time, as data arrive, with a carried state."""

import torch
from torch import nn


class Stream:
    """Answer each new step of B sequences side by side, and keep their state."""

    def __init__(self, lstm, head):
        if lstm.bidirectional:
            raise ValueError("the reverse direction starts at the end of a sequence")
        if not lstm.batch_first:
            raise ValueError("lstm must have batch_first=True")
        self.lstm, self.head = lstm.eval(), head.eval()  # no dropout
        self.reset()

    def reset(self):
        """Start new sequences, from zeros."""
        self.state = None

    @torch.inference_mode()  # otherwise the state's graph grows with every step
    def step(self, x):
        """x (B, D), one step of each; returns the answers (B, K)."""
        output, self.state = self.lstm(x[:, None], self.state)  # (B, 1, H)
        return self.head(output[:, 0])


# Proof
torch.manual_seed(0)
B, T, D, H, K = 3, 50, 4, 8, 2
lstm = nn.LSTM(D, H, num_layers=2, dropout=0.5, batch_first=True)
head = nn.Linear(H, K)
stream = Stream(lstm, head)
x = torch.randn(B, T, D)
whole = head(lstm(x)[0])  # (B, T, K)

for _ in range(2):  # the second time after a reset
    answers = torch.stack([stream.step(x[:, t]) for t in range(T)], dim=1)
    assert torch.allclose(answers, whole, atol=1e-6)
    assert [part.shape for part in stream.state] == [(2, B, H)] * 2
    assert not any(part.requires_grad for part in stream.state)
    stream.reset()

# Without the state only the first answer is right.
forgetful = torch.cat([head(lstm(x[:, t : t + 1])[0]) for t in range(T)], dim=1)
assert torch.allclose(forgetful[:, 0], whole[:, 0], atol=1e-6)
assert not torch.allclose(forgetful[:, 1:], whole[:, 1:], atol=0.01)

both = nn.LSTM(D, H, batch_first=True, bidirectional=True)
early, late = both(x[:, :2])[0][:, 0], both(x[:, :3])[0][:, 0]
assert not torch.allclose(early, late, atol=0.01)  # a new step changes old answers
try:
    Stream(both, head)
    raise AssertionError("two directions were accepted")
except ValueError as error:
    assert "reverse direction" in str(error)
