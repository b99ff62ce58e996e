"""Tag every step of sequences of unequal length with a bidirectional LSTM."""

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

PAD = -100  # no tag: cross_entropy leaves these steps out


class Tagger(nn.Module):
    """Scores for K tags at each step."""

    def __init__(self, D=1, H=16, K=3, bidirectional=True):
        super().__init__()
        self.lstm = nn.LSTM(D, H, batch_first=True, bidirectional=bidirectional)
        self.head = nn.Linear(2 * H if bidirectional else H, K)

    def forward(self, x, lengths):  # (B, T, D), (B,)
        T = x.shape[1]
        # Packed, so that the reverse direction starts at the last valid step of each sequence.
        x = pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False)
        packed, _ = self.lstm(x)
        output, _ = pad_packed_sequence(packed, batch_first=True, total_length=T)
        return self.head(output)  # (B, T, K)


def loss_and_accuracy(scores, tags):  # (B, T, K), (B, T)
    """Both over valid steps alone."""
    loss = nn.functional.cross_entropy(scores.transpose(1, 2), tags, ignore_index=PAD)
    right = scores.argmax(2) == tags  # (B, T)
    return loss, right[tags != PAD].double().mean().item()


# Proof
def draw(B, generator):
    """Noise; the tag is 1 at a maximum, 2 at a minimum, else 0: both neighbours decide."""
    xs, ys = [], []
    for T in torch.randint(4, 13, (B,), generator=generator).tolist():
        x = torch.randn(T, generator=generator)
        y = torch.zeros(T, dtype=torch.int64)
        y[1:-1][(x[1:-1] > x[:-2]) & (x[1:-1] > x[2:])] = 1
        y[1:-1][(x[1:-1] < x[:-2]) & (x[1:-1] < x[2:])] = 2
        xs.append(x[:, None])
        ys.append(y)
    tags = pad_sequence(ys, batch_first=True, padding_value=PAD)  # (B, T)
    return pad_sequence(xs, batch_first=True), tags, torch.tensor([len(y) for y in ys])


torch.manual_seed(0)
generator = torch.Generator().manual_seed(0)
accuracy = {}
for bidirectional in (False, True):
    model = Tagger(bidirectional=bidirectional)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(130):
        x, tags, lengths = draw(16, generator)
        optimizer.zero_grad()
        loss_and_accuracy(model(x, lengths), tags)[0].backward()
        optimizer.step()
    x, tags, lengths = draw(100, generator)
    _, accuracy[bidirectional] = loss_and_accuracy(model(x, lengths), tags)
assert accuracy[False] < 0.8 and accuracy[True] > 0.9, accuracy

alone = [model(x[b : b + 1, :T], lengths[b : b + 1])[0] for b, T in enumerate(lengths)]
scores, valid_tags = torch.cat(alone), tags[tags != PAD]  # of all valid steps
longer = nn.functional.pad(x, (0, 0, 0, 30), value=9.0)  # more padding changes nothing
tags = nn.functional.pad(tags, (0, 30), value=PAD)
loss, score = loss_and_accuracy(model(longer, lengths), tags)
assert torch.allclose(loss, nn.functional.cross_entropy(scores, valid_tags), atol=1e-6)
assert score == (scores.argmax(1) == valid_tags).double().mean().item()
