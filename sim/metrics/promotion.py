"""What promotions sell, and when: in their windows, before and after a shopping festival.

The *windows* are those that the merchant opened, sales and campaigns alike. The *festival* is the day within the
horizon on which shopping festivals pull most (618, Double 11), whatever the merchant does on it, so that strategies
with and without a sale can be compared. What is bought after it counts for the profit just as what is bought on it:
the margin is that of the whole run, in `money`.
"""

import math
from collections.abc import Mapping
from datetime import date

from sim.ledger.reader import Ledger
from sim.metrics.metric import BOUGHT, OURS, Metric, texts
from sim.units import DAY, FEN_PER_YUAN
from sim.world.calendar import Calendar

OPENINGS = ("sale_opened", "campaign_opened")
HUSH = 7  # days before the first window that do not count as normal: people wait for it
EVE, BEFORE, AFTER = 1, 7, 28  # days of the festival before the day itself, then of what comes before and after

_LIFT = f"""WITH opened AS (
    SELECT merchant, time AS begin, least(max(detail), $days::BIGINT * {DAY}) AS stop FROM events
    WHERE kind IN ({texts(*OPENINGS)}) AND {OURS} GROUP BY merchant, time
), spans AS (  -- windows that overlap are cut, so that no second counts twice
    SELECT merchant, greatest(begin, coalesce(max(stop) OVER w, 0)) AS begin, stop FROM opened
    WINDOW w AS (PARTITION BY merchant ORDER BY begin ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
), usual AS (
    SELECT merchant, min(begin) - {HUSH * DAY} AS stop FROM opened GROUP BY merchant HAVING min(begin) > {HUSH * DAY}
), deals AS ({BOUGHT})
SELECT
    (SELECT sum(amount) FROM deals JOIN spans USING (merchant) WHERE time >= begin AND time < spans.stop)
    / nullif((SELECT sum(greatest(stop - begin, 0)) FROM spans JOIN (SELECT merchant FROM usual) USING (merchant)), 0),
    (SELECT sum(amount) FROM deals JOIN usual USING (merchant) WHERE time < stop)
    / (SELECT sum(stop) FROM usual)"""


def windows(ledger: Ledger, merchant: int | None) -> Mapping[str, float]:
    """The metric of windows."""
    ((inside, usual),) = ledger.rows(_LIFT, merchant=merchant, days=ledger.manifest["days"])
    return {"window_lift": inside / usual if inside is not None and usual else math.nan}


def festival(ledger: Ledger, merchant: int | None) -> Mapping[str, float]:
    """Every metric of the festival."""
    names, day = ("festival_orders", "festival_gmv", "before_orders", "after_orders"), _best_day(ledger)
    if day is None:
        return dict.fromkeys(names, math.nan)
    first = max(day - EVE, 0)
    orders, gmv = _deals(ledger, merchant, first, day + 1)
    before, _ = _deals(ledger, merchant, first - BEFORE, first)
    after, _ = _deals(ledger, merchant, day + 1, day + 1 + AFTER)
    whole = first >= BEFORE, day + 1 + AFTER <= int(ledger.manifest["days"])
    return dict(
        zip(names, (orders, gmv, before if whole[0] else math.nan, after if whole[1] else math.nan), strict=True)
    )


def _best_day(ledger: Ledger) -> int | None:
    """The day on which shopping festivals pull most; None if none does, or the ledger does not say when it began."""
    horizon = ledger.manifest["scenario"].get("horizon")
    if horizon is None:
        return None
    pull = Calendar(date.fromisoformat(horizon["start"]), int(ledger.manifest["days"])).sale_pull
    return int(pull.argmax()) if pull.any() else None


def _deals(ledger: Ledger, merchant: int | None, first: int, stop: int) -> tuple[float, float]:
    """Orders and gifts paid from one day until before another, and yuan."""
    question = f"SELECT count(*), coalesce(sum(amount), 0) FROM ({BOUGHT}) WHERE time >= $first AND time < $stop"
    ((orders, paid),) = ledger.rows(question, merchant=merchant, first=first * DAY, stop=stop * DAY)
    return float(orders), paid / FEN_PER_YUAN


METRICS = (
    Metric(
        "window_lift", "Sales in windows", "times normal", True,
        f"GMV per hour while sales and campaigns of the merchant ran, over GMV per hour until {HUSH} days before the "
        "first of them; undefined without any.",
        windows,
    ),
    Metric(
        "festival_orders", "Orders at the festival", "orders", True,
        "Orders and gifts paid on the day of the horizon on which shopping festivals pull most, and on its eve.",
        festival,
    ),
    Metric("festival_gmv", "GMV at the festival", "yuan", True, "What was paid on these two days.", festival),
    Metric(
        "before_orders", "Orders before the festival", "orders", None,
        f"Orders and gifts paid in the {BEFORE} days before these two; undefined if they begin before the horizon.",
        festival,
    ),
    Metric(
        "after_orders", "Orders after the festival", "orders", True,
        f"Orders and gifts paid in the {AFTER} days after these two; undefined if they end after the horizon.",
        festival,
    ),
)  # fmt: skip
