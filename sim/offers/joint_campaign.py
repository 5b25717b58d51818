"""The joint campaign (联合活动): one calendar over offers, one announcement by all channels, rules of stacking.

*One calendar.* The campaign has a window. Other offers of the merchant that say ``when: campaign`` (limited_time_sale,
full_reduction, coupon, points) are on in it and off outside it; they read it in the columns `campaign_start` and
`campaign_end`. They are written when the campaign is announced, `announced_days` before it, and seen from the next tick
on. Of coupons it is the handing out that is on, of points the multiplier of what orders earn.

*Stacking.* What an order may save through a lower price, a full reduction, a coupon and points: the layers named in
`stacking` add up, any other stands alone against their sum, and the best for the buyer counts. The rule holds whether a
campaign runs or not.

*One announcement.* In the window each private tie that a person has to the merchant reminds her: a session of a fan, a
group member, a user of the mini-program or a member finds a reminder with probability

    1 − product over her ties of (1 − reminder of the tie),

so what each channel adds depends on the others: they reach the same people twice, or people that no other reaches.
Reminders count as messages towards her fatigue, show the best-selling goods, and nobody who has muted the merchant gets
any. Whatever is seen of the merchant in the window, anywhere, is worth `appeal` more: it looks like an event.

It cannot: move the days on which coupons are issued, give each channel another offer, or tell fans before others.
"""

from collections.abc import Mapping
from typing import Literal

import numpy as np

from sim import draws
from sim.contract import EMPTY, LAYERS, Effects, Kind, Mechanism, View
from sim.ledger.schema import Records
from sim.params import param
from sim.units import DAY, F64, I64, NOBODY, Array, Bools
from sim.world.shelf import front, shelf
from sim.world.state import FOLLOWS, GROUP, MEMBER, MINI, MUTED, Column
from sim.world.windows import Dated, Windows

TIES = {"fans": FOLLOWS, "groups": GROUP, "mini_program": MINI, "members": MEMBER}


class JointCampaignParams(Dated):
    """When, through whom, and what adds up."""

    moot = {
        "fans": "channels.service_account",
        "groups": "channels.groups",
        "mini_program": "channels.mini_program",
        "members": "channels.mini_program",
    }
    lively = {"day": (0, 1), "hours": (24, 7)}

    announced_days: int = param(3, "how long before it the campaign is known", unit="days", ge=0, le=60)
    stacking: tuple[Literal["price", "reduction", "coupon", "points"], ...] = param(
        LAYERS, "layers of offers that add up; any other stands alone against their sum", unit="names"
    )
    appeal: float = param(0.15, "worth added to all that is seen of the merchant in it", unit="utility", ge=0, le=5)
    fans: float = param(0.1, "sessions in which a fan finds a reminder", unit="probability", ge=0, le=1)
    groups: float = param(0.15, "the same for a member of its groups", unit="probability", ge=0, le=1)
    mini_program: float = param(0.1, "the same for who keeps its mini-program", unit="probability", ge=0, le=1)
    members: float = param(0.1, "the same for who joined its member centre", unit="probability", ge=0, le=1)
    goods: int = param(3, "goods that a reminder shows", unit="goods", ge=1, le=100)
    salience: float = param(1.5, "how much a reminder catches the eye", unit="utility", ge=-10, le=10)


