"""Sharing: one to one, in chat groups and in Moments; most cascades die at once.

After an order of her own, a parcel that pleased her, or a product page, a person shares the product with probability

    occasion · sociality · how readily its category is recommended,

and a page that a friend's recommendation led to is forwarded likewise (`forward`), one step deeper in the cascade.
An article that she has read (notes `article_read`, `article_urge`) is passed on as the product that it features.
She picks a surface: a chat with one friend (drawn by tie layer), one of her chat groups (each member notices with
`group_reach`), or Moments, where friend i sees it with probability

    moments_reach · content · layer(i) · scrolling(i),   content = category strength, scrolling = min(1, activity),

which factors into content, tie and receiver, so that fan-out skips at a power of two above the first and thins by
the others. A recommendation seen is an exposure with more appeal: by `trust`, by log(1.55) if the friend has bought
it (facts: sharing.friend_bought_odds_ratio, a randomised experiment), and by the log of the category's strength. If
a share leads on average to R further shares, a cascade has 1 / (1 - R) shares on average (R < 1).

What people write about it, likes and comments are not modelled here.
"""

from typing import NamedTuple

import numpy as np

from sim import draws
from sim.contract import EMPTY, Effects, Kind, Mechanism, Params, View, param
from sim.elementary import log
from sim.kernels import expand, segments
from sim.ledger.schema import Records
from sim.units import F64, I64, U64, Array
from sim.world import feed

_SURFACES = ("share_chat", "share_group", "share_moments")
_SATISFACTION = 1_000.0  # unit of `detail` in the message that a parcel arrived


class ShareParams(Params):
    """How readily people share, where, and how far it carries."""

    needs = ("people.buy",)
    lively = {"after_order": (0.5, 1.0), "forward": (0.5, 1.0)}

    after_order: float = param(0.05, "orders that are shared", unit="share", ge=0, le=1)
    after_parcel: float = param(0.06, "parcels that please and are shared", unit="share", ge=0, le=1)
    pleased_from: float = param(0.8, "satisfaction with a parcel from which one talks of it", unit="0..1", ge=0, le=1)
    after_view: float = param(0.005, "product pages seen that are shared", unit="share", ge=0, le=1)
    forward: float = param(0.05, "recommended pages seen that are forwarded", unit="share", ge=0, le=1)
    surfaces: tuple[float, float, float] = param(
        (0.6, 0.25, 0.15), "shares in a chat, in a group and in Moments, relative", unit="relative"
    )
    layer_weights: tuple[float, float, float, float] = param(
        (1.0, 0.4, 0.1, 0.03), "weight of a tie as partner in a chat, by Dunbar layer", unit="relative"
    )
    group_reach: float = param(0.15, "members of a group who notice", unit="share", ge=0, le=1)
    moments_reach: float = param(0.15, "closest friends who come across a post in Moments", unit="share", ge=0, le=1)
    moments_layers: tuple[float, float, float, float] = param(
        (1.0, 0.8, 0.6, 0.4), "the same for other layers, relative to the closest", unit="relative"
    )
    friend_bought: float = param(
        1.55,
        "odds of interest if the friend bought it",
        unit="odds ratio",
        source="facts: sharing.friend_bought_odds_ratio",
        ge=1,
        le=10,
    )
    trust: tuple[float, float, float] = param(
        (1.3, 0.6, 0.2), "utility added by being told in a chat, in a group, in Moments", unit="utility"
    )
    salience: tuple[float, float, float] = param(
        (2.5, 1.0, 0.5), "how much a recommendation catches the eye, by surface", unit="utility"
    )


class _Occasions(NamedTuple):
    """Reasons to share. Rows: product, cause, `event` a natural key, `detail` the depth, `quantity` 1 if she has it."""

    session: I64
    rows: Records
    urge: F64


