"""WeChat Search (搜一搜): a query finds products, ranked, and people look mostly at the top.

*Queries* come from `people.search_intent`: a category finds its products, a shop's name finds the shop's, a gift
finds what can be given. Products that a query finds are ranked by

    match · listing · score^a · (1 + sales)^b,

`match` how well the product fits what people type (fixed, between `match_low` and 1), `score` the merchant's store
score out of 5, and `sales` its recent sales, exponentially forgotten with a half-life; all but the listing as of last
night. The listing (`operations.listing`; an ordinary one has 8 keywords and a title of 0.5) counts as

    (0.5 + title) · exp(−stuffing · keywords beyond `tolerated`),

and in a gift search a product tagged with the occasion (`offers.gift_packet`) as exp(occasion_match) more.

*Wordings.* A share ``rare`` of searches for a category is worded in one of `wordings` rare ways. A listing of k
keywords holds each of them with chance 1 − exp(−k / breadth), for good: one keyword more only adds wordings, with
falling gain, while beyond `tolerated` it costs rank in all queries. So a number of keywords in between is found most.
In a market in which nobody states a listing all are alike, and `match` stands for what words do: no wording is rare.

*Reading.* A searcher examines the result at rank r = 1, 2, ... with probability r^−η, independently: the
position-based model (Craswell et al. 2008; Joachims et al. 2017 use η = 1). What she examines is an exposure with the
appeal of having looked for it.

It cannot: sell the brand zone or keywords, show rivals to who types a name, read free text, or learn from clicks.
"""

from dataclasses import dataclass

import numpy as np

from sim import draws
from sim.contract import EMPTY, Effects, Mechanism, View
from sim.elementary import exp, log
from sim.kernels import expand, segments
from sim.params import Params, param
from sim.units import F64, I64, Array, Bools
from sim.world.giving import OCCASIONS, can_be_given
from sim.world.state import Column
from sim.world.world import World

CHANNEL = "search"
BEST = 5.0  # of the store score
USUAL = 0.5  # what a title adds to, so that a middling one counts as 1
KEYWORDS = 8  # of an ordinary listing, as in `operations.listing`
MOST_WORDINGS = 10_000


class SearchEngineParams(Params):
    """How results are ranked, and how people read them."""

    needs = ("people.search_intent",)
    moot = {
        "rare": "operations.listing",
        "wordings": "rare",
        "breadth": "rare",
        "tolerated": "operations.listing",
        "stuffing": "operations.listing",
        "occasion_match": "offers.gift_packet",
    }

    results: int = param(20, "results on the page", unit="products", ge=1, le=1_000)
    position_bias: float = param(
        1.0, "η: a result at rank r is examined with chance r^−η", unit="exponent",
        source="Joachims, Swaminathan and Schnabel 2017", ge=0, le=10,
    )  # fmt: skip
    match_low: float = param(0.5, "match of the worst listing", unit="relative", gt=0, le=1)
    score_exponent: float = param(2.0, "a: weight of the store score", unit="exponent", ge=0, le=20)
    sales_exponent: float = param(0.3, "b: weight of recent sales", unit="exponent", ge=0, le=5)
    half_life_days: float = param(7.0, "half of the sales are forgotten in", unit="days", gt=0, le=3_650)
    intent: float = param(1.0, "appeal of what one has looked for", unit="utility", ge=-20, le=20)
    name_intent: float = param(2.0, "the same if one has typed the shop's name", unit="utility", ge=-20, le=20)
    salience: float = param(2.0, "how much a result catches the eye", unit="salience", ge=-20, le=20)
    rare: float = param(
        0.11, "searches for a category that are worded in a rare way, where listings are stated", unit="share",
        source="Skiera, Eckert and Hinz 2010: the 100 commonest keywords of a campaign attract 88.57 % of its searches",
        ge=0, le=1,
    )  # fmt: skip
    wordings: int = param(50, "rare wordings of a category", unit="wordings", ge=1, le=MOST_WORDINGS)
    breadth: float = param(10.0, "keywords that hold 63 % of the rare wordings", unit="keywords", gt=0, le=1_000)
    tolerated: int = param(12, "keywords that cost no rank", unit="keywords", ge=0, le=200)
    stuffing: float = param(0.05, "log of rank value lost with each keyword beyond", unit="log", ge=0, le=10)
    occasion_match: float = param(0.7, "log of rank value won by a gift's tag", unit="log", ge=0, le=10)


