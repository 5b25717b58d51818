"""Following: a person who is asked at the right moment follows a merchant's service account.

A channel that asks leaves the notes `prompt_merchant` and `prompt_strength` (1: an ordinary prompt); other mechanisms
that ask add their name (`prompt_merchant.articles`), and may say in `prompt_cause.<name>` what they ask for. A session
is asked by the strongest of them alone; if she comes to the home page of that merchant (notes `home_merchant` and
`home_follow`), the prompt is stronger by so much. She follows with probability ``propensity · strength``, unless she
follows already, has muted the merchant, or keeps as many merchants in mind as she can. Following out of her own
search for the account is not modelled.
"""

import numpy as np

from sim import draws
from sim.contract import EMPTY, Effects, Kind, Mechanism, Params, View, param
from sim.units import F64, I64, NOBODY, U64, Array
from sim.world.state import FOLLOWS, MUTED

_PROMPT = "prompt_merchant"


class FollowParams(Params):
    """How readily people follow."""

    needs = ("channels.service_account | channels.articles | channels.image_posts",)
    lively = {"propensity": (1.0,)}

    propensity: float = param(0.12, "people asked once who follow", unit="share", ge=0, le=1)


class Follow(Mechanism):
    """Who becomes a fan."""

    Params = FollowParams
    kinds = {
        "follow": Kind(
            "began to follow the merchant's service account; cause: her session, or the content that won her",
            says="{user} follows the service account of {merchant}",
        )
    }

    def respond(self, view: View) -> Effects:
        """Some of those who were asked follow."""
        prompts = sorted(name for name in view.scratch if name.startswith(_PROMPT))
        if not prompts:
            return EMPTY
        asked, strength, cause = _strongest(view, prompts)
        session = ((asked >= 0) & view.sessions.planned).nonzero()[0]
        if not session.size:
            return EMPTY
        merchant = asked[session].astype(np.int64)
        willing = self.p.propensity * (strength[session] + _at_home(view, session, merchant))
        number = view.world.local_merchant(merchant)
        agrees = draws.chance("people.follow/agree", view.sessions.event[session], willing, number)
        session, merchant, number = (x[agrees] for x in (session, merchant, number))
        stranger = (view.relation("flags", session, merchant) & (FOLLOWS | MUTED)) == 0
        new = stranger & view.has_room(session, merchant)
        session, merchant, number = (x[new] for x in (session, merchant, number))
        fx = Effects()
        fx.event("follow", view.rows("follow", session, index=number, cause=cause[session], merchant=merchant))
        fx.relate("or", "flags", session, merchant, FOLLOWS)
        fx.tally("merchant", "fans", merchant)
        return fx


def _strongest(view: View, prompts: list[str]) -> tuple[Array, F64, U64]:
    """Who asks each session to follow, how strongly and for what: the strongest, of equals the first by name."""
    count = len(view.sessions)
    asked, strength = np.full(count, NOBODY, np.int32), np.zeros(count)
    cause = view.sessions.event.copy()
    for name in prompts:
        by = name.removeprefix(_PROMPT)
        how = view.scratch[f"prompt_strength{by}"]
        more = (view.scratch[name] >= 0) & (how > strength)
        asked[more], strength[more] = view.scratch[name][more], how[more]
        cause[more] = view.scratch.get(f"prompt_cause{by}", view.sessions.event)[more]
    return asked, strength, cause


def _at_home(view: View, session: I64, merchant: I64) -> F64:
    """How much stronger the prompt is on the merchant's own home page."""
    home = view.scratch.get("home_merchant")
    if home is None:
        return np.zeros(session.size)
    return np.where(home[session] == merchant, view.scratch["home_follow"][session], 0.0)
