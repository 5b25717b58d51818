"""Build a world and print what it took: time and memory by part.

    python benchmarks/world.py --users 1000000          # WXSIM_FAST=0 in the environment: without numba

Seconds are of the wall, and of the processor in all threads. `peak` is by how much resident memory (RSS, sampled every
2 ms) grew at most during a part; `holds` is the size of the arrays that it made. A scenario with strategies is taken
with its last one.
"""

import argparse
import os
import resource
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from sim import draws, fast
from sim.config.load import load
from sim.config.model import Scenario
from sim.engine.crew import Crew
from sim.kernels.threads import cores
from sim.world.build import build
from sim.world.circles import circles
from sim.world.groups import groups_of
from sim.world.native import by_arrays
from sim.world.params import WorldParams
from sim.world.people import people
from sim.world.state import SLOTS

PAGE = resource.getpagesize()
SAMPLE = 0.002  # seconds
MB = 2**20

Rows = list[tuple[str, dict[str, float]]]  # each part and what it cost


def resident() -> int:
    """Bytes of memory that this process holds now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


@contextmanager
def watched(found: dict[str, float]) -> Iterator[None]:
    """Wall and processor seconds, and the most memory held beyond the beginning, into `found`."""
    begin, stop, most = resident(), threading.Event(), [0]

    def look() -> None:
        while not stop.wait(SAMPLE):
            most[0] = max(most[0], resident() - begin)

    watcher = threading.Thread(target=look)
    watcher.start()
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        yield
    finally:
        found["wall"], found["cpu"] = time.perf_counter() - wall, time.process_time() - cpu
        stop.set()
        watcher.join()
        found["peak"] = max(most[0], resident() - begin)


def steps(params: WorldParams, seed: int) -> Iterator[tuple[str, Callable[[], Any]]]:
    """The steps of `sim.world.build` one by one, as what makes each from what was made before."""
    made: dict[str, Any] = {}
    makers: dict[str, Callable[[], Any]] = {
        "keys": lambda: draws.keys(seed, "user", params.people.count),
        "circles": lambda: circles(seed, made["keys"], params.graph),
        "graph": lambda: by_arrays(made["keys"], made["circles"]),
        "people": lambda: people(seed, made["keys"], made["circles"].member[1], params.people, made["circles"].tier),
        "groups": lambda: groups_of(seed, made["graph"], params.groups),
    }
    for name, make in makers.items():
        yield name, lambda name=name, make=make: made.setdefault(name, make())


def measured(params: WorldParams, seed: int) -> tuple[Rows, dict[str, Any]]:
    """Each step's name and cost, and what they made."""
    rows: Rows = []
    made: dict[str, Any] = {}
    for name, make in steps(params, seed):
        found: dict[str, float] = {}
        with watched(found):
            made[name] = make()
        found["holds"] = held(made[name])
        rows.append((name, found))
    return rows, made


def held(thing: Any) -> int:
    """Bytes of the arrays in a column, a graph, or a collection of them."""
    if hasattr(thing, "nbytes"):
        return int(thing.nbytes)
    if isinstance(thing, dict):
        return sum(map(held, thing.values()))
    if isinstance(thing, tuple):
        return sum(map(held, thing))
    return sum(held(getattr(thing, name)) for name in getattr(thing, "__dataclass_fields__", ()))


def table(rows: Rows, users: int) -> Iterator[str]:
    """Lines of the table."""
    yield f"{'part':10}{'wall s':>9}{'cpu s':>9}{'peak B/user':>13}{'holds B/user':>14}"
    for name, found in rows:
        peak, holds = found["peak"] / users, found["holds"] / users
        yield f"{name:10}{found['wall']:9.2f}{found['cpu']:9.2f}{peak:13.1f}{holds:14.1f}"
    wall, cpu = (sum(found[clock] for _, found in rows) for clock in ("wall", "cpu"))
    kept = sum(found["holds"] for name, found in rows if name != "circles") / users  # circles are let go
    yield f"{'all':10}{wall:9.2f}{cpu:9.2f}{'':13}{kept:14.1f}"


def state_bytes(scenario: Scenario) -> dict[str, float]:
    """Bytes of the private columns of state: of `user` per user, of `slot` per user who has a relation."""
    few = scenario.world.model_copy(update={"people": scenario.world.people.model_copy(update={"count": 100})})
    columns = Crew(scenario, build(few, scenario.merchants, [1])).columns()
    rows = {"user": 1, "slot": SLOTS}
    return {
        f"{column.table}.{column.name}": rows[column.table] * np.dtype(column.dtype).itemsize
        for column in columns
        if column.table in rows
    }


def main() -> None:
    """Read the command line, warm up, measure, print."""
    command = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command.add_argument("--users", type=int, default=1_000_000)
    command.add_argument("--scenario", default="scenarios/triangle.yaml")
    command.add_argument("--seed", type=int, default=7)
    asked = command.parse_args()
    scenario = load(asked.scenario)
    if scenario.strategies:
        scenario = scenario.strategies[list(scenario.strategies)[-1]]
    few, many = (
        scenario.world.model_copy(update={"people": scenario.world.people.model_copy(update={"count": count})})
        for count in (20_000, asked.users)
    )
    measured(few, asked.seed)  # loads what is compiled, and the tables
    began = resident()
    rows, made = measured(many, asked.seed)
    print("\n".join(report(scenario, rows, made["graph"].indices.size / 2, began)))


def report(scenario: Scenario, rows: Rows, edges: float, began: int) -> Iterator[str]:
    """All lines."""
    users = round(dict(rows)["keys"]["holds"] / 8)
    numba, load_ = "on" if fast.present else "off", os.getloadavg()[0]
    yield f"{users:,} people, numba {numba}, {cores()} cores, 1-minute load {load_:.1f}"
    yield from table(rows, users)
    cost, state = dict(rows)["graph"], state_bytes(scenario)
    wall, core = (edges / cost[clock] / 1e6 for clock in ("wall", "cpu"))
    yield f"graph: {edges / 1e6:.2f} M edges, {wall:.1f} M/s by the wall, {core:.1f} M per second of processor time"
    yield f"graph: {cost['peak'] / edges:.1f} bytes an edge at peak (RSS), {cost['holds'] / edges:.1f} when finished"
    yield "state, bytes per user, and of slots per user with a relation: " + ", ".join(
        f"{name} {size}" for name, size in state.items()
    )
    kept = sum(found["holds"] for name, found in rows if name != "circles") / users
    row = 4  # where her relations are
    own, slot = (sum(size for name, size in state.items() if name.startswith(t)) for t in ("user.", "slot."))
    total = kept + own + row
    yield f"world {kept:.0f} + state {own + row:.0f} = {total:.0f} bytes per user, beside inboxes and timers"
    yield f"{slot:.0f} bytes more for each user who has a relation"
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    yield f"most resident at any time: {most:.0f} MiB, of which {began / MB:.0f} before the first person"


if __name__ == "__main__":
    main()
