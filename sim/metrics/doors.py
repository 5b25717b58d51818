"""The doors that customers came in by, and what became of those of each door.

*First touch* is the channel of the first thing written about a person and a merchant (a notice, a gift, an order ...)
no later than her first purchase; of a follow it is that of the content that won her. What has no channel (a lottery
entered, a follow by the account's own prompt) is no touch. *Last touch* is the channel of that purchase itself. What is
written only where everything is recorded (that she noticed a product, that she opened a page) makes no first touch, so
that it does not change with what is recorded; whom a channel reached cannot be told without it. What a door is worth is
told of the customers whom it won by last touch; it does not say what they would have done without it: that is a
comparison with the door shut.
"""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from sim import catalog
from sim.ledger.audit import DEALS
from sim.ledger.reader import Ledger
from sim.metrics.metric import BOUGHT, END, OURS, Metric, texts
from sim.metrics.money import REFUNDS
from sim.units import DAY

WINDOW_DAYS = 30
CONTENT = ("image_post", "article", "broadcast")  # for which strangers follow

_PEOPLE = f"""WITH content AS (  -- who follows for a broadcast was no fan: she met its article
    SELECT event AS content, if(kind = 'broadcast', 'articles', channel) AS door FROM events
    WHERE kind IN ({texts(*CONTENT)})
), touch AS (
    SELECT "user", merchant, coalesce(channel, door) AS channel, time, event, list_contains($details, kind) AS detail
    FROM events LEFT JOIN content ON kind = 'follow' AND cause = content
    WHERE "user" IS NOT NULL AND coalesce(channel, door) IS NOT NULL AND {OURS}
), bought AS (
    SELECT *, row_number() OVER w AS nth, first(time) OVER w AS since, lead(time) OVER w AS next
    FROM ({BOUGHT}) WINDOW w AS (PARTITION BY "user", merchant ORDER BY time, event)
), customer AS (
    SELECT "user", merchant, since, channel AS won, coalesce(next <= time + {WINDOW_DAYS * DAY}, false) AS again,
        since + {WINDOW_DAYS * DAY} <= {END} AS whole FROM bought WHERE nth = 1
), met AS (
    SELECT "user", merchant, arg_min(channel, (touch.time, touch.event)) AS channel
    FROM touch JOIN customer USING ("user", merchant) WHERE touch.time <= since AND NOT detail GROUP BY ALL
)"""
_DOORS = f"""{_PEOPLE}, refund AS (
    SELECT cause AS event, any_value(kind = 'returned') AS returned, sum(amount) AS back FROM events
    WHERE kind IN ({texts(*REFUNDS)}) GROUP BY cause
), worth AS (
    SELECT "user", merchant, sum(amount - coalesce(back, 0)) FILTER (time <= since + {WINDOW_DAYS * DAY}) AS paid
    FROM bought LEFT JOIN refund USING (event) GROUP BY ALL
), won AS (
    SELECT won AS channel, count(*) AS customers, avg(again::INT) FILTER (whole) AS again,
        sum(paid) FILTER (whole) / 100.0 / nullif(count(*) FILTER (whole), 0) AS worth
    FROM customer JOIN worth USING ("user", merchant) GROUP BY won
), sold AS (
    SELECT channel, count(*) AS orders, avg(coalesce(returned, false)::INT) AS returned
    FROM bought LEFT JOIN refund USING (event) GROUP BY channel
), reached AS (SELECT channel, count(DISTINCT ("user", merchant)) AS people FROM touch GROUP BY channel)
SELECT channel, CASE WHEN $everything THEN coalesce(people, 0)::BIGINT END AS reach,
    coalesce(first.n, 0)::BIGINT AS customers_met,
    coalesce(customers, 0)::BIGINT AS customers_won, coalesce(orders, 0)::BIGINT AS orders,
    again AS repeat_share, worth AS ltv, returned AS return_share
FROM reached FULL JOIN (SELECT channel, count(*) AS n FROM met GROUP BY channel) AS first USING (channel)
    FULL JOIN won USING (channel) FULL JOIN sold USING (channel)
ORDER BY customers_won DESC, orders DESC, channel"""
BY_FIRST_TOUCH = f"""{_PEOPLE}, many AS (SELECT "user", merchant, count(*) AS orders FROM bought GROUP BY ALL),
earned AS (  -- a deal moves the merchant's cash by what it leads to; a commission is held, and given back, for its deal
    SELECT deal."user", deal.merchant, sum(if(target = 'cash', moved.amount, -moved.amount)) AS fen
    FROM postings AS moved JOIN events AS moving USING (event)
        LEFT JOIN events AS held ON held.event = moving.cause AND moving.kind LIKE 'commission%'
        LEFT JOIN events AS attributed ON attributed.event = held.cause AND held.kind LIKE 'commission%'
        JOIN events AS deal ON deal.event = coalesce(attributed.cause, held.cause, moving.cause)
    WHERE currency = 'fen' AND 'cash' IN (source, target) AND deal.kind IN ({texts(*DEALS)}) GROUP BY ALL
) SELECT channel, count(*) AS customers, sum(orders)::BIGINT AS orders, count(*) FILTER (whole) AS whole,
    count(*) FILTER (whole AND again) AS again, coalesce(sum(fen), 0)::BIGINT AS fen
FROM customer JOIN met USING ("user", merchant) JOIN many USING ("user", merchant)
    LEFT JOIN earned USING ("user", merchant)
GROUP BY channel ORDER BY customers DESC, channel"""

