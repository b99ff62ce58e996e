"""Tag every step of sequences of unequal length with a bidirectional LSTM."""

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

PAD = -100  # no class: cross_entropy leaves these steps out


class Tagger(nn.Module):
    """Scores for K tags at each step, from both sides of it or from its past alone."""

    def __init__(self, D=1, H=16, K=3, bidirectional=True):
        super().__init__()
        self.lstm = nn.LSTM(D, H, batch_first=True, bidirectional=bidirectional)
        self.head = nn.Linear(2 * H if bidirectional else H, K)

    def forward(self, x, lengths):  # (B, T, D), (B,)
        # Packed, so that the reverse direction starts at each last valid step and not in the padding.
        packed = pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False)
        output, _ = self.lstm(packed)
        output, _ = pad_packed_sequence(output, batch_first=True, total_length=x.shape[1])  # (B, T, 2H)
        return self.head(output)  # (B, T, K)


def loss_and_accuracy(scores, tags):  # (B, T, K), (B, T)
    """Both over valid steps alone."""
    loss = nn.functional.cross_entropy(scores.transpose(1, 2), tags, ignore_index=PAD)
    valid = tags != PAD  # (B, T)
    accuracy = (scores.argmax(2) == tags)[valid].float().mean()
    return loss, accuracy.item()


def draw(B, generator, extra=0):
    """Random sequences; tag 1 at a local maximum, 2 at a local minimum, else 0: it takes both neighbours."""
    sequences, tags = [], []
    for T in torch.randint(5, 20, (B,), generator=generator).tolist():
        x = torch.randn(T, generator=generator)
        left, right = x[1:-1] - x[:-2], x[1:-1] - x[2:]
        y = torch.zeros(T, dtype=torch.int64)
        y[1:-1] = torch.where((left > 0) & (right > 0), 1, torch.where((left < 0) & (right < 0), 2, 0))
        sequences.append(x[:, None])
        tags.append(y)
    lengths = torch.tensor([len(y) for y in tags])
    x = pad_sequence(sequences, batch_first=True)  # (B, T, 1)
    y = pad_sequence(tags, batch_first=True, padding_value=PAD)  # (B, T)
    return x, y, lengths


def accuracy_after_training(model, generator):
    """The accuracy on new sequences after 200 updates."""
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(200):
        x, y, lengths = draw(16, generator)
        optimizer.zero_grad()
        loss_and_accuracy(model(x, lengths), y)[0].backward()
        optimizer.step()
    x, y, lengths = draw(200, generator)
    with torch.no_grad():
        return loss_and_accuracy(model(x, lengths), y)[1]


torch.manual_seed(0)
generator = torch.Generator().manual_seed(0)
both, past = Tagger(), Tagger(bidirectional=False)
assert accuracy_after_training(both, generator) > 0.9 > 0.8 > accuracy_after_training(past, generator)

x, y, lengths = draw(4, generator)
wide = nn.functional.pad(x, (0, 0, 0, 30), value=9.0), nn.functional.pad(y, (0, 30), value=PAD)
with torch.no_grad():
    alone = [both(x[b : b + 1, :T], lengths[b : b + 1])[0] for b, T in enumerate(lengths.tolist())]
    loss, accuracy = loss_and_accuracy(both(x, lengths), y)
    loss_wide, accuracy_wide = loss_and_accuracy(both(wide[0], lengths), wide[1])
    by_hand = nn.functional.cross_entropy(torch.cat(alone), y[y != PAD])
assert torch.allclose(loss, by_hand, atol=1e-6) and torch.allclose(loss_wide, by_hand, atol=1e-6)
assert accuracy == accuracy_wide == (torch.cat(alone).argmax(1) == y[y != PAD]).float().mean().item()
