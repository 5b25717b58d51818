"""Both engines write the same ledger of every shipped scenario, made small, and of one with everything at once."""

import pytest

from sim.study.shrink import resized
from sim.study.verify import verify
from tests.exactness.small import CASES, small

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", CASES)
def test_both_engines_write_the_same_ledger(name: str) -> None:
    scenario = small(name)
    if scenario.world.graph.file is None:
        scenario = resized(scenario, 60, 5)
    found = verify(scenario)
    assert found.equal, str(found)
