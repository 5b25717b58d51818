"""Runs that many tests of exactness are held against; each is made once."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sim.config.model import Scenario
from sim.ledger.reader import Ledger
from sim.world.world import World
from tests.exactness.small import CASES, ample, ledger_in, ledger_of, small, still_market, world_of

Run = Callable[..., Ledger]


@pytest.fixture(scope="session", autouse=True)
def _not_to_disk() -> Iterator[None]:
    """Ledgers that are read at once need not be brought to disk: a hundred runs would mostly wait for it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda file: None)
        yield


@pytest.fixture(scope="session", params=CASES)
def case(request: pytest.FixtureRequest) -> str:
    """Each shipped scenario, and one with everything else."""
    return str(request.param)


@pytest.fixture(scope="session")
def scenario(case: str) -> Scenario:
    return small(case)


@pytest.fixture(scope="session")
def world(scenario: Scenario) -> World:
    return world_of(scenario)


@pytest.fixture(scope="session")
def ledger(scenario: Scenario, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """What the scenario writes as it stands; others are held against it."""
    made = ledger_of(scenario, tmp_path_factory.mktemp("plain"))
    yield made
    made.close()


@pytest.fixture(scope="session")
def still_ledger(scenario: Scenario, tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    """The same where there is enough for all, and nobody sees what others do to the market."""
    with pytest.MonkeyPatch.context() as patch:
        still_market(patch)
        return ledger_of(ample(scenario), tmp_path_factory.mktemp("still"))


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a scenario, as `run` would or in a world made by hand, and give its ledger."""

    def ledger(scenario: Scenario, world: World | None = None, **how: object) -> Ledger:
        if world is None:
            return ledger_of(scenario, tmp_path, **how)
        return ledger_in(world, scenario, tmp_path, monkeypatch)

    return ledger
