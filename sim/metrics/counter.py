"""Gifts from the counter of a merchant's own shop: what they cost, whom they reach, and what those buy later.

A contact is somebody who took such a gift and had bought nothing from the merchant before; buying is paying.
"""

from sim.metrics.metric import BOUGHT, OURS, Metric, of_daily, texts, yuan
from sim.metrics.money import REFUNDS

_SENT = f"SELECT event FROM events WHERE kind = 'gift_sent' AND channel = 'offline_qr' AND {OURS}"
_CASH = f"""
    SELECT CASE WHEN target = 'cash' THEN amount ELSE -amount END AS amount FROM postings
    WHERE currency = 'fen' AND 'cash' IN (source, target)
        AND event IN (SELECT event FROM events WHERE cause IN ({_SENT}))"""
_CONTACTS = f"""paid AS ({BOUGHT}), contact AS (
    SELECT taken."user" AS "user", taken.merchant AS merchant, min(taken.time) AS since FROM events AS taken
    WHERE taken.kind = 'gift_claimed' AND taken.cause IN ({_SENT}) GROUP BY ALL
), met AS (
    SELECT contact.* FROM contact LEFT JOIN paid USING ("user", merchant)
    GROUP BY ALL HAVING coalesce(min(paid.time) > since, true)
), later AS (
    SELECT paid.* FROM paid JOIN met USING ("user", merchant) WHERE paid.time > since
)"""
_BACK = f"SELECT cause AS event, amount AS back FROM events WHERE kind IN ({texts(*REFUNDS)})"

METRICS = (
    Metric(
        "counter_gifts", "Counter gifts sent", "gifts", None,
        "Gifts that visitors of the shop sent from the counter.",
        of_daily("coalesce(sum(count) FILTER (kind = 'gift_sent' AND channel = 'offline_qr'), 0)"),
    ),
    Metric(
        "counter_gift_cost", "Cost of counter gifts", "yuan", False,
        "Goods, parcels and fees of gifts sent from the counter, less what visitors paid for them.",
        f"SELECT {yuan('coalesce(-sum(amount), 0)')} FROM ({_CASH})",
    ),
    Metric(
        "counter_contacts", "Counter contacts", "people", True,
        "People who took a gift from the counter and had bought nothing from the merchant before.",
        f"WITH {_CONTACTS} SELECT count(*) FROM met",
    ),
    Metric(
        "counter_buyers", "Counter contacts who bought", "people", True,
        "Counter contacts who later paid for an order or a gift of the merchant.",
        f"WITH {_CONTACTS} SELECT count(DISTINCT (\"user\", merchant)) FROM later",
    ),
    Metric(
        "counter_gmv", "Bought by counter contacts", "yuan", True,
        "What counter contacts later paid the merchant, less refunds.",
        f"WITH {_CONTACTS} SELECT coalesce(sum(amount - coalesce(back, 0)), 0) / 100.0 "
        f"FROM later LEFT JOIN ({_BACK}) USING (event)",
    ),
)  # fmt: skip
