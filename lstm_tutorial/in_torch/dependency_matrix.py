"""Which output step depends on which input step, measured by the gradients."""

import torch
from torch import nn

from lstm_tutorial.validation import check_kinds, check_shape


def dependency_matrix(model, x):
    """Measure how much each output step of a network depends on each input step.

    Parameters
    ----------
    model : torch.nn.Module
        Maps a batch of one, x (1, T, D) or tokens (1, T), to (1, S, K), or to (1, K), which counts as one step. Of
        several results the first is taken. For tokens the gradient is that of the vectors from the network's first
        `nn.Embedding`.
    x : tensor (1, T, D) or integer tensor (1, T)

    Returns
    -------
    tensor (S, T)
        Norm of the Jacobian of output step s with respect to input step t: 0 where s does not depend on t.

    Raises
    ------
    ValueError, TypeError
        If x is no tensor of one sequence, or holds tokens and the network has no `nn.Embedding`.

    Notes
    -----
    Chapters: shapes, many-to-many.

    Examples
    --------
    >>> lstm = torch.nn.LSTM(2, 3, batch_first=True)
    >>> (dependency_matrix(lstm, torch.ones(1, 3, 2)) > 0).int()
    tensor([[1, 0, 0],
            [1, 1, 0],
            [1, 1, 1]], dtype=torch.int32)
    """
    check_kinds(torch.Tensor, x=x)
    check_shape("x", x, (1, "T", "D") if x.is_floating_point() else (1, "T"))
    leaves = []
    handles = []
    if x.is_floating_point():
        x = x.detach().clone().requires_grad_()
        leaves.append(x)
    else:
        embeddings = [module for module in model.modules() if isinstance(module, nn.Embedding)]
        if not embeddings:
            raise ValueError("model must have an nn.Embedding when x holds tokens, found none")

        def watch(module, args, vectors):
            leaves.append(vectors.detach().requires_grad_())
            return leaves[-1]

        handles.append(embeddings[0].register_forward_hook(watch))
    try:
        output = model(x)
    finally:
        for handle in handles:
            handle.remove()
    output = output[0] if isinstance(output, tuple) else output
    output = output[0] if output.ndim == 3 else output  # (S, K)
    rows = []
    for step in output:
        squares = 0
        for value in step:
            (gradient,) = torch.autograd.grad(value, leaves[0], retain_graph=True)  # (1, T, D)
            squares = squares + gradient[0].square().sum(dim=-1)
        rows.append(squares.sqrt())
    return torch.stack(rows)
