"""What the whole model costs: by users, friends, worlds, threads, recording; comparisons; sweeps; the start."""

import os
import resource
import subprocess
import sys
import tempfile
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from statistics import median
from time import perf_counter

import world
import yaml

from sim import catalog
from sim.config.load import load
from sim.engine.profile import Profile
from sim.kernels.threads import processors
from sim.run import run
from sim.study import bench

ROOT = Path(__file__).parents[1]
MOST = 1_000_000  # people in one run, but for what is asked for by name
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


def simulated(users, days, worlds=1, threads=1, degree=20.0, record="orders", first=1, mechanisms="triangle"):
    """What a run of the market `triangle` with everything on took, in a process of its own; see `cost`."""
    scenario = (load("triangle") if mechanisms == "triangle" else with_all()).strategy("all three")
    if record == "none":
        from sim.ledger.writer import LedgerWriter

        LedgerWriter.events = LedgerWriter.postings = lambda *rows, **more: None
    else:
        scenario = scenario.model_copy(update={"record": record})
    graph = scenario.world.graph.model_copy(update={"mean_degree": degree})
    scenario = scenario.model_copy(update={"world": scenario.world.model_copy(update={"graph": graph})})
    seeds = range(first, first + worlds)
    run(bench.sized(scenario, min(users, bench.WARM_UP), 2), threads=threads)
    return bench.spend(lambda: run(bench.sized(scenario, users, days), seeds, threads=threads))


def cost(users, days, *, fast=True, **options):
    """A row: seconds, user-days per second and bytes per user."""
    try:
        spent = bench.alone(_simulated, (users, days), options, fast=fast)
    except BrokenProcessPool:
        print(
            f"  {users:,} x {days} {options} fast {fast}: its process died, perhaps for lack of memory", file=sys.stderr
        )
        return None
    people = users * options.get("worlds", 1)
    processor, wall = spent.processor, spent.wall
    row = {"users": users, "days": days, "fast": fast, **options, "processor": processor, "wall": wall}
    row |= {"rate": people * days / processor, "wall rate": people * days / wall, "bytes": spent.peak / people}
    print(f"  {users:,} x {days} {options} fast {fast}: {row['rate']:,.0f} user-days/s", file=sys.stderr)
    return row


def _simulated(size, options):
    return simulated(*size, **options)


