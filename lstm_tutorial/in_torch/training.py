"""The same loop in PyTorch; losses, clipping and Adam are torch's own, whose gradients autograd finds."""

import math

import torch
from torch.nn.functional import mse_loss
from torch.optim import Adam
from tqdm import tqdm

__all__ = ["Adam", "clip_gradients", "cross_entropy", "fit", "mse_loss"]


def cross_entropy(logits, target, ignore_index=-100):
    """Return the mean surprise at the right classes in nats; logits (..., K), target (...), as in the NumPy twin.

    Examples
    --------
    >>> round(cross_entropy(torch.zeros(2, 4), torch.tensor([3, -100])).item(), 4)
    1.3863
    """
    rows, classes = logits.flatten(0, -2), target.flatten()  # torch keeps classes in axis 1
    return torch.nn.functional.cross_entropy(rows, classes, ignore_index=ignore_index)


def clip_gradients(parameters, max_norm):
    """Scale all gradients together so that their joint norm is at most `max_norm`; return it as it was.

    Examples
    --------
    >>> weight = torch.nn.Parameter(torch.zeros(2))
    >>> weight.grad = torch.tensor([3.0, 4.0])
    >>> clip_gradients([weight], max_norm=1.0), weight.grad
    (tensor(5.), tensor([0.6000, 0.8000]))
    """
    return torch.nn.utils.clip_grad_norm_(parameters, max_norm)


def fit(network, batches, loss, optimiser, *, clip_norm=1.0, progress=True):
    """Update a network once for each batch.

    Parameters
    ----------
    network : torch.nn.Module
        Called with a batch's inputs.
    batches : iterable of tuples
        `(*inputs, target)`, arrays or tensors.
    loss : callable
        `loss(prediction, target)` gives the loss.
    optimiser : torch.optim.Optimizer
    clip_norm : float or None
        See `clip_gradients`.
    progress : bool
        Whether to show a bar, which goes away at the end.

    Returns
    -------
    list of float
        The loss of each batch, before its update.

    Raises
    ------
    FloatingPointError
        When a loss or a gradient is not finite. The network keeps the parameters of the update before.

    Examples
    --------
    >>> _ = torch.manual_seed(0)
    >>> x, network = torch.eye(3), torch.nn.Linear(3, 1)
    >>> batches = [(x, x[:, :1])] * 200
    >>> losses = fit(network, batches, mse_loss, Adam(network.parameters(), lr=0.05), progress=False)
    >>> losses[-1] < 1e-3 < losses[0]
    True
    """
    losses = []
    for update, batch in enumerate(tqdm(batches, leave=False) if progress else batches):
        *inputs, target = (torch.as_tensor(each) for each in batch)
        value = loss(network(*inputs), target)
        if not math.isfinite(value.item()):
            raise FloatingPointError(f"the loss must stay finite, got {value} at update {update}; is lr too high?")
        optimiser.zero_grad()
        value.backward()
        norm = clip_gradients(network.parameters(), math.inf if clip_norm is None else clip_norm)
        if not math.isfinite(norm):
            raise FloatingPointError(f"the gradients must stay finite, got a norm of {norm} at update {update}")
        optimiser.step()
        losses.append(value.item())
    return losses
