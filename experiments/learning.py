"""What the studies with networks of torch share: splits with one test part, and training until validation is best.

Every network is trained alike: Adam with decoupled weight decay, gradients clipped at norm 1, one learning rate that is
halved when the validation loss has not improved for 3 epochs; training stops after 6 such epochs, and the weights of
the best epoch count.
"""

import numpy as np
import torch
from protocol import fit_early

from lstm_tutorial.in_torch import ManyToOne, fit


def divide(data, seed):
    """Divide what is not for the test anew, by a seed, into training and validation of the same sizes as before.

    The test part stays, so that nothing that is chosen with any seed has seen an item of it.
    """
    rest = [np.concatenate(arrays) for arrays in zip(data.train, data.validation)]
    order, n = np.random.default_rng(seed).permutation(len(rest[0])), len(data.train[0])
    train, validation = (type(data.train)(*(a[rows] for a in rest)) for rows in (order[:n], order[n:]))
    return data._replace(train=train, validation=validation)


def shuffled(arrays, B, rng):
    """Yield batches of B rows of all arrays, in a new order."""
    order = rng.permutation(len(arrays[0]))
    for k in range(0, len(order), B):
        yield tuple(a[order[k : k + B]] for a in arrays)


def cut(batches):
    """Yield batches of a Batch without the columns in which every row is padding: the same answers, sooner."""
    for x, lengths, y in batches:
        yield x[:, : lengths.max()], lengths, y


class Unpacked(ManyToOne):
    """ManyToOne that reads the padding too: in one direction no state at a valid step depends on it, and it is faster.

    The pool knows the lengths as before, so the answers are those of `ManyToOne`.
    """

    def run(self, x, lengths=None, state=None):
        """Return the output and the final state, which no pool reads."""
        return super().run(x, lengths, state) if self.lstm.bidirectional else self.lstm(x)


def predict(model, *inputs, size=1000):
    """Return what a model gives, without dropout and gradients, `size` rows at a time."""
    model.eval()
    with torch.no_grad():
        parts = [model(*(torch.as_tensor(a[k : k + size]) for a in inputs)) for k in range(0, len(inputs[0]), size)]
    return torch.cat(parts)


def learn(
    model,
    epoch,
    loss,
    validate,
    *,
    lr,
    weight_decay=0.0,
    epochs=100,
    patience=6,
    optimiser=torch.optim.AdamW,
    clip_norm=1.0,
):
    """Train a model until its validation score has not improved for `patience` epochs; leave it with its best weights.

    Parameters
    ----------
    model : torch.nn.Module
    epoch : callable
        `epoch()` returns the batches of an epoch, `(*inputs, target)`.
    loss, validate : callable
        The loss of a batch; the validation score, lower is better.
    lr, weight_decay : float
    epochs, patience : int
        The budget, and how many epochs without a better score end the training.
    optimiser, clip_norm
        torch's class, and the limit of the gradient's norm or None.

    Returns
    -------
    dict
        What `protocol.fit_early` gives, and the training `losses`, the mean of each epoch.
    """
    optimiser = optimiser(model.parameters(), lr=lr, weight_decay=weight_decay)
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimiser, factor=0.5, patience=2)
    best, losses = {}, []

    def update():
        model.train()
        losses.append(float(np.mean(fit(model, epoch(), loss, optimiser, clip_norm=clip_norm, progress=False))))

    def score():
        model.eval()
        with torch.no_grad():
            found = float(validate())
        schedule.step(found)
        return found

    def keep():
        best.update({name: value.clone() for name, value in model.state_dict().items()})

    found = fit_early(update, score, epochs, 1, patience, keep)
    model.load_state_dict(best)
    model.eval()
    return found | {"losses": losses}
