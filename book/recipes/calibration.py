"""Make a classifier's probabilities honest after training: temperature scaling and the expected calibration error."""

import torch
from torch import nn


def calibration_error(scores, y, bins=15):  # (N, K), (N,)
    """The mean distance of confidence and accuracy over bins of equal width, each weighted by its share."""
    confidence, predicted = torch.softmax(scores, dim=1).max(dim=1)  # (N,)
    right = (predicted == y).float()
    bin_of = (confidence * bins).long().clamp(max=bins - 1)  # (N,)
    error = 0.0
    for b in bin_of.unique():
        inside = bin_of == b
        error += inside.float().mean() * (confidence[inside].mean() - right[inside].mean()).abs()
    return float(error)


def fit_temperature(scores, y):
    """The T > 0 with which scores / T have the lowest cross-entropy; fit it on data that did not train the network."""
    log_t = torch.zeros(1, requires_grad=True)  # T = exp(log_t) stays above 0
    optimizer = torch.optim.LBFGS([log_t], max_iter=50, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(scores / log_t.exp(), y)
        loss.backward()
        return loss

    optimizer.step(closure)
    return log_t.exp().item()


class Classifier(nn.Module):
    """Scores for K classes from the last hidden state."""

    def __init__(self, D=2, H=32, K=2):
        super().__init__()
        self.lstm = nn.LSTM(D, H, batch_first=True)
        self.head = nn.Linear(H, K)

    def forward(self, x):  # (B, T, D)
        _, (h_n, _) = self.lstm(x)
        return self.head(h_n[-1])  # (B, K)


def draw(N, T=10):
    """The class is the sign of the sum of the first input; one label in five is wrong, so nobody can be sure."""
    x = torch.randn(N, T, 2)
    y = (x[:, :, 0].sum(1) > 0).long()
    return x, torch.where(torch.rand(N) < 0.2, 1 - y, y)


torch.manual_seed(0)
(x, y), (x_valid, y_valid), (x_test, y_test) = draw(100), draw(1000), draw(2000)
model = Classifier()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for _ in range(150):  # too long for so few sequences: the network learns wrong labels by heart
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(x), y).backward()
    optimizer.step()
model.eval()
with torch.no_grad():
    valid, test = model(x_valid), model(x_test)
temperature = fit_temperature(valid, y_valid)
before, after = calibration_error(test, y_test), calibration_error(test / temperature, y_test)
losses = [nn.functional.cross_entropy(scores, y_test).item() for scores in (test, test / temperature)]
print(f"temperature {temperature:.2f}; calibration error {before:.3f}, then {after:.3f}")
assert temperature > 1 and after < before / 2 and losses[1] < losses[0]
assert torch.equal((test / temperature).argmax(1), test.argmax(1))  # the decisions, and the accuracy, stay
for t in (0.9 * temperature, 1.1 * temperature):  # the best on validation
    worse = nn.functional.cross_entropy(valid / t, y_valid)
    assert worse > nn.functional.cross_entropy(valid / temperature, y_valid)
by_hand = torch.log(torch.tensor([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.4, 0.6]]))
answers = torch.tensor([0, 1, 0, 1])  # of the two at 0.9 one is right, of the two at 0.6 both
assert abs(calibration_error(by_hand, answers, bins=10) - (0.5 * 0.4 + 0.5 * 0.4)) < 1e-6
