"""The ledger is the same with and without numba."""

import pytest

from sim import fast
from sim.config.load import load
from sim.run import run

BUSY = """
title: A small and busy town
extends: base
horizon: {start: 2025-01-20, days: 5, tick: 2h}
world: {people: {count: 500}}
people: {browse: {opens: 0.9}}
merchants:
  tea_house:
    channels: {store: {}, mini_program: {}, service_account: {}, groups: {}, moments: {}}
    offers: {gift_packet: {occasion_page: true}, coupon: {}}
"""


@pytest.mark.slow
def test_a_ledger_is_the_same_with_and_without(tmp_path, monkeypatch):
    (tmp_path / "busy.yaml").write_text(BUSY, encoding="utf-8")
    scenario, digests = load(tmp_path / "busy.yaml"), []
    for present in (True, False):
        monkeypatch.setattr(fast, "present", present)
        (ledger,) = run(scenario, (1,), [tmp_path / str(present)])
        assert ledger.events.num_rows > 250
        digests.append(ledger.manifest["digest"]["total"])
    assert digests[0] == digests[1]
