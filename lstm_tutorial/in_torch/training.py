"""The same loop in PyTorch; losses, clipping and Adam are torch's own, whose gradients autograd finds."""

import math

import numpy as np
import torch
from torch.nn import functional
from torch.optim import Adam
from tqdm import tqdm

from lstm_tutorial.validation import (
    as_array,
    check_batch,
    check_floating,
    check_kinds,
    check_loss,
    check_norm,
    check_number,
    check_quantiles,
    check_shape,
    check_targets,
    is_integer,
)

__all__ = ["Adam", "clip_gradients", "cross_entropy", "fit", "mse_loss", "quantile_loss"]


def mse_loss(prediction, target):
    """Return the mean of the squared errors.

    Parameters
    ----------
    prediction, target : tensors of one shape
        torch's own broadcasts (N, 1) and (N,) to (N, N), which is hardly ever meant; here that is refused.

    Raises
    ------
    ValueError, TypeError
        If the shapes differ, or one of the two is not a tensor.

    Examples
    --------
    >>> mse_loss(torch.tensor([1.0, 3.0]), torch.tensor([1.0, 1.0]))
    tensor(2.)
    """
    check_kinds(torch.Tensor, prediction=prediction, target=target)
    check_shape("target", target, tuple(prediction.shape))
    return functional.mse_loss(prediction, target)


def cross_entropy(logits, target, ignore_index=-100):
    """Return the mean cross-entropy, in nats: the mean of -log p of the right classes.

    Parameters
    ----------
    logits : tensor (..., K)
        Scores, before softmax, with at least one axis before K. (torch keeps the classes in axis 1.)
    target : integer tensor, array or list (...)
        Classes from 0 to K - 1, integers of any size; steps that hold `ignore_index` do not count.
    ignore_index : int

    Returns
    -------
    tensor ()

    Raises
    ------
    ValueError, TypeError
        If the shapes do not fit, a class does not exist, or every target is ignored: a mean of nothing does not exist,
        and torch's own is NaN.

    Examples
    --------
    >>> round(cross_entropy(torch.zeros(2, 4), torch.tensor([3, -100])).item(), 4)
    1.3863
    """
    check_kinds(torch.Tensor, logits=logits)
    check_floating("logits", logits)
    if not torch.is_tensor(target):
        target = torch.as_tensor(as_array("target", target), device=logits.device)
    target = target.long() if is_integer(target) else target
    check_targets(target, logits.shape, ignore_index)
    rows = logits.flatten(0, -2)  # torch keeps classes in axis 1
    classes = target.flatten()
    return functional.cross_entropy(rows, classes, ignore_index=ignore_index)


def quantile_loss(prediction, target, quantiles):
    """Return the mean quantile loss of predicted quantiles.

    Parameters
    ----------
    prediction : tensor (..., Q)
        The quantiles of a number, in the order of `quantiles`.
    target : tensor (...)
        The number that came.
    quantiles : sequence of Q floats between 0 and 1
        0.1 asks for a value that the target lies below one time in ten.

    Returns
    -------
    tensor ()
        The mean over targets and quantiles of q (target - prediction) where that is positive, and of
        (1 - q) (prediction - target) elsewhere. In the units of the target.

    Raises
    ------
    ValueError, TypeError
        If the shapes do not fit, a quantile is not between 0 and 1, or an argument is not a tensor.

    Notes
    -----
    Also called the pinball loss. Koenker and Bassett (1978). Chapter: state.

    Examples
    --------
    >>> quantile_loss(torch.tensor([[10.0, 20.0]]), torch.tensor([25.0]), [0.1, 0.9])
    tensor(3.)
    """
    check_kinds(torch.Tensor, prediction=prediction, target=target)
    check_quantiles(quantiles)
    check_shape("prediction", prediction, (*target.shape, len(quantiles)))
    q = prediction.new_tensor(quantiles)
    error = target[..., None] - prediction  # (..., Q)
    return torch.where(error >= 0, q * error, (q - 1) * error).mean()


def clip_gradients(parameters, max_norm):
    """Scale all gradients together so that their joint norm is at most `max_norm`; return it as it was.

    Notes
    -----
    Pascanu, Mikolov and Bengio (2013). torch divides by the norm plus 1e-6. Chapter: memory.

    Examples
    --------
    >>> weight = torch.nn.Parameter(torch.zeros(2))
    >>> weight.grad = torch.tensor([3.0, 4.0])
    >>> clip_gradients([weight], max_norm=1.0), weight.grad
    (tensor(5.), tensor([0.6000, 0.8000]))
    """
    check_number("max_norm", max_norm, 0, math.inf)
    return torch.nn.utils.clip_grad_norm_(parameters, max_norm)


def fit(network, batches, loss, optimiser, *, clip_norm=1.0, progress=True):
    """Update a network once for each batch.

    Parameters
    ----------
    network : torch.nn.Module
        Called with a batch's inputs.
    batches : iterable of tuples
        `(*inputs, target)`, arrays or tensors; an input may be None, such as lengths that are not needed.
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
        When a loss or a gradient is not finite; the message says what else is not. The network keeps the parameters of
        the update before. An error that the network or the loss raises comes through as it is.
    TypeError
        If a batch is no such tuple, or the loss is not a tensor.

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
        check_batch(batch)
        *inputs, target = map(as_tensor, batch)
        prediction = network(*inputs)
        value = loss(prediction, target)
        check_kinds(torch.Tensor, **{"loss(prediction, target)": value})
        check_loss(value.item(), update, inputs, prediction, target)
        optimiser.zero_grad()
        value.backward()
        norm = clip_gradients(network.parameters(), math.inf if clip_norm is None else clip_norm)
        check_norm(norm.item(), update)
        optimiser.step()
        losses.append(value.item())
    return losses


def as_tensor(value):
    """Return an array or a number of a batch as a tensor; tensors and None as they are."""
    if value is None or torch.is_tensor(value):
        return value
    return torch.as_tensor(as_array("an array of the batch", value) if isinstance(value, np.ndarray) else value)
