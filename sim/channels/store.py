"""The WeChat store (微信小店): goods met by the way, return visits, the score on the door, the way to the till.

*Discovery.* Every planned session has a few places for recommended goods. A place is given to a category in
proportion to the user's taste, and within it to a product in proportion to

    weight · (1 + herding · log(1 + pieces sold)),

an exponential race addressed by (session, place, product): a product that becomes more popular only gains places.
Where there are many shops the race is run first between blocks of 16 shops, then inside the winning block,
which gives the same shares at a cost that grows slowly with the number of shops; a product that is added then moves
places within its own block only. The place then shows the product
with probability

    discovery · (score / 5) ** score_exponent,

so a bad score costs free reach whether or not there are competitors.

*Return visits.* Past customers look in again in a share of sessions, in proportion to their loyalty.

*Appraisal.* Every product of the shop, wherever it was met, is worth trust · (score − 4.5) more and loses step_cost
for every step between a tap and payment beyond the usual five. Both are relative to an ordinary shop (score 4.5, five
steps), which adds nothing. The path is shared with other channels in the columns `merchant.path_steps` and
`merchant.step_cost`.

It cannot: personalise cards beyond taste, let shops bid for places, or show single reviews.
"""

from collections.abc import Mapping

import numpy as np

from sim import draws
from sim.contract import Effects, Mechanism, View
from sim.elementary import exp, log
from sim.kernels import choice, segments, slots
from sim.params import Params, param
from sim.units import F64, I64, Array
from sim.world.shelf import front, shelf
from sim.world.state import DROPPED, Column
from sim.world.world import World

USUAL_SCORE = 4.5  # of an ordinary shop
USUAL_STEPS = 5.0  # from a tap to payment in an ordinary shop: card, page, style, confirm, pay
STEP_COST = 0.12  # utility of one step more: about one buyer in nine gives up (assumed)
BEST_SCORE = 5.0
BLOCK = 16  # shops whose goods race directly
NEXT_TO_NOTHING = 1e-300


class StoreParams(Params):
    """How a shop is found and what buying in it takes."""

    needs = ("people.buy",)
    moot = {"trust": "platform.store_score"}
    lively = {"discovery": (1.0,)}

    discovery: float = param(
        0.6, "chance that a place that could show its goods does, at full score", unit="probability", ge=0, le=1
    )
    score_exponent: float = param(2.0, "how strongly free reach falls with the score", unit="exponent", ge=0, le=20)
    return_visit: float = param(
        0.03, "chance that a past customer of middling loyalty looks in, per session", unit="probability", ge=0, le=1
    )
    herding: float = param(0.25, "how much its sales so far attract", unit="relative", ge=0, le=10)
    window: int = param(4, "goods that a past customer who looks in sees first", unit="goods", ge=1, le=100)
    salience: float = param(1.0, "how much they catch her eye", unit="utility", ge=-10, le=10)
    trust: float = param(0.5, "worth of one point of score", unit="utility", ge=0, le=5)
    path_steps: int = param(5, "steps from a tap to payment", unit="steps", ge=1, le=30)
    step_cost: float = param(STEP_COST, "utility lost with each step", unit="utility", ge=0, le=2)


class Store(Mechanism):
    """Shows a shop's goods, and says what its score and its path are worth."""

    Params = StoreParams
    clicks = {"store": 0.25}  # assumed
    columns = (
        Column("merchant", "path_steps", np.float64, USUAL_STEPS, "steps from a tap to payment in its store"),
        Column("merchant", "step_cost", np.float64, STEP_COST, "utility lost with each step"),
    )

    def prepare(self) -> None:
        self._discovery = self.per_merchant("discovery")
        self._exponent = self.per_merchant("score_exponent")
        self._return_visit = self.per_merchant("return_visit")
        self._trust = self.per_merchant("trust")
        self._steps = self.per_merchant("path_steps", USUAL_STEPS)
        self._step_cost = self.per_merchant("step_cost", STEP_COST)
        self._path = self._step_cost * (USUAL_STEPS - self._steps)
        self._window = self.per_merchant("window", 1, np.int64)
        self._salience = self.per_merchant("salience")
        self._shelf = shelf(self.world)
        self._stand = _Stand(self.world, self._discovery, self.per_merchant("herding"))

    def initial(self) -> Mapping[tuple[str, str], Array]:
        return {("merchant", "path_steps"): self._steps, ("merchant", "step_cost"): self._step_cost}

    def expose(self, view: View) -> Effects:
        fx = Effects()
        if view.clock.running:
            self._discover(view, fx)
            self._return(view, fx)
        return fx

    def appraise(self, view: View) -> Effects:
        fx = Effects()
        worth = self._trust * (view.shared("merchant", "score") - USUAL_SCORE) + self._path
        fx.appeal(worth[view.exposures.merchant])
        return fx

    def _discover(self, view: View, fx: Effects) -> None:
        """Recommended goods by taste, sales and score."""
        now, place = view.sessions, np.arange(view.rules["store_places"])
        reach = self._discovery * _free_reach(view.shared("merchant", "score"), self._exponent)
        luck = draws.uniform("channels.store/place", now.event[:, None], place)
        spin = draws.uniform("channels.store/category", now.event[:, None], place)
        category = choice.by_share(view.person("taste"), spin)
        session, place = slots.where(
            (luck < reach.max(initial=0.0)) & now.planned[:, None] & self._stand.sells[category]
        )
        product = self._stand.pick(view, session, place, category[session, place])
        shown = luck[session, place] < reach[self.world.product["merchant"][product]]
        session, product = session[shown], product[shown]
        fx.expose(view.channel("store"), session, product, cause=now.event[session])

    def _return(self, view: View, fx: Effects) -> None:
        """Past customers who look in: the best-selling goods of the shop."""
        at = ((view.relations("orders") > 0) & view.sessions.planned[view.related]).nonzero()[0]
        session = view.related[at]
        merchant, loyalty, flags = (view.relations(name)[at] for name in ("merchant", "loyalty", "flags"))
        keen = (flags & DROPPED) == 0
        wish = np.where(keen, self._return_visit[merchant] * 2.0 * loyalty, 0.0)
        comes = draws.chance(
            "channels.store/return", view.sessions.event[session], wish, self.world.local_merchant(merchant)
        )
        session, merchant = session[comes], merchant[comes]
        owner, product = front(self._shelf, view.shared("product", "sold"), merchant, self._window[merchant])
        session, salience = session[owner], self._salience[merchant[owner]]
        fx.expose(view.channel("store"), session, product, cause=view.sessions.event[session], salience=salience)


