"""Train an LSTM on one worker or on many, lose nothing, and say what went wrong: a program to take home.

    torchrun --nproc-per-node 2 experiments/scale/train.py run
    TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1 torchrun --nproc-per-node 2 --max-restarts 3 experiments/scale/train.py run

The network reads a place name and predicts the next letter at every step. All that belongs to this task is in `names`
and `Network`. Started again on the same folder, the program goes on after the last whole checkpoint.
The variable lets restarted workers find one another: without it they look for the dead ones (pytorch issue 135712).
"""

import argparse
import hashlib
import json
import os
import shutil
import sys
from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as dist
import torch.distributed.checkpoint as dcp
from torch import nn
from torch.distributed.checkpoint.state_dict import get_state_dict, set_state_dict
from torch.nn.functional import cross_entropy
from torch.nn.parallel import DistributedDataParallel
from torch.nn.utils.rnn import pad_sequence
from tqdm import tqdm

from lstm_tutorial.data import city_names

IGNORE = -100  # the target of a padded step
RANDOM = torch.cuda if torch.cuda.is_available() else torch  # dropout draws there


def names():
    """Return training and validation examples, each a list of token tensors that begin with 1 and end with 2."""
    data = city_names(rng=0)
    parts = [zip(part.x, part.lengths) for part in (data.train, data.validation)]
    return [[torch.tensor([1, *x[:n].tolist(), 2]) for x, n in part] for part in parts]


class Network(nn.Module):
    """Embedding, LSTM, dropout and a linear layer: scores (B, T, K) of the next token."""

    def __init__(self, K=32, E=32, H=96):
        super().__init__()
        self.embedding, self.lstm = nn.Embedding(K, E), nn.LSTM(E, H, batch_first=True)
        self.head = nn.Sequential(nn.Dropout(0.3), nn.Linear(H, K))

    def forward(self, x):
        """Map tokens (B, T) to scores; one direction never reads what follows, so padding needs no lengths here."""
        return self.head(self.lstm(self.embedding(x))[0])


