"""What is known of WeChat commerce (data/facts.yaml), and what a ledger shows of it.

A fact is an input, given to the model, or a target: a number that the default market must bring forth by itself, within
a range. A target is measured over all shops of the market together. Other markets need not meet it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from math import isfinite, nan
from typing import Any

import numpy as np

from sim.config.shipped import root
from sim.errors import WxsimError
from sim.ledger.reader import Ledger
from sim.metrics.catalog import METRICS, table
from sim.metrics.metric import BOUGHT, END, texts
from sim.units import DAY
from sim.words import marked
from sim.world.build import society
from sim.world.graph import SocialGraph
from sim.world.params import WorldParams

SAMPLED = 1_000  # people whose friends are looked at for the clustering of the graph
REPEAT_DAYS = 180
JOINED = ("follow", "group_joined", "mini_program_added", "member_joined")  # from then on she is in private reach
_REPEAT = f"""WITH private AS (
    SELECT "user", merchant, min(time) AS since FROM events WHERE kind IN ({texts(*JOINED)}) GROUP BY ALL
), bought AS (
    SELECT time, row_number() OVER w AS nth, lead(time) OVER w AS next
    FROM ({BOUGHT}) AS deal JOIN private USING ("user", merchant) WHERE time >= since
    WINDOW w AS (PARTITION BY "user", merchant ORDER BY time, event)
) SELECT avg(coalesce(next <= time + {REPEAT_DAYS * DAY}, false)::INT)
FROM bought WHERE nth = 1 AND time + {REPEAT_DAYS * DAY} <= {END}"""


@dataclass(frozen=True, slots=True)
class Fact:
    """A number that the model is held to: its place in the table, its range, how well it is known."""

    name: str
    value: float
    accept: tuple[float, float]
    grade: str
    note: str


@dataclass(frozen=True, slots=True)
class Target:
    """How a fact is measured in a ledger: by a question, a metric or a function; or `without`, why it cannot be."""

    title: str
    sql: str = ""
    metric: str = ""
    measure: Callable[[Ledger], float] | None = None
    there: Callable[[Mapping[str, Any]], bool] = lambda manifest: True  # whether the run has what it takes
    without: str = marked("there was nothing to measure")


def counts() -> dict[str, int]:
    """How many facts there are, how many of them inputs and how many targets."""
    uses = [each["use"] for each in _table().values()]
    return {"all": len(uses), "inputs": uses.count("input"), "targets": uses.count("target")}


def facts() -> tuple[Fact, ...]:
    """The targets, in the order of the table."""
    return tuple(
        Fact(name, float(of["value"]), (of["accept"][0], of["accept"][1]), of["grade"], of.get("note", ""))
        for name, of in _table().items()
        if of["use"] == "target"
    )


def measured(ledger: Ledger) -> dict[str, float]:
    """Every target that this ledger can tell of, by name; NaN for the others."""
    return {name: _measured(ledger, target) for name, target in TARGETS.items()}


def _measured(ledger: Ledger, target: Target) -> float:
    if not target.there(ledger.manifest):
        return nan
    if target.measure is not None:
        return target.measure(ledger)
    if target.metric:
        return table(ledger, (target.metric,))[target.metric]
    if not target.sql:
        return nan
    days, users = ledger.manifest["days"], ledger.manifest["users"]
    ((found,),) = ledger.rows(target.sql, merchant=None, days=days, users=users)
    return nan if found is None or not isfinite(found) else float(found)


def clustering(graph: SocialGraph, people: np.ndarray) -> float:
    """The share of a person's pairs of friends who know each other, averaged over these people; 0 with one friend."""
    shares = []
    for person in people.tolist():
        friends = graph.row(person).tolist()
        known = set(friends)
        closed = sum(len(known.intersection(graph.row(friend).tolist())) for friend in friends)
        shares.append(closed / (len(friends) * (len(friends) - 1)) if len(friends) > 1 else 0.0)
    return float(np.mean(shares))


