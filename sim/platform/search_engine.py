"""WeChat Search (搜一搜): who looks for a category finds its products ranked, and looks mostly at the top.

Once a day the products of each category are ranked by

    match · score^a · (1 + sales)^b,

`match` how well the listing fits what people type (fixed per product, between `match_low` and 1), `score` the
merchant's store score out of 5, and `sales` its recent sales, exponentially forgotten with a half-life. A searcher
examines the result at rank r = 1, 2, ... with probability r^−η, independently: the position-based model (Craswell et
al. 2008; Joachims et al. 2017 use η = 1). What she examines is an exposure with the appeal of having looked for it.

It cannot: sell the brand zone or keywords, read free text, or learn from clicks.
"""

import numpy as np

from sim import draws
from sim.contract import Effects, Mechanism, View
from sim.elementary import exp, log
from sim.kernels import segments, slots
from sim.params import Params, param
from sim.units import F64, I32, I64, Array
from sim.world.state import Column

CHANNEL = "search"
BEST = 5.0  # of the store score


class SearchEngineParams(Params):
    """How results are ranked, and how people read them."""

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
    salience: float = param(2.0, "how much a result catches the eye", unit="salience", ge=-20, le=20)


class SearchEngine(Mechanism):
    """Ranks products and shows them to those who search."""

    Params = SearchEngineParams
    columns = (
        Column("product", "search_rank", np.int32, 0, "rank in its category, from 0"),
        Column("product", "sold_past", np.float64, 0, "pieces sold that the search engine has forgotten"),
    )
    clicks = {CHANNEL: 0.3}  # assumed

    def prepare(self) -> None:
        world, p = self.world, self.p
        products = np.arange(world.product["price"].size)
        key = world.merchant_key[world.product["merchant"]]
        luck = draws.uniform("platform.search_engine/match", key, world.product_number(products))
        self._match = log(p.match_low + (1.0 - p.match_low) * luck)
        self._group = products // world.products * len(world.categories) + world.product["category"]
        ranks = np.arange(1, p.results + 1, dtype=np.float64)
        self._examined = exp(-p.position_bias * log(ranks))
        self._kept = float(exp(-log(np.array(2.0)) / p.half_life_days))  # of a sale, per day

    def initial(self) -> dict[tuple[str, str], Array]:
        """On the first day only the match counts: nobody has a history."""
        return {("product", "search_rank"): self._rank(self._match)}

    def _rank(self, value: F64) -> I32:
        """Rank of each product in its category and world, from the largest value; of equals the first listed."""
        order = np.lexsort((-value, self._group))
        rank = np.empty(order.size, np.int32)
        rank[order] = segments.rank(self._group[order])
        return rank

    def close(self, view: View) -> Effects:
        fx = Effects()
        sold = view.shared("product", "sold")
        recent = self._kept * (sold - view.shared("product", "sold_past"))
        score = view.shared("merchant", "score")[self.world.product["merchant"]] / BEST
        value = self._match + self.p.sales_exponent * log(1.0 + recent)
        if self.p.score_exponent > 0:
            value = value + self.p.score_exponent * log(score)
        fx.put("product", "sold_past", sold - recent)
        fx.put("product", "search_rank", self._rank(value))
        return fx

    def expose(self, view: View) -> Effects:
        fx = Effects()
        category = view.scratch.get("search")
        if category is None or not self.world.products:
            return fx
        session = ((category >= 0) & view.sessions.planned).nonzero()[0]
        if session.size == 0:
            return fx
        world = self.world.world_of(view.sessions.user[session])
        found = self._page(view)[world * len(self.world.categories) + category[session]]
        event = view.sessions.event[session]
        local = self.world.product_number(np.maximum(found, 0))
        examined = draws.chance("platform.search_engine/examine", event[:, None], self._examined, local)
        at, rank = slots.where((found >= 0) & examined)
        fx.expose(
            view.channel(CHANNEL),
            session[at],
            found[at, rank],
            cause=event[at],
            appeal=self.p.intent,
            salience=self.p.salience,
        )
        return fx

    def _page(self, view: View) -> I64:
        """The results of each (world, category), shape (worlds · categories, results); -1 where there are no more."""
        rank = view.shared("product", "search_rank")
        page = np.full((self.world.count * len(self.world.categories), self.p.results), -1, np.int64)
        shown = (rank < self.p.results).nonzero()[0]
        page[self._group[shown], rank[shown]] = shown
        return page