class JointCampaign(Mechanism):
    """Keeps the calendar, says what adds up, and reminds."""

    Params = JointCampaignParams
    clicks = {"joint_campaign": 0.3}  # assumed
    columns = (
        Column("merchant", "campaign_start", np.int64, -1, "first second of the campaign announced last; -1 none"),
        Column("merchant", "campaign_end", np.int64, -1, "first second after it"),
    )
    kinds = {
        "campaign_call": Kind(
            "a campaign is announced; detail: its first second, amount: by how much that is later than the last one's, "
            "quantity: the same of its end",
            stage="plain",
        ),
        "campaign": Kind("a campaign begins; detail: the second at which it ends", stage="plain"),
        "campaign_announced": Kind(
            "a campaign is known from now on; detail: the second at which it begins",
            says="{merchant} announces a campaign, to begin on {detail:when}",
        ),
        "campaign_opened": Kind(
            "a campaign began; detail: the second at which it ends",
            says="{merchant} opens its campaign, until {detail:when}",
        ),
        "reminded": Kind(
            "a tie reminded her of the campaign",
            detail=True,
            says="{user} finds a reminder of the campaign of {merchant}",
        ),
    }
    settles = ("campaign_call", "campaign")

    def prepare(self) -> None:
        self._windows, self._shelf = Windows(self.p), shelf(self.world)
        self._notice = self.per_merchant("announced_days", 0, np.int64) * DAY
        self._appeal, self._salience = self.per_merchant("appeal"), self.per_merchant("salience")
        self._goods = self.per_merchant("goods", 1, np.int64)
        self._forgets = {flag: 1.0 - self.per_merchant(name) for name, flag in TIES.items()}

    def initial(self) -> Mapping[tuple[str, str], Array]:
        together = self.per_merchant(lambda p: sum(1 << LAYERS.index(name) for name in set(p.stacking)), 15, np.int64)
        return {("merchant", "stacking"): together}

    # --------------------------------------------------------------------------------------------- the calendar

    def agenda(self, view: View, days: int) -> dict[str, Records]:
        rows = self._windows.dates(view, days)
        key = self.world.merchant_key[rows.merchant]
        opening = rows.with_(event=draws.child(key, "campaign", rows.quantity), quantity=0)
        begin, end = self._windows.at(view, rows.merchant, rows.detail - 1)
        call = rows.with_(
            time=self._called(rows, begin),
            event=draws.child(key, "campaign_call", rows.quantity),
            detail=begin,
            amount=begin - _before(rows, begin),
            quantity=end - _before(rows, end),
        )
        return {"campaign_call": call, "campaign": opening}

    def _called(self, rows: Records, begin: I64) -> I64:
        """When each campaign is announced: the days before it, but not while the one before runs."""
        out: I64 = np.maximum(np.maximum(begin - self._notice[rows.merchant], 0), _before(rows, rows.detail))
        return out

    def settle(self, view: View, kind: str, rows: Records, granted: Bools) -> Effects:
        fx = Effects()
        if kind == "campaign":
            fx.event("campaign_opened", rows)
            return fx
        fx.event("campaign_announced", rows.with_(amount=0, quantity=0))
        fx.tally("merchant", "campaign_start", rows.merchant, rows.amount)
        fx.tally("merchant", "campaign_end", rows.merchant, rows.quantity.astype(np.int64))
        return fx

    # ----------------------------------------------------------------------------------------- the announcement

    def expose(self, view: View) -> Effects:
        """Reminders through every tie."""
        on = self._windows.touching(view)
        if not on.any() or not view.clock.running:
            return EMPTY
        flags, merchant = view.relations("flags"), view.relations("merchant")
        tied = (flags & (FOLLOWS | GROUP | MINI | MEMBER)) != 0
        tied &= ((flags & MUTED) == 0) & on[merchant] & view.sessions.planned[view.related]
        at = tied.nonzero()[0]
        fx, session, merchant = Effects(), view.related[at], merchant[at].astype(np.int64)
        event, number = view.sessions.event[session], self.world.local_merchant(merchant)
        finds = draws.chance("offers.joint_campaign/reminder", event, self._found(flags[at], merchant), number)
        finds &= self._windows.inside(view, merchant, view.sessions.time[session])
        session, merchant = session[finds], merchant[finds]
        channel = view.channel("joint_campaign")
        rows = view.rows("reminded", session, index=number[finds], merchant=merchant, channel=channel)
        fx.event("reminded", rows)
        fx.relate("add", "notices", session, merchant, 1.0)
        owner, product = front(self._shelf, view.shared("product", "sold"), merchant, self._goods[merchant])
        session, salience = session[owner], self._salience[merchant[owner]]
        fx.expose(channel, session, product, cause=view.sessions.event[session], salience=salience)
        return fx

    def appraise(self, view: View) -> Effects:
        """In the window all is worth a little more."""
        shown = view.exposures
        at = (self._windows.touching(view) & (self._appeal > 0))[shown.merchant].nonzero()[0]
        at = at[self._windows.inside(view, shown.merchant[at], view.sessions.time[shown.session[at]])]
        if not at.size:
            return EMPTY
        fx, delta = Effects(), np.zeros(len(shown))
        delta[at] = self._appeal[shown.merchant[at]]
        fx.appeal(delta)
        return fx

    def _found(self, flags: Array, merchant: I64) -> F64:
        """Chance that a session with these ties finds a reminder."""
        missed = np.ones(merchant.size)
        for flag, forgets in self._forgets.items():
            missed *= np.where((flags & flag) != 0, forgets[merchant], 1.0)
        return 1.0 - missed


def _before(rows: Records, value: I64) -> I64:
    """The value of the merchant's row before, -1 for its first; rows are ordered by merchant."""
    out = np.full(rows.n, NOBODY, np.int64)
    again = (rows.merchant[1:] == rows.merchant[:-1]).nonzero()[0] + 1
    out[again] = value[again - 1]
    return out
