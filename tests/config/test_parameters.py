"""Parameters of a scenario by path, and the scenario with other values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.config.load import load
from sim.config.parameters import Parameter, leads, parameters, patched
from sim.errors import StudyError

TRIANGLE = load("triangle")
ALL = TRIANGLE.strategy("all three")


def test_every_number_can_be_set_at_its_own_path_to_its_own_value() -> None:
    """Writing each parameter's own value at its own path changes nothing."""
    same = {path: one.value for path, one in parameters(ALL).items() if one.number}
    assert len(same) > 300
    assert patched(ALL, same).digest == ALL.digest


def test_what_is_set_is_there_and_nothing_else_changes() -> None:
    made = patched(ALL, {"people.gift.everyday": 0.5, "merchants.*.channels.store.discovery": 0.25})
    before, after = parameters(ALL), parameters(made)
    changed = {path for path in after if after[path].value != before[path].value}
    assert changed == {"people.gift.everyday"} | {
        f"merchants.{name}.channels.store.discovery" for name in ALL.merchants
    }
    assert made.strategies == {}


def test_a_price_is_set_among_people_who_are_used_to_the_old_one() -> None:
    made = patched(TRIANGLE, {"merchants.tea_house.products.longjing.price": 100})
    product = made.merchants["tea_house"].products["longjing"]
    assert (product.price, product.customary_price) == (100, 168)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("people.gft.everyday", 1, 'did you mean "gift"'),
        ("people.gift.everyda", 1, 'did you mean "everyday"'),
        ("merchants.*.channels.stor.discovery", 1, 'did you mean "store"'),
        ("people.gift.everyday", -3, "people.gift.everyday: -3 cannot stand there"),
        ("people.gift.everyday", "often", "'often' cannot stand there"),
        ("world.people.count", 2.5, "2.5 cannot stand there"),
    ],
)
def test_what_cannot_be_set_is_explained(path: str, value: object, said: str) -> None:
    with pytest.raises(StudyError, match=r".*" + said.replace("*", r"\*")):
        patched(TRIANGLE, {path: value})


def test_a_path_may_lead_nowhere() -> None:
    assert leads(ALL, "merchants.tea_house.channels.mini_program.loading_seconds")
    assert not leads(TRIANGLE.strategy("store only"), "merchants.tea_house.channels.mini_program.loading_seconds")


numbers = st.floats(1e-6, 1e6)


@given(numbers, st.sampled_from([(None, None), (0.0, 1.0), (0.0, 10.0), (1.0, None)]), st.booleans())
def test_a_span_holds_the_value_inside_its_bounds(
    value: float, bounds: tuple[float | None, float | None], whole: bool
) -> None:
    low, high = bounds
    value = float(round(value)) if whole else value
    value = max(value, low or 0.0) if high is None else min(max(value, low or 0.0), high)
    one = Parameter("a.b", int(value) if whole else value, "", "assumed", "", low, high)
    if one.span is None:
        return
    first, last = one.span
    assert first <= one.value <= last
    assert first < last
    assert low is None or first >= low
    assert high is None or last <= high
    if whole:
        assert first == int(first) and last == int(last)


def test_the_odds_of_a_share_are_halved_and_doubled() -> None:
    low, high = Parameter("a.b", 0.8, "", "assumed", "", 0.0, 1.0).span or (0, 0)
    assert (low / (1 - low), high / (1 - high)) == pytest.approx((2, 8))
    assert Parameter("a.b", True, "", "assumed", "", None, None).span is None
    assert Parameter("a.b", 0.0, "", "assumed", "", None, None).span is None
