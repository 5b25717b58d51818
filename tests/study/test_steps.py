"""A person's days step by step, of a little market told by hand."""

import pytest

from sim.errors import StudyError
from sim.ledger.reader import Ledger
from sim.study.steps import days, people, steps
from sim.units import DAY
from tests.ledger.story import market


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    return market().write(tmp_path_factory.mktemp("told") / "run")


def users(ledger: Ledger) -> range:
    return range(int(ledger.manifest["users"]))


def test_every_event_of_a_person_is_a_step_once(told: Ledger) -> None:
    for user in users(told):
        rows = told.rows('SELECT event, time FROM events WHERE "user" = $user OR peer = $user', user=user)
        found = steps(told, user, 0, 1_000)
        assert sorted(step.event for step in found) == sorted(event for event, _ in rows)
        assert [step.time for step in found] == sorted(time for _, time in rows)


def test_days_are_cut_at_midnight(told: Ledger) -> None:
    for user in users(told):
        for day in days(told, user):
            assert all(day * DAY <= step.time < (day + 1) * DAY for step in steps(told, user, day, 1))
            assert steps(told, user, day, 1)


def test_what_led_to_a_step_is_its_chain_of_causes(told: Ledger) -> None:
    cause = dict(told.rows("SELECT event, cause FROM events"))
    for user in users(told):
        for step in steps(told, user, 0, 1_000):
            length, event = 0, cause[step.event]
            while event in cause:
                length, event = length + 1, cause[event]
            assert len(step.led) == length


def test_people_who_did_most_come_first(told: Ledger) -> None:
    found = people(told, ("order", "no such kind"))
    counts = dict(told.rows("""SELECT "user", count(*) FROM events WHERE kind = 'order' GROUP BY ALL"""))
    assert [counts[user] for user in found["order"]] == sorted(counts.values(), reverse=True)[: len(found["order"])]
    assert found["no such kind"] == []


def test_there_must_be_such_a_user(told: Ledger) -> None:
    with pytest.raises(StudyError, match="no user"):
        days(told, len(users(told)))
