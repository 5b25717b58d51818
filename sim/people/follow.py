"""Following: a person who is asked at the right moment follows a merchant's service account.

A channel that asks leaves the notes `prompt_merchant` and `prompt_strength` (1: an ordinary prompt). She follows with
probability ``propensity · strength``, unless she follows already, has muted the merchant, or keeps as many
merchants in mind as she can. If she comes to the home page of that merchant (notes `home_merchant` and `home_follow`),
the prompt is stronger by so much. Following out of her own search for the account is not modelled.
"""

import numpy as np

from sim import draws
from sim.contract import EMPTY, Effects, Kind, Mechanism, Params, View, param
from sim.units import F64, I64, NOBODY, Bools
from sim.world.state import FOLLOWS, MUTED, SLOTS


class FollowParams(Params):
    """How readily people follow."""

    propensity: float = param(0.12, "people asked once who follow", unit="share", ge=0, le=1)


class Follow(Mechanism):
    """Who becomes a fan."""

    Params = FollowParams
    kinds = {
        "follow": Kind(
            "began to follow the merchant's service account; cause: her session",
            says="{user} follows the service account of {merchant}",
        )
    }

    def respond(self, view: View) -> Effects:
        """Some of those who were asked follow."""
        asked = view.scratch.get("prompt_merchant")
        if asked is None:
            return EMPTY
        session = ((asked >= 0) & view.sessions.planned).nonzero()[0]
        merchant = asked[session].astype(np.int64)
        willing = self.p.propensity * _strength(view, session, merchant)
        number = view.world.local_merchant(merchant)
        agrees = draws.chance("people.follow/agree", view.sessions.event[session], willing, number)
        session, merchant, number = (x[agrees] for x in (session, merchant, number))
        stranger = (view.relation("flags", session, merchant) & (FOLLOWS | MUTED)) == 0
        new = stranger & _has_room(view, session, merchant)
        session, merchant, number = (x[new] for x in (session, merchant, number))
        fx = Effects()
        fx.event("follow", view.rows("follow", session, index=number, merchant=merchant))
        fx.relate("or", "flags", session, merchant, FOLLOWS)
        fx.tally("merchant", "fans", merchant)
        return fx


def _strength(view: View, session: I64, merchant: I64) -> F64:
    """How strongly each session is asked to follow the merchant."""
    strength: F64 = view.scratch["prompt_strength"][session]
    home = view.scratch.get("home_merchant")
    if home is None:
        return strength
    return strength + np.where(home[session] == merchant, view.scratch["home_follow"][session], 0.0)


def _has_room(view: View, session: I64, merchant: I64) -> Bools:
    """Whether she knows the merchant already or can remember one more."""
    count = np.bincount(view.related, minlength=len(view.sessions))
    known = view.relation("merchant", session, merchant, NOBODY) >= 0
    out: Bools = known | (count[session] < SLOTS)
    return out
