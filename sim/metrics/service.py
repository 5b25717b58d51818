"""What buyers live through: empty shelves, late parcels, returns, ratings."""

from sim.ledger.audit import DEALS
from sim.metrics.metric import OURS, Metric, Scan, of_daily, ratio, total
from sim.metrics.money import GMV, REFUNDS
from sim.units import HOUR

PROMISE_HOURS = 72


def _mean_detail(kind: str, of: str) -> str:
    return Scan(f"avg({of}) FILTER (kind = '{kind}')", f"events WHERE {OURS}")


METRICS = (
    Metric(
        "return_share", "Return share", "share", False,
        "Parcels sent back, of parcels delivered.",
        of_daily(ratio(total("count", "returned"), total("count", "delivered"))),
    ),
    Metric(
        "refund_share", "Refund share", "share", False,
        "Money paid back for returned parcels and expired gifts, of GMV.",
        of_daily(ratio(total("amount", *REFUNDS), GMV)),
    ),
    Metric(
        "stock_out_share", "Stock-out share", "share", False,
        "Orders and gifts refused because nothing was left, of all tried.",
        of_daily(ratio(total("count", "order_refused"), total("count", "order_refused", *DEALS))),
    ),
    Metric(
        "delivery_hours", "Delivery time", "hours", False,
        "From the order (of a gift: from its claim) to the parcel's arrival, on average.",
        _mean_detail("delivered", f"detail / {HOUR}.0"),
    ),
    Metric(
        "late_share", "Late parcels", "share", False,
        f"Parcels that took more than {PROMISE_HOURS} hours, of parcels delivered.",
        _mean_detail("delivered", f"(detail > {PROMISE_HOURS * HOUR})::INT"),
    ),
    Metric("rating", "Rating", "stars", True, "Stars given, on average.", _mean_detail("rating", "detail")),
)  # fmt: skip
