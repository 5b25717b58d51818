"""Gifts near the horizon, gifts that lead to gifts, recipients who become customers."""

from pathlib import Path

import pytest

from sim.metrics.catalog import table
from sim.units import DAY, HOUR
from tests.ledger.story import Story


def test_gifts_whose_deadline_is_past_the_horizon_do_not_count(tmp_path: Path) -> None:
    told = Story(days=10)
    for sent in (DAY, 2 * DAY, 9 * DAY, 9 * DAY + 1):
        gift = told.event("gift_sent", sent, user=1, peer=2, amount=100)
        if sent == 2 * DAY:
            told.claim(gift, sent + HOUR)
        else:
            told.event("gift_expired", sent + DAY, gift, user=1, amount=100)
    late = told.event("gift_sent", 9 * DAY + 2 * HOUR, user=1, peer=3, amount=100)
    told.claim(late, 9 * DAY + 3 * HOUR)
    got = table(told.write(tmp_path / "run"), ["gift_acceptance", "gifts_sent"])
    assert got == pytest.approx({"gift_acceptance": 1 / 3, "gifts_sent": 5})


def test_all_count_if_none_expired(tmp_path: Path) -> None:
    told = Story(days=10)
    told.claim(told.event("gift_sent", 10 * DAY - 5, user=1, peer=2, amount=100), 10 * DAY - 1)
    assert table(told.write(tmp_path / "run"), ["gift_acceptance"]) == {"gift_acceptance": 1.0}


def test_gifts_by_recipients_count_for_their_last_claim_within_thirty_days(tmp_path: Path) -> None:
    told = Story(days=80)

    def give(time: int, sender: int, recipient: int, claimed: bool = True) -> None:
        gift = told.event("gift_sent", time, user=sender, peer=recipient, amount=100)
        if claimed:
            told.claim(gift, time + HOUR)

    give(0, 1, 2)
    give(DAY, 2, 3)  # two hours short of a day after her claim: counts
    give(2 * DAY, 2, 4, claimed=False)  # counts, too
    give(40 * DAY, 3, 4)  # 39 days after the claim of 3: does not count
    give(60 * DAY, 4, 5)  # the claims of 4 and 5 do not have 30 days
    got = table(told.write(tmp_path / "run"), ["gift_reproduction"])
    claims = 3  # of 2, of 3, and of 4 on day 40
    assert got == pytest.approx({"gift_reproduction": (2 + 1) / claims})  # 4 gave 20 days after her claim


def test_recipients_are_won_if_they_buy_later_and_never_before(tmp_path: Path) -> None:
    told = Story()
    for recipient, bought in ((2, 5 * DAY), (3, DAY), (4, None), (5, 5 * DAY)):
        told.claim(told.event("gift_sent", 2 * DAY, user=1, peer=recipient, amount=100), 3 * DAY)
        if bought:
            told.event("order", bought, user=recipient, merchant=1 if recipient == 5 else 0, amount=100)
    assert table(told.write(tmp_path / "run"), ["recipients_won"], "tea_house") == {"recipients_won": 1.0}
