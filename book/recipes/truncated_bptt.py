"""Train on long sequences in chunks: the state is carried, the gradient is cut."""

import torch
from torch import nn


def train_in_chunks(lstm, head, optimiser, x, y, chunk):
    """Read x (B, T, D) once; the targets y are (B, T, K). Returns the mean loss."""
    state, losses = None, []  # None: new sequences start from zeros
    for x_part, y_part in zip(x.split(chunk, dim=1), y.split(chunk, dim=1)):
        output, state = lstm(x_part, state)
        loss = (head(output) - y_part).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        state = tuple(part.detach() for part in state)  # the same numbers, no graph
        losses.append(loss.item())
    return sum(losses) / len(losses)


# Proof: it learns the sum of the last three inputs
torch.manual_seed(0)
B, T, H, chunk = 16, 100, 16, 5
lstm, head = nn.LSTM(1, H, batch_first=True), nn.Linear(H, 1)
optimiser = torch.optim.Adam([*lstm.parameters(), *head.parameters()], lr=2e-2)
losses = []
for _ in range(10):
    x = torch.randn(B, T, 1)
    y = x + x.roll(1, dims=1) + x.roll(2, dims=1)  # the first two cannot be known
    losses.append(train_in_chunks(lstm, head, optimiser, x, y, chunk))
assert losses[0] > 1.5 and losses[-1] < 0.3, losses

# Forward, chunks that carry the state are exact.
whole, _ = lstm(x)
first, state = lstm(x[:, :chunk])
second, _ = lstm(x[:, chunk:], state)
assert torch.allclose(whole, torch.cat([first, second], dim=1), atol=1e-6)
assert not torch.allclose(second[:, 0], lstm(x[:, chunk:])[0][:, 0], atol=0.01)

# Backward, nothing reaches the chunk before: causes further back are not learnt.
x.requires_grad_()
_, state = lstm(x[:, :chunk])
second, _ = lstm(x[:, chunk:], tuple(part.detach() for part in state))
(d_x,) = torch.autograd.grad(second.sum(), x)
assert (d_x[:, :chunk] == 0).all() and (d_x[:, chunk:] != 0).all()


def error_without_detach(retain_graph):
    """Return the message in which the second chunk's backward pass ends."""
    first, state = lstm(x[:, :chunk])
    first.sum().backward(retain_graph=retain_graph)
    optimiser.step()  # changes the weights that a kept graph still needs
    second, _ = lstm(x[:, chunk:], state)
    try:
        second.sum().backward()
    except RuntimeError as error:
        return str(error)


assert "through the graph a second time" in error_without_detach(retain_graph=False)
assert "modified by an inplace operation" in error_without_detach(retain_graph=True)