class SearchEngine(Mechanism):
    """Ranks products and shows them to those who search."""

    Params = SearchEngineParams
    columns = (
        Column("product", "search_value", np.float64, 0, "log of its match, score and sales as of last night"),
        Column("product", "sold_past", np.float64, 0, "pieces sold that the search engine has forgotten"),
    )
    clicks = {CHANNEL: 0.3}  # assumed

    def prepare(self) -> None:
        world, p = self.world, self.p
        products = np.arange(world.product["price"].size)
        self._key, self._number = world.merchant_key[world.product["merchant"]], world.product_number(products)
        luck = draws.uniform("platform.search_engine/match", self._key, self._number)
        self._match = log(p.match_low + (1.0 - p.match_low) * luck)
        self._lists = _Lists(world)
        ranks = np.arange(1, p.results + 1, dtype=np.float64)
        self._examined = exp(-p.position_bias * log(ranks))
        self._kept = float(exp(-log(np.array(2.0)) / p.half_life_days))  # of a sale, per day

    def initial(self) -> dict[tuple[str, str], Array]:
        """On the first day only the match counts: nobody has a history."""
        return {("product", "search_value"): self._match}

    def close(self, view: View) -> Effects:
        fx = Effects()
        sold = view.shared("product", "sold")
        recent = self._kept * (sold - view.shared("product", "sold_past"))
        score = view.shared("merchant", "score")[self.world.product["merchant"]] / BEST
        value = self._match + self.p.sales_exponent * log(1.0 + recent)
        if self.p.score_exponent > 0:
            value = value + self.p.score_exponent * log(score)
        fx.put("product", "sold_past", sold - recent)
        fx.put("product", "search_value", value)
        return fx

    def expose(self, view: View) -> Effects:
        asked = self._queries(view)
        if not asked.session.size:
            return EMPTY
        fx = Effects()
        _, first, which = np.unique(asked.key, return_index=True, return_inverse=True)
        begin, found = self._pages(view, asked.take(first))
        owner, place = expand.expand(begin[which], begin[which + 1])
        product, rank = found[place], place - begin[which][owner]
        event = view.sessions.event[asked.session[owner]]
        examined = draws.chance(
            "platform.search_engine/examine", event, self._examined[rank], self.world.product_number(product)
        )
        owner, product, event = owner[examined], product[examined], event[examined]
        named = (asked.list >= self._lists.names) & (asked.list < self._lists.gifts)
        fx.expose(
            view.channel(CHANNEL),
            asked.session[owner],
            product,
            cause=event,
            appeal=np.where(named, self.p.name_intent, self.p.intent)[owner],
            salience=self.p.salience,
        )
        return fx

    def listing(self, view: View) -> F64:
        """Log of what each merchant's listing counts for, shape (merchants,)."""
        kept = view.state["merchant"]
        if "keywords" not in kept:
            return np.full(self.world.m, -self.p.stuffing * max(KEYWORDS - self.p.tolerated, 0))
        beyond = np.maximum(kept["keywords"] - self.p.tolerated, 0)
        out: F64 = log(USUAL + kept["title"]) - self.p.stuffing * beyond
        return out

    # -------------------------------------------------------------------------------------------- what is asked

    def _queries(self, view: View) -> "_Queries":
        """What this tick's planned sessions type: a category or a name, and perhaps a gift besides."""
        none, planned = np.full(len(view.sessions), -1), view.sessions.planned
        category, merchant = (view.scratch.get(name, none) for name in ("search", "search_merchant"))
        gift, occasion = view.scratch.get("search_gift"), view.scratch.get("gift_occasion", none)
        of = self.world.world_of(view.sessions.user).astype(np.int64)
        kind = ((category >= 0) & planned).nonzero()[0]
        name = ((merchant >= 0) & planned).nonzero()[0]
        give = none[:0] if gift is None else (gift & planned).nonzero()[0]
        lists = [
            of[kind] * len(self.world.categories) + category[kind],
            self._lists.names + merchant[name],
            self._lists.gifts + of[give],
        ]
        wording = [self._wording(view, kind), np.full(name.size, -1), np.full(give.size, -1)]
        tag = [np.full(kind.size + name.size, -1), occasion[give]]
        return _Queries(*(np.concatenate(parts) for parts in ((kind, name, give), lists, wording, tag)))

    def _wording(self, view: View, session: I64) -> I64:
        """The rare wording of each of these searches, -1 for the usual one."""
        if not self.p.rare or "keywords" not in view.state["merchant"]:
            return np.full(session.size, -1)
        event = view.sessions.event[session]
        rare = draws.chance("platform.search_engine/rare", event, self.p.rare)
        return np.where(rare, draws.below("platform.search_engine/wording", event, self.p.wordings), -1)

    # -------------------------------------------------------------------------------------------- what is found

    def _pages(self, view: View, asked: "_Queries") -> tuple[I64, I64]:
        """The results of each query, best first: where those of each begin (and the last end), and the products."""
        query, product = self._lists.of(asked.list)
        holds = self._holds(view, product, asked.wording[query])
        gifts = asked.list[query] >= self._lists.gifts
        if gifts.any() and "gift_on" in view.state["product"]:
            holds &= ~gifts | can_be_given(self.world, view.shared("product", "gift_on"), view.rules)[product]
        query, product = query[holds], product[holds]
        value = view.shared("product", "search_value")[product]
        value = value + self.listing(view)[self.world.product["merchant"][product]]
        value = value + self.p.occasion_match * _tagged(view, product, asked.occasion[query])
        order = np.lexsort((-value, query))  # of equals the first listed
        order = order[segments.rank(query[order]) < self.p.results]
        begin = np.searchsorted(query[order], np.arange(asked.list.size + 1))
        return begin, product[order]

    def _holds(self, view: View, product: I64, wording: I64) -> Bools:
        """Whether each product's listing holds the wording."""
        out = np.ones(product.size, np.bool_)
        at = (wording >= 0).nonzero()[0]
        if at.size:
            share = 1.0 - exp(-view.state["merchant"]["keywords"] / self.p.breadth)
            product, which = product[at], self._number[product[at]] * MOST_WORDINGS + wording[at]
            merchant = self.world.product["merchant"][product]
            out[at] = draws.chance("platform.search_engine/holds", self._key[product], share[merchant], which)
        return out


