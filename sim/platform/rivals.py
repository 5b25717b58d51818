"""The outside option: buying nothing, or buying somewhere else, which is always in the choice set.

Every session weighs what it sees against an outside utility

    outside = attraction + sale_attraction · sale_pull(day) + Gumbel(session),

left as the session note ``outside``. With Gumbel noise on all options this is the classical logit with an outside
good (McFadden 1974): one product of utility u is bought with probability 1 / (1 + exp(attraction − u)). Sales
elsewhere (618, Double 11) pull on the days on which the calendar says so, as they pull on the merchants' own sales.

It cannot: tell rivals apart, follow their prices, or prefer them in some categories.
"""

from sim import draws
from sim.contract import Effects, Mechanism, View
from sim.params import Params, param


class RivalsParams(Params):
    """How attractive it is not to buy here."""

    needs = ("people.buy",)
    lively = {"attraction": (-5.0, 0.0)}

    attraction: float = param(
        5.0, "utility of buying nothing or elsewhere (calibrated: one view in 45 ends in an order)", unit="utility",
        source="facts: store.view_to_buy", ge=-20, le=20,
    )  # fmt: skip
    sale_attraction: float = param(0.3, "added on the best day of a sale elsewhere", unit="utility", ge=0, le=10)


class Rivals(Mechanism):
    """Notes every session's outside utility."""

    Params = RivalsParams

    def arrive(self, view: View) -> Effects:
        fx = Effects()
        base = self.p.attraction
        if view.clock.running:
            base += self.p.sale_attraction * float(view.calendar.sale_pull[view.clock.day])
        fx.note("outside", base + draws.gumbel("platform.rivals/outside", view.sessions.event))
        return fx
