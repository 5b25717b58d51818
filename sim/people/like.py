"""Likes: a person likes what she reads because it interests her, or because her friends are seen to like it.

Of the content that she opens in a session (notes ``read_…``) she likes a piece

    by interest with probability interest · (½ + quality) · relevance,
    by pressure with probability 1 - (1 - pressure)^k,     k friends who are seen to like it,

drawn independently and addressed by (content, user); `relevance` is her share of liking for the product's category
times the number of categories. So social pressure adds likes and moves none of those by interest, and it has no part
in what she thinks of the product, nor in whether she buys it. What moves a click is the first visible like alone: it
multiplies the odds that she opens the content by `first_like` (note of that name); further ones change nothing.

A like is told to those of her `circle` closest friends who come across it, each with probability `visible`: a message
that they find in a later session. What she liked last she does not like again.

It cannot: show how many strangers like something, take a like back, or comment. Messages of likes take their place in
the bounded inbox: with very many of them others scroll away unseen.
"""

import numpy as np

from sim import draws
from sim.contract import EMPTY, Effects, Kind, Mechanism, Params, View, param
from sim.kernels import expand
from sim.ledger.schema import Records
from sim.units import F64, I64, U64
from sim.world import feed
from sim.world.state import Column

_PER_MILLE = 1_000.0
_MOST_SEEN = 64  # likes of a piece that count; an inbox holds fewer


class LikeParams(Params):
    """How readily people like, and what their likes do to friends."""

    needs = ("channels.service_account | channels.articles | channels.image_posts",)
    moot = {"first_like": "platform.recommender"}
    lively = {"interest": (0.5, 1.0)}

    interest: float = param(0.05, "readers of middling content of ordinary relevance who like it of themselves",
                            unit="share", ge=0, le=1)  # fmt: skip
    pressure: float = param(0.3, "readers whom each visible like of a friend moves to like", unit="share", ge=0, le=1)
    first_like: float = param(
        1.3, "odds of opening what a friend is seen to like, over those without", unit="odds ratio", ge=1, le=100
    )
    circle: int = param(50, "closest friends who may come across a like", unit="people", ge=0, le=150)
    visible: float = param(0.3, "of those, who do", unit="share", ge=0, le=1)


class Like(Mechanism):
    """Who likes what, and which friends see it."""

    Params = LikeParams
    columns = (Column("user", "liked", np.uint64, 0, "id of the content that she liked last"),)
    kinds = {
        "like": Kind(
            "likes content; cause: the content, quantity: friends seen to like it, detail: 1 if only for their sake",
            says="{user} likes what {merchant} published about {product}[ ({channel})][; friends who do: {quantity}]",
        ),
        "liked": Kind("message to a friend (peer: who likes); cause: the content"),
    }

    def prepare(self) -> None:
        spared = [1.0]  # chance that k likes leave her cold
        for _ in range(_MOST_SEEN):
            spared.append(spared[-1] * (1.0 - self.p.pressure))
        self._pressed = 1.0 - np.array(spared)

    def arrive(self, view: View) -> Effects:
        """What the first visible like is worth, for whoever decides what is opened."""
        if not view.inbox("liked").rows.n:
            return EMPTY
        fx = Effects()
        fx.note("first_like", np.full(len(view.sessions), self.p.first_like))
        return fx

    def respond(self, view: View) -> Effects:
        """Like what was read, and let friends see it."""
        session, read = _reads(view)
        if not session.size:
            return EMPTY
        again = view.own("liked")[session] == read.event
        session, read = session[~again], read.take(~again)
        friends = _seen_likes(view, session, read.event)
        reader = view.world.local_user(view.sessions.user[session])
        genuine = draws.chance("people.like/interest", read.event, self._interest(view, session, read), reader)
        moved = draws.chance("people.like/pressure", read.event, self._pressed[friends], reader)
        likes = (genuine | moved).nonzero()[0]
        if not likes.size:
            return EMPTY
        like = view.rows(
            "like",
            session[likes],
            index=read.event[likes],
            cause=read.event[likes],
            merchant=read.merchant[likes],
            product=read.product[likes],
            channel=read.channel[likes],
            quantity=friends[likes],
            detail=~genuine[likes],
        )
        fx = Effects()
        fx.event("like", like)
        fx.message("liked", self._told(view, like))
        last = np.append(session[likes][1:] != session[likes][:-1], True)
        fx.set("liked", session[likes][last], like.cause[last])
        return fx

    def _interest(self, view: View, session: I64, read: Records) -> F64:
        """Chance to like it of herself."""
        category = view.world.product["category"][read.product]
        relevance = view.world.people["taste"][view.sessions.user[session], category] * float(
            len(view.world.categories)
        )
        out: F64 = self.p.interest * (0.5 + read.detail / _PER_MILLE) * relevance
        return out

    def _told(self, view: View, like: Records) -> Records:
        """Messages to close friends who come across these likes."""
        graph, user = view.world.graph, like.user
        stop = np.minimum(graph.indptr[user + 1], graph.indptr[user] + self.p.circle)
        owner, tie = expand.expand(graph.indptr[user], stop)
        friend = graph.indices[tie]
        number = view.world.local_user(friend)
        seen = draws.chance("people.like/visible", like.event[owner], self.p.visible, number)
        owner, friend, number = owner[seen], friend[seen], number[seen]
        what = like.take(owner)
        return what.with_(
            event=draws.child(what.event, "liked", number), user=friend, peer=what.user, quantity=0, detail=0
        )


def _reads(view: View) -> tuple[I64, Records]:
    """What the planned sessions have opened, by (session, content)."""
    notes = [note for name, note in sorted(view.scratch.items()) if name.startswith("read_")]
    if not notes:
        return np.zeros(0, np.int64), Records(0)
    content = Records.concat([view.content(kind) for kind in view.feeds])
    met = [feed.met(note, content) for note in notes]
    session, at = (np.concatenate(parts) for parts in ([m.session for m in met], [m.at for m in met]))
    here = view.sessions.planned[session]
    session, at = session[here], at[here]
    order = np.lexsort((content.event[at], session))
    return session[order], content.take(at[order])


def _seen_likes(view: View, session: I64, ids: U64) -> I64:
    """How many friends each session sees to like each piece of content."""
    told = view.inbox("liked")
    out = np.zeros(session.size, np.int64)
    if told.rows.n:
        known, number = np.unique(ids, return_inverse=True)
        at = feed.find(Records(known.size, event=known), told.rows.cause)
        pair = np.sort((told.session * known.size + at)[at >= 0])
        own = session * known.size + number
        out = np.searchsorted(pair, own, side="right") - np.searchsorted(pair, own)
    return np.minimum(out, _MOST_SEEN)
