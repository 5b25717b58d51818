from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.contract import View
from sim.engine.apply import appraise
from sim.ledger.schema import Records
from sim.offers.membership import Membership
from sim.world.state import FOLLOWS, MEMBER
from tests.views import apply, make_view, mechanism, post_outcome, seat, show, slots_of

FAR = 200  # a birthday that is far from day 0


def stage(users: int = 2, **overrides: Any) -> View:
    parts = {"columns": Membership.columns, "birthday": FAR, "flags": MEMBER, "price": 10_000}
    return make_view(users, **(parts | overrides))


def prices(view: View, product: int = 0, **params: Any) -> list[int]:
    users = len(view.sessions)
    shown = show(view, np.arange(users), np.full(users, product))
    appraise(shown, [mechanism(Membership, view, **params).appraise(view)], view.shared("merchant", "stacking"))
    return shown.amount.tolist()


@pytest.mark.parametrize(
    ("flags", "spent", "birthday", "pays"),
    [
        (0, 0, FAR, 10_000),
        (FOLLOWS, 10**6, 0, 10_000),
        (MEMBER, 0, FAR, 9_500),
        (MEMBER | FOLLOWS, 79_999, FAR, 9_500),
        (MEMBER, 80_000, FAR, 9_000),
        (MEMBER, 80_000, 6, 8_500),
        (MEMBER, 0, 0, 8_500),
        (MEMBER, 0, 7, 9_500),
        (MEMBER, 0, 364, 9_500),
    ],
)
def test_who_pays_what(flags: int, spent: int, birthday: int, pays: int) -> None:
    assert prices(stage(flags=flags, spent=spent, birthday=birthday)) == [pays] * 2


def test_a_birthday_in_the_new_year_is_near_in_the_old() -> None:
    assert prices(stage(birthday=2, day=362)) == [8_500] * 2


def test_only_the_merchant_whose_member_she_is_is_cheaper_and_only_the_goods_named() -> None:
    view = stage(4, flags=0)
    slots_of(view)["flags"][1, 1] = MEMBER
    assert prices(view, product=0) == [10_000] * 4
    assert prices(view, product=4) == [10_000, 9_500, 10_000, 10_000]
    named = {"products": ("product_4",)}
    assert prices(view, product=4, **named) == [10_000, 9_500, 10_000, 10_000]
    assert prices(view, product=3, **named) == [10_000] * 4


@given(st.lists(st.tuples(st.integers(0, 1), st.booleans(), st.integers(0, 60_000)), max_size=8))
def test_what_members_pay_adds_up_and_turns_gold_once(orders: list[tuple[int, bool, int]]) -> None:
    view = stage(2, merchants=1, flags=np.array([[MEMBER] * 6, [0] * 6]))
    club, spent, golden = mechanism(Membership, view, gold_from=800), [0, 0], []
    for number, (user, granted, amount) in enumerate(orders):
        seat(view, hour=number)
        post_outcome(view, "order", Records(1, user=user, merchant=0, event=number + 1, amount=amount), granted)
        fx = club.respond(view)
        apply(view, fx)
        before = spent[user]
        spent[user] += amount if granted and user == 0 else 0
        golden += [(number + 1, spent[user])] if before < 80_000 <= spent[user] else []
        assert [(int(r.cause[0]), int(r.amount[0])) for _, r in fx.events] == (
            golden[-1:] if before != spent[user] and golden and golden[-1][0] == number + 1 else []
        )
    assert slots_of(view)["spent"][:, 0].tolist() == spent
    assert len(golden) <= 1
