"""Train one small network for many seeds at once: every array has the seed as its first axis, S.

On a processor the time of a small network goes into calling the operations, so 20 seeds together cost little more than
one. Each seed has initial weights and data of its own, its own clipped gradient and its own Adam, so its run is what
`torch.nn.LSTM` or `torch.nn.RNN` with a linear head on h_T would give alone (`tests/test_studies.py` compares them).
"""

import numpy as np
import torch
from protocol import share, still_falling, streams
from torch.nn.functional import binary_cross_entropy_with_logits, mse_loss


def initial(kind, D, H, seeds, forget_bias=None, chrono=None, dtype=torch.float32):
    """Return the parameters of torch's networks by name, each (S, ...): seed by seed as torch initialises them.

    `forget_bias` b sets the forget rows of `bias_ih` to b and those of `bias_hh` to 0. `chrono` T draws the forget bias
    of each unit as log(u), u uniform from 1 to T - 1, and sets that of its input gate to -log(u) (Tallec and Ollivier
    2018).
    """
    found = []
    with torch.random.fork_rng():
        for seed in seeds:
            torch.manual_seed(seed)
            recurrent, head = getattr(torch.nn, kind)(D, H), torch.nn.Linear(H, 1)
            each = {name.removesuffix("_l0"): value.detach() for name, value in recurrent.named_parameters()}
            bias = forget_bias
            if chrono is not None:
                bias = torch.log(1 + (chrono - 2) * torch.rand(H))
                each["bias_ih"][:H], each["bias_hh"][:H] = -bias, 0
            if bias is not None:
                each["bias_ih"][H : 2 * H], each["bias_hh"][H : 2 * H] = bias, 0
            found.append(each | {name: value.detach() for name, value in head.named_parameters()})
    return {name: torch.stack([each[name] for each in found]).to(dtype) for name in found[0]}


def forward(p, x, keep=True):
    """Read x (S, B, T, D); return h_T (S, B, H) and, if asked to `keep` it, what `backward` needs.

    tanh(z) is computed as 2 sigmoid(2 z) - 1, which torch does several times faster: hence the rows times 2.
    """
    S, B, T, D = x.shape
    H, lstm = p["weight_hh"].shape[-1], p["weight_hh"].shape[1] == 4 * p["weight_hh"].shape[2]
    twice = x.new_full((p["weight_hh"].shape[1],), 2)
    if lstm:
        twice[: 2 * H] = twice[3 * H :] = 1
    bias = (p["bias_ih"] + p["bias_hh"])[..., None]
    weight = (torch.cat([p["weight_ih"], bias, p["weight_hh"]], dim=2).mT * twice).contiguous()  # (S, D+1+H, 4H or H)
    xh = x.new_ones(T + 1, S, B, D + 1 + H)  # the input, a 1 for the bias and the state before each step
    xh[:T, ..., :D], xh[0, ..., D + 1 :] = x.permute(2, 0, 1, 3), 0
    steps, c = [], x.new_zeros(S, B, H)
    for t in range(T):
        a = torch.bmm(xh[t], weight).sigmoid_()
        if lstm:
            i, f, g, o = a.split(H, dim=-1)
            g, c_prev = 2 * g - 1, c
            c = torch.addcmul(f * c_prev, i, g)
            tanh_c = torch.sigmoid(2 * c).mul_(2).sub_(1)
            torch.mul(o, tanh_c, out=xh[t + 1, ..., D + 1 :])
            step = (a, g, c_prev, tanh_c)
        else:
            torch.sub(2 * a, 1, out=xh[t + 1, ..., D + 1 :])
            step = (a,)
        if keep:
            steps.append(step)
    return xh[T, ..., D + 1 :], (weight, twice, xh, steps)