def batches(lengths, B, seed, epoch):
    """Return the batches of an epoch, the same on every worker: rows of similar length, in a new order."""
    rng = torch.Generator().manual_seed(1000 * seed + epoch)
    order = torch.randperm(len(lengths), generator=rng)
    order = torch.cat([pool[lengths[pool].argsort(stable=True)] for pool in order.split(16 * B)])
    parts = order.tensor_split(max(1, len(order) // B))  # B rows or a few more
    return [parts[k] for k in torch.randperm(len(parts), generator=rng)]


def collate(examples, device):
    """Return padded inputs and targets, (B, T) each; a worker without an example gets a row that counts nothing."""
    x = pad_sequence([each[:-1] for each in examples] or [torch.ones(1, dtype=torch.long)], batch_first=True)
    y = [each[1:] for each in examples] or [torch.full((1,), IGNORE)]
    return x.to(device), pad_sequence(y, batch_first=True, padding_value=IGNORE).to(device)


def token_sums(model, x, y):
    """Return the sum of the losses of this worker's tokens, and (loss, tokens) summed over all workers."""
    scores = model(x).flatten(0, 1)
    total = cross_entropy(scores, y.flatten(), ignore_index=IGNORE, reduction="sum")
    both = torch.stack([total.detach().double(), (y != IGNORE).sum().double()])
    dist.all_reduce(both)
    return total, both


@torch.no_grad()
def evaluate(model, examples, device, B=256):
    """Return the mean loss per token; every worker evaluates its share."""
    model.eval()
    rank, world = dist.get_rank(), dist.get_world_size()
    shares = [examples[k : k + B * world][rank::world] for k in range(0, len(examples), B * world)]
    loss, tokens = sum(token_sums(model, *collate(share, device))[1] for share in shares)
    model.train()
    return (loss / tokens).item()


def digests(folder):
    """Return the SHA-256 digest of every file of a checkpoint."""
    files = sorted(each for each in folder.iterdir() if each.name != "digests.json")
    return {each.name: hashlib.sha256(each.read_bytes()).hexdigest() for each in files}


def is_whole(folder):
    """Whether a checkpoint holds what was written."""
    try:
        return json.loads((folder / "digests.json").read_text()) == digests(folder)
    except (OSError, ValueError):
        return False


def save(out, step, state, keep=2):
    """Write a checkpoint aside, then rename it: under its name it is whole, or it was damaged later."""
    draft, final = out / f"draft-{step:06}", out / f"step-{step:06}"
    if dist.get_rank() == 0:
        shutil.rmtree(draft, ignore_errors=True)
    dist.barrier()
    dcp.save(state, checkpoint_id=draft)  # every worker writes its part
    if dist.get_rank() == 0:
        (draft / "digests.json").write_text(json.dumps(digests(draft)))
        shutil.rmtree(final, ignore_errors=True)
        draft.rename(final)
        for old in sorted(out.glob("step-*"))[:-keep]:
            shutil.rmtree(old)
    dist.barrier()


def latest(out):
    """Return the last whole checkpoint or None, the same on all workers."""
    found = [None]
    if dist.get_rank() == 0:
        for folder in sorted(out.glob("step-*"), reverse=True):
            if is_whole(folder):
                found = [folder]
                break
            print(f"{folder} is damaged: using the checkpoint before it", file=sys.stderr)
    dist.broadcast_object_list(found)
    return found[0]


def state_of(model, optimiser, position):
    """Return all that a run depends on. Random states belong to a worker, the rest is the same on all."""
    weights, moments = get_state_dict(model, optimiser)
    name = f"random {dist.get_rank()} of {dist.get_world_size()}"
    return {"model": weights, "optimiser": moments, "position": position, name: RANDOM.get_rng_state()}


def resume(folder, model, optimiser, position):
    """Load a checkpoint into model, optimiser and position; random states only for the same number of workers."""
    saved = dcp.FileSystemReader(folder).read_metadata().state_dict_metadata
    state = state_of(model, optimiser, position)
    state = {key: each for key, each in state.items() if key in saved or not key.startswith("random")}
    dcp.load(state, checkpoint_id=folder)
    set_state_dict(model, optimiser, model_state_dict=state["model"], optim_state_dict=state["optimiser"])
    position.update(state["position"])
    for key in state.keys() - {"model", "optimiser", "position"}:
        RANDOM.set_rng_state(state[key])


def train(args, device):
    """Train until the last epoch; return the validation loss per token."""
    rank, world, out = dist.get_rank(), dist.get_world_size(), args.out
    torch.manual_seed(args.seed)  # the same initial weights everywhere
    examples, validation = names()
    model = Network().to(device)
    parallel = DistributedDataParallel(model)
    optimiser = torch.optim.Adam(model.parameters(), lr=args.lr)
    torch.manual_seed(1000 * args.seed + rank)  # other dropout on every worker
    position, lengths = {"step": 0}, torch.tensor(list(map(len, examples)))
    if folder := latest(out):
        resume(folder, model, optimiser, position)
    log = open(out / "losses.txt" if rank == 0 else os.devnull, "a")  # noqa: SIM115
    print(file=log, flush=True)  # ends a line that a crash cut off
    steps = len(batches(lengths, args.batch, args.seed, 0))  # of every epoch
    hidden = rank > 0 or not sys.stderr.isatty()
    bar = tqdm(total=args.epochs * steps, initial=position["step"], disable=hidden, unit="step")
    for epoch in range(position["step"] // steps, args.epochs):
        for rows in batches(lengths, args.batch, args.seed, epoch)[position["step"] % steps :]:
            x, y = collate([examples[n] for n in rows[rank::world]], device)
            loss, (loss_sum, tokens) = token_sums(parallel, x, y)
            optimiser.zero_grad()
            # DDP divides the gradients' sum by world: a mean over all tokens is left.
            (loss * world / tokens).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            position["step"] += 1
            print(position["step"], (loss_sum / tokens).item().hex(), file=log, flush=True)
            if position["step"] % args.every == 0:
                save(out, position["step"], state_of(model, optimiser, position))
            bar.update()
        bar.set_postfix(validation=f"{evaluate(model, validation, device):.3f}", epoch=epoch + 1)
    bar.close()
    save(out, position["step"], state_of(model, optimiser, position))
    return evaluate(model, validation, device)


def losses(out):
    """Return {step: training loss}; a step that was trained again after a crash counts once."""
    lines = (line.split() for line in (out / "losses.txt").read_text().splitlines())
    return {int(line[0]): float.fromhex(line[1]) for line in lines if len(line) == 2}


def main():
    """Read the options, join the other workers, train, and say in one line what went wrong."""
    parser = argparse.ArgumentParser(description="Train an LSTM on one worker or, started by torchrun, on many.")
    parser.add_argument("out", type=Path, help="folder for checkpoints and losses, seen by all workers")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch", type=int, default=64, help="examples of all workers together")
    parser.add_argument("--lr", type=float, default=1e-2)
    parser.add_argument("--every", type=int, default=20, help="steps between checkpoints")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--timeout", type=float, default=300, help="seconds to wait for a worker that does not answer")
    args = parser.parse_args()
    rank, world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    if args.batch < world:
        parser.error(f"--batch must be at least the number of workers, {world}, got {args.batch}")
    args.out.mkdir(parents=True, exist_ok=True)
    cuda, device = torch.cuda.is_available(), "cpu"
    if cuda:
        torch.cuda.set_device(device := torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0))))
    alone = {} if world > 1 else dict(store=dist.HashStore(), rank=0, world_size=1)
    torch.set_num_threads(1)  # one worker a core
    try:
        dist.init_process_group("nccl" if cuda else "gloo", timeout=timedelta(seconds=args.timeout), **alone)
        score = train(args, device)
        dist.destroy_process_group()
    except (dist.DistError, RuntimeError) as error:
        late = f"another did not answer within {args.timeout:g} s: " if "timed out" in str(error).lower() else ""
        sys.exit(f"worker {rank} of {world} stopped: {late}{str(error).splitlines()[0]}")
    if rank == 0:
        print(f"validation loss {score:.4f} nats per token after {args.epochs} epochs, {world} workers")


if __name__ == "__main__":
    main()
