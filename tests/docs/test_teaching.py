"""The lessons run, and what they say of their numbers is so."""

import math
import runpy
from pathlib import Path
from typing import Any

import pytest

LESSONS = Path(__file__).parents[2] / "docs" / "teaching"


@pytest.fixture
def taught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> dict[str, Any]:
    """All that a lesson has computed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    return runpy.run_path(str(LESSONS / f"{request.param}.py"))


def lesson(name: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("taught", [name], indirect=True)


@pytest.mark.slow
@lesson("why_most_cascades_die")
def test_cascades_follow_the_branching_process_and_the_town_is_wilder(taught: dict[str, Any]) -> None:
    for R, size in taught["one_number"].items():
        n = size.size
        for measured, theory, error in (
            ((size == 1).mean(), math.exp(-R), math.sqrt(math.exp(-R) * (1 - math.exp(-R)) / n)),
            (size.mean(), 1 / (1 - R), math.sqrt(R / (1 - R) ** 3 / n)),  # Var = R / (1 - R)^3
        ):
            assert abs(measured - theory) < 4 * error + 0.01 * theory  # a finite network: 1 %
    alike, friends = taught["unequal"]["alike"], taught["unequal"]["friends"]
    assert (friends == 1).mean() > (alike == 1).mean()
    assert friends.max() > 3 * alike.max()
    assert taught["first_step"] < taught["later_steps"]
    assert taught["twice"]["friends"].mean() > taught["twice"]["strangers"].mean() + 0.1
    assert taught["found"]["trees"] > 10
    assert taught["low"] < taught["found"]["branching"] < taught["high"]
    rest = taught["found"]["size_mean"] * (1 - taught["found"]["branching"])
    assert rest == pytest.approx(1)


@pytest.mark.slow
@lesson("the_deadline_of_a_gift")
def test_gifts_are_taken_as_the_formula_says_and_sent_alike(taught: dict[str, Any]) -> None:
    table, found = taught["table"], taught["found"]
    sent = {hours: float(found.per_seed(f"{hours} hours", "gifts_sent").sum()) for hours in table}
    for hours, row in table.items():
        theory = taught["taken_within"](hours)
        assert abs(row["gift_acceptance"] - theory) < 4 * math.sqrt(theory * (1 - theory) / sent[hours])
        assert row["gift_net_gmv"] <= row["gift_gmv"]
    taken = [row["gift_acceptance"] for row in table.values()]
    assert taken == sorted(taken)
    assert max(sent.values()) < 1.1 * min(sent.values())  # what is sent hardly knows the deadline
    assert taught["rival_over_mine"] < 1
    slow, median = taught["deadline_for_slow_people"], taught["MEDIAN_HOURS"]
    assert slow / (slow + 24) == pytest.approx(24 / (24 + median))