def backward(kept, d_h, need_x=False):
    """Return the gradients of the recurrent parameters by name and, if asked for, of x (S, B, T, D)."""
    weight, twice, xh, steps = kept
    T, S, B, _ = xh.shape
    H, back = d_h.shape[-1], weight.mT.contiguous()
    D = weight.shape[1] - 1 - H
    d_x = d_h.new_empty(S, B, T - 1, D) if need_x else None
    d_c, d_weight = torch.zeros_like(d_h), torch.zeros_like(weight)
    for t in reversed(range(T - 1)):
        a = steps[t][0]
        if len(steps[t]) > 1:
            _, g, c_prev, tanh_c = steps[t]
            i, f, _, o = a.split(H, dim=-1)
            d_c = torch.addcmul(d_c, d_h * o, 1 - tanh_c * tanh_c)
            d_a = torch.cat([d_c * g, d_c * c_prev, 2 * d_c * i, d_h * tanh_c], dim=-1)
            d_c = d_c * f
        else:
            d_a = 2 * d_h
        d_z = torch.addcmul(a, a, a, value=-1).mul_(d_a)
        d_weight.baddbmm_(xh[t].mT, d_z)
        d_xh = torch.bmm(d_z, back)
        d_h = d_xh[..., D + 1 :]
        if need_x:
            d_x[:, :, t] = d_xh[..., :D]
    d_ih, d_bias, d_hh = (d_weight * twice).mT.split([D, 1, H], dim=2)
    return {"weight_ih": d_ih, "weight_hh": d_hh, "bias_ih": d_bias[..., 0], "bias_hh": d_bias[..., 0]}, d_x


def answer(p, h):
    """Return what the head says of h (S, B, H): one number a sequence, (S, B)."""
    return torch.bmm(h, p["weight"].mT)[..., 0] + p["bias"]


def gradients(p, x, y, binary):
    """Return the losses (S,) and the gradients by name; y (S, B) is 0 or 1 if `binary`, else a number."""
    h, kept = forward(p, x)
    said = answer(p, h)
    loss = (binary_cross_entropy_with_logits if binary else mse_loss)(said, y, reduction="none").mean(dim=1)
    d_said = ((torch.sigmoid(said) - y) if binary else 2 * (said - y)) / y.shape[1]  # (S, B)
    d_head = {"weight": torch.bmm(d_said[:, None], h), "bias": d_said.sum(dim=1, keepdim=True)}
    found, _ = backward(kept, d_said[..., None] * p["weight"])
    return loss, found | d_head


class Adam:
    """Adam as in torch, with a learning rate for each seed, after clipping each seed's gradient to norm 1."""

    def __init__(self, p, lr, clip_norm=1.0):
        self.lr, self.clip_norm, self.count = torch.as_tensor(lr, dtype=torch.float32), clip_norm, 0
        sizes = [value[0].numel() for value in p.values()]
        self.m, self.v = next(iter(p.values())).new_zeros(2, len(self.lr), sum(sizes))

    def update(self, p, d):
        """Change the parameters p in place, by their gradients d."""
        self.count += 1
        norm = torch.stack([each.flatten(1).square().sum(dim=1) for each in d.values()]).sum(dim=0).sqrt()
        scale = (self.clip_norm / (norm + 1e-6)).clamp(max=1)
        each = torch.cat([d[name].flatten(1) for name in p], dim=1).mul_(scale[:, None])
        self.m.lerp_(each, 0.1)
        self.v.mul_(0.999).addcmul_(each, each, value=0.001)
        root = (self.v / (1 - 0.999**self.count)).sqrt_().add_(1e-8)
        step = (self.lr / (1 - 0.9**self.count))[:, None] * self.m / root
        for value, each in zip(p.values(), step.split([value[0].numel() for value in p.values()], dim=1)):
            value.sub_(each.view_as(value))

    def select(self, rows):
        """Go on with these seeds alone."""
        self.lr = self.lr[rows]
        self.m, self.v = self.m[rows], self.v[rows]


def judge(p, rngs, draw, T, binary, B=500):
    """Return the loss of each seed on B fresh sequences, and its error: the share of wrong answers, or the loss."""
    x, y = batches(rngs, draw, B, T)
    said = answer(p, forward(p, x, keep=False)[0])
    if binary:
        loss = binary_cross_entropy_with_logits(said, y, reduction="none").mean(dim=1)
        return loss, ((said > 0) != (y > 0.5)).float().mean(dim=1)
    loss = (said - y).square().mean(dim=1)
    return loss, loss


def batches(rngs, draw, B, T):
    """Let each seed's generator draw B sequences of T steps; return x (S, B, T, D) and y (S, B)."""
    each = [draw(rng, B, T) for rng in rngs]
    x, y = (torch.from_numpy(np.stack(arrays)).float() for arrays in zip(*each))
    return x, y.flatten(1)


