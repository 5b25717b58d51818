"""Membership (会员): prices for members, more for those who spend more, and a birthday.

Who has joined the member centre (`channels.mini_program`) pays a share less for chosen goods. What members pay
for orders of their own adds up; from `gold_from` yuan on they are gold members and pay `gold_discount` less. In the
days up to the birthday, the day itself included, `birthday_discount` less is asked. Of the three the largest counts;
against a sale or another lower price the larger counts too (the layer ``price``). All that it costs is the discount.
That members think of the merchant more often is in `people.repurchase`.

It cannot: win members by itself, let members fall back, or take back what a returned parcel counted for.
"""

from collections.abc import Iterator

import numpy as np

from sim.contract import EMPTY, Effects, Kind, Mechanism, View
from sim.params import Params, Setting, param
from sim.units import I64, Array, Bools, fen
from sim.world.shelf import named, unknown
from sim.world.state import MEMBER, Column

BASIS = 10_000  # discounts are whole basis points
YEAR = 365


class MembershipParams(Params):
    """What members get."""

    needs = ("channels.mini_program",)
    moot = {"gold_discount": "gold_from", "birthday_days": "birthday_discount"}
    lively = {"gold_from": (50.0,)}

    def idle(self, around: Setting) -> Iterator[tuple[str, str]]:
        """Goods that there are not."""
        yield from unknown(self.products, around)

    discount: float = param(0.05, "share off the price for members", unit="share", ge=0, le=0.99)
    products: tuple[str, ...] = param((), "names of the goods with a price for members; none: all", unit="names")
    gold_from: float = param(
        800.0, "paid as a member, from which on she is a gold member; 0: there are none", unit="yuan", ge=0, le=1e6
    )
    gold_discount: float = param(0.1, "share off the price for gold members", unit="share", ge=0, le=0.99)
    birthday_discount: float = param(0.15, "share off the price around her birthday", unit="share", ge=0, le=0.99)
    birthday_days: int = param(7, "days of it, the birthday the last", unit="days", ge=0, le=60)


class Membership(Mechanism):
    """Charges members less, and counts what they pay."""

    Params = MembershipParams
    columns = (Column("slot", "spent", np.int32, 0, "fen that she paid as a member"),)
    kinds = {
        "gold": Kind(
            "a member became a gold member; amount: fen paid as a member so far",
            says="{user} becomes a gold member of {merchant}, having paid {amount}",
        )
    }

    def prepare(self) -> None:
        def basis(field: str) -> I64:
            return self.per_merchant(lambda p: round(getattr(p, field) * BASIS), 0, np.int64)

        self._plain, self._gold, self._birthday = (
            basis(name) for name in ("discount", "gold_discount", "birthday_discount")
        )
        self._gold_from = self.per_merchant(lambda p: fen(p.gold_from), 0, np.int64)
        self._days = self.per_merchant("birthday_days", 0, np.int64)
        self._listed = named(self.world, [None if p is None else p.products for p in self.p])

    def appraise(self, view: View) -> Effects:
        """What members pay."""
        members = ((view.relations("flags") & MEMBER) != 0) & self.on[view.relations("merchant")]
        known = members.nonzero()[0]
        if not known.size:
            return EMPTY
        session, merchant = view.related[known], view.relations("merchant")[known].astype(np.int64)
        share = self._shares(view, session, merchant, view.relations("spent")[known])
        key = session * self.world.m + merchant
        order = np.argsort(key)
        key, share = key[order], share[order]
        shown, fx = view.exposures, Effects()
        wanted = shown.session * self.world.m + shown.merchant
        place = np.minimum(np.searchsorted(key, wanted), key.size - 1)
        at = ((key[place] == wanted) & self._listed[shown.product]).nonzero()[0]
        fx.discount(at, self.world.product["price"][shown.product[at]] * share[place[at]] // BASIS)
        return fx

    def respond(self, view: View) -> Effects:
        """What members paid counts towards gold."""
        out = view.outcome("order")
        at = (out.granted & self.on[out.rows.merchant]).nonzero()[0]
        session, merchant = out.session[at], out.rows.merchant[at]
        member = (view.relation("flags", session, merchant) & MEMBER) != 0
        if not member.any():
            return EMPTY
        fx, rows, session, merchant = Effects(), out.rows.take(at[member]), session[member], merchant[member]
        before = view.relation("spent", session, merchant).astype(np.int64)
        after = np.minimum(before + rows.amount, np.iinfo(np.int32).max)
        fx.relate("set", "spent", session, merchant, after)
        limit = self._gold_from[merchant]
        rises = (limit > 0) & (before < limit) & (after >= limit)
        said = {"cause": rows.event[rises], "merchant": merchant[rises], "amount": after[rises]}
        index = self.world.local_merchant(merchant[rises])
        fx.event("gold", view.rows("gold", session[rises], index=index, **said))
        return fx

    def _shares(self, view: View, session: I64, merchant: I64, spent: Array) -> I64:
        """Basis points off for these members."""
        gold = (self._gold_from[merchant] > 0) & (spent >= self._gold_from[merchant])
        out = np.maximum(self._plain[merchant], np.where(gold, self._gold[merchant], 0))
        near = self._near(view, session, merchant)
        best: I64 = np.maximum(out, np.where(near, self._birthday[merchant], 0))
        return best

    def _near(self, view: View, session: I64, merchant: I64) -> Bools:
        """Who has a birthday within the days."""
        day = min(view.clock.day, view.calendar.days - 1)
        today = int(view.calendar.day_of_year[day])
        ahead = (view.person("birthday").astype(np.int64)[session] - today) % YEAR
        out: Bools = ahead < self._days[merchant]
        return out
