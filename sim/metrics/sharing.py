"""Sharing: how much, how far, and what comes of it; the trees of shares are in `genealogy`."""

import math
from collections.abc import Mapping

import numpy as np

from sim.ledger.reader import Ledger
from sim.metrics.genealogy import read
from sim.metrics.metric import BOUGHT, Metric, of_daily, ratio, total
from sim.metrics.money import ORDERS

_FIRST = f'SELECT arg_min(event, (time, event)) AS event FROM ({BOUGHT}) GROUP BY "user", merchant'


def _social(ledger: Ledger, merchant: int | None) -> Mapping[str, float]:
    """Every metric of orders that shares led to, for the products of one merchant or all."""
    found = read(ledger, "shares", merchant).deals
    led, all_ = int((found["node"] >= 0).sum()), found["node"].size
    first = ledger.query(_FIRST, merchant=merchant)["event"].to_numpy()
    ((reached,),) = ledger.rows(of_daily(total("quantity", "share")), merchant=merchant)
    return {
        "social_orders": float(led),
        "social_customers": float(np.isin(first, found["event"][found["node"] >= 0]).sum()),
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
        "social_customers", "New customers by shares", "people", True,
        "People who bought from the merchant for the first time by an order or a gift whose chain of causes goes back "
        "to a share.",
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