def by_users(quick):
    """From 10^4 people, sixty worlds of them side by side, to 10^6; with numba and without."""
    if quick:
        return [cost(2_000, 3, worlds=2), cost(5_000, 3), cost(5_000, 3, fast=False)]
    sizes = [users for users in (10_000, 30_000, 100_000, 300_000, 1_000_000) if users <= MOST]
    rows = [cost(users, 30, worlds=max(1, 600_000 // users)) for users in sizes]
    return rows + [cost(users, 30, fast=False) for users in (100_000, 1_000_000) if users <= MOST]


def by_friends(quick):
    """By mean number of friends."""
    return [
        cost(*((3_000, 2) if quick else (100_000, 14)), degree=d)
        for d in (5.0, 10.0, 20.0, 40.0, 80.0)[: 2 if quick else 5]
    ]


def side_by_side(quick):
    """Sixteen small worlds at once, and one by one."""
    users, days, worlds = (1_000, 2, 2) if quick else (5_000, 14, 16)
    alone = [cost(users, days, worlds=1, first=1 + at) for at in range(1 if quick else 3)]
    return [cost(users, days, worlds=worlds), *alone]


def recording(quick):
    """Rows thrown away instead of written; orders, gifts and shares; every exposure. Taking turns."""
    size, rounds = ((2_000, 2), 1) if quick else ((min(100_000, MOST), 14), 5)
    ways = ("none", "orders", "all")
    rows = [[cost(*size, record=record) for record in ways] for _ in range(rounds)]
    return [_middle(turns) for turns in zip(*rows, strict=True)]


def _middle(rows):
    done = sorted((row for row in rows if row), key=lambda row: row["processor"])
    return done[len(done) // 2] if done else None


def two_threads(quick):
    """One thread and two, with numba and without, and where there are more people."""
    size = (2_000, 2) if quick else (min(300_000, MOST), 14)
    rows = [cost(*size, threads=threads, fast=fast) for fast in (True, False) for threads in (1, 2)]
    more = [(1_000_000, 14), (4_000_000, 4)] if not quick and MOST >= 1_000_000 else []
    return rows + [cost(*size, threads=threads) for size in more for threads in (1, 2)]


def million(quick):
    """A million people for 90 days: in two threads with numba, in one without."""
    size = (5_000, 3) if quick else (1_000_000, 90)
    ways = ({"threads": 2}, {"threads": 1, "fast": False})
    return [cost(*size, **way) for way in ways] if quick or MOST >= 1_000_000 else []


def ten_million(quick):
    """Ten million people for 30 days, and sixty worlds of ten thousand in the same run. Only when asked for."""
    few, many = ((500, 2), (10_000, 2)) if quick else ((10_000, 30), (10_000_000, 30))
    return [cost(*few, worlds=2 if quick else 60), cost(*many, threads=2)]


def profile(quick):
    """Where the time of a million people goes, by phase and mechanism, in one thread."""
    return bench.alone(_profiled, (2_000, 2) if quick else (1_000_000, 14), fast=True)


def _profiled(size):
    users, days = size
    scenario, spent = load("triangle").strategy("all three"), Profile()
    run(bench.sized(scenario, min(users, bench.WARM_UP), 2))
    wall = bench.spend(lambda: run(bench.sized(scenario, users, days), watch=spent.watch)).wall
    ticks = max(spent.calls.values())
    rows = [{"phase": phase, "who": who, "wall": s, "calls": calls} for phase, who, s, calls in spent.rows() if calls]
    built = {"phase": "before", "who": "builds the world, loads and closes", "calls": 1}
    rows.append(built | {"wall": wall - sum(row["wall"] for row in rows)})
    rows.sort(key=lambda row: -row["wall"])
    rows, few = rows[:20], rows[20:]
    rows.append({"phase": "all", "who": f"{len(few)} more", "calls": sum(row["calls"] for row in few)})
    rows[-1]["wall"] = sum(row["wall"] for row in few)
    for row in rows:
        row |= {"share": row["wall"] / wall, "per call": row["wall"] / row["calls"]}
    print(f"  {users:,} x {days}: {wall:.1f} s, {ticks:,} calls at most", file=sys.stderr)
    return rows


def everything(quick):
    """The market of `triangle`, and the same with every mechanism of the catalogue on, for one merchant of seven."""
    size, rounds = ((2_000, 2), 1) if quick else ((min(100_000, MOST), 14), 3)
    rows = [[cost(*size, mechanisms=name) for name in ("triangle", "all")] for _ in range(rounds)]
    return [_middle(turns) for turns in zip(*rows, strict=True)]


def with_all():
    """`triangle` with every mechanism of the catalogue, those of merchants for one of seven."""
    text = {"title": "with all", "extends": "triangle", "merchants": {"tea_house": {}}}
    for key in catalog.mechanisms():
        section, name = key.split(".")
        of = text if section in ("people", "platform") else text["merchants"]["tea_house"]
        of.setdefault(section, {})[name] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "with_all.yaml")
        path.write_text(yaml.safe_dump(text), "utf-8")
        return load(path)


def building(quick):
    """A world of people, ties and groups: the ties, and all of it."""
    users = 20_000 if quick else MOST
    rows = [row for fast in (True, False) for row in bench.alone(_built, users, fast, fast=fast)]
    return rows + (bench.alone(_built, 10_000_000, True, fast=True) if not quick and MOST >= 1_000_000 else [])


def _built(users, fast):
    params = load("triangle").world
    few, many = (
        params.model_copy(update={"people": params.people.model_copy(update={"count": count})})
        for count in (20_000, users)
    )
    world.measured(few, 1)
    parts, made = world.measured(many, 7)
    edges, rows = made["graph"].indices.size / 2, []
    for name, some in (("ties", [dict(parts)["graph"]]), ("all", [cost for _, cost in parts])):
        cpu, wall = (sum(cost[clock] for cost in some) for clock in ("cpu", "wall"))
        row = {"part": name, "users": users, "fast": fast, "processor": cpu, "wall": wall}
        row |= {"rate": edges / cpu, "wall rate": edges / wall, "bytes": max(cost["peak"] for cost in some) / edges}
        rows.append(row)
    return rows


def start_up(quick):
    """`wxsim --help`."""
    rows = [command("--help") for _ in range(1 if quick else 7)]
    return [{"processor": median(r["processor"] for r in rows), "wall": median(r["wall"] for r in rows)}]


def compare_default(quick):
    """`wxsim compare triangle`."""
    return [command("compare", str(ROOT / "scenarios" / "triangle.yaml"), *(["--replications", "1"] if quick else []))]


def compare_large(quick):
    """20,000 people, 60 days, 4 strategies, 16 seeds."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "large.yaml")
        text = (ROOT / "scenarios" / "triangle.yaml").read_text("utf-8")
        text = text.replace("extends: base.yaml", f"extends: {ROOT / 'scenarios' / 'base.yaml'}")
        count, seeds = (500, 2) if quick else (20_000, 16)
        text = text.replace("replications: 8", f"replications: {seeds}") + f"\nworld: {{people: {{count: {count}}}}}\n"
        path.write_text(text, "utf-8")
        return [command("compare", str(path))]


SWEEP = """
title: How busy does a sweep keep the machine?
scenario: triangle
set: {{world.people.count: {users}, horizon.days: 7}}
strategies: {strategies}
axes: {{people.browse.opens: {{from: 0.1, to: 0.5, steps: {points}}}}}
seeds: {seeds}
"""


def sweep(quick):
    """Two thousand runs of 2,000 people for 7 days: points x strategies x seeds."""
    users, points, seeds = (300, 5, 2) if quick else (2_000, 25, 20)
    strategies = list(load("triangle").strategies)[: 1 if quick else None]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "busy.yaml")
        path.write_text(SWEEP.format(users=users, points=points, seeds=seeds, strategies=strategies), "utf-8")
        row = command("sweep", str(path))
    runs, cores = points * len(strategies) * seeds, processors()
    more = {"a run": row["processor"] / runs, "processors": cores, "busy": row["processor"] / (row["wall"] * cores)}
    return [{"runs": runs, "users": users, "days": 7, **row, **more}]


def command(*words):
    """What a command of wxsim took, its workers included."""
    with tempfile.TemporaryDirectory() as folder:
        before, wall = resource.getrusage(resource.RUSAGE_CHILDREN), perf_counter()
        subprocess.run(
            [sys.executable, "-m", "sim.cli", *words],
            check=True,
            cwd=folder,
            env=ENVIRONMENT,
            stdout=subprocess.DEVNULL,
        )
        after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), perf_counter() - wall
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"  wxsim {words[0]}: {processor:.2f} s of processor, {wall:.2f} s", file=sys.stderr)
    return {"processor": processor, "wall": wall}
