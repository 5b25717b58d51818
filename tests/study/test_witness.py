"""The witness: it sees everything, honest engines do not part, and what it says fits on a screen."""

from collections import Counter

import pytest

from sim.config.load import load
from sim.config.model import Scenario
from sim.run import run
from sim.study.shrink import resized
from sim.study.witness import HOOKS, LINES, Parting, _witness, parting
from sim.units import DAY

DAYS = 5
SEED = 3


@pytest.fixture(scope="module")
def market() -> Scenario:
    return resized(load("triangle").strategy("all three"), users=150, days=DAYS)


@pytest.mark.slow
def test_honest_engines_do_not_part(market: Scenario) -> None:
    assert parting(market, SEED, DAYS + 10) is None


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["array", "events"])
def test_what_the_ledger_holds_was_witnessed(market: Scenario, engine: str) -> None:
    witness = _witness(market, SEED, engine, DAYS)
    facts = [fact.split() for act in witness.acts.values() for fact in act.elements()]
    assert not [words for words in facts if any("np." in word for word in words)]  # numbers as everybody writes them
    seen = Counter(words[1] for words in facts if words[0] == "event")
    (ledger,) = run(market, (SEED,))
    kinds = "select kind, count(*) as n from events where tick < $ticks and kind <> 'visit' group by kind"
    written = ledger.query(kinds, ticks=DAYS * DAY // market.horizon.tick).to_pylist()
    ledger.close()
    assert len(written) > 5
    assert {row["kind"]: seen[row["kind"]] for row in written} == {row["kind"]: row["n"] for row in written}
    assert {HOOKS[hook] for _, hook, _, _ in witness.acts} == set(HOOKS)


def test_many_lines_are_told_as_a_number() -> None:
    lines = tuple(f"user {n} notes search 1" for n in range(LINES + 3))
    said = str(Parting(7, "arrive", "people.search_intent", lines, ())).splitlines()
    assert said[0].startswith("they part in tick 7: people.search_intent answers `arrive` otherwise")
    assert said[LINES + 1] == "  array  and 3 more"


def test_what_the_engines_do_is_not_blamed_on_a_mechanism() -> None:
    said = str(Parting(7, "settle", "", ("order: granted",), ("order: refused",)))
    assert "desks" in said
    assert "answers" not in said
