"""Ours and the peers at the same work, each in its own process and environment, taking turns.

A ratio compares medians of processor time over rounds in which both did one repeat each, one after the other, since the
machine's speed drifts. What they counted must agree: z is the difference of the means in standard errors.
"""

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
ENVS, WORK = HERE / ".envs", HERE.parent / ".work"
ROOT = HERE.parents[1]
OWN = ("ours", "engine", "scipy", "networkx", "simpy")  # in this project's environment
P = 0.039  # on every tie; reaches about a fifth of a Barabási-Albert graph of mean degree 20
SEEDS = 100
MOST = 1_000_000  # agents or nodes
COUNTED = 20  # repeats of ours that are counted and not timed, before the rounds


class Worker:
    """A process that is ready to do one peer's work."""

    def __init__(self, script, name, job, fast=True):
        home = name.removesuffix("_shuffled")
        python = sys.executable if home in OWN else str(environment(home))
        given = {**os.environ, "WXSIM_FAST": str(int(fast)), "PYTHONPATH": str(ROOT) if home in OWN else ""}
        command = [python, str(HERE / script), name]
        self.process = subprocess.Popen(command, stdin=-1, stdout=-1, stderr=-3, text=True, bufsize=1, env=given)
        self.results, self.took, self.bytes = [], [], 0
        print(json.dumps(job), file=self.process.stdin)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.process.kill()
        self.process.wait()

    def act(self, seed):
        """Do it once."""
        print(seed, file=self.process.stdin)
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{' '.join(self.process.args)} ended with {self.process.wait()}")
        said = json.loads(answer)
        self.results.append(said["result"])
        self.took.append(said["processor"])
        self.bytes = said["bytes"]