_TELLS = {  # column: title, unit, higher is better, definition
    "reach": (
        "Reach", "people", True,
        "People who noticed or did anything that has to do with the channel; undefined unless everything is recorded "
        "(record: all).",
    ),
    "customers_met": ("Met", "people", True, "Customers of whom the first thing written has to do with the channel."),
    "customers_won": ("Won", "people", True, "Customers whose first purchase came by the channel."),
    "orders": ("Orders", "orders", True, "Orders and gifts paid that came by the channel."),
    "repeat_share": (
        "Repeat share, 30 days", "share", True,
        "Of the customers whom the channel won, those who bought again, by any channel, within "
        f"{WINDOW_DAYS} days that lie within the horizon.",
    ),
    "ltv": (
        "Customer value, 30 days", "yuan per customer", True,
        "What a customer whom the channel won paid, less refunds, within "
        f"{WINDOW_DAYS} days that lie within the horizon.",
    ),
    "return_share": ("Returned", "share", False,
                     "Of orders and gifts that came by the channel, those that were sent back."),
}  # fmt: skip


def doors(ledger: Ledger, merchant: str | None = None) -> pa.Table:
    """Reach, customers met and won, orders, repeat share, value (yuan), returns by channel, for one merchant or all."""
    return _table(ledger, ledger.merchant(merchant) if merchant else None)


def by_first_touch(ledger: Ledger, merchant: str | None = None) -> pa.Table:
    """Customers by the channel of their first touch: how many, all their orders, those with a whole window and who of

    them bought again in it, and what their deals brought into the merchant's cash, less what they took out, fen.
    """
    return ledger.query(BY_FIRST_TOUCH, **_values(ledger, ledger.merchant(merchant) if merchant else None))


def _table(ledger: Ledger, merchant: int | None) -> pa.Table:
    return ledger.query(_DOORS, **_values(ledger, merchant))


def _values(ledger: Ledger, merchant: int | None) -> dict[str, Any]:
    facts = ledger.manifest
    details = [kind for kind, detail in facts["kinds"].items() if detail]
    return {"merchant": merchant, "days": facts["days"], "details": details, "everything": facts["everything"]}


def _by_channel(ledger: Ledger, merchant: int | None) -> Mapping[str, float]:
    """All of it, by the names of the metrics; counts of a channel that brought nothing are 0, shares are undefined."""
    found = {row["channel"]: row for row in _table(ledger, merchant).to_pylist()}
    out = {}
    for channel in catalog.channels():
        for column in _TELLS:
            value = found.get(channel, {}).get(column)
            told = column != "reach" or ledger.manifest["everything"]
            empty = 0.0 if told and _TELLS[column][1] in ("people", "orders") else float("nan")
            out[f"{column}@{channel}"] = empty if value is None else float(value)
    return out


METRICS = tuple(
    Metric(f"{column}@{channel}", f"{title} ({channel})", unit, higher, definition, _by_channel)
    for column, (title, unit, higher, definition) in _TELLS.items()
    for channel in catalog.channels()
)
