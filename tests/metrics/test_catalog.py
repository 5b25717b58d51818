"""Every metric on a ledger told by hand, whose numbers were worked out on paper."""

import math
from pathlib import Path

import pytest

from sim.errors import LedgerError, StudyError
from sim.ledger.reader import Ledger
from sim.metrics.catalog import METRICS, STANDARD, table, themes
from tests.ledger.story import Story, market

NAN = math.nan
TEA_HOUSE = {  # orders of 50, 60 (returned) and 40 yuan, a gift of 70; three people, one of them twice
    "gmv": 220.0, "net_gmv": 160.0, "orders": 4, "given_away": 0, "aov": 55.0,
    "margin": -97.5,  # payouts 152, goods 200, parcels 32, advertising 15, commission 2.50; 3 more were void
    "margin_rate": -97.5 / 160, "goods_cost": 200.0, "shipping_cost": 32.0, "fees": 8.0, "marketing_cost": 17.5,
    "staff_cost": 0.0, "payback_day": NAN, "coupon_discount": 10.0, "coupon_use": 1.0,
    "new_customers": 3, "orders_per_customer": 4 / 3, "repeat_share_14d": 1 / 3, "repeat_share_30d": 1 / 3,
    "repeat_share_60d": NAN, "ltv_14d": 160 / 3, "ltv_30d": 160 / 3, "ltv_60d": NAN, "cac": 17.5 / 3,
    "gifts_sent": 1, "gift_gmv": 70.0, "gift_net_gmv": 70.0, "gift_acceptance": 1.0, "gift_share": 0.25,
    "gift_buyers_per_1000": 50.0, "gift_buyers_peak_per_1000": 50.0, "gift_reproduction": 0.0, "recipients_won": 0,
    "counter_gifts": 0, "counter_gift_cost": 0.0, "counter_contacts": 0, "counter_buyers": 0, "counter_gmv": 0.0,
    "shares": 1, "share_reach": 5, "shares_per_order": 0.25, "social_orders": 0, "social_customers": 0,
    "social_order_share": 0.0, "orders_per_recommendation": 0.0,
    "promoters_joined": 0, "attributed_orders": 2, "commission": 2.5, "promoter_gini": NAN,
    "exposures": 0, "views": 0, "view_rate": NAN, "conversion": NAN, "gpm": NAN,
    "return_share": 0.25, "refund_share": 60 / 220, "stock_out_share": 0.2, "delivery_hours": 0.0, "late_share": 0.0,
    "rating": NAN, "messages_noticed": 0, "mutes": 1, "unfollows": 0, "follows": 0, "net_follows": 0, "annoyance": NAN,
    "mini_orders": 0, "cart_abandonment": NAN, "recall_conversion": NAN, "recall_discount": 0.0,
    "notice_open_rate": NAN, "oversold_orders": 0, "share_discount_cost": 0.0, "hunter_share": NAN,
    "stranger_reach": 0, "content_click_rate": NAN, "likes": 0, "pressed_like_share": NAN, "content_fans": 0,
    "content_orders": 0, "article_share_rate": NAN,
}  # fmt: skip
BAKERY = {"gmv": 30.0, "net_gmv": 0.0, "orders": 1, "margin": -50.0, "gift_acceptance": 0.0, "return_share": NAN}
ALL = {
    "gmv": 250.0, "net_gmv": 160.0, "orders": 5, "margin": -147.5, "new_customers": 4, "gift_acceptance": 0.5,
    "gift_net_gmv": 70.0, "gift_buyers_per_1000": 100.0, "gift_buyers_peak_per_1000": 100.0, "refund_share": 90 / 250,
}  # fmt: skip
ADDITIVE = ("gmv", "net_gmv", "orders", "given_away", "margin", "goods_cost", "shipping_cost", "fees",
            "coupon_discount", "marketing_cost", "staff_cost",
            "new_customers", "gifts_sent", "gift_gmv", "gift_net_gmv", "recipients_won", "shares", "share_reach",
            "social_orders", "mutes", "follows", "unfollows", "net_follows", "messages_noticed",
            "stranger_reach", "likes", "content_fans", "content_orders")  # fmt: skip


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    return market().write(tmp_path_factory.mktemp("ledger") / "run")


@pytest.mark.parametrize(("merchant", "want"), [("tea_house", TEA_HOUSE), ("bakery", BAKERY), (None, ALL)])
def test_numbers_are_those_worked_out_on_paper(ledger: Ledger, merchant: str | None, want: dict[str, float]) -> None:
    assert table(ledger, want, merchant) == pytest.approx(want, nan_ok=True)


def test_every_metric_was_worked_out(ledger: Ledger) -> None:
    """Here, or in the test file of its theme."""
    longer = {f"{what}_{days}d" for what in ("repeat_share", "ltv") for days in (90, 180)}  # as 60: past the horizon
    elsewhere = {
        metric.name
        for theme, metrics in themes().items()
        if Path(__file__).with_name(f"test_{theme}.py").exists()
        for metric in metrics
    }
    assert set(TEA_HOUSE) | longer | elsewhere == set(METRICS)
    assert all(math.isnan(value) for value in table(ledger, longer).values())


def test_merchants_add_up_to_the_market(ledger: Ledger) -> None:
    both = [table(ledger, ADDITIVE, merchant) for merchant in ("tea_house", "bakery")]
    whole = table(ledger, ADDITIVE)
    assert whole == pytest.approx({name: both[0][name] + both[1][name] for name in ADDITIVE})


@pytest.mark.parametrize("name", [name for name, metric in METRICS.items() if isinstance(metric.sql, str)])
def test_a_number_can_be_opened_to_its_question(ledger: Ledger, name: str) -> None:
    answer = ledger.query(str(METRICS[name].sql), merchant=0, days=60, users=20)
    assert (answer.num_rows, answer.num_columns) == (1, 1)
    (value,) = answer.column(0).to_pylist()
    if name in TEA_HOUSE:
        assert (NAN if value is None else float(value)) == pytest.approx(TEA_HOUSE[name], nan_ok=True)


def test_a_ledger_in_which_nothing_happened_has_nothing_to_measure(tmp_path: Path) -> None:
    values = table(Story().write(tmp_path / "run"), METRICS)
    assert {value for value in values.values() if not math.isnan(value)} == {0.0}


def test_names_come_in_the_order_asked_for(ledger: Ledger) -> None:
    assert list(table(ledger, ["orders", "social_orders", "gmv", "orders"])) == ["orders", "social_orders", "gmv"]


def test_a_metric_that_does_not_exist_is_explained(ledger: Ledger) -> None:
    with pytest.raises(StudyError, match="no metric is called 'margim'; did you mean 'margin'"):
        table(ledger, ["gmv", "margim"])
    with pytest.raises(StudyError, match="`wxsim metrics` lists them"):
        table(ledger, ["xyzzy"])


def test_a_merchant_that_does_not_exist_is_explained(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="did you mean 'bakery'"):
        table(ledger, ["gmv"], "bakrey")


def test_every_metric_says_what_it_is() -> None:
    for name, metric in METRICS.items():
        assert metric.name == name
        assert metric.title
        assert metric.unit
        assert metric.definition.endswith(".")
        assert len(metric.title) <= 48
    assert len({metric.title for metric in METRICS.values()}) == len(METRICS)
    assert set(STANDARD) <= set(METRICS)
