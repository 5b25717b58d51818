"""Articles against their rates: what goes out, who reads, takes part, passes on and follows, which cards they see."""

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from sim.channels.articles import FORMS, Articles, ArticlesParams
from sim.contract import Effects, View
from sim.errors import ContractError
from sim.ledger.schema import Records
from sim.units import DAY, HOUR
from tests.views import CHANNELS, make_view, mechanism, seat

ARTICLE, PUSHED = 71, 72
SIGMAS = 4.0
ALL = np.ones(1, np.bool_)


def stage(users: int = 20_000, **params: Any) -> tuple[View, Articles]:
    """Everybody is shown an article of merchant 0, which features product 1."""
    view = make_view(users)
    made = mechanism(Articles, view, **params)
    publish(view, made)
    view.scratch["feed"] = np.full((users, 1), ARTICLE, np.uint64)
    view.scratch["feed_likes"] = np.zeros((users, 1), np.int64)
    return view, made


def publish(view: View, made: Articles, kind: str = "article", event: int = ARTICLE, **columns: Any) -> Effects:
    """Let an article go out, and be there."""
    columns = {"merchant": 0, "product": 1, **columns}
    fx = made.settle(view, kind, Records(1, time=5 * DAY, event=event, **columns), ALL)
    for name, rows in fx.publications:
        view.contents[name] = Records.concat([view.content(name), rows])
    return fx


def events(fx: Effects, kind: str) -> Records:
    return dict(fx.events).get(kind, Records(0))


def reads(view: View, made: Articles) -> tuple[Effects, Effects]:
    """What is shown, and what comes of it."""
    shown = made.expose(view)
    view.scratch.update(shown.scratch)
    after = made.checkout(view)
    view.scratch.update(after.scratch)
    return shown, after


def near(got: int, rate: float, n: int) -> None:
    assert abs(got - n * rate) <= SIGMAS * np.sqrt(n * rate * (1 - rate))


# ------------------------------------------------------------------------------------------------- publishing


