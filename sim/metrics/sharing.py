"""Sharing: how much, how far, and what comes of it."""

from sim.metrics.cascades import cascades
from sim.metrics.metric import Metric, of_daily, ratio, total
from sim.metrics.money import ORDERS

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
        "cascade_size_mean", "Cascade size", "shares", True,
        "Shares in a cascade, on average: the first, those that it led to, and so on.",
        cascades,
    ),
    Metric("cascade_size_max", "Largest cascade", "shares", True, "Shares in the largest cascade.", cascades),
    Metric(
        "cascade_depth_max", "Deepest cascade", "steps", True,
        "Steps from the first share of a cascade to its furthest, in the deepest one.",
        cascades,
    ),
    Metric(
        "share_reproduction", "Reproduction number of sharing", "shares", True,
        "Further shares that a share directly led to, on average, by the chain of causes; shares shortly before the "
        "horizon have had less time to.",
        cascades,
    ),
    Metric(
        "structural_virality", "Structural virality", "steps", None,
        "Mean distance between two shares of a cascade, averaged over cascades of two shares or more.",
        cascades,
    ),
    Metric(
        "social_orders", "Orders from shares", "orders", True,
        "Orders and gifts whose chain of causes goes back to a share.",
        cascades,
    ),
    Metric(
        "social_order_share", "Share of orders from shares", "share", None,
        "Orders and gifts whose chain of causes goes back to a share, of all.",
        cascades,
    ),
    Metric(
        "orders_per_recommendation", "Orders per recommendation", "orders", True,
        "Orders and gifts whose chain of causes goes back to a share, per person reached by a share.",
        cascades,
    ),
)  # fmt: skip
