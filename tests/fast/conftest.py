"""Twins exist only where numba does; everything else about `sim.fast` is tested in any case."""

import pytest

from sim import fast

_OF_TWINS = [
    "test_compiled.py",
    "test_draws.py",
    "test_elementary.py",
    "test_kernels.py",
    "test_ledger.py",
    "test_world.py",
]


@pytest.fixture(autouse=True)
def twins_of_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twins serve small calls from the first one on."""
    monkeypatch.setattr(fast, "WORTH", 0)


collect_ignore_glob = [] if fast.present else _OF_TWINS
