"""Points and coupons: what was promised to customers, what they used, and what lapsed."""

from sim.metrics import money
from sim.metrics.metric import Metric, of_daily, ratio, total, yuan

_GAINED = ("points_earned", "points_sign_in")
_HELD = "points_returned"
_SPENT = f"({total('quantity', 'points_redeemed')} - {total('quantity', _HELD)})"
_LAPSED = total("quantity", "points_expired")
_OUTSTANDING = f"({total('quantity', *_GAINED)} - {_SPENT} - {_LAPSED})"
_FACE = ratio(total("amount", *_GAINED), total("quantity", *_GAINED))  # fen a point
_EXPECTED = f"coalesce({ratio(_SPENT, f'{_SPENT} + {_LAPSED}')}, 1)"
_OWED = of_daily(yuan(f"coalesce({_OUTSTANDING} * {_FACE} * {_EXPECTED}, 0)"))
_MARGIN = {metric.name: metric.sql for metric in money.METRICS}["margin"]

METRICS = (
    Metric(
        "points_discount", "Points redeemed", "yuan", None,
        "What points took off prices, less the worth of points that came back with returned parcels; it is not in GMV.",
        of_daily(yuan(f"{total('amount', 'points_redeemed')} - {total('amount', _HELD)}")),
    ),
    Metric(
        "points_outstanding", "Points outstanding", "points", None,
        "Points booked and neither redeemed nor lapsed when the run ends. Points promised with orders under way are "
        "not booked yet.",
        of_daily(_OUTSTANDING),
    ),
    Metric(
        "points_liability", "Points liability", "yuan", False,
        "Points outstanding at what a point takes off a price, times the share that is expected to be redeemed: of "
        "those that were redeemed or lapsed so far the part redeemed, or all if none were. It is in no margin.",
        _OWED,
    ),
    Metric(
        "margin_after_points", "Margin less points owed", "yuan", True,
        "Contribution margin less the points liability.",
        f"SELECT ({_MARGIN}) - coalesce(({_OWED}), 0)",
    ),
    Metric(
        "points_redeemed_share", "Points redeemed, share", "share", None,
        "Points redeemed and not given back, of points booked.",
        of_daily(ratio(_SPENT, total("quantity", *_GAINED))),
    ),
    Metric(
        "breakage", "Breakage", "share", None,
        "Points lapsed, of points that were redeemed or lapsed.",
        of_daily(ratio(_LAPSED, f"{_SPENT} + {_LAPSED}")),
    ),
    Metric(
        "coupon_waste", "Coupon waste", "share", False,
        "Coupons that were claimed and lapsed unused, of coupons claimed; those that nobody claimed are still in the "
        "pool.",
        of_daily(ratio(total("count", "coupon_expired"), total("count", "coupon_claimed"))),
    ),
)  # fmt: skip
