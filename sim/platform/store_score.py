"""The store score shown to everybody (店铺分): slow, between 0 and 5, decided by what buyers lived through.

Once a day, for every merchant,

    score = stars − a · (refunds − a₀) − b · (late − b₀) − c · (refusals − c₀),   cut to 0..5,

with `stars` the mean rating and the three shares of parcels sent back, parcels late and orders refused for want of
stock, each measured against what is ordinary (a₀, b₀, c₀). Every mean is over exponentially forgotten counts (half
of them forgotten in `half_life_days`) shrunk towards the ordinary value by `prior` imagined observations, as a
Bayesian with a beta prior would: so a new shop starts at 4.5 and a single complaint moves little.

Counts are kept as a running total C and what is forgotten of it, B ← C − d · (C − B): the difference C − B is the
exponentially weighted count.

It cannot: know reviews of single products, appeals, or fraud.
"""

import numpy as np

from sim.contract import Effects, Mechanism, View
from sim.elementary import exp, log
from sim.ledger.schema import Records
from sim.params import Params, param
from sim.units import F64, HOUR, Bools
from sim.world.state import Column

COUNTED = ("score_orders", "score_refused", "score_parcels", "score_late", "score_returned")  # tallied here
RATED = ("ratings", "stars")  # tallied by operations.after_sale
BEST = 5.0


class StoreScoreParams(Params):
    """How the score is made."""

    half_life_days: float = param(30.0, "half of all that happened is forgotten in", unit="days", gt=0, le=3_650)
    prior: float = param(30.0, "imagined ordinary observations behind each mean", unit="observations", gt=0, le=1e6)
    stars: float = param(4.5, "mean rating of an ordinary shop", unit="stars", ge=1, le=5)
    refunds: float = param(
        0.05, "parcels sent back to an ordinary shop", unit="share",
        source="facts: store.return_rate_shelf_and_social", ge=0, le=1,
    )  # fmt: skip
    late: float = param(0.3, "parcels of an ordinary shop that come late", unit="share", ge=0, le=1)
    refusals: float = param(0.0, "orders refused by an ordinary shop for want of stock", unit="share", ge=0, le=1)
    late_hours: float = param(72.0, "a parcel slower than this is late to the platform", unit="hours", ge=1, le=2_000)
    points_per_refund: float = param(4.0, "points lost if all parcels are sent back", unit="stars", ge=0, le=100)
    points_per_late: float = param(1.5, "points lost if all parcels are late", unit="stars", ge=0, le=100)
    points_per_refusal: float = param(4.0, "points lost if all orders are refused", unit="stars", ge=0, le=100)


class StoreScore(Mechanism):
    """Counts what buyers live through and publishes the score every night."""

    Params = StoreScoreParams
    columns = (
        *(Column("merchant", name, np.int64, 0, "counted for the score since the start") for name in COUNTED),
        *(Column("merchant", f"{name}_past", np.float64, 0, "how much of it is forgotten") for name in COUNTED + RATED),
    )
    settles = ("order", "gift_order", "delivery", "return")

    def prepare(self) -> None:
        self._kept = float(exp(-log(np.array(2.0)) / self.p.half_life_days))  # of a count, per day

    def settle(self, view: View, kind: str, rows: Records, granted: Bools) -> Effects:
        fx = Effects()
        if kind == "delivery":
            fx.tally("merchant", "score_parcels", rows.merchant)
            fx.tally("merchant", "score_late", rows.merchant[rows.detail > self.p.late_hours * HOUR])
        elif kind == "return":
            fx.tally("merchant", "score_returned", rows.merchant)
        else:
            fx.tally("merchant", "score_orders", rows.merchant)
            fx.tally("merchant", "score_refused", rows.merchant[~granted])
        return fx

    def close(self, view: View) -> Effects:
        fx = Effects()
        recent = {name: self._recent(fx, view, name) for name in COUNTED + RATED}
        p = self.p
        score = (
            self._mean(recent["stars"], recent["ratings"], p.stars)
            - p.points_per_refund
            * (self._mean(recent["score_returned"], recent["score_parcels"], p.refunds) - p.refunds)
            - p.points_per_late * (self._mean(recent["score_late"], recent["score_parcels"], p.late) - p.late)
            - p.points_per_refusal
            * (self._mean(recent["score_refused"], recent["score_orders"], p.refusals) - p.refusals)
        )
        fx.put("merchant", "score", np.clip(score, 0.0, BEST))
        return fx

    def _recent(self, fx: Effects, view: View, name: str) -> F64:
        """The exponentially weighted count of a column, shape (merchants,), after this day's forgetting."""
        count = view.state["merchant"].get(name)
        if count is None:  # nobody rates
            return np.zeros(self.world.m)
        recent: F64 = self._kept * (count - view.shared("merchant", f"{name}_past"))
        fx.put("merchant", f"{name}_past", count - recent)
        return recent

    def _mean(self, total: F64, count: F64, ordinary: float) -> F64:
        """A mean shrunk towards the ordinary value."""
        out: F64 = (self.p.prior * ordinary + total) / (self.p.prior + count)
        return out
