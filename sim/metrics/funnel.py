"""The way from being seen to being bought, in all and by channel."""

import pyarrow as pa

from sim.ledger.audit import DEALS
from sim.ledger.reader import Ledger
from sim.metrics.metric import BOUGHT, OURS, Metric, of_daily, ratio, texts, total, yuan
from sim.metrics.money import GMV, ORDERS

_EXPOSURES, _VIEWS = total("count", "exposure"), total("count", "view")
BY_CHANNEL = f"""WITH seen AS (
    SELECT coalesce(channel, 'none') AS channel,
        coalesce(sum(count) FILTER (kind = 'exposure'), 0)::BIGINT AS exposures,
        coalesce(sum(count) FILTER (kind = 'view'), 0)::BIGINT AS views
    FROM daily WHERE {OURS} AND kind IN ({texts("exposure", "view", *DEALS)}) GROUP BY ALL
), sold AS (
    SELECT coalesce(channel, 'none') AS channel, count(*) AS orders, sum(amount)::BIGINT / 100.0 AS gmv
    FROM ({BOUGHT}) GROUP BY ALL
) SELECT channel, exposures, views, coalesce(orders, 0) AS orders, coalesce(gmv, 0) AS gmv
FROM seen LEFT JOIN sold USING (channel) ORDER BY orders DESC, views DESC, channel"""

METRICS = (
    Metric("exposures", "Exposures", "exposures", True, "Products noticed, in whatever channel.", of_daily(_EXPOSURES)),
    Metric("views", "Page views", "views", True, "Product pages opened.", of_daily(_VIEWS)),
    Metric(
        "view_rate", "Views per exposure", "share", True,
        "Product pages opened, per product noticed.",
        of_daily(ratio(_VIEWS, _EXPOSURES)),
    ),
    Metric(
        "conversion", "Orders per view", "share", True,
        "Orders and gifts paid, per product page opened.",
        of_daily(ratio(ORDERS, _VIEWS)),
    ),
    Metric(
        "gpm", "GPM", "yuan per 1,000 exposures", True,
        "GMV per 1,000 products noticed.",
        of_daily(ratio(yuan(GMV), _EXPOSURES, 1000)),
    ),
)  # fmt: skip


def funnel(ledger: Ledger, merchant: str | None = None) -> pa.Table:
    """Exposures, views, orders and GMV (yuan) by channel, most orders first, for one merchant or all."""
    return ledger.query(BY_CHANNEL, merchant=ledger.merchant(merchant) if merchant else None)
