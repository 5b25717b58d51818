"""How fast this machine is at it: spreading, a bare population, building a world, the full model.

Each piece of work is done in a process of its own, once with numpy alone and once compiled (the extra ``fast``), after
a small piece of the same kind has warmed it up. Rates are per second of processor time, which other programs disturb
less than the time on the wall. Next to them stands what the machine's memory would allow, measured in the same run.
"""

import multiprocessing
import os
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np

from sim import fast
from sim.config.load import load
from sim.config.model import Scenario
from sim.run import run
from sim.units import I64
from sim.words import _, marked
from sim.words.columns import left, right
from sim.world.build import society
from sim.world.graph import SocialGraph
from sim.world.params import WorldParams

USERS, DAYS = 50_000, 14
WARM_UP = 20_000  # people, unless it measures fewer: enough that all is loaded which is compiled for many
FROM_SHOP_TO_FRIEND = ("browse", "search_intent", "buy", "share")  # what people do in the bare population
CHANCE, SEEDS, CASCADES = 0.035, 100, 20  # independent cascade that reaches about a fifth of the people
ENTRY = 5  # bytes of a tie in one person's row: the friend's number and the layer
_GATHERED, _COPIED, _BLOCK = 100_000_000, 200_000_000, 1 << 16  # bytes, bytes, entries

Told = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Spent:
    """What an act took: seconds of processor and on the wall, and by how many bytes the peak of memory rose."""

    processor: float
    wall: float
    peak: float  # not a number where the system does not tell


@dataclass(frozen=True, slots=True)
class Figure:
    """One line: a rate or a size with its unit, compiled and not, and what memory would allow (0: not a rate)."""

    name: str
    unit: str
    value: Mapping[str, float]  # by way of computing, "numpy" or "fast"
    limit: float = 0.0

    @property
    def share(self) -> dict[str, float]:
        """The part of what memory would allow that is reached, by way of computing."""
        return {way: value / self.limit for way, value in self.value.items()} if self.limit else {}


@dataclass(frozen=True, slots=True)
class Bench:
    """What this machine can do.

    `copy`: bytes read and written per second; `gather`: random reads per second; `busy`: wall over processor time.
    """

    users: int
    days: int
    processors: int
    copy: float
    gather: float
    busy: float
    figures: tuple[Figure, ...]

    def as_dict(self) -> dict[str, Any]:
        """All of it, ready for JSON."""
        figures = [asdict(figure) | {"share": figure.share} for figure in self.figures]
        return asdict(self) | {"figures": figures}

    def __str__(self) -> str:
        ways = list(self.figures[0].value)
        lines = [
            _(
                "{users:,} people, {days} days; per second of one processor of {processors}",
                users=self.users,
                days=self.days,
                processors=self.processors,
            ),
            _(
                "memory: copies {copy:.1f} GB/s, reads at random {gather:.0f} M/s",
                copy=self.copy / 1e9,
                gather=self.gather / 1e6,
            ),
            "",
            " " * 34 + "".join(f"{way:>8}" for way in ways) + right(_("limit"), 9) + "  " + _("share of limit"),
        ]
        for figure in self.figures:
            values = "".join(f"{_short(figure.value[way]):>8}" for way in ways)
            limit = _short(figure.limit) if figure.limit else ""
            share = "  ".join(f"{part:.2%}" for part in figure.share.values())
            name = left(_("{title}, {unit}", title=_(figure.name), unit=_(figure.unit)), 34)
            lines.append(f"{name}{values}{limit:>9}  {share}".rstrip())
        if self.busy > 1.25:
            lines += ["", _("The machine was busy: it took {times:.1f} times as long on the wall.", times=self.busy)]
        return "\n".join(lines)