def test_articles_go_out_as_planned_and_are_paid_for() -> None:
    view = make_view(4)
    made = mechanism(Articles, view, on=[False, True], unpushed_per_week=3, hour=9, quality=0.6, cost_yuan=50.0)
    rows = made.agenda(view, 14)["article"]
    assert rows.n == 6 == np.unique(rows.event).size
    assert set((rows.time % DAY // HOUR).tolist()) == {9}
    fx = made.settle(view, "article", rows, np.ones(6, np.bool_))
    sent = dict(fx.publications)["article"]
    assert sent.n == events(fx, "article").n == 6
    assert set(sent.detail.tolist()) == {600}
    ((_, moves),) = fx.posts
    assert set(moves.amount.tolist()) == {3_000} and set(moves.source_owner.tolist()) == {1}


@pytest.mark.parametrize(("number", "merchant", "opens"), [(0, 0, True), (3, 0, True), (4, 0, False), (0, 1, False)])
def test_a_broadcast_within_the_cap_opens_into_an_article_of_its_id(number: int, merchant: int, opens: bool) -> None:
    view = make_view(4)
    made = mechanism(Articles, view, on=[True, False])
    fx = publish(view, made, "broadcast", PUSHED, merchant=merchant, product=3 * merchant, detail=number)
    assert view.content("article").event.tolist() == [PUSHED] * opens
    assert not fx.events  # the broadcast is told already


def test_hot_topics_come_at_their_rate_with_their_heat() -> None:
    view = make_view(4)
    made = mechanism(Articles, view, hot_topics=0.3, heat=2.5, cards=1)
    rows = Records(2_000, time=0, event=np.arange(2_000) + 1, merchant=0, product=0)
    sent = dict(made.settle(view, "article", rows, np.ones(2_000, np.bool_)).publications)["article"]
    near(int((sent.quantity > 0).sum()), 0.3, 2_000)
    assert set(sent.quantity.tolist()) == {0, 2_500}


def test_cards_are_what_it_features_the_best_sellers_and_one_of_each_link() -> None:
    view = make_view(40, 4, sold=[0, 0, 5, 0, 9, 1, 4, 4, 3, 0, 0, 0])
    made = mechanism(Articles, view, on=[True, False, False, False], cards=2, linked=("merchant_1", "merchant_2"))
    publish(view, made)
    cards = view.content("article_card")
    assert cards.product.tolist() == [1, 2, 4, 6]  # featured, best of its own, best of each linked
    assert cards.merchant.tolist() == [0, 0, 1, 2]
    assert set(cards.cause.tolist()) == {ARTICLE}
    made = mechanism(Articles, view, cards=20)
    publish(view, made, event=ARTICLE + 1)
    assert view.content("article_card").product[4:].tolist() == [0, 1, 2]


def test_a_link_to_nobody_is_explained() -> None:
    with pytest.raises(ContractError, match="no merchant; name merchant_0, merchant_1"):
        mechanism(Articles, make_view(4), linked=("merchant_7",))


# ------------------------------------------------------------------------------------------------- reading


@pytest.mark.parametrize(("quality", "factor"), [(0.5, 1.0), (1.0, 1.5)])
def test_strangers_open_it_at_the_rate_and_see_every_card(quality: float, factor: float) -> None:
    n = 20_000
    view, made = stage(n, click=0.1, quality=quality, cards=2)
    shown, after = reads(view, made)
    rows = events(after, "article_read")
    near(rows.n, 0.1 * factor, n)
    assert set(rows.quantity.tolist()) == {1} and set(rows.cause.tolist()) == {ARTICLE}
    (cards,) = shown.exposures
    assert cards["session"].size == 2 * rows.n
    assert cards["channel"] == CHANNELS["articles"]
    assert set(cards["cause"].tolist()) == {ARTICLE}


def test_fans_who_open_the_broadcast_read_its_article() -> None:
    view, made = stage(60, click=0.0)
    publish(view, made, "broadcast", PUSHED)
    note = np.zeros((60, 2), np.uint64)
    note[10:25, 0], note[30:, 1] = PUSHED, 999  # a broadcast of somebody who writes no articles
    view.scratch["read_service_account"] = note
    rows = events(reads(view, made)[1], "article_read")
    assert rows.user.tolist() == list(range(10, 25))
    assert set(rows.quantity.tolist()) == {0} and set(rows.cause.tolist()) == {PUSHED}


def test_a_friends_visible_like_multiplies_the_odds_once() -> None:
    n = 20_000
    view, made = stage(n, click=0.2)
    calm = events(reads(view, made)[1], "article_read")
    seat(view)
    view.scratch |= {"feed": np.full((n, 1), ARTICLE, np.uint64), "feed_likes": np.full((n, 1), 4)}
    view.scratch["first_like"] = np.full(n, 2.0)
    moved = events(reads(view, made)[1], "article_read")
    near(moved.n, 0.25 * 2 / (1 + 0.25 * 2), n)
    assert set(calm.user.tolist()) < set(moved.user.tolist())


# ------------------------------------------------------------------------------------------------- taking part


@pytest.mark.parametrize(("form", "rate"), [("question", 0.1), ("vote", 0.3), ("lottery", 0.5), ("none", 0.0)])
def test_readers_take_part_at_the_rate_of_the_form(form: str, rate: float) -> None:
    n = 20_000
    part = {"question": 0.1, "vote": 0.3, "lottery": 0.5}
    view, made = stage(n, click=1.0, quality=1.0, interaction=form, taking_part=part)
    near(events(reads(view, made)[1], "took_part").n, rate, n)


def test_who_takes_part_passes_on_and_follows_more_readily() -> None:
    part = {"question": 0.5, "vote": 0.5, "lottery": 0.5}
    view, made = stage(400, click=1.0, quality=0.8, interaction="vote", taking_part=part, share=0.1, follow=2.0,
                       engaged_share=4.0, engaged_follow=3.0)  # fmt: skip
    _, after = reads(view, made)
    engaged = np.isin(np.arange(400), events(after, "took_part").user)
    urge, pull = view.scratch["article_urge"][:, 0], view.scratch["prompt_strength.articles"]
    assert 100 < engaged.sum() < 300
    assert np.allclose(urge, 0.1 * 1.3 * np.where(engaged, 4.0, 1.0))
    assert np.allclose(pull, 2.0 * 0.8 * np.where(engaged, 3.0, 1.0))
    assert set(view.scratch["prompt_cause.articles"].tolist()) == {ARTICLE}


def test_without_an_article_there_is_nothing_to_read() -> None:
    view, made = stage(50, click=1.0)
    view.scratch["feed"][:] = 999
    assert not made.expose(view)
    assert not made.checkout(view)


def test_every_form_needs_a_share() -> None:
    assert set(ArticlesParams().taking_part) == set(FORMS)
    for wrong in ({"vote": 0.1}, {**dict.fromkeys(FORMS, 0.1), "vote": 1.5}, {**dict.fromkeys(FORMS, 0.1), "quiz": 0}):
        with pytest.raises(ValidationError):
            ArticlesParams(taking_part=wrong)