def environment(name):
    """Python of a peer's environment, made from its pinned requirements when it is first needed."""
    python = ENVS / name / "bin" / "python"
    if not (ENVS / name / "done").exists():
        print(f"making the environment of {name} ...", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", ENVS / name], check=True)
        wanted = HERE / "requirements" / f"{name}.txt"
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-deps", "-r", wanted], check=True)
        (ENVS / name / "done").touch()
    return python


def release(name):
    """A peer with its version."""
    home = name.removesuffix("_shuffled")
    if home in OWN:
        return "" if home in ("ours", "engine") else version(home)
    pins = (HERE / "requirements" / f"{home}.txt").read_text("utf-8")
    return next(line.split("==")[1] for line in pins.splitlines() if line.lower().startswith(home + "=="))


def barabasi_albert(n, m=10):
    """The file of such a graph with n nodes and m ties a newcomer, with random factors and probabilities of ties.

    Each end of a tie is copied from a uniformly chosen earlier end, found by following the copies back (Sanders and
    Schulz 2016, Scalable generation of scale-free graphs); ties that come twice count once.
    """
    from scipy.sparse import coo_array

    path = WORK / f"ba-{n}.npz"
    if not path.exists():
        WORK.mkdir(exist_ok=True)
        rng = np.random.default_rng(1)
        copied = rng.integers(0, 2 * np.arange(n * m) + 1)  # the end that each tie's second end is a copy of
        end = copied.copy()
        while (odd := (end % 2 == 1).nonzero()[0]).size:
            end[odd] = copied[end[odd] // 2]
        u, v = np.arange(n * m) // m, end // 2 // m
        u, v = u[u != v], v[u != v]
        ones = np.ones(2 * u.size, bool)
        ties = coo_array((ones, (np.concatenate([u, v]), np.concatenate([v, u]))), (n, n)).tocsr()
        factors = {"sender": rng.random(n), "receiver": rng.random(n), "free": rng.random(ties.nnz)}
        np.savez(path, indptr=ties.indptr.astype(np.int64), indices=ties.indices.astype(np.int32), **factors)
    return str(path)


def contest(script, peers, job, rounds, per=0):
    """Rows of a table: seconds for one of `per` (0: of what is counted), and whether all counted the same.

    The spread of a peer's counts is taken from ours, of which there are more: that they do the same is the question.
    """
    job["warm"] = {"graph": barabasi_albert(2_000), "users": 2_000, "days": 2, "live": 1_000}
    with Worker(script, "ours", job, True) as fast, Worker(script, "ours", job, False) as plain:
        for seed in range(1_000, 1_000 + COUNTED):
            fast.act(seed)
        rows = [_row(script, name, job, rounds, per, fast, plain) for name in peers]
    return [row for row in rows if row]


def _row(script, name, job, rounds, per, fast, plain):
    begin, ours = len(plain.results), (fast, plain)
    with Worker(script, name, job) as peer:
        for worker in (peer, *ours):
            worker.took.clear()
        try:
            for seed in range(begin + 1, begin + 1 + rounds):
                for worker in (peer, *ours):
                    worker.act(seed)
        except RuntimeError as error:  # the others go on
            print(f"  {error}", file=sys.stderr)
            return None
    mine, theirs = np.array(fast.results), np.array(peer.results)
    error = mine.std(ddof=1) * np.sqrt(1 / mine.size + 1 / theirs.size)
    amount = per or mine.mean()
    row = {
        "peer": name,
        "version": release(name),
        "job": {key: value for key, value in job.items() if key not in ("graph", "warm")},
        "seconds": float(np.median(peer.took)) / amount,
        "numpy": float(np.median(plain.took)) / amount,
        "fast": float(np.median(fast.took)) / amount,
        "bytes": peer.bytes,
        "ours bytes": plain.bytes,  # numba loads what it has compiled for many while it runs
        "mean": float(theirs.mean()),
        "ours mean": float(mine.mean()),
        "z": float((theirs.mean() - mine.mean()) / error) if theirs.mean() >= 0 else None,
        "exact": fast.results[COUNTED:] == plain.results,
    }
    told = f"{row['seconds'] / row['fast']:.3g} times ours" + ("" if row["z"] is None else f", z {row['z']:.1f}")
    print(f"  {name} {row['job']}: {told}", file=sys.stderr)
    return row


def cascades(quick):
    """One cascade: ours against graph libraries."""
    light, heavy = ("cynetdiff", "scipy"), ("networkx", "eon", "ndlib")
    plans = [(100_000, light + heavy, 7), (1_000_000, light + heavy[:2], 5)]
    rows = []
    for n, peers, rounds in [(10_000, light, 3)] if quick else [plan for plan in plans if plan[0] <= MOST]:
        job = {"graph": barabasi_albert(n), "n": n, "p": P, "seeds": SEEDS}
        rows += contest("cascade.py", peers, {**job, "ties": "one"}, rounds, 1)
        for ties in ("factored", "free"):
            rows += contest("cascade.py", light, {**job, "ties": ties}, rounds, 1)
    return rows


def agreement(quick):
    """Cascades of ours and of CyNetDiff, many of each: whether both have the same law."""
    rows = []
    for n, times in [(10_000, 20)] if quick else [p for p in ((100_000, 1_000), (1_000_000, 200)) if p[0] <= MOST]:
        for ties in ("one", "factored", "free"):
            job = {"graph": barabasi_albert(n), "n": n, "p": P, "seeds": SEEDS, "ties": ties}
            job["warm"] = {"graph": barabasi_albert(2_000)}
            reach = {name: _many(name, job, times) for name in ("cynetdiff", "ours")}
            theirs, mine = reach["cynetdiff"], reach["ours"]
            error = np.sqrt(theirs.var(ddof=1) / theirs.size + mine.var(ddof=1) / mine.size)
            row = {"nodes": n, "ties": ties, "repeats of each": times, "CyNetDiff": theirs.mean(), "ours": mine.mean()}
            rows.append(row | {"standard error": error, "z": (theirs.mean() - mine.mean()) / error})
            print(f"  {ties}, {n:,} nodes: z {rows[-1]['z']:.2f}", file=sys.stderr)
    return rows


def _many(name, job, times):
    with Worker("cascade.py", name, job) as worker:
        for seed in range(1, times + 1):
            worker.act(seed)
        return np.array(worker.results)


def days(quick):
    """Days of a population: ours against libraries of agents."""
    peers, rows = ("mesa", "mesa_shuffled", "agentpy", "simpy", "starsim", "engine"), []
    for n, rounds in [(5_000, 2)] if quick else [plan for plan in ((100_000, 3), (1_000_000, 2)) if plan[0] <= MOST]:
        job = {"graph": barabasi_albert(n), "users": n, "days": 10 if n <= 100_000 else 4}
        rows += contest("day.py", peers, job, rounds, n * job["days"])
    return rows


def timers(quick):
    """Timers: ours against SimPy."""
    rows = []
    for live, length in [(1_000, 10)] if quick else [(1_000, 100), (100_000, 10)]:
        rows += contest("timers.py", ("simpy",), {"live": live, "days": length}, 3)
    return rows