def bench(users: int = USERS, told: Told = lambda step: None) -> Bench:
    """Measure this machine with a world of so many users; `told` hears what is being done."""
    told(_("memory"))
    copy, gather = alone(memory)
    compiled = os.environ.get("WXSIM_FAST") != "0" and alone(_has_numba)
    ways = ("numpy", "fast") if compiled else ("numpy",)
    found: dict[str, dict[str, Any]] = {}
    took: list[Spent] = []
    for work, called in WORK.items():
        for way in ways:
            told(_("{what}, {way}", what=_(called), way=way))
            amount, spent = alone(work, users, fast=way == "fast")
            found.setdefault(work.__name__, {})[way] = (amount, spent)
            took.append(spent)
    processor, wall = sum(s.processor for s in took), sum(s.wall for s in took)
    figures = tuple(_figures(found, users, copy, gather))
    return Bench(users, DAYS, os.cpu_count() or 1, copy, gather, wall / max(processor, 1e-9), figures)


def _figures(found: Mapping[str, Mapping[str, Any]], users: int, copy: float, gather: float) -> list[Figure]:
    """The lines of the table."""

    def rates(work: str, of: Callable[[Any], float] = float) -> dict[str, float]:
        return {way: of(amount) / spent.processor for way, (amount, spent) in found[work].items()}

    def peaks(work: str, of: Callable[[Any], float]) -> dict[str, float]:
        return {way: spent.peak / of(amount) for way, (amount, spent) in found[work].items()}

    edges, reads = next(iter(found["spreading"].values()))[0]
    state = peaks("full", lambda user_days: users)
    daily = copy / (2 * next(iter(state.values())))  # all that a user is, read and written once a day
    return [
        Figure(
            marked("spreading"), marked("edges/s"), rates("spreading", lambda amount: amount[0]), gather * edges / reads
        ),
        Figure(marked("building"), "edges/s", rates("building"), copy / (2 * 2 * ENTRY)),
        Figure("building", marked("bytes/edge at peak"), peaks("building", float)),
        Figure(marked("bare population"), marked("user-days/s"), rates("bare"), daily),
        Figure(marked("full model"), "user-days/s", rates("full"), daily),
        Figure("full model", marked("bytes/user at peak"), state),
    ]


# ------------------------------------------------------------------------------------------- in a process of its own