@dataclass(frozen=True, slots=True)
class _Queries:
    """What is typed; shape (Q,) each."""

    session: I64
    list: I64  # what it is about: see `_Lists`
    wording: I64  # of a category; -1 the usual one
    occasion: I64  # of a gift; -1 none

    @property
    def key(self) -> I64:
        """Equal for equal queries."""
        out: I64 = (self.list * (MOST_WORDINGS + 1) + self.wording + 1) * (len(OCCASIONS) + 1) + self.occasion + 1
        return out

    def take(self, at: I64) -> "_Queries":
        return _Queries(*(getattr(self, name)[at] for name in _Queries.__slots__))


class _Lists:
    """Products by what a query is about: a (world's) category, a merchant, a world's gifts, numbered one after another.

    Those about a merchant begin at `names`, those about gifts at `gifts`; in each list products ascend.
    """

    def __init__(self, world: World) -> None:
        kinds = world.count * len(world.categories)
        self.names, self.gifts = kinds, kinds + world.m
        product = np.arange(world.product["price"].size)
        home = product // max(world.products, 1)
        category = world.product["category"].astype(np.int64)
        sold = category >= 0  # a product may be of no category
        about = home * len(world.categories) + category
        number = np.concatenate([about[sold], self.names + world.product["merchant"], self.gifts + home])
        entry = np.concatenate([product[sold], product, product])
        order = np.argsort(number, kind="stable")
        self._entry = entry[order]
        self._begin = np.searchsorted(number[order], np.arange(self.gifts + world.count + 1))

    def of(self, number: I64) -> tuple[I64, I64]:
        """The products of each list asked for: (position in `number`, product)."""
        owner, place = expand.expand(self._begin[number], self._begin[number + 1])
        return owner, self._entry[place]


def _tagged(view: View, product: I64, occasion: I64) -> F64:
    """1 for a gift that is tagged with the occasion, else 0."""
    tags = view.state["product"].get("gift_tags")
    if tags is None:
        return np.zeros(product.size)
    hit = (tags[product].astype(np.int64) >> np.maximum(occasion, 0)) & 1
    return np.where(occasion >= 0, hit, 0).astype(np.float64)
