"""What was sold, what was kept of it, and what it cost."""

from sim.ledger.audit import DEALS
from sim.metrics.metric import OURS, Metric, Scan, of_daily, orders, ratio, texts, total, yuan
from sim.units import DAY

REFUNDS = ("returned", "gift_expired")

GMV = total("amount", *DEALS)
NET_GMV = f"{GMV} - {total('amount', *REFUNDS)}"
ORDERS = orders()

OWN = ("cash", "escrow", "commission")  # accounts of what is the merchant's, or held in its name
_OURS = texts(*OWN)
_MOVES = f"""
    SELECT time // {DAY} AS day, target AS account, source AS other, amount FROM postings
    WHERE currency = 'fen' AND target IN ({_OURS}) AND target_owner = coalesce($merchant, target_owner)
    UNION ALL
    SELECT time // {DAY}, source, target, -amount FROM postings
    WHERE currency = 'fen' AND source IN ({_OURS}) AND source_owner = coalesce($merchant, source_owner)"""
_CASH = "coalesce(sum(amount) FILTER (account = 'cash'), 0)"
_PAYBACK = f"""WITH by_day AS (
    SELECT day, sum({_CASH}) OVER (ORDER BY day) AS level FROM ({_MOVES}) GROUP BY day
) SELECT CASE WHEN coalesce(arg_max(level, day), 0) >= 0 THEN
    coalesce((SELECT min(day) FROM by_day WHERE day > (SELECT max(day) FROM by_day WHERE level < 0)), 0) END
FROM by_day"""


def of_moves(number: str) -> str:
    """The question for a number made of moves into (+) and out of (-) what is the merchant's or held in its name."""
    return Scan(number, f"({_MOVES})")


def spent(*accounts: str) -> str:
    """What the merchant, or the platform for it, paid to these accounts, less what came back, fen."""
    return f"coalesce(-sum(amount) FILTER (other IN ({texts(*accounts)})), 0)"


MARKETING = spent("media", "promoter")

METRICS = (
    Metric(
        "gmv", "GMV (paid)", "yuan", True,
        "What customers paid for orders and gifts, coupons and discounts already taken off.",
        of_daily(yuan(GMV)),
    ),
    Metric(
        "net_gmv", "Net GMV", "yuan", True,
        "GMV less what was paid back for expired gifts and returned parcels, whenever that was.",
        of_daily(yuan(NET_GMV)),
    ),
    Metric(
        "orders", "Orders", "orders", True,
        "Orders and gifts that somebody paid for: more than nothing, and not the shop itself.",
        f"SELECT {ORDERS}",
    ),
    Metric(
        "given_away", "Given away", "orders", None,
        "Orders and gifts that nobody paid for, and prizes sent: the shop's own gifts, and what offers, coupons or "
        "points cover entirely. They are not in orders.",
        f"SELECT count(*) FROM events WHERE {OURS} AND (kind IN ({texts(*DEALS)}) AND amount = 0 "
        "OR kind = 'lottery_prize')",
    ),
    Metric(
        "aov", "Average order value", "yuan per order", True,
        "GMV divided by orders: by the orders and gifts that somebody paid for.",
        of_daily(ratio(yuan(GMV), ORDERS)),
    ),
    Metric(
        "margin", "Contribution margin", "yuan", True,
        "Change of the merchant's cash: payouts (net of platform fee, payment fee and commission) less goods, parcels, "
        "advertising, content and staff. Coupons and discounts are in the prices paid.",
        of_moves(yuan(_CASH)),
    ),
    Metric(
        "margin_rate", "Margin rate", "share of net GMV", True,
        "Contribution margin divided by net GMV.",
        of_moves(ratio(_CASH, f"({of_daily(NET_GMV)})")),
    ),
    Metric(
        "goods_cost", "Cost of goods", "yuan", False,
        "Paid to suppliers, less what they took back.",
        of_moves(yuan(spent("supplier"))),
    ),
    Metric("shipping_cost", "Parcels", "yuan", False, "Paid to couriers, both ways.", of_moves(yuan(spent("courier")))),
    Metric(
        "fees", "Fees", "yuan", False,
        "Kept by the platform and the payment service out of payments.",
        of_moves(yuan(spent("platform", "payment"))),
    ),
    Metric(
        "marketing_cost", "Marketing", "yuan", False,
        "Paid for advertising, content and commission.",
        of_moves(yuan(MARKETING)),
    ),
    Metric(
        "coupon_discount", "Coupons redeemed", "yuan", None,
        "What coupons took off prices; it is not in GMV.",
        of_daily(yuan(total("amount", "coupon_redeemed"))),
    ),
    Metric(
        "coupon_use", "Coupon use", "share", True,
        "Coupons redeemed, of coupons claimed.",
        of_daily(ratio(total("count", "coupon_redeemed"), total("count", "coupon_claimed"))),
    ),
    Metric("staff_cost", "Staff", "yuan", False, "Wages paid.", of_moves(yuan(spent("staff")))),
    Metric(
        "payback_day", "Payback day", "day", False,
        "The first day from which the merchant's cash never again ends a day below where it began; 0 if it never did, "
        "undefined if it still does at the end.",
        _PAYBACK,
    ),
)  # fmt: skip
