"""Generate text one letter at a time, with temperature and top-p (nucleus) sampling."""

import torch
from torch import nn


class Writer(nn.Module):
    """Scores for the next symbol, and the state to go on from."""

    def __init__(self, K, E=8, H=32):
        super().__init__()
        self.embedding = nn.Embedding(K, E)
        self.lstm = nn.LSTM(E, H, batch_first=True)
        self.head = nn.Linear(H, K)

    def forward(self, symbols, state=None):  # (B, T)
        output, state = self.lstm(self.embedding(symbols), state)
        return self.head(output), state  # (B, T, K)


def probabilities(scores, temperature=1.0, top_p=1.0):  # (..., K)
    """Temperature first; then the fewest symbols whose probabilities reach top_p in sum."""
    p = torch.softmax(scores / temperature, dim=-1)
    if top_p < 1:  # at 1 not even rounding cuts anything
        ordered, symbols = p.sort(dim=-1, descending=True)
        before = ordered.cumsum(-1) - ordered  # the sum of all that are more likely
        ordered = ordered.masked_fill(before >= top_p, 0.0)  # the one that reaches it stays
        p = torch.zeros_like(p).scatter(-1, symbols, ordered)  # in the order of the symbols
    return p / p.sum(-1, keepdim=True)


@torch.no_grad()
def generate(model, start, steps, generator, **options):  # start: (B, 1)
    """Feed each drawn symbol back in, and carry the state from step to step."""
    model.eval()
    symbol, state, drawn = start, None, []
    for _ in range(steps):
        scores, state = model(symbol, state)  # reads one symbol, not the whole text again
        p = probabilities(scores[:, -1], **options)  # (B, K)
        symbol = torch.multinomial(p, 1, generator=generator)  # (B, 1)
        drawn.append(symbol)
    return torch.cat(drawn, dim=1)  # (B, steps)


# Proof
scores = torch.tensor([[3.0, 0.0, 2.0, -1.0], [9.0, 0.0, 0.0, 0.0]])
p = torch.softmax(scores, -1)
assert torch.allclose(probabilities(scores), p)  # plain sampling
assert torch.allclose(probabilities(scores, 0.5), p**2 / (p**2).sum(-1, keepdim=True))
cut = probabilities(scores, top_p=0.8)
assert (cut > 0).tolist() == [[True, False, True, False], [True, False, False, False]]
mass, least = (p * (cut > 0)).sum(-1), p.masked_fill(cut == 0, 1.0).amin(-1)
assert (mass >= 0.8).all() and (mass - least < 0.8).all()  # enough, and no symbol too many
assert torch.allclose(cut * mass[:, None], p * (cut > 0))  # in the same proportions

WORDS, LETTERS = ["red", "green", "blue", "black", "white"], " abcdeghiklnrtuw"
torch.manual_seed(0)
model, generator = Writer(len(LETTERS)), torch.Generator().manual_seed(0)
optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
for _ in range(150):
    picks = torch.randint(len(WORDS), (16, 8), generator=generator)
    texts = [" ".join(WORDS[i] for i in row)[:30] for row in picks]
    x = torch.tensor([[LETTERS.index(letter) for letter in text] for text in texts])
    optimizer.zero_grad()
    predicted, _ = model(x[:, :-1])  # (B, 29, K)
    nn.functional.cross_entropy(predicted.transpose(1, 2), x[:, 1:]).backward()
    optimizer.step()
start = torch.zeros(4, 1, dtype=torch.int64)  # a space
text = generate(model, start, 40, generator, temperature=0.8, top_p=0.9)
written = ["".join(LETTERS[i] for i in row).split(" ")[:-1] for row in text]
assert {word for row in written for word in row} == set(WORDS), written
scores, _ = model(torch.cat([start, text[:, :-1]], dim=1))  # (B, 40, K): read at once
p = probabilities(scores, temperature=0.8, top_p=0.9)
assert (p.gather(2, text[:, :, None]) > 0).all()  # the carried state lost nothing