def train(p, seeds, lr, draw, T, *, binary, budget, target=None, B=32, below=0.01, groups=None, rule=Adam):
    """Train every seed until it solves the task, at most for `budget` updates.

    A seed has solved the task when its error (the share of wrong answers if `binary`, else the mean squared error) on
    500 fresh validation sequences is below `below`. This is checked after 5 updates and then whenever a twentieth more
    updates have been done, at least 5. Then, or after the last update, 2,000 test sequences are drawn, once.

    Parameters
    ----------
    p : dict of str to torch.Tensor
        What `initial` gives.
    seeds : sequence of int
        Each has three streams of data, for training, validation and test.
    lr : float or sequence of float
    draw : callable
        `draw(rng, B, T)` returns x (B, T, D) and y (B,) or (B, 1) to train on.
    T : int or tuple of int
        Steps; a pair: each update draws its number of steps from the first to the second, and the last is judged.
    binary : bool
        Cross-entropy of a yes or no; else the squared error of a number.
    target : callable, optional
        Draws what is judged, where this is not what is trained on.
    groups : sequence of int, optional
        Stop as soon as all the seeds of one group have solved the task.
    rule : callable
        `rule(p, lr)` gives what `update`s the parameters.

    Returns
    -------
    dict
        By seed: `solved_at` (an update, or None), the `test` error, the `last` validation loss, and `falling`, whether
        it is unsolved and its training loss was still falling. `curve`: lists of an update and the lowest, median and
        highest validation loss of the seeds that were still training.
    """
    p, S = {name: value.clone() for name, value in p.items()}, len(seeds)
    optimiser, target = rule(p, torch.as_tensor(lr).float().expand(S)), target or draw
    drawing = [streams(seed) for seed in seeds]
    shortest, longest = T if isinstance(T, tuple) else (T, T)
    lengths = np.random.default_rng(len(seeds))
    alive, solved_at, test, last = list(range(S)), [None] * S, [None] * S, [None] * S
    losses, curve, check = np.full((budget, S), np.nan), [], 5

    def of(k):
        return [drawing[row][k] for row in alive]

    for update in range(1, budget + 1):
        x, y = batches(of(0), draw, B, int(lengths.integers(shortest, longest + 1)))
        loss, d = gradients(p, x, y, binary)
        optimiser.update(p, d)
        losses[update - 1, alive] = loss
        if update < min(check, budget):
            continue
        check = update + max(5, update // 20)
        loss, error = judge(p, of(1), target, longest, binary)
        curve.append([update, *loss.quantile(torch.tensor([0, 0.5, 1])).tolist()])
        for row, each in zip(alive, loss.tolist()):
            last[row] = each
        stop = (error < below) | (update == budget)
        if stop.any():
            done = {name: value[stop] for name, value in p.items()}
            rngs = [rng for rng, each in zip(of(2), stop) if each]
            scores = torch.stack([judge(done, rngs, target, longest, binary)[1] for _ in range(4)]).mean(dim=0)
            for row, score in zip(np.array(alive)[stop.numpy()], scores.tolist()):
                test[row] = score
            for row, each in zip(alive, error < below):
                solved_at[row] = update if each else None
            alive = [row for row, each in zip(alive, stop) if not each]
            p = {name: value[~stop] for name, value in p.items()}
            optimiser.select(~stop)
        if groups is not None and any(
            all(solved_at[row] for row in range(S) if groups[row] == group) for group in set(groups)
        ):
            break
        if not alive:
            break
    return {
        "solved_at": solved_at,
        "test": test,
        "last": last,
        "falling": [solved_at[row] is None and still_falling(losses[:update, row]) for row in range(S)],
        "curve": curve,
    }


def train_early(p, lr, loss, draw, held, budget, *, fall, every=50, patience=12, least=0, solved=1e-4):
    """Train every seed until its validation loss has stopped falling, with a learning rate that is halved on the way.

    Parameters
    ----------
    p : dict of str to torch.Tensor
        Parameters (S, ...) by name.
    lr : sequence of float
        One for each seed.
    loss : callable
        `loss(p, x, y)` returns the loss of each seed (S,).
    draw : callable
        `draw(alive)` returns x and y (S, ...) for the seeds in the list `alive`.
    held : tuple of torch.Tensor
        x and y (S, ...) of the validation data, on which the loss is checked every `every` updates.
    budget : int
        The most updates.
    fall : float
        The loss has fallen if it is below `fall` times what it was when it last fell. When it has not for a third of
        `patience` checks, the learning rate of the seed is halved, after two thirds again, and then the seed stops.
    least : int
        Checks up to this update do not count for that: many losses first stay at chance for a while.
    solved : float
        A seed also stops at this loss or below.

    Returns
    -------
    dict
        Parameters (S, ...) by name, of the best check of each seed.
    list of dict
        `best` validation loss, `at` which update, whether the budget `ended` the training while it improved, `curve`.
    """
    best = {name: value.clone() for name, value in p.items()}
    found = [dict(best=np.inf, at=0, low=np.inf, since=0, ended=True, curve=[]) for _ in lr]
    alive, optimiser = list(range(len(lr))), Adam(p, lr)
    for update in range(1, budget + 1):
        leaves = {name: value.requires_grad_() for name, value in p.items()}
        d = torch.autograd.grad(loss(leaves, *draw(alive)).sum(), list(leaves.values()))
        p = {name: value.detach() for name, value in leaves.items()}
        optimiser.update(p, dict(zip(p, d)))
        if update % every:
            continue
        with torch.no_grad():
            scores = loss(p, *(each[alive] for each in held)).tolist()
        for row, (k, score) in enumerate(zip(alive, scores)):
            each = found[k]
            each["curve"].append(score)
            if score < each["best"]:
                each |= dict(best=score, at=update)
                for name, value in p.items():
                    best[name][k] = value[row]
            fell = score < fall * each["low"]
            each |= dict(low=score, since=0) if fell else dict(since=each["since"] + (update > least))
            if each["since"] in (patience // 3, 2 * patience // 3):
                optimiser.lr[row] /= 2
            each["ended"] = each["since"] < patience and score > solved
        on = torch.tensor([found[k]["ended"] for k in alive])
        if not on.all():
            alive, p = [k for k in alive if found[k]["ended"]], {name: value[on] for name, value in p.items()}
            optimiser.select(on)
        if not alive:
            break
    return best, found


def search_lr(make, seeds, tries, budget, *task, **options):
    """Choose a learning rate: every one of `tries` trains the same few seeds, all side by side.

    A try is scored by the update at which the last of its seeds has solved the task, and the search ends with the first
    of them. If none solves it with all its seeds, the most seeds count, then the lowest mean validation loss.

    Parameters
    ----------
    make : callable
        `make(seeds)` returns parameters.
    *task, **options
        As `train` takes them.

    Returns
    -------
    dict
        `lr`; by try how many seeds it `solved` the task with, and its `loss`.
    """
    lrs, rows, groups = np.repeat(tries, len(seeds)), [*seeds] * len(tries), np.repeat(range(len(tries)), len(seeds))
    found = train(make(rows), rows, lrs, *task, budget=budget, groups=groups, **options)
    at = np.array(found["solved_at"], dtype=float).reshape(len(tries), -1)
    solved, loss = np.isfinite(at).sum(axis=1), np.reshape(found["last"], at.shape).mean(axis=1)
    best = min(range(len(tries)), key=lambda k: (-solved[k], at[k].max() if solved[k] == len(seeds) else loss[k]))
    return {"lr": tries[best], "tries": tries, "solved": solved, "loss": loss}


def measure(make, seeds, tries, budget, *task, **options):
    """Search the learning rate on eight seeds of its own and a third of the budget, then train all `seeds` with it.

    Returns
    -------
    dict
        What `train` gives, with a dozen points of its curve; the `search`; the `learned` share of seeds with its
        interval; the updates that these needed, `median`, lowest and highest; how many others were `still_falling`.
    """
    chosen = search_lr(make, range(1000, 1008), tries, budget // 3, *task, **options)
    found = train(make(seeds), seeds, chosen["lr"], *task, budget=budget, **options)
    at = [each for each in found["solved_at"] if each]
    curve = found["curve"]
    return found | {
        "search": chosen,
        "learned": share(len(at), len(seeds)),
        "updates": [np.median(at), min(at), max(at)] if at else None,
        "still_falling": sum(found.pop("falling")),
        "curve": curve[:: max(1, len(curve) // 12)] + curve[-1:],
    }
