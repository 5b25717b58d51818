"""The mini-program's plays: carts and reminders, notices, oversold orders, sharing for a discount."""

from sim.metrics.metric import OURS, Metric, of_daily, orders, ratio, texts, total, yuan
from sim.world.doors import MINI_PAGES

_RECALLED = f"SELECT event FROM events WHERE kind = 'cart_recalled' AND {OURS}"
_CAUSED = f"SELECT cause AS event, amount, detail FROM events WHERE kind = 'order' AND {OURS}"

METRICS = (
    Metric(
        "mini_orders", "Orders in the mini-program", "orders", True,
        "Orders and gifts paid that began on a page of the mini-program: its own, the cart, an opened notice, a link "
        "from outside.",
        f"SELECT {orders(f'channel IN ({texts(*MINI_PAGES)})')}",
    ),
    Metric(
        "cart_abandonment", "Carts abandoned", "share", False,
        "Things put into carts that were given up, of all that were given up or bought.",
        of_daily(ratio(total("count", "cart_abandoned"), total("count", "cart_abandoned", "cart_bought"))),
    ),
    Metric(
        "recall_conversion", "Reminders that led to an order", "share", True,
        "Orders paid that began with an opened reminder of a cart, of reminders sent. Who would have come back by "
        "herself is among them.",
        f"SELECT count(*) FILTER (amount > 0) / nullif(count(*), 0) FROM ({_RECALLED}) LEFT JOIN ({_CAUSED}) "
        "USING (event)",
    ),
    Metric(
        "recalled_orders", "Orders that began with a reminder", "orders", True,
        "Orders paid that began with an opened reminder of a cart. Who would have come back by herself is among them.",
        f"SELECT count(*) FROM ({_CAUSED}) SEMI JOIN ({_RECALLED}) USING (event) WHERE amount > 0",
    ),
    Metric(
        "recall_discount", "Taken off for reminders", "yuan", None,
        "What all offers took off orders that began with a reminder of a cart.",
        f"SELECT {yuan('coalesce(sum(detail), 0)')} FROM ({_CAUSED}) SEMI JOIN ({_RECALLED}) USING (event)",
    ),
    Metric(
        "notice_open_rate", "Notices opened", "share", True,
        "Subscribed notices opened, of those sent.",
        of_daily(ratio(total("count", "notice_opened"), total("count", "subscribed_notice"))),
    ),
    Metric(
        "oversold_orders", "Oversold orders", "orders", False,
        "Orders that were paid for pieces already gone, and cancelled. They are neither in orders nor in GMV.",
        of_daily(total("count", "oversold")),
    ),
    Metric(
        "share_discount_cost", "Taken off for sharing", "yuan", None,
        "What sharers and the friends they told paid less.",
        of_daily(yuan(total("amount", "share_discount_used"))),
    ),
    Metric(
        "hunter_share", "Shares for the discount alone", "share", False,
        "Shares by people who wanted the discount and nothing else, of those that were rewarded.",
        of_daily(f"1 - ({ratio(total('quantity', 'share_rewarded'), total('count', 'share_rewarded'))})"),
    ),
)  # fmt: skip
