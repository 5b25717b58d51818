"""Scenario -> Ledger: build the world, drive the engine to the end, close the books."""

import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from sim import catalog
from sim.config.model import Scenario
from sim.engine.crew import Crew
from sim.engine.engine import BLOCK, Engine
from sim.engine.events import EventEngine
from sim.errors import ContractError, RunStopped
from sim.ledger.reader import Ledger
from sim.ledger.writer import LedgerWriter
from sim.units import DAY
from sim.world.build import build
from sim.world.calendar import Calendar

ENGINES = {"array": Engine, "events": EventEngine}
Watch = Callable[[Engine], Callable[[], None]]  # called before the first tick; what it returns is called after each
UNWATCHED: Watch = lambda engine: lambda: None  # noqa: E731
# After the horizon open gifts, parcels and return windows come to their end. Three weeks suffice for the defaults; what
# is allowed at most is 30 days for a gift, 153 for a parcel and 90 to send it back, and 365 for goods to arrive.
WIND_DOWN_DAYS = 400


def run(
    scenario: Scenario,
    seeds: Sequence[int] = (),
    out: Sequence[Path] = (),
    *,
    strategy: str = "",
    engine: str = "array",
    block: int = BLOCK,
    threads: int = 1,
    progress: Callable[[int], None] = lambda day: None,
    watch: Watch = UNWATCHED,
) -> list[Ledger]:
    """Run a scenario once per seed, all worlds side by side, and return their ledgers.

    Each ledger is the one that its seed would have written alone. `seeds` defaults to the scenario's own; `out` names
    one folder per seed. Without it each ledger gets a temporary folder, which is removed with the ledger. `engine` is
    ``array``, or ``events``: the same rules, one session and one request at a time, which writes the same ledger and
    takes many times as long. In the array engine `block` sessions act together, and `threads` blocks at a time: for
    speed alone, the ledger is the same for any. `progress(day)` is called after each simulated day; if it raises
    RunStopped, the ledger ends there, and its manifest says after how many days (`stopped`). `watch(engine)` is called
    before the first tick; what it returns is called after every tick (see `sim.study.watch`). Raises LedgerError if a
    folder holds a finished run already.
    """
    seeds = tuple(seeds) or (scenario.seed,)
    if len(out) not in (0, len(seeds)):
        raise ContractError(f"{len(seeds)} seeds need as many folders, got {len(out)}")
    folders = [Path(folder) for folder in out] or [Path(tempfile.mkdtemp(prefix="wxsim-")) for _ in seeds]
    try:
        _write(scenario, seeds, folders, strategy, engine, block, threads, progress, watch)
    except BaseException:
        for made in () if out else folders:
            shutil.rmtree(made, ignore_errors=True)
        raise
    return [Ledger(folder, temporary=not out) for folder in folders]


def _write(
    scenario: Scenario,
    seeds: Sequence[int],
    folders: Sequence[Path],
    strategy: str,
    engine: str,
    block: int,
    threads: int,
    progress: Callable[[int], None],
    watch: Watch,
) -> None:
    """Run a scenario in the worlds of the seeds and write each ledger into its folder."""
    days, tick = scenario.horizon.days, scenario.horizon.tick
    calendar = Calendar(scenario.horizon.start, days + WIND_DOWN_DAYS)
    world = build(scenario.world, scenario.merchants, seeds)
    crew = Crew(scenario, world)
    writer = LedgerWriter(
        folders,
        kinds={kind: declared.detail for kind, declared in crew.kinds.items()},
        channels=catalog.channels(),
        merchants=tuple(scenario.merchants),
        products=world.product_names,
        users=world.users,
        variants=world.variants,
        everything=scenario.record == "all",
    )
    driven = ENGINES[engine](crew, world, calendar, catalog.channels(), tick, days, writer, block, threads)
    watched = watch(driven)

    def told() -> None:
        watched()
        if driven.view.clock.end % DAY == 0:
            progress(driven.view.clock.day)

    extra = {}
    try:
        driven.run((days + WIND_DOWN_DAYS) * DAY // tick, told)
    except RunStopped:
        extra["stopped"] = driven.view.clock.day + 1
    writer.close(scenario=scenario.resolved(), strategy=strategy, seeds=seeds, days=days, extra=extra)
