"""Make padded batches, with their lengths, of sequences of unequal length."""

import torch
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader, Dataset, Sampler


class Sequences(Dataset):
    """Lists of token numbers from 1, since 0 is the padding, and their labels."""

    def __init__(self, sequences, labels):
        if empty := [n for n, tokens in enumerate(sequences) if len(tokens) == 0]:
            raise ValueError(f"sequences must have a step; these have none: {empty}")
        self.sequences, self.labels = sequences, labels

    def __len__(self):
        return len(self.sequences)

    def __getitem__(self, n):
        return torch.tensor(self.sequences[n]), self.labels[n]


def collate(samples):
    """Pad a batch to its longest sequence: tokens (B, T), lengths and labels (B,)."""
    sequences, labels = zip(*samples)
    lengths = torch.tensor([len(tokens) for tokens in sequences])  # (B,)
    tokens = pad_sequence(sequences, batch_first=True, padding_value=0)  # (B, T)
    return tokens, lengths, torch.tensor(labels)


class Buckets(Sampler):
    """Batches of similar lengths: sort random pools, then shuffle the batches."""

    def __init__(self, lengths, batch_size, generator, pool=20):
        self.lengths, self.batch_size = torch.as_tensor(lengths), batch_size
        self.generator, self.pool = generator, pool  # pool: in batches

    def __len__(self):
        return -(-len(self.lengths) // self.batch_size)  # rounded up

    def __iter__(self):
        order = torch.randperm(len(self.lengths), generator=self.generator)
        batches = []
        for pool in order.split(self.pool * self.batch_size):
            batches += pool[self.lengths[pool].argsort()].split(self.batch_size)
        for n in torch.randperm(len(batches), generator=self.generator):
            yield batches[n].tolist()


# Proof: the tokens of sequence n are all n + 1, so each row can be checked
torch.manual_seed(0)
generator = torch.Generator().manual_seed(0)
lengths = torch.randint(1, 60, (1000,), generator=generator).tolist()
data = Sequences([[n + 1] * length for n, length in enumerate(lengths)], range(1000))
buckets = Buckets(lengths, 16, generator)
bucketed = DataLoader(data, batch_sampler=buckets, collate_fn=collate)
shuffled = DataLoader(data, 16, shuffle=True, collate_fn=collate)
shares = []  # of padding
for loader in (bucketed, shuffled):
    batches = list(loader)
    assert len(batches) == len(loader) == 63
    seen = torch.cat([labels for _, _, labels in batches])
    assert seen.msort().equal(torch.arange(1000))
    for tokens, length, labels in batches:
        valid = torch.arange(length.max()) < length[:, None]  # (B, T)
        assert torch.equal(tokens, torch.where(valid, labels[:, None] + 1, 0))
    shares.append(1 - sum(lengths) / sum(tokens.numel() for tokens, _, _ in batches))
assert shares[0] < 0.1 < 0.4 < shares[1], shares
assert sorted(buckets) != sorted(buckets)  # every epoch has other batches
try:
    Sequences([[1], []], [0, 1])
    raise AssertionError("a sequence without a step was accepted")
except ValueError as error:
    assert "none: [1]" in str(error)