class Share(Mechanism):
    """Who shares what with whom, and what recommendations look like to those who get them."""

    Params = ShareParams
    kinds = {
        "share": Kind(
            "shared a product; detail: depth in its cascade, quantity: people reached",
            says="{user} shares {product} of {merchant} ({channel}); people reached: {quantity}",
        ),
        "recommendation": Kind("message to a friend (peer: who shares); cause: share, quantity: 1 if she has it"),
    }
    clicks = {"share_chat": 0.35, "share_group": 0.12, "share_moments": 0.05}  # assumed

    def prepare(self) -> None:
        p = self.p
        self._chat_weight = log(np.maximum(np.array(p.layer_weights), 1e-300))
        self._layer = np.array(p.moments_layers)
        chat, group, moments = p.surfaces
        self._edges = np.array([chat, chat + group]) / max(chat + group + moments, 1e-300)
        self._strength = self.world.product["sharing"]
        self._appeal = log(np.maximum(self._strength, 1e-9))
        self._bought_appeal = log(np.array([1.0, p.friend_bought]))

    # -------------------------------------------------------------------------------------------- being told

    def expose(self, view: View) -> Effects:
        """Recommendations come into sight; those in Moments only to who looks there."""
        told = view.inbox("recommendation")
        if not told.rows.n:
            return EMPTY
        fx, here = Effects(), view.sessions.planned[told.session]
        looks = view.scratch.get("surface_moments")
        for name, trust, salience in zip(_SURFACES, self.p.trust, self.p.salience, strict=True):
            seen = here & (told.rows.channel == view.channel(name))
            if name == "share_moments" and looks is not None:
                seen &= looks[told.session]
            rows = told.rows.take(seen)
            fx.expose(
                view.channel(name),
                told.session[seen],
                rows.product,
                cause=rows.cause,
                appeal=trust + self._appeal[rows.product] + self._bought_appeal[rows.quantity],
                salience=salience,
                peer=rows.peer,
            )
        return fx

    # -------------------------------------------------------------------------------------------- telling

    def respond(self, view: View) -> Effects:
        """Share what was bought, what pleased, what was seen, and what others recommended."""
        parts = [self._orders(view), self._parcels(view), self._pages(view)]
        if "article_read" in view.scratch:
            parts.append(self._articles(view))
        session, rows = np.concatenate([part.session for part in parts]), Records.concat([p.rows for p in parts])
        urge = np.concatenate([part.urge for part in parts]) * self._strength[rows.product]
        urge *= view.world.people["sociality"][view.sessions.user[session]]
        shares = draws.chance("people.share/urge", view.sessions.event[session], urge, rows.event)
        at = (shares & view.sessions.planned[session]).nonzero()[0]
        if not at.size:
            return EMPTY
        return self._tell(view, session[at], rows.take(at))

    def _tell(self, view: View, session: I64, what: Records) -> Effects:
        """Write the shares down and send the recommendations."""
        share = view.rows(
            "share", session, index=what.event, cause=what.cause, product=what.product, detail=what.detail
        )
        surface = np.searchsorted(self._edges, draws.uniform("people.share/surface", share.event), side="right")
        code = np.array([view.channel(name) for name in _SURFACES])[surface]
        share = share.with_(channel=code, merchant=view.world.product["merchant"][share.product])
        ways = (self._chat, self._group, self._moments)
        parts = [way(view, share, at) for place, way in enumerate(ways) if (at := (surface == place).nonzero()[0]).size]
        owner, friend = (np.concatenate(ends) for ends in zip(*parts, strict=True))
        fx = Effects()
        fx.event("share", share.with_(quantity=np.bincount(owner, minlength=share.n)))
        fx.message("recommendation", _recommendations(view, share.take(owner), friend, what.quantity[owner]))
        return fx

    # -------------------------------------------------------------------------------------------- occasions

    def _orders(self, view: View) -> _Occasions:
        """Her own orders that were filled."""
        out = view.outcome("order")
        rows, session = out.rows.take(out.granted), out.session[out.granted]
        depth = _depth(view, rows.cause)
        what = Records(rows.n, event=rows.event, cause=rows.event, product=rows.product, detail=depth, quantity=1)
        return _Occasions(session, what, np.full(rows.n, self.p.after_order))

    def _parcels(self, view: View) -> _Occasions:
        """Parcels, her own or given, that pleased her."""
        read = view.inbox("parcel_arrived")
        pleased = read.rows.detail >= self.p.pleased_from * _SATISFACTION
        rows = read.rows.take(pleased)
        what = Records(rows.n, event=rows.event, cause=rows.cause, product=rows.product, quantity=1)
        return _Occasions(read.session[pleased], what, np.full(rows.n, self.p.after_parcel))

    def _pages(self, view: View) -> _Occasions:
        """Product pages seen, each once; of several ways to a page a friend's recommendation counts."""
        e = view.exposures
        seen = view.viewed.nonzero()[0]
        key = e.session[seen] * view.world.product["price"].size + e.product[seen]
        seen = seen[segments.argmax(key, (e.peer[seen] >= 0).astype(np.int64), e.cause[seen])]
        told = e.peer[seen] >= 0
        what = Records(
            seen.size,
            event=view.world.product_number(e.product[seen]),
            cause=e.cause[seen],
            product=e.product[seen],
            detail=np.where(told, _depth(view, e.cause[seen]), 0),
        )
        return _Occasions(e.session[seen], what, np.where(told, self.p.forward, self.p.after_view))

    def _articles(self, view: View) -> _Occasions:
        """Articles read, with the urge that they leave."""
        sent = view.content("article")
        read = feed.met(view.scratch["article_read"], sent)
        ids = sent.event[read.at]
        what = Records(ids.size, event=ids, cause=ids, product=sent.product[read.at])
        return _Occasions(read.session, what, view.scratch["article_urge"][read.session, read.place])

    # -------------------------------------------------------------------------------------------- audiences

    def _chat(self, view: View, share: Records, at: I64) -> tuple[I64, Array]:
        """One friend of each, by the weight of the tie."""
        graph, user = view.world.graph, share.user[at]
        owner, tie = expand.expand(graph.indptr[user], graph.indptr[user + 1])
        friend = graph.indices[tie]
        noise = draws.gumbel("people.share/chat", share.event[at[owner]], view.world.local_user(friend))
        best = segments.argmax(
            owner, self._chat_weight[graph.layers(user[owner], tie)] + noise, friend.astype(np.uint64)
        )
        return at[owner[best]], friend[best]

    def _group(self, view: View, share: Records, at: I64) -> tuple[I64, Array]:
        """Those who notice it in one of her chat groups."""
        groups, members = view.world.groups, view.world.members
        first = groups.indptr[share.user[at]]
        count = groups.indptr[share.user[at] + 1] - first
        at, first, count = at[count > 0], first[count > 0], count[count > 0]
        group = groups.indices[first + draws.below("people.share/group", share.event[at], count)]
        owner, friend = expand.neighbours(members.indptr, members.indices, group)
        number = view.world.local_user(friend)
        notices = draws.chance("people.share/group_member", share.event[at[owner]], self.p.group_reach, number)
        notices &= friend != share.user[at[owner]]
        return at[owner[notices]], friend[notices]

    def _moments(self, view: View, share: Records, at: I64) -> tuple[I64, Array]:
        """Friends who come across it: skip by content, thin by tie and receiver."""
        graph, user, event = view.world.graph, share.user[at], share.event[at]
        content = np.minimum(self.p.moments_reach * self._strength[share.product[at]], 1.0)
        halvings = expand.bound(content)
        owner, tie = expand.fan_out(graph.indptr, user, event, halvings, "people.share/moments_skip")
        friend = graph.indices[tie]
        scrolls = np.minimum(view.world.people["activity"][friend].astype(np.float64), 1.0)
        sees = np.ldexp(content, halvings)[owner] * self._layer[graph.layers(user[owner], tie)] * scrolls
        kept = draws.chance("people.share/moments_thin", event[owner], sees, view.world.local_user(friend))
        return at[owner[kept]], friend[kept]


def _depth(view: View, cause: U64) -> I64:
    """How deep in its cascade the recommendation stands that an event goes back to; 0 if it goes back to none."""
    rows = view.inbox("recommendation").rows
    if not rows.n:
        return np.zeros(cause.size, np.int64)
    order = np.argsort(rows.cause, kind="stable")  # all recommendations of one share are equally deep
    at = order[np.minimum(np.searchsorted(rows.cause[order], cause), rows.n - 1)]
    return np.where(rows.cause[at] == cause, rows.detail[at], 0)


def _recommendations(view: View, told: Records, friend: Array, has_it: Array) -> Records:
    """The messages of these shares to these friends."""
    return told.with_(
        event=draws.child(told.event, "recommendation", view.world.local_user(friend)),
        cause=told.event,
        user=friend,
        peer=told.user,
        quantity=has_it,
        detail=told.detail + 1,
    )
