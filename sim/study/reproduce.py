"""Run again what a ledger says it is, and compare fingerprints."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from sim.config.model import Scenario
from sim.ledger.reader import Ledger
from sim.run import run


@dataclass(frozen=True, slots=True)
class Reproduction:
    """The fingerprint that a run wrote, the one of running it again, and the first day on which they differ."""

    wanted: str
    got: str
    first_day: int | None

    @property
    def same(self) -> bool:
        """Whether the second run is the first one again."""
        return self.wanted == self.got


def reproduce(folder: Path) -> Reproduction:
    """Run the scenario of a run's manifest with its seed again. Raises LedgerError if the folder holds no run."""
    manifest = Ledger(folder).manifest
    scenario = Scenario.restore(manifest["scenario"])
    with tempfile.TemporaryDirectory(prefix="wxsim-reproduce-") as made:
        (again,) = run(scenario, (manifest["seed"],), (Path(made) / "run",), strategy=manifest["strategy"])
        digest = again.manifest["digest"]
        again.close()
    wanted = manifest["digest"]
    days = {**wanted["days"], **digest["days"]}
    other = [int(day) for day in days if wanted["days"].get(day) != digest["days"].get(day)]
    return Reproduction(wanted["total"], digest["total"], min(other, default=None))
