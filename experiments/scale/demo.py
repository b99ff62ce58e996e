"""Train on two workers; kill, resume, damage, hang; compare every run with the one that nothing happened to.

`make scale` runs it. The course's own computer is the only machine: the workers are two processes on it.
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from train import losses

HERE, WORKERS, EPOCHS = Path(__file__).resolve().parent, 2, 3


def torchrun(script, *args, restarts=0):
    """Start a script on two workers."""
    call = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={WORKERS}"]
    call += [f"--max-restarts={restarts}", str(HERE / script), *map(str, args)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(HERE.parents[1])}
    environment["TORCH_DISABLE_SHARE_RDZV_TCP_STORE"] = "1"  # else restarted workers meet the dead: pytorch 135712
    pipes = dict(stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return subprocess.Popen(call, env=environment, **pipes)


def finish(process, limit=300):
    """Wait for the end; return the exit status, what was printed and the errors."""
    try:
        out, errors = process.communicate(timeout=limit)
    finally:
        kill(process)
    return process.returncode, out, errors


def workers(process):
    """Return the process ids of the workers."""
    found = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return [int(each) for each in found if b"train.py" in Path(f"/proc/{each}/cmdline").read_bytes()]


def kill(process):
    """Kill the launcher and the workers without a warning; they have sessions of their own, and would go on alone."""
    if process.poll() is None:
        for each in [*workers(process), process.pid][::-1]:
            os.kill(each, signal.SIGKILL)


def train(out, *args, restarts=0):
    """Train to the end."""
    status, printed, errors = finish(torchrun("train.py", out, "--epochs", EPOCHS, *args, restarts=restarts))
    if status:
        raise RuntimeError(f"training ended with status {status}:\n{errors}")
    return printed.strip(), errors


def steps(out):
    """Return how many steps have been trained so far."""
    path = out / "losses.txt"
    return max(losses(out), default=0) if path.exists() else 0


def wait_for(out, step, process, limit=300):
    """Wait until a step has been trained."""
    end = time.monotonic() + limit
    while steps(out) < step:
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"step {step} was not reached: {finish(process, 10)}")
        time.sleep(0.01)


def kill_run(out, step):
    """Train, and kill launcher and workers at a step or soon after, without a warning; return the last step."""
    process = torchrun("train.py", out, "--epochs", EPOCHS)
    wait_for(out, step, process)
    kill(process)
    process.communicate()
    return steps(out)


def compare(out, undisturbed):
    """Return how many losses two runs have, and their largest difference."""
    ours, theirs = losses(out), losses(undisturbed)
    if ours.keys() != theirs.keys():
        raise RuntimeError(f"{out} has {len(ours)} steps and {undisturbed} {len(theirs)}")
    return {"steps": len(ours), "largest": max(abs(ours[k] - theirs[k]) for k in ours)}


def gradients():
    """Return the comparisons of `gradients.py`."""
    status, printed, errors = finish(torchrun("gradients.py"))
    if status:
        raise RuntimeError(errors)
    return json.loads(printed)


def killed_run(out, undisturbed, step):
    """Kill a whole run at a step, start it again, and compare."""
    killed_at = kill_run(out, step)
    result, _ = train(out)
    return compare(out, undisturbed) | {"killed at": killed_at, "result": result}


def killed_worker(out, undisturbed, step):
    """Kill one worker; torchrun starts both again, from the last checkpoint."""
    process = torchrun("train.py", out, "--epochs", EPOCHS, restarts=1)
    wait_for(out, step, process)
    os.kill(random.choice(workers(process)), signal.SIGKILL)
    killed_at = steps(out)
    status, printed, errors = finish(process)
    if status:
        raise RuntimeError(errors)
    return compare(out, undisturbed) | {"killed at": killed_at, "result": printed.strip()}


def damaged(out, undisturbed, step):
    """Kill a run, cut off the end of a file of its last checkpoint, start it again, and compare."""
    killed_at = kill_run(out, step)
    file = max(max(out.glob("step-*")).glob("*.distcp"))
    file.write_bytes(file.read_bytes()[:-100])
    result, errors = train(out)
    said = next(line for line in errors.splitlines() if "is damaged" in line)
    return compare(out, undisturbed) | {"killed at": killed_at, "said": said.replace(f"{out}/", ""), "result": result}


def hanging(out, step, timeout=5):
    """Stop a worker without killing it; return what the others said, and after how many seconds the run ended."""
    process = torchrun("train.py", out, "--epochs", 100, "--timeout", timeout)
    wait_for(out, step, process)
    stopped = random.choice(workers(process))
    os.kill(stopped, signal.SIGSTOP)
    begun = time.monotonic()
    status, _, errors = finish(process, 120)
    said = next((line for line in errors.splitlines() if " stopped: " in line), errors[-2000:])
    return {"status": status, "seconds": time.monotonic() - begun, "said": said}


def main():
    """Run everything, and print each comparison."""
    begun = time.monotonic()
    for kind, found in gradients().items():
        print(f"Gradients, 64 names {kind}, {' and '.join(map(str, found.pop('tokens')))} tokens on the workers")
        for name, each in found.items():
            print(f"  {name:30} largest difference {each['largest']:.1e}, relative {each['relative']:.1e}")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        undisturbed = out / "undisturbed"
        print("Two workers, undisturbed:", train(undisturbed)[0])
        step = random.randint(45, 100)
        for title, disturb in (
            ("Whole run killed, then resumed", killed_run),
            ("One worker killed, restarted by torchrun", killed_worker),
            ("Last checkpoint damaged", damaged),
        ):
            found = disturb(out / disturb.__name__, undisturbed, step)
            print(f"{title}, at step {found['killed at']}. {found.get('said', '')}")
            print(f"  {found['steps']} losses, largest difference {found['largest']:.1e}; {found['result']}")
        found = hanging(out / "hanging", 10)
        print(f"One worker hangs: ended after {found['seconds']:.0f} s with status {found['status']}")
        print(f"  {found['said']}")
    print(f"{time.monotonic() - begun:.0f} seconds")


if __name__ == "__main__":
    main()
