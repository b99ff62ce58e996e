"""Compare the gradients of several workers, and of accumulation, with those of one worker that has the whole batch.

    torchrun --nproc-per-node 2 experiments/scale/gradients.py

In float64, without dropout, for three batches of 64 names: rows as they come, rows of similar length (`batches`), and
sorted, so that one worker gets the short names and the other the long ones. Prints, as JSON, the largest absolute
difference and the norm of the difference by that of the gradient: with the sum over tokens divided by the tokens of all
workers, and with the usual mean of each worker's mean; the same for micro-batches on one worker.
"""

import json
import os

import torch
import torch.distributed as dist
from torch.nn.functional import cross_entropy
from torch.nn.parallel import DistributedDataParallel
from train import IGNORE, Network, batches, collate, names, token_sums

B = 64


def gradient(model):
    """Return all gradients in one vector, and forget them."""
    found = torch.cat([p.grad.flatten() for p in model.parameters()])
    model.zero_grad()
    return found


def mean_loss(model, x, y):
    """Return the usual mean over the tokens of one batch."""
    return cross_entropy(model(x).flatten(0, 1), y.flatten(), ignore_index=IGNORE)


def compare(found, right):
    """Return the largest absolute difference, and the norm of the difference relative to the right gradient."""
    return {"largest": (found - right).abs().max().item(), "relative": ((found - right).norm() / right.norm()).item()}


def main():
    """Print the comparisons on the first worker."""
    dist.init_process_group("gloo")
    rank, world = dist.get_rank(), dist.get_world_size()
    torch.manual_seed(0)
    model = Network().double().eval()
    parallel, examples = DistributedDataParallel(model), names()[0]
    lengths, first = torch.tensor(list(map(len, examples))), torch.arange(B)
    kinds = {
        "as they come": first,
        "similar length": batches(lengths, B, 0, 0)[0],
        "sorted": first[lengths[first].argsort()],
    }
    results = {}
    for kind, rows in kinds.items():
        parts = [rows[k::world] for k in range(world)] if kind != "sorted" else rows.tensor_split(world)
        shares = [collate([examples[n] for n in part], "cpu") for part in parts]
        mean_loss(model, *collate([examples[n] for n in rows], "cpu")).backward()
        right = gradient(model)

        loss, (_, tokens) = token_sums(parallel, *shares[rank])
        (loss * world / tokens).backward()
        by_tokens = gradient(model)
        mean_loss(parallel, *shares[rank]).backward()  # DDP takes the mean of these means
        by_means = gradient(model)

        for x, y in shares:  # gradient accumulation on one worker
            total = cross_entropy(model(x).flatten(0, 1), y.flatten(), ignore_index=IGNORE, reduction="sum")
            (total / tokens).backward()
        accumulated = gradient(model)
        for x, y in shares:
            (mean_loss(model, x, y) / world).backward()
        accumulated_means = gradient(model)

        results[kind] = {
            "tokens": [(y != IGNORE).sum().item() for _, y in shares],
            "workers, sum over tokens": compare(by_tokens, right),
            "workers, mean of means": compare(by_means, right),
            "accumulation, sum over tokens": compare(accumulated, right),
            "accumulation, mean of means": compare(accumulated_means, right),
        }
    if rank == 0:
        print(json.dumps(results))
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
