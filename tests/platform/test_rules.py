import json
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sim.platform.rules import Change, Rules, RuleSet, RulesParams
from tests.views import RULES, make_view, mechanism

CHANGES = [
    {"since": "2026-03-01", "gift_deadline_hours": 72},
    {"since": "2026-01-01", "gift_deadline_hours": 48, "platform_fee": 0.03},  # entries need not be in order
]


def rules(**params: Any) -> Rules:
    made: Rules = mechanism(Rules, make_view(users=2), **params)
    return made


@pytest.mark.parametrize(
    ("day", "deadline", "fee"),
    [
        (date(2025, 12, 31), 24, 0.05),
        (date(2026, 1, 1), 48, 0.03),
        (date(2026, 2, 28), 48, 0.03),
        (date(2026, 3, 1), 72, 0.03),  # what a change does not name stays
        (date(2030, 1, 1), 72, 0.03),
    ],
)
def test_a_rule_changes_on_its_date(day: date, deadline: int, fee: float) -> None:
    now = rules(changes=CHANGES).effective(day)
    assert (now["gift_deadline_hours"], now["platform_fee"]) == (deadline, fee)


def test_this_year_under_next_years_rules_is_one_line() -> None:
    changed, held = rules(changes=CHANGES), rules(changes=CHANGES, as_of="2026-01-01")
    for day in (date(2025, 1, 6), date(2025, 7, 1), date(2026, 3, 2)):
        assert held.effective(day) == changed.effective(date(2026, 1, 1))


def test_gifts_and_the_group_lottery_begin_on_their_dates() -> None:
    made = rules()
    assert not made.effective(date(2024, 12, 17))["gifts"]
    assert made.effective(date(2024, 12, 18))["gifts"]


def test_a_rule_can_change_to_a_value_that_is_false_or_empty() -> None:
    change = {"since": "2025-06-01", "folding": False, "gift_excluded_categories": [], "payment_fee": 0}
    made = rules(changes=[change])
    before, after = made.effective(date(2025, 5, 31)), made.effective(date(2025, 6, 1))
    assert (before["folding"], len(before["gift_excluded_categories"]), before["payment_fee"]) == (True, 2, 0.006)
    assert (after["folding"], len(after["gift_excluded_categories"]), after["payment_fee"]) == (False, 0, 0.0)


@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(1, 720)), max_size=8),
    st.integers(-5, 60),
)
def test_the_latest_change_so_far_is_in_force(changes: list[tuple[int, int]], day: int) -> None:
    start = date(2025, 1, 1)
    entries = [{"since": start + timedelta(days=at), "gift_deadline_hours": hours} for at, hours in changes]
    expected = 24
    for _, hours in sorted(((at, hours) for at, hours in changes if at <= day), key=lambda entry: entry[0]):
        expected = hours
    assert rules(changes=entries).effective(start + timedelta(days=day))["gift_deadline_hours"] == expected


def test_what_is_shown_cannot_be_written() -> None:
    with pytest.raises(TypeError):
        rules().effective(date(2025, 1, 1))["platform_fee"] = 0  # type: ignore[index]


def test_every_rule_that_others_read_is_shown() -> None:
    assert set(RULES) <= set(rules().effective(date(2025, 2, 1)))


def test_a_change_may_name_every_rule_within_the_same_bounds() -> None:
    assert set(Change.model_fields) == {"since", *RuleSet.model_fields}
    for bad in ({"gift_deadline_hours": 0}, {"platform_fee": 0.6}, {"gift_deadline": 48}, {"gift_swap": "any"}):
        with pytest.raises(ValidationError):
            RulesParams(**bad)
        with pytest.raises(ValidationError) as caught:
            RulesParams(changes=[{"since": "2026-01-01", **bad}])
        assert caught.value.errors()[0]["loc"][:3] == ("changes", 0, next(iter(bad)))
    with pytest.raises(ValidationError, match="since"):
        RulesParams(changes=[{"folding": False}])


def test_rules_survive_being_written_out() -> None:
    params = RulesParams(changes=CHANGES, as_of="2026-02-01", group_cap=200)
    written = json.dumps(params.model_dump(mode="json", serialize_as_any=True))
    assert RulesParams.model_validate_json(written, strict=True) == params
