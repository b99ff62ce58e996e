"""Generate text one symbol at a time, with temperature and top-p (nucleus) sampling."""

import torch
from torch import nn

WORDS = "red green blue black white".split()
LETTERS = sorted(set(" ".join(WORDS)))  # the space ends a word


class Writer(nn.Module):
    """Scores for the next letter, and the state to go on from."""

    def __init__(self, K=len(LETTERS), E=8, H=32):
        super().__init__()
        self.embedding = nn.Embedding(K, E)
        self.lstm = nn.LSTM(E, H, batch_first=True)
        self.head = nn.Linear(H, K)

    def forward(self, letters, state=None):  # (B, T)
        output, state = self.lstm(self.embedding(letters), state)
        return self.head(output), state  # (B, T, K)


def probabilities(scores, temperature=1.0, top_p=1.0):  # (B, K)
    """Temperature first; then the smallest set of symbols whose probability reaches top_p, rescaled to sum to 1."""
    p = torch.softmax(scores / temperature, dim=-1)
    ordered, symbols = p.sort(dim=-1, descending=True)
    before = ordered.cumsum(-1) - ordered  # the probability of all more likely symbols
    ordered = ordered.masked_fill(before >= top_p, 0.0)  # so the most likely one is always kept
    kept = torch.zeros_like(p).scatter(-1, symbols, ordered)  # back in the order of the symbols
    return kept / kept.sum(-1, keepdim=True)


@torch.no_grad()
def generate(model, start, steps, generator, **options):  # start: (B, 1)
    """Feed each drawn symbol back in, and carry the state from step to step."""
    model.eval()
    letter, state, drawn = start, None, []
    for _ in range(steps):
        scores, state = model(letter, state)  # reads one symbol, not the whole text again
        letter = torch.multinomial(probabilities(scores[:, -1], **options), 1, generator=generator)  # (B, 1)
        drawn.append(letter)
    return torch.cat(drawn, dim=1)  # (B, steps)


scores = torch.tensor([[3.0, 0.0, 2.0, -1.0], [9.0, 0.0, 0.0, 0.0]])
p = torch.softmax(scores, -1)
assert torch.allclose(probabilities(scores), p)  # temperature 1 and top-p 1: plain sampling
kept = probabilities(scores, top_p=0.8) > 0
assert kept.tolist() == [[True, False, True, False], [True, False, False, False]]
mass = (p * kept).sum(-1)
assert (mass >= 0.8).all() and (mass - p.masked_fill(~kept, 1.0).amin(-1) < 0.8).all()  # the smallest such set
assert torch.allclose(probabilities(scores, temperature=0.5), p**2 / (p**2).sum(-1, keepdim=True))

torch.manual_seed(0)
model, generator = Writer(), torch.Generator().manual_seed(0)
optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
for _ in range(150):
    picks = torch.randint(len(WORDS), (16, 8), generator=generator).tolist()
    texts = [" ".join(WORDS[i] for i in row)[:30] for row in picks]
    x = torch.tensor([[LETTERS.index(letter) for letter in text] for text in texts])  # (B, 30)
    optimizer.zero_grad()
    predicted, _ = model(x[:, :-1])
    nn.functional.cross_entropy(predicted.transpose(1, 2), x[:, 1:]).backward()
    optimizer.step()
start = torch.full((4, 1), LETTERS.index(" "))
text = generate(model, start, 40, generator, temperature=0.8, top_p=0.9)
words = " ".join("".join(LETTERS[i] for i in row).rsplit(" ", 1)[0] for row in text.tolist()).split()
assert set(words) == set(WORDS), words  # none that is wrong, and all of them occur
with torch.no_grad():
    step, state = model(start)
    for t in range(39):
        step, state = model(text[:, t : t + 1], state)
    whole, _ = model(torch.cat([start, text[:, :39]], dim=1))
assert torch.allclose(step[:, -1], whole[:, -1], atol=1e-5)  # the carried state loses nothing