def _clustering(ledger: Ledger) -> float:
    """That of the world, made again from its seed."""
    manifest = ledger.manifest
    try:
        graph = society(WorldParams.model_validate(manifest["scenario"]["world"]), int(manifest["seed"])).graph
    except (KeyError, ValueError, OSError, WxsimError):
        return nan
    return clustering(graph, np.arange(0, graph.rows, max(1, graph.rows // SAMPLED)))


def _offered(section: str, name: str, **values: object) -> Callable[[Mapping[str, Any]], bool]:
    """Whether a shop of the run has a mechanism, set to these values."""

    def there(manifest: Mapping[str, Any]) -> bool:
        parts = [shop.get(section, {}).get(name) for shop in manifest["scenario"].get("merchants", {}).values()]
        return any(part is not None and values.items() <= dict(part).items() for part in parts)

    return there


def _sql(metric: str, per: int = 1) -> str:
    sql = str(METRICS[metric].sql)
    return sql if per == 1 else f"SELECT ({sql}) / {per}"


TARGETS: Mapping[str, Target] = {
    "gift.gift_buyers_at_peak_per_enabled_user_per_day": Target(
        marked("People who buy a gift on the best day, of all"),
        _sql("gift_buyers_peak_per_1000", 1000),
        there=_offered("offers", "gift_packet"),
        without=marked("no shop here lets its goods be sent as gifts"),
    ),
    "store.return_rate_shelf_and_social": Target(marked("Parcels sent back, of those delivered"), _sql("return_share")),
    "store.orders_growth_2024_over_2023": Target(
        marked("Orders of a year over those of the year before"),
        without=marked("it is of two years in which shops joined; this run has {days} days"),
    ),
    "store.view_to_buy": Target(marked("Orders per product page opened"), _sql("conversion")),
    "promoters.joins_per_day_mass_brand": Target(
        marked("People who become promoters of a national brand, a day"),
        without=marked("it is of a brand that the whole country knows, and no shop here is one"),
    ),
    "sharing.buy_per_recommendation": Target(
        marked("Orders per person reached by a share"),
        metric="orders_per_recommendation",
        without=marked("nobody shared anything"),
    ),
    "service_account.article_share_rate": Target(
        marked("Articles passed on, of those read"),
        _sql("article_share_rate"),
        without=marked("nobody read an article"),
    ),
    "service_account.fan_growth_from_image_posts": Target(
        marked("Fans that image posts add, of those without them"),
        without=marked("it sets an account with image posts beside the same one without, which no single run holds"),
    ),
    "private_domain.repeat_share_private_180d": Target(
        marked("Buyers in private reach who buy again within 180 days"),
        _REPEAT,
        there=lambda manifest: manifest["days"] > REPEAT_DAYS,
        without=marked("it takes more than 180 days; this run has {days}"),
    ),
    "promotion.limited_time_20pct_off": Target(
        marked("Sales while 20 % are off, over normal sales"),
        metric="window_lift",
        there=_offered("offers", "limited_time_sale", discount=0.2),
        without=marked("no shop here holds a sale of 20 % off"),
    ),
    "promotion.team_buy_success": Target(
        marked("Team buys that come about, of those begun"),
        without=marked("team buys are no part of the model"),
    ),
    "network.local_clustering": Target(
        marked("Pairs of friends who know each other"),
        measure=_clustering,
        without=marked("its world cannot be made again"),
    ),
}  # fmt: skip


@cache
def _table() -> Mapping[str, Mapping[str, Any]]:
    """Every fact by its place in the table, such as ``store.view_to_buy``."""
    import yaml

    text = (root() / "data" / "facts.yaml").read_text("utf-8")
    parts = yaml.load(text, yaml.CSafeLoader)
    return {f"{part}.{name}": of for part, found in parts.items() for name, of in found.items()}
