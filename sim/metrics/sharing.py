"""Sharing: how much, how far, and what comes of it; the trees of shares are in `genealogy`."""

import math
from collections.abc import Mapping

from sim.ledger.reader import Ledger
from sim.metrics.genealogy import read
from sim.metrics.metric import Metric, of_daily, ratio, total
from sim.metrics.money import ORDERS


def _social(ledger: Ledger, merchant: int | None) -> Mapping[str, float]:
    """Every metric of orders that shares led to, for the products of one merchant or all."""
    found = read(ledger, "shares", merchant).deals
    led, all_ = int((found["node"] >= 0).sum()), found["node"].size
    ((reached,),) = ledger.rows(of_daily(total("quantity", "share")), merchant=merchant)
    return {
        "social_orders": float(led),
        "social_order_share": led / all_ if all_ else math.nan,
        "orders_per_recommendation": led / reached if reached else math.nan,
    }


METRICS = (
    Metric("shares", "Shares", "shares", True, "Times that a product was shared.", of_daily(total("count", "share"))),
    Metric(
        "share_reach", "People reached by shares", "people", True,
        "People who could see a share, each counted for every share.",
        of_daily(total("quantity", "share")),
    ),
    Metric(
        "shares_per_order", "Shares per order", "shares", True,
        "Shares, per order or gift paid.",
        of_daily(ratio(total("count", "share"), ORDERS)),
    ),
    Metric(
        "social_orders", "Orders from shares", "orders", True,
        "Orders and gifts whose chain of causes goes back to a share.",
        _social,
    ),
    Metric(
        "social_order_share", "Share of orders from shares", "share", None,
        "Orders and gifts whose chain of causes goes back to a share, of all.",
        _social,
    ),
    Metric(
        "orders_per_recommendation", "Orders per recommendation", "orders", True,
        "Orders and gifts whose chain of causes goes back to a share, per person reached by a share.",
        _social,
    ),
)  # fmt: skip
