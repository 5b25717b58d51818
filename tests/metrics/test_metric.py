"""What is recorded changes no metric: it is the same, or undefined, with every exposure written down or without."""

import math
from pathlib import Path

import pytest

from sim.metrics.catalog import METRICS, table
from sim.run import run
from tests.exactness.small import EVERYTHING, small


@pytest.mark.slow
@pytest.mark.parametrize("name", [EVERYTHING, "mini_program_plays"])
def test_what_is_recorded_changes_no_metric(name: str, tmp_path: Path) -> None:
    scenario = small(name)
    records = ("orders", "all")
    thin, full = (
        run(scenario.model_copy(update={"record": record}), (3,), (tmp_path / record,))[0] for record in records
    )
    for merchant in (None, scenario.focal):
        told, whole = (table(ledger, METRICS, merchant) for ledger in (thin, full))
        moved = [metric for metric in METRICS if not _same(told[metric], whole[metric])]
        assert {metric.partition("@")[0] for metric in moved if math.isnan(told[metric])} <= {"reach"}
        assert not [metric for metric in moved if not math.isnan(told[metric])]
        assert sum(value > 0 for value in whole.values()) > 40


def _same(one: float, other: float) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other))
