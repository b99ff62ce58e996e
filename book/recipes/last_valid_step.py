"""Take the state after the last valid step of padded sequences."""

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


def last_one_way(lstm, x, lengths):
    """One direction, not packed: x (B, T, D), lengths (B,); returns (B, H)."""
    output, _ = lstm(x)  # (B, T, H)
    return output[torch.arange(len(x)), lengths - 1]


def last_packed(lstm, x, lengths):
    """One direction or two: returns (B, H) or (B, 2H), in the batch's order."""
    lengths = lengths.cpu()
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    _, (h_n, _) = lstm(packed)  # (layers * directions, B, H)
    directions = 2 if lstm.bidirectional else 1
    return torch.cat(list(h_n[-directions:]), dim=1)  # of the last layer


# Proof: each sequence alone, without padding, gives the same
torch.manual_seed(0)
B, T, D, H = 4, 9, 3, 5
lengths = torch.tensor([4, 9, 1, 6])  # in any order
padding = torch.arange(T) >= lengths[:, None]  # (B, T)
x = torch.randn(B, T, D).masked_fill(padding[..., None], 100.0)
rows = torch.arange(B)

for bidirectional in (False, True):
    lstm = nn.LSTM(D, H, num_layers=2, batch_first=True, bidirectional=bidirectional)
    found = last_packed(lstm, x, lengths)
    for b, length in enumerate(lengths):
        _, (h_n, _) = lstm(x[b : b + 1, :length])
        last_layer = h_n[2:] if bidirectional else h_n[1:]
        assert torch.allclose(found[b], last_layer.flatten(), atol=1e-6)
    if not bidirectional:
        assert torch.allclose(found, last_one_way(lstm, x, lengths), atol=1e-6)
        assert not torch.allclose(found, lstm(x)[0][:, -1], atol=0.1)  # padding

# The reverse direction ends at step 0, and must not begin in the padding.
packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
output, _ = pad_packed_sequence(lstm(packed)[0], batch_first=True)  # (B, T, 2H)
assert torch.equal(found[:, :H], output[rows, lengths - 1, :H])
assert torch.equal(found[:, H:], output[:, 0, H:])
assert not torch.allclose(found[:, H:], output[rows, lengths - 1, H:], atol=0.01)
unpacked, _ = lstm(x)
assert not torch.allclose(found[:, H:], unpacked[:, 0, H:], atol=0.01)

try:  # "meta" stands for a graphics card
    pack_padded_sequence(x, lengths.msort().flip(0).to("meta"), batch_first=True)
    raise AssertionError("lengths on another device were accepted")
except RuntimeError as error:
    assert "should be a 1D CPU int64 tensor" in str(error)
