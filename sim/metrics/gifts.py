"""Gifts: how many, how many are accepted, and what they bring.

A gift that the shop pays for itself is sent and accepted like any other, but it is no gift *paid*.
"""

from sim.metrics.metric import BOUGHT, END, OURS, Metric, of_daily, ratio, total, yuan
from sim.metrics.money import ORDERS
from sim.units import DAY

WINDOW_DAYS = 30

_SENT = f"SELECT * FROM events WHERE kind = 'gift_sent' AND {OURS}"
_PAID = f"SELECT * FROM ({_SENT}) WHERE amount > 0"
_CLAIMED = f"SELECT \"user\", merchant, time FROM events WHERE kind = 'gift_claimed' AND {OURS}"
_PEAK = f'SELECT max(n) FROM (SELECT count(DISTINCT "user") AS n FROM ({_PAID}) GROUP BY time // {DAY})'
_ACCEPTED = f"""WITH gift AS (
    SELECT sent.time AS sent, ended.time - sent.time AS wait, ended.kind = 'gift_claimed' AS accepted
    FROM ({_SENT}) AS sent JOIN events AS ended ON ended.cause = sent.event
    WHERE ended.kind IN ('gift_claimed', 'gift_expired')
) SELECT avg(accepted::INT) FROM gift
WHERE sent + (SELECT coalesce(max(wait) FILTER (NOT accepted), 0) FROM gift) <= {END}"""
_CHILDREN = f"""WITH claimed AS (
    SELECT DISTINCT "user", time FROM ({_CLAIMED}) WHERE time + {WINDOW_DAYS * DAY} <= {END}
), child AS (
    SELECT sent.time - claimed.time AS wait FROM ({_PAID}) AS sent
    ASOF JOIN claimed ON sent."user" = claimed."user" AND sent.time > claimed.time
) SELECT (SELECT count(*) FROM child WHERE wait <= {WINDOW_DAYS * DAY}) / nullif((SELECT count(*) FROM claimed), 0)"""
_WON = f"""WITH first AS (SELECT "user", merchant, min(time) AS since FROM ({_CLAIMED}) GROUP BY ALL)
SELECT count(*) FROM (
    SELECT min(time) > any_value(since) AS won FROM ({BOUGHT}) JOIN first USING ("user", merchant)
    GROUP BY "user", merchant
) WHERE won"""

METRICS = (
    Metric("gifts_sent", "Gifts sent", "gifts", True, "Gifts paid and sent.", f"SELECT count(*) FROM ({_PAID})"),
    Metric(
        "gift_gmv", "Gifts sent, value", "yuan", True,
        "What senders paid.",
        of_daily(yuan(total("amount", "gift_sent"))),
    ),
    Metric(
        "gift_net_gmv", "Gifts accepted, value", "yuan", True,
        "What senders paid, less what they got back for expired gifts.",
        of_daily(yuan(f"{total('amount', 'gift_sent')} - {total('amount', 'gift_expired')}")),
    ),
    Metric(
        "gift_acceptance", "Gift acceptance", "share", True,
        "Gifts claimed, of those whose deadline lies within the horizon. The deadline is the longest time after which "
        "a gift of this run expired.",
        _ACCEPTED,
    ),
    Metric(
        "gift_buyers_per_1000", "Gift buyers", "per 1,000 people", True,
        "Different people who paid for a gift, per 1,000 people of the market.",
        f"SELECT 1000.0 * (SELECT count(DISTINCT \"user\") FROM ({_PAID})) / $users",
    ),
    Metric(
        "gift_buyers_peak_per_1000", "Gift buyers on the best day", "per 1,000 people", True,
        "Different people who paid for a gift on the day with the most of them, per 1,000 people of the market.",
        f"SELECT 1000.0 * coalesce(({_PEAK}), 0) / $users",
    ),
    Metric(
        "gift_reproduction", "Gifts per gift claimed", "gifts", True,
        f"Gifts that recipients themselves paid for within {WINDOW_DAYS} days, per gift claimed whose {WINDOW_DAYS} "
        "days lie within the horizon; a gift counts for the last claim before it.",
        _CHILDREN,
    ),
    Metric(
        "recipients_won", "Recipients won", "people", True,
        "People who bought from the merchant for the first time after they had claimed one of its gifts.",
        _WON,
    ),
    Metric(
        "gift_share", "Gift share of orders", "share", None,
        "Gifts, of all orders and gifts paid.",
        f"SELECT {ratio(f'SELECT count(*) FROM ({_PAID})', ORDERS)}",
    ),
)  # fmt: skip
