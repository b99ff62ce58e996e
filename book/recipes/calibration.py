"""Calibrate a classifier: temperature scaling, and the expected calibration error."""

import torch
from torch import nn


def calibration_error(scores, y, bins=15):  # (N, K), (N,)
    """The distance of confidence from accuracy, averaged over bins by their share."""
    confidence, predicted = torch.softmax(scores, dim=1).max(dim=1)  # (N,)
    right = (predicted == y).float()  # (N,)
    bin_of = (confidence * bins).long().clamp(max=bins - 1)  # (N,)
    error = 0.0
    for b in bin_of.unique():
        inside = bin_of == b  # (N,)
        gap = (confidence[inside].mean() - right[inside].mean()).abs()
        error += (inside.float().mean() * gap).item()
    return error


def fit_temperature(scores, y):
    """The T > 0 whose scores / T have the lowest cross-entropy; never on training data."""
    log_T = torch.zeros((), requires_grad=True)  # T = exp(log_T) stays above 0
    optimizer = torch.optim.LBFGS([log_T], max_iter=50, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(scores / log_T.exp(), y)
        loss.backward()
        return loss

    optimizer.step(closure)
    return log_T.exp().item()


# Proof
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
    """The class is the sign of a sum, but one label in five is wrong."""
    x = torch.randn(N, T, 2)
    y = (x[:, :, 0].sum(1) > 0).long()
    return x, torch.where(torch.rand(N) < 0.2, 1 - y, y)


torch.manual_seed(0)
(x, y), (x_valid, y_valid), (x_test, y_test) = draw(200), draw(1000), draw(2000)
model = Classifier()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for _ in range(60):  # too long: it learns the wrong labels by heart
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(x), y).backward()
    optimizer.step()
with torch.no_grad():
    valid, test = model(x_valid), model(x_test)
T = fit_temperature(valid, y_valid)
before, after = calibration_error(test, y_test), calibration_error(test / T, y_test)
print(f"temperature {T:.2f}; calibration error {before:.3f} before, {after:.3f} after")
assert T > 1 and after < before / 2
assert torch.equal((test / T).argmax(1), test.argmax(1))  # the accuracy stays

losses = [nn.functional.cross_entropy(valid / t, y_valid) for t in (T, 0.9 * T, 1.1 * T)]
assert losses[0] < min(losses[1:])
by_hand = torch.tensor([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.4, 0.6]]).log()
answers = torch.tensor([0, 1, 0, 1])  # half right at 0.9, all right at 0.6
assert abs(calibration_error(by_hand, answers, bins=10) - (0.4 + 0.4) / 2) < 1e-6