def alone(work: Callable[..., Any], *arguments: Any, fast: bool = True) -> Any:
    """What a function of a module returns in a fresh process, compiled or not."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context, _with, ("1" if fast else "0",)) as pool:
        return pool.submit(work, *arguments).result()


def _with(fast: str) -> None:
    os.environ["WXSIM_FAST"] = fast


def _has_numba() -> bool:
    return fast.present


def spend(act: Callable[[], Any]) -> Spent:
    """Do it and say what it took."""
    peak, wall, processor = _peak(), perf_counter(), process_time()
    act()
    return Spent(process_time() - processor, perf_counter() - wall, _peak() - peak)


def _peak() -> float:
    """The most memory that this process has held so far, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():  # what getrusage says on Linux begins with the memory of the parent
        lines = status.read_text("ascii").splitlines()
        return next(float(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
    if sys.platform == "win32":
        return float("nan")
    from resource import RUSAGE_SELF, getrusage

    return float(getrusage(RUSAGE_SELF).ru_maxrss)  # of macOS, in bytes


# ---------------------------------------------------------------------------------------------------------- the work


def memory(size: int = _COPIED) -> tuple[float, float]:
    """Memory: bytes copied per second, read and write both counted, and reads per second at random places."""
    source, target = np.ones(size // 8), np.empty(size // 8)
    moved = min(spend(lambda: np.copyto(target, source)).processor for _ in range(5))
    places = (np.arange(size // 8, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(32)
    at = (places % np.uint64(source.size)).astype(np.int64)
    read = min(spend(lambda: _read(source, at)).processor for _ in range(3))
    return 2 * source.nbytes / max(moved, 1e-9), at.size / max(read, 1e-9)


def _read(source: Any, at: I64) -> float:
    """The sum of values at random places, as fast as this installation can."""
    if fast.present:
        return float(_compiled_sum()(source, at))
    return sum(float(source.take(at[first : first + _BLOCK]).sum()) for first in range(0, at.size, _BLOCK))


@cache
def _compiled_sum() -> Callable[..., Any]:
    return fast.compiled(_summed)


def _summed(source: Any, at: Any) -> Any:
    total = 0.0
    for place in at:
        total += source[place]
    return total


def spreading(users: int) -> tuple[tuple[float, float], Spent]:
    """Spreading: independent cascades on the ties of a world. Edges that were decided, and reads that this needs."""
    from sim import diffusion

    graph = society(_world(load("triangle"), users).world, 1).graph
    net = diffusion.network(graph)
    seeds = range(min(SEEDS, users))

    def cascades() -> diffusion.Cascades:
        return diffusion.independent_cascade(net, seeds, CHANCE, replications=CASCADES)

    reached = np.flatnonzero(diffusion.independent_cascade(net, seeds, CHANCE, record="times").times() >= 0)
    rows, people = cascades().reach.sum(), reached.size
    edges = float(graph.degree[reached].sum() * (rows / people))  # ties of those who are reached, by one cascade's mean
    reads = float(rows + 2 * CHANCE * edges)  # where each row is; each success: who it is, and whether that is new
    return (edges, reads), spend(cascades)


def building(users: int) -> tuple[float, Spent]:
    """Building: people, ties and chat groups. Edges made."""
    params = _world(load("triangle"), users).world
    _graph(params, min(users, WARM_UP), 2)
    made: list[SocialGraph] = []
    spent = spend(lambda: made.append(_graph(params, users, 1)))
    return made[0].indices.size / 2, spent


def _graph(params: WorldParams, users: int, seed: int) -> SocialGraph:
    people = params.people.model_copy(update={"count": users})
    arrays = params.graph.model_copy(update={"engine": "native"})
    return society(params.model_copy(update={"people": people, "graph": arrays}), seed).graph


def bare(users: int, days: int = DAYS) -> tuple[float, Spent]:
    """Bare population: one shop, people who come, search, buy and share. User-days."""
    return _simulated(bare_scenario(), users, days)


def full(users: int, days: int = DAYS) -> tuple[float, Spent]:
    """Full model: the market of the shipped scenario `triangle` with everything on. User-days."""
    return _simulated(load("triangle").strategy("all three"), users, days)


def bare_scenario() -> Scenario:
    """One tea shop with its store, and people who come, search, buy and tell friends; nothing else."""
    whole = load("triangle").strategy("store only")
    return whole.model_copy(
        update={
            "platform": {"rules": whole.platform["rules"], "search_engine": whole.platform["search_engine"]},
            "people": {name: whole.people[name] for name in FROM_SHOP_TO_FRIEND},
            "merchants": {whole.focal: whole.merchants[whole.focal]},
        }
    )


def sized(scenario: Scenario, users: int, days: int) -> Scenario:
    """The scenario with so many users for so many days."""
    horizon = scenario.horizon.model_copy(update={"days": days})
    return _world(scenario, users).model_copy(update={"horizon": horizon})


def _world(scenario: Scenario, users: int) -> Scenario:
    people = scenario.world.people.model_copy(update={"count": users})
    return scenario.model_copy(update={"world": scenario.world.model_copy(update={"people": people})})


def _simulated(scenario: Scenario, users: int, days: int) -> tuple[float, Spent]:
    run(sized(scenario, min(users, WARM_UP), 2), (scenario.seed + 1,))  # in another world: what is built is kept
    return float(users * days), spend(lambda: run(sized(scenario, users, days)))


def _short(value: float) -> str:
    """Three digits and a letter for the size."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g} {letter}"
    return f"{value:.3g}"


WORK: Mapping[Callable[[int], tuple[Any, Spent]], str] = {  # and what it is called
    spreading: "spreading",
    building: "building",
    bare: "bare population",
    full: "full model",
}
