"""Who buys for the first time, who comes back, what they are worth and what they cost.

A customer is a pair of a person and a merchant; buying is paying for an order or a gift. Windows count from the
second of the first purchase, and only customers whose window ends within the horizon are counted.
"""

from sim.metrics.metric import BOUGHT, END, Metric, Scan, ratio, texts, yuan
from sim.metrics.money import MARKETING, ORDERS, REFUNDS, of_moves
from sim.units import DAY

WINDOWS = (14, 30, 60, 90, 180)  # days

NEW = f'SELECT count(DISTINCT ("user", merchant)) FROM ({BOUGHT})'


_FIRST = f"""(
    SELECT * FROM (
        SELECT time, row_number() OVER w AS nth, lead(time) OVER w AS next FROM ({BOUGHT})
        WINDOW w AS (PARTITION BY "user", merchant ORDER BY time, event)
    ) WHERE nth = 1
)"""
_PAID = f"""(
    SELECT *, min(time) OVER (PARTITION BY "user", merchant) AS since FROM ({BOUGHT})
) LEFT JOIN (SELECT cause AS event, amount AS back FROM events WHERE kind IN ({texts(*REFUNDS)})) USING (event)"""


def _again(days: int) -> str:
    return Scan(f"avg(coalesce(next <= time + {days * DAY}, false)::INT) FILTER (time + {days * DAY} <= {END})", _FIRST)


def _worth(days: int) -> str:
    inside = f"FILTER (since + {days * DAY} <= {END} AND time <= since + {days * DAY})"
    paid, people = "sum(amount - coalesce(back, 0))", 'count(DISTINCT ("user", merchant))'
    return Scan(f"{paid} {inside} / 100.0 / nullif({people} {inside}, 0)", _PAID)


METRICS = (
    Metric(
        "new_customers", "New customers", "people", True,
        "People who bought from the merchant for the first time in this run (for all merchants: pairs of both).",
        NEW,
    ),
    Metric(
        "orders_per_customer", "Orders per customer", "orders", True,
        "Orders and gifts paid, per person who paid for any.",
        f"SELECT {ratio(ORDERS, f'({NEW})')}",
    ),
    *(
        Metric(
            f"repeat_share_{days}d", f"Repeat share, {days} days", "share", True,
            f"Customers who bought again within {days} days of their first purchase, of those whose {days} days lie "
            "within the horizon.",
            _again(days),
        )
        for days in WINDOWS
    ),
    *(
        Metric(
            f"ltv_{days}d", f"Customer value, {days} days", "yuan per customer", True,
            f"What a customer paid within {days} days of her first purchase, less refunds of it, averaged over those "
            f"whose {days} days lie within the horizon.",
            _worth(days),
        )
        for days in WINDOWS
    ),
    Metric(
        "cac", "Acquisition cost", "yuan per new customer", False,
        "Advertising, content and commission, per new customer.",
        of_moves(ratio(yuan(MARKETING), f"({NEW})")),
    ),
)  # fmt: skip
