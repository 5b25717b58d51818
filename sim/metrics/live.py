"""What live shows bring and what of it stays, and what lotteries bring in fans."""

from sim.ledger.audit import DEALS
from sim.metrics.metric import OURS, Metric, of_daily, orders, ratio, texts, total, yuan

_ROOM, _ELSEWHERE = "channel = 'live'", "channel IS DISTINCT FROM 'live'"
_VIEWERS = total("count", "live_viewed")


def _sum(measure: str, where: str, *kinds: str) -> str:
    """As `total`, of rows of daily counts where something else holds too; 0 if there are none."""
    return f"coalesce(sum({measure}) FILTER (kind IN ({texts(*kinds)}) AND {where}), 0)"


_ORDERS, _GMV = orders(_ROOM), _sum("amount", _ROOM, *DEALS)
_GONE = f"""WITH fan AS (
    SELECT "user", merchant, min(time) AS since FROM events
    WHERE kind = 'lottery_entered' AND detail > 0 AND {OURS} GROUP BY ALL
), gone AS (
    SELECT "user", merchant, max(time) AS until FROM events WHERE kind IN ('unfollow', 'mute') GROUP BY ALL
) SELECT avg(coalesce(until >= since, false)::INT) FROM fan LEFT JOIN gone USING ("user", merchant)"""

METRICS = (
    Metric(
        "live_reservations", "Reservations of shows", "reservations", True,
        "Places reserved in live shows.",
        of_daily(total("count", "live_reserved")),
    ),
    Metric(
        "show_up", "Show-up", "share", True,
        "Visits of people who had reserved a live show, of reservations.",
        of_daily(ratio(total("quantity", "live_viewed"), total("count", "live_reserved"))),
    ),
    Metric("live_viewers", "Viewers of shows", "visits", True, "Visits to live shows.", of_daily(_VIEWERS)),
    Metric(
        "live_minutes", "Time in the room", "minutes", True,
        "How long a visit to a live show lasts, on average.",
        f"SELECT avg(detail) / 60.0 FROM events WHERE kind = 'live_viewed' AND {OURS}",
    ),
    Metric(
        "live_orders", "Orders in the room", "orders", True,
        "Orders and gifts paid in live shows.",
        f"SELECT {_ORDERS}",
    ),
    Metric(
        "live_conversion", "Conversion in the room", "orders per visit", True,
        "Orders and gifts paid in live shows, per visit to one.",
        of_daily(ratio(_ORDERS, _VIEWERS)),
    ),
    Metric(
        "live_gmv", "GMV of shows", "yuan", True,
        "What was paid in live shows, before returns.",
        of_daily(yuan(_GMV)),
    ),
    Metric(
        "live_net_gmv", "Net GMV of shows", "yuan", True,
        "What was paid in live shows, less what was paid back for it.",
        of_daily(yuan(f"{_GMV} - {_sum('amount', _ROOM, 'returned', 'gift_expired')}")),
    ),
    Metric(
        "live_return_share", "Return share of shows", "share", False,
        "Parcels of orders in live shows that were sent back, of those delivered.",
        of_daily(ratio(_sum("count", _ROOM, "returned"), _sum("count", _ROOM, "delivered"))),
    ),
    Metric(
        "other_return_share", "Return share elsewhere", "share", False,
        "Parcels of all other orders that were sent back, of those delivered.",
        of_daily(ratio(_sum("count", _ELSEWHERE, "returned"), _sum("count", _ELSEWHERE, "delivered"))),
    ),
    Metric(
        "lottery_entries", "Entries in lotteries", "entries", True,
        "Times that somebody entered a lottery.",
        of_daily(total("count", "lottery_entered")),
    ),
    Metric(
        "lottery_fans", "Fans won by lotteries", "people", True,
        "Times that somebody began to follow in order to enter a lottery.",
        f"SELECT count(*) FROM events WHERE kind = 'lottery_entered' AND detail > 0 AND {OURS}",
    ),
    Metric(
        "lottery_fans_gone", "Fans won by lotteries and lost", "share", False,
        "Those who unfollowed or muted the merchant later, of people who began to follow in order to enter a lottery.",
        _GONE,
    ),
)  # fmt: skip
