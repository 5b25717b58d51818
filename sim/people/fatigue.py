"""Fatigue: too many messages of one merchant, and a person wants to hear no more of it.

Each message of a merchant that she notices counts; the count fades with e-folding time of a week, so that f messages
a week hold it at f on average, and at f + 1/2 just after one, as 1/(1 - e^(-1/f)) = f + 1/2 + O(1/f). When it stands
more than 1/2 above her `tolerance` (a trait, messages a week: facts private_domain.disable_push_hazard) she acts,
with probability `hazard` a session: unfollows and leaves the group, or only mutes. Either way nothing from the
merchant reaches her any more. Coming back and fatigue with WeChat as a whole are not modelled.
"""

import numpy as np

from sim import draws
from sim.contract import EMPTY, Effects, Kind, Mechanism, Params, View, param
from sim.elementary import exp
from sim.units import F64, I64, WEEK, Array
from sim.world.state import FOLLOWS, GROUP, MUTED, PINNED

_JUST_HEARD = 0.5  # by how much the count stands above its mean just after a message


class FatigueParams(Params):
    """How people turn away from too many messages."""

    needs = (
        "channels.service_account | channels.groups | channels.live | channels.cart | channels.template_messages | "
        "offers.lottery | offers.joint_campaign",
    )

    memory_weeks: float = param(1.0, "time in which the count of messages fades", unit="weeks", gt=0, le=52)
    hazard: float = param(0.5, "sessions above her tolerance in which she acts", unit="share", ge=0, le=1)
    leaves: float = param(0.4, "of those who act, who leave for good instead of muting", unit="share", ge=0, le=1)


class Fatigue(Mechanism):
    """Who mutes, unfollows and leaves."""

    Params = FatigueParams
    kinds = {
        "notice": Kind(
            "noticed a message of the merchant",
            detail=True,
            says="{user} notices a message of {merchant}[ about {product}][ ({channel})]",
        ),
        "mute": Kind("muted the merchant; cause: her session", says="{user} mutes {merchant}"),
        "unfollow": Kind(
            "unfollowed its service account; cause: her session",
            says="{user} unfollows the service account of {merchant}",
        ),
        "leave_group": Kind("left its group; cause: her session", says="{user} leaves the group of {merchant}"),
    }

    def deliver(self, view: View) -> Effects:
        """Old messages fade from memory."""
        session, merchant, notices, _ = _counts(view)
        if not session.size:
            return EMPTY
        fx = Effects()
        gone = np.maximum(view.sessions.time[session] - view.own("last_seen")[session], 0)
        kept = notices * exp(-gone / (self.p.memory_weeks * WEEK))
        fx.relate("set", "notices", session, merchant, kept)
        return fx

    def respond(self, view: View) -> Effects:
        """Those who have had enough mute or leave."""
        session, merchant, notices, flags = _counts(view)
        tolerance = view.world.people["tolerance"][view.sessions.user[session]]
        fed_up = (notices - _JUST_HEARD > tolerance) & ((flags & MUTED) == 0)
        if not fed_up.any():
            return EMPTY
        session, merchant, flags = session[fed_up], merchant[fed_up], flags[fed_up]
        number, event = view.world.local_merchant(merchant), view.sessions.event[session]
        acts = draws.chance("people.fatigue/act", event, self.p.hazard, number)
        leaves = acts & draws.chance("people.fatigue/leave", event, self.p.leaves, number)
        unfollows, quits = leaves & ((flags & FOLLOWS) != 0), leaves & ((flags & GROUP) != 0)
        fx = Effects()
        for kind, who in (("mute", acts & ~leaves), ("unfollow", unfollows), ("leave_group", quits)):
            fx.event(kind, view.rows(kind, session[who], index=number[who], merchant=merchant[who]))
        fx.relate("or", "flags", session[acts], merchant[acts], MUTED)
        fx.relate("clear", "flags", session[leaves], merchant[leaves], FOLLOWS | PINNED | GROUP)
        fx.tally("merchant", "fans", merchant[unfollows], -1)
        return fx


def _counts(view: View) -> tuple[I64, Array, F64, Array]:
    """Pairs (session, merchant) with noticed messages, how many, and the flags."""
    at = ((view.relations("notices") > 0) & view.sessions.planned[view.related]).nonzero()[0]
    merchant, notices, flags = (view.relations(name)[at] for name in ("merchant", "notices", "flags"))
    return view.related[at], merchant, notices.astype(np.float64), flags
