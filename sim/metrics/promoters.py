"""Promoters: how many join, which orders count for them, what they cost, how unequally they earn."""

from sim.metrics.metric import OURS, Metric, of_daily, total, yuan

_GINI = f"""WITH earned AS (
    SELECT "user", coalesce(sum(amount), 0) AS earning
    FROM (SELECT DISTINCT "user" FROM events WHERE kind = 'promoter_joined' AND {OURS})
    LEFT JOIN (SELECT "user", amount FROM events WHERE kind = 'commission_paid' AND {OURS}) USING ("user")
    GROUP BY "user"
), ranked AS (SELECT earning, row_number() OVER (ORDER BY earning) AS place, count(*) OVER () AS people FROM earned)
SELECT sum((2 * place - people - 1) * earning) / nullif(any_value(people) * sum(earning), 0) FROM ranked"""

METRICS = (
    Metric(
        "promoters_joined", "Promoters joined", "people", True,
        "Times that somebody became a promoter of the merchant.",
        of_daily(total("count", "promoter_joined")),
    ),
    Metric(
        "attributed_orders", "Orders attributed to promoters", "orders", None,
        "Orders by people who had opened a promoter's link within the attribution window, whether or not they would "
        "have bought anyway; returned ones included.",
        of_daily(total("count", "attributed")),
    ),
    Metric(
        "commission", "Commission", "yuan", False,
        "Paid to promoters and those who invited them, for attributed orders that were completed, whenever that was.",
        of_daily(yuan(total("amount", "commission_paid"))),
    ),
    Metric(
        "promoter_gini", "Inequality of promoters", "0..1", None,
        "Gini coefficient of the commission paid to each promoter, those who earned nothing included: 0 if all earned "
        "the same, near 1 if one earned everything; undefined if nothing was paid.",
        _GINI,
    ),
)  # fmt: skip
