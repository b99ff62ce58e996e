"""Losses with their gradients, gradient clipping, Adam, and one loop that fits a network."""

from collections.abc import Mapping

import numpy as np
from tqdm import tqdm

from lstm_tutorial.validation import (
    as_array,
    check_batch,
    check_kinds,
    check_loss,
    check_norm,
    check_number,
    check_quantiles,
    check_shape,
    check_targets,
    is_integer,
)


def mse_loss(prediction, target):
    """Return the mean of the squared errors, and the gradient of the prediction.

    Parameters
    ----------
    prediction, target : arrays of one shape

    Returns
    -------
    loss : float
    d_prediction : array, the shape of the prediction

    Examples
    --------
    >>> loss, d_prediction = mse_loss(np.array([1.0, 3.0]), np.array([1.0, 1.0]))
    >>> float(loss), d_prediction
    (2.0, array([0., 2.]))
    """
    prediction = as_array("prediction", prediction)
    target = as_array("target", target)
    check_shape("target", target, prediction.shape)
    error = prediction - target
    return np.mean(error**2), 2 * error / error.size


def cross_entropy(logits, target, ignore_index=-100):
    """Return the mean negative log-likelihood of the right classes in nats, and the gradient of the logits.

    Parameters
    ----------
    logits : array (..., K)
        Scores, before softmax, with at least one axis before the classes.
    target : array (...) of integers of any size
        Classes from 0 to K - 1; steps that hold `ignore_index` do not count. (torch keeps the classes in axis 1.)
    ignore_index : int

    Returns
    -------
    loss : float
    d_logits : array (..., K)
        Softmax minus one-hot, over the number of steps that count.

    Raises
    ------
    ValueError
        Also where no step counts, because the mean of nothing is not a number. (torch returns NaN.)

    Examples
    --------
    >>> loss, d_logits = cross_entropy(np.zeros((2, 4)), np.array([3, -100]))
    >>> round(float(loss), 4), d_logits[0]
    (1.3863, array([ 0.25,  0.25,  0.25, -0.75]))
    """
    logits = as_array("logits", logits)
    target = as_array("target", target)
    target = target.astype(np.int64) if is_integer(target) else target
    check_targets(target, logits.shape, ignore_index)
    counts = target != ignore_index
    classes = np.where(counts, target, 0)
    z = logits - logits.max(axis=-1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
    picked = np.take_along_axis(log_p, classes[..., None], axis=-1)[..., 0]
    n = counts.sum()
    d_logits = np.exp(log_p)
    np.put_along_axis(d_logits, classes[..., None], np.exp(picked)[..., None] - 1, axis=-1)
    return -np.where(counts, picked, 0).sum() / n, np.where(counts[..., None], d_logits, 0) / n


def quantile_loss(prediction, target, quantiles):
    """Return the mean quantile loss of predicted quantiles, and the gradient of the prediction.

    Parameters
    ----------
    prediction : array (..., Q)
        The quantiles of a number, in the order of `quantiles`.
    target : array (...)
        The number that came.
    quantiles : sequence of Q floats between 0 and 1
        0.1 asks for a value that the target lies below one time in ten.

    Returns
    -------
    loss : float
        The mean over targets and quantiles of q (target - prediction) where that is positive, and of
        (1 - q) (prediction - target) elsewhere. In the units of the target.
    d_prediction : array (..., Q)
        -q or 1 - q, over the number of predictions.

    Raises
    ------
    ValueError
        If the shapes do not fit, or a quantile is not between 0 and 1.

    Notes
    -----
    Also called the pinball loss. Koenker and Bassett (1978). Chapter: state.

    Examples
    --------
    >>> loss, d_prediction = quantile_loss(np.array([[10.0, 20.0]]), np.array([25.0]), [0.1, 0.9])
    >>> float(loss), d_prediction
    (3.0, array([[-0.05, -0.45]]))
    """
    prediction = as_array("prediction", prediction)
    target = as_array("target", target)
    check_quantiles(quantiles)
    check_shape("prediction", prediction, (*target.shape, len(quantiles)))
    q = np.asarray(quantiles, prediction.dtype)
    error = target[..., None] - prediction  # (..., Q)
    low = error >= 0  # the prediction is too low, or right
    return np.mean(np.where(low, q * error, (q - 1) * error)), np.where(low, -q, 1 - q) / error.size


def clip_gradients(gradients, max_norm):
    """Scale all gradients together, in place, so that their joint norm is at most `max_norm`; return it as it was.

    Notes
    -----
    Pascanu, Mikolov and Bengio (2013): the direction stays, the step is bounded. torch divides by the norm plus 1e-6.

    Examples
    --------
    >>> gradients = {"weight": np.array([3.0, 0.0]), "bias": np.array([4.0])}
    >>> float(clip_gradients(gradients, max_norm=1.0)), gradients["bias"].round(3)
    (5.0, array([0.8]))
    """
    check_kinds(Mapping, gradients=gradients)
    check_number("max_norm", max_norm, 0, np.inf)
    norm = np.sqrt(sum(np.vdot(d, d) for d in gradients.values()))
    if norm > max_norm:
        for d in gradients.values():
            d *= max_norm / norm
    return norm


class Adam:
    """Adam (Kingma and Ba 2015): steps scaled by running means of the gradient and of its square.

    Parameters
    ----------
    parameters : dict of str to array
        Updated in place, as `layer.parameters` gives them.
    lr : float
    betas : tuple of float
        How much of each running mean stays at every step.
    eps : float

    Raises
    ------
    ValueError
        If there are no parameters, as where a network's layers were not found; in `step`, if a gradient is missing.

    Examples
    --------
    >>> parameters = {"weight": np.array([1.0, 1.0])}
    >>> Adam(parameters, lr=0.1).step({"weight": np.array([5.0, -0.01])})
    >>> parameters["weight"].round(3)  # the first step has size lr, whatever the gradient's
    array([0.9, 1.1])
    """

    def __init__(self, parameters, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        check_kinds(Mapping, parameters=parameters)
        if not parameters:
            raise ValueError("parameters must hold at least one array, got none")
        check_number("lr", lr, 0, np.inf)
        self.parameters = dict(parameters)
        self.lr = lr
        self.betas = betas
        self.eps = eps
        self.mean = {name: np.zeros_like(value) for name, value in self.parameters.items()}
        self.square = {name: np.zeros_like(value) for name, value in self.parameters.items()}
        self.steps = 0

    def step(self, gradients):
        """Update every parameter once."""
        missing = [name for name in self.parameters if name not in gradients]
        if missing:
            raise ValueError(f"gradients must hold one for every parameter, got none for {missing}")
        for name, parameter in self.parameters.items():
            check_shape(f"the gradient of {name}", gradients[name], parameter.shape)
        self.steps += 1
        beta_1, beta_2 = self.betas
        for name, parameter in self.parameters.items():
            d, mean, square = gradients[name], self.mean[name], self.square[name]
            mean += (1 - beta_1) * (d - mean)
            square += (1 - beta_2) * (d * d - square)
            unbiased = np.sqrt(square / (1 - beta_2**self.steps)) + self.eps
            parameter -= self.lr / (1 - beta_1**self.steps) * mean / unbiased


def fit(network, batches, loss, optimiser, *, clip_norm=1.0, progress=True):
    """Update a network once for each batch.

    Parameters
    ----------
    network : Layer
        Called with a batch's inputs; its `backward` takes the gradient of the prediction.
    batches : iterable of tuples
        `(*inputs, target)`, for instance `(x, lengths, target)`.
    loss : callable
        `loss(prediction, target)` gives the loss and the gradient of the prediction.
    optimiser : Adam
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
    >>> from lstm_tutorial.in_numpy.layers import Linear
    >>> x, network = np.eye(3), Linear(3, 1, rng=0)
    >>> batches = [(x, x[:, :1])] * 200
    >>> losses = fit(network, batches, mse_loss, Adam(network.parameters, lr=0.05), progress=False)
    >>> losses[-1] < 1e-3 < losses[0]
    True
    """
    losses = []
    for update, batch in enumerate(tqdm(batches, leave=False) if progress else batches):
        check_batch(batch)
        *inputs, target = batch
        prediction = network(*inputs)
        value, d_prediction = loss(prediction, target)
        check_loss(value, update, inputs, prediction, target)
        network.zero_grad()  # what takes no part in this backward then has a gradient of 0
        network.backward(d_prediction)
        gradients = network.gradients
        norm = clip_gradients(gradients, np.inf if clip_norm is None else clip_norm)
        check_norm(norm, update)
        optimiser.step(gradients)
        losses.append(float(value))
    return losses