class _Stand:
    """Goods for recommendation, of shops that want to be found: by category, and in it by block of products.

    Tables are padded with the number after the last product or group, whose weight is next to nothing.
    """

    def __init__(self, world: World, discovery: F64, herding: F64) -> None:
        self._herding = herding[world.product["merchant"]]
        local = (discovery[world.product["merchant"][: world.products]] > 0).nonzero()[0]
        local = local[world.product["category"][local] >= 0]
        category = world.product["category"][local].astype(np.int64)
        block = world.product["merchant"][local].astype(np.int64) // BLOCK
        order = np.lexsort((local, block, category))
        local, category, block = local[order], category[order], block[order]
        begin = segments.starts(category * world.merchants + block)
        size = np.diff(np.append(begin, local.size))
        self._block = np.append(block[begin], 0)
        self._number = np.append(world.product["number"][: world.products], 0)
        self._group_of = np.full(world.products + 1, begin.size)
        self._group_of[local] = np.repeat(np.arange(begin.size), size)
        self._products = _padded(size, local, world.products)  # (groups, most products of a group)
        self.sells = np.bincount(category, minlength=len(world.categories)) > 0  # by category
        blocks = np.bincount(category[begin], minlength=len(world.categories))
        self._groups = _padded(blocks, np.arange(begin.size), begin.size)  # (categories, most groups of a category)

    def pick(self, view: View, session: I64, place: I64, category: I64) -> I64:
        """A product of a category that it sells, for each place."""
        of_world = view.world.world_of(view.sessions.user[session]).astype(np.int64)
        event, weight = view.sessions.event[session], self._weights(view)
        group, places = self._groups[category, 0], view.rules["store_places"]
        if self._groups.shape[1] > 1:
            group = choice.race(
                "channels.store/block",
                event,
                place,
                of_world,
                self._groups,
                category,
                self._block * places,
                self._of_groups(weight),
            )
        number = self._number * places
        won = choice.race("channels.store/product", event, place, of_world, self._products, group, number, weight)
        return won + of_world * view.world.products

    def _weights(self, view: View) -> F64:
        """Weight of every product in the race, and of the padding, shape (worlds, products + 1)."""
        sold, world = view.shared("product", "sold"), view.world
        out = np.full((world.count, world.products + 1), NEXT_TO_NOTHING)
        weight = world.product["weight"] * (1.0 + self._herding * log(1.0 + sold))
        out[:, :-1] = weight.reshape(world.count, world.products)
        return out

    def _of_groups(self, weight: F64) -> F64:
        """Weight of every group, and of the padding, shape (worlds, groups + 1)."""
        worlds, groups = weight.shape[0], self._block.size
        cell = np.arange(worlds)[:, None] * groups + self._group_of
        total = np.bincount(cell.ravel(), weight.ravel(), worlds * groups).astype(np.float64).reshape(worlds, groups)
        total[:, -1] = NEXT_TO_NOTHING
        return total


def _padded(size: I64, values: I64, padding: int) -> I64:
    """Lists of these sizes, one after another in `values`, as rows of a table."""
    out = np.full((size.size, max(int(size.max(initial=0)), 1)), padding)
    out[np.arange(out.shape[1]) < size[:, None]] = values
    return out


def _free_reach(score: F64, exponent: F64) -> F64:
    """Share of free reach that a score leaves."""
    out: F64 = exp(exponent * log(np.where(exponent > 0.0, score, BEST_SCORE) / BEST_SCORE))
    return out
