"""The full reduction (满减): money off an order that reaches a sum, and people who add a piece to get there (凑单).

A ladder of steps takes `off` yuan from the whole order once it comes to `above` yuan: 30 off above 200, 80 off
above 400. Of the steps that are reached the largest counts. The sum is that of all pieces after a lower price of the
piece, if the merchant lets the two add up, and before coupons and points.

*Topping up.* Who falls short by little adds pieces of what she is buying until the sum is reached, if it is a thing
that she uses up (`cycle_days` > 0). How much a person adds is hers for life: with probability `top_up` she is ready to,
and then for a gap of up to U · near · above, U uniform on (0, 1). So the share of people who close a gap g is

    top_up · (1 − g / (near · above)),   0 from g = near · above on.

What they add is used up later, and missing then (`people.repurchase`). As an order is of one product, the pieces that
are added are of the same.

It cannot: add up the goods of several orders or products, or let a person who does not reach the sum go without.
"""

import numpy as np
from pydantic import field_validator, model_validator

from sim import draws
from sim.contract import EMPTY, Effects, Mechanism, View
from sim.params import Params, param
from sim.units import F64, I64, Bools, fen
from sim.words import _
from sim.world.windows import Standing, Windows


class Step(Params):
    """A step of the ladder."""

    above: float = param(200.0, "sum from which it counts", unit="yuan", gt=0, le=1e6)
    off: float = param(30.0, "taken off then", unit="yuan", ge=0, le=1e6)

    @model_validator(mode="after")
    def _less_than_all(self) -> "Step":
        if self.off > self.above:
            raise ValueError(_("takes off more than the sum from which it counts"))
        return self


class FullReductionParams(Standing):
    """The ladder, when it stands, and who climbs it."""

    moot = {"near": "top_up"}
    lively = {"top_up": (1.0,), "near": (1.0,)}

    steps: tuple[Step, ...] = param(
        (Step(above=200, off=30), Step(above=400, off=80)),
        "the ladder: so much off above a sum",
        unit="steps of the ladder",
    )
    top_up: float = param(0.3, "people who add pieces to reach a sum that they nearly reach", unit="share", ge=0, le=1)
    near: float = param(0.5, "gap that nobody closes any more, as a part of the sum", unit="share", ge=0, le=1)

    @field_validator("steps")
    @classmethod
    def _rising(cls, steps: tuple[Step, ...]) -> tuple[Step, ...]:
        if any(high.above <= low.above or high.off < low.off for low, high in zip(steps, steps[1:], strict=False)):
            raise ValueError(_("each step must begin above the one before, and take off as much or more"))
        return steps


class FullReduction(Mechanism):
    """Takes money off large orders, and makes orders larger."""

    Params = FullReductionParams

    def prepare(self) -> None:
        most = max((len(p.steps) for p in self.p if p is not None), default=0)

        def ladder(field: str) -> list[list[int]]:
            steps = [[] if p is None else [fen(getattr(step, field)) for step in p.steps] for p in self.p]
            return [values + [-1] * (most - len(values)) for values in steps]

        self._above = np.array(ladder("above"), np.int64).reshape(
            len(self.p), most
        )  # (merchants, steps), -1: no such step
        self._off = np.array(ladder("off"), np.int64).reshape(len(self.p), most)
        self._top_up, self._near = self.per_merchant("top_up"), self.per_merchant("near")
        self._windows = Windows(self.p)

    def appraise(self, view: View) -> Effects:
        """The ladder, for all that stands on it."""
        shown = view.exposures
        at = self._windows.touching(view)[shown.merchant].nonzero()[0]
        if not at.size:
            return EMPTY
        at = at[self._windows.inside(view, shown.merchant[at], view.sessions.time[shown.session[at]])]
        fx, merchant = Effects(), shown.merchant[at]
        adds, bridged = self._adds(view, at), self._bridged(view, at)
        for step in range(self._above.shape[1]):
            above, off = self._above[merchant, step], self._off[merchant, step]
            there = above >= 0
            fx.reduce(at[there], above[there], off[there])
            grows, gap = there & adds, (bridged * above).astype(np.int64)
            fx.top_up(at[grows], above[grows], gap[grows])
        return fx

    def _bridged(self, view: View, at: I64) -> F64:
        """The largest gap that each of these people closes, as a part of the sum; theirs for life."""
        merchant, key = view.exposures.merchant[at], view.keys[view.exposures.session[at]]
        share = self._top_up[merchant]
        luck = draws.uniform("offers.full_reduction/top_up", key)
        out: F64 = np.maximum(1.0 - luck / np.maximum(share, 1e-300), 0.0) * self._near[merchant]
        return out

    def _adds(self, view: View, at: I64) -> Bools:
        """Where one more piece would be of use: a thing that is used up, and not for a gift."""
        shown = view.exposures
        out: Bools = self.world.product["cycle_days"][shown.product[at]] > 0
        return out & ~view.gift_minded[shown.session[at]]
