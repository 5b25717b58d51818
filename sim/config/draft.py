"""A first scenario from a few answers: the text of a file, its comments taken from the model itself.

The shop opens in a market, by default the shipped one, beside the shops that are there. Each strategy is an `Idea`:
something that a shop without it could begin to do.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sim import catalog
from sim.config.advice import did_you_mean
from sim.errors import StudyError
from sim.params import Params
from sim.words import _, marked
from sim.world.categories import CATEGORIES
from sim.world.params import ProductParams

SCHEMA = "wxsim.schema.json"  # beside the scenario; editors complete by it
SHOP = "merchants.my_shop"
AS_IT_IS = marked("as it is")
CHANNELS = ("store", "mini_program", "service_account", "groups", "live", "promoters")
CYCLE_DAYS = {  # until one piece is used up; 0: it lasts [assumed, after the goods of the shipped market]
    **{"food": 30, "tea": 40, "fruit": 14, "beauty": 60, "clothes": 90, "home": 180, "toys": 180, "flowers": 14},
    **{"electronics": 0, "appliances": 0, "jewellery": 0, "education": 0},
}

_FILE = marked("""\
# yaml-language-server: $schema={schema}
# Written by `wxsim new`. Change what you like, then `wxsim lint {file}` and `wxsim compare {file}`.
# What is not written here has a default: `wxsim mechanisms` lists what there is, docs/model says how it works.
title: {title}
# expectation: what do you expect, and why? Take the "#" away and write it here before you run it.

# Your shop opens in this market, where people know one another and other shops sell, too.
extends: {market}
horizon: {{start: 2025-03-03, days: {days}}}
world: {{people: {{count: {people}}}}}

merchants:
  {shop}:
    products:
      {product}:
{goods}
    channels:
{channels}

# A strategy is a patch: it changes what stands at these paths. All else stays as it is, and so does all luck.
strategies:
  {baseline}: {{}}
{strategies}

compare:
  baseline: {baseline}
  merchant: {shop}
  metrics: [net_gmv, margin, orders] # `wxsim metrics` lists them all
  replications: {replications} # worlds in which every strategy is tried; more tell smaller differences
""")


@dataclass(frozen=True, slots=True)
class Answers:
    """What somebody wants to sell, where, and what she thinks of doing. Money in yuan; `ideas` by their keys."""

    sell: str
    category: str
    price: float
    cost: float
    channels: tuple[str, ...] = ("store",)
    ideas: tuple[str, ...] = ()
    market: str = "base"
    days: int = 60
    people: int = 5_000
    replications: int = 8

    def __post_init__(self) -> None:
        """StudyError for an answer that no scenario could hold."""
        object.__setattr__(self, "sell", "".join(c for c in self.sell if c.isprintable()))
        for what, given, known in (
            (marked("category"), (self.category,), CATEGORIES),
            (marked("channel"), self.channels, CHANNELS),
            (marked("strategy"), self.ideas, offered(self.channels)),
        ):
            for word in given:
                if word not in known:
                    raise StudyError(
                        _(
                            "{what} {word!r} is not to be had here; {advice}",
                            what=_(what),
                            word=word,
                            advice=did_you_mean(word, known),
                        )
                    )
        if not self.product:
            raise StudyError(_("what is sold needs a name of letters or digits, not {sell!r}", sell=self.sell))
        if self.price <= 0 or self.cost < 0:
            raise StudyError(_("a price is above 0, and a cost is 0 or more"))

    @property
    def product(self) -> str:
        """The key of the product: what is sold, without spaces."""
        return re.sub(r"\W+", "_", self.sell).strip("_").lower()


@dataclass(frozen=True, slots=True)
class Idea:
    """A strategy: its name in the file, and what it changes at paths under the shop."""

    name: str
    changes: Mapping[str, Any]


def ideas(product: str, price: float, days: int) -> dict[str, Idea]:
    """Every idea by its key: that of the mechanism that it switches on, or one of its own."""
    tenth = round(price / 10, 2)
    return {
        "mini_program": Idea(marked("mini-program"), {"channels.mini_program": {"loading_seconds": 1.2}}),
        "cheaper": Idea(marked("ten percent off"), {f"products.{product}.price": round(price * 0.9, 2)}),
        "service_account": Idea(marked("service account"), {"channels.service_account": {"broadcasts_per_month": 4}}),
        "groups": Idea(marked("customer groups"), {"channels.groups": {"posts_per_week": 3}}),
        "live": Idea(marked("live shows"), {"channels.live": {"first_day": min(10, days // 3), "room_discount": 0.1}}),
        "promoters": Idea(marked("promoters"), {"channels.promoters": {"commission": 0.1}}),
        "gift_packet": Idea(marked("gifts"), {"offers.gift_packet": {"occasion_page": True}}),
        "coupon": Idea(marked("coupons"), {"offers.coupon": {"value": tenth, "min_spend": price}}),
        "limited_time_sale": Idea(
            marked("two days of sale"), {"offers.limited_time_sale": {"day": days // 2, "hours": 48, "discount": 0.2}}
        ),
        "full_reduction": Idea(
            marked("money off two pieces"),
            {"offers.full_reduction": {"steps": [{"above": 2 * price, "off": 2 * tenth}]}},
        ),
        "share_discount": Idea(
            marked("share and save"), {"offers.share_discount": {"off": tenth, "friend_off": tenth / 2}}
        ),
    }


def offered(channels: tuple[str, ...]) -> tuple[str, ...]:
    """Keys of the ideas that are new to a shop with these channels."""
    return tuple(key for key in ideas("", 1.0, 1) if key not in channels)


def text(answers: Answers, file: str) -> str:
    """The scenario as a file of that name."""
    chosen = [ideas(answers.product, answers.price, answers.days)[key] for key in answers.ideas]
    channels = (f"{name}: {{}} # {_summary(f'channels.{name}')}" for name in answers.channels)
    return _(
        _FILE,
        schema=SCHEMA,
        file=file,
        title=_value(_question(answers, chosen)),
        market=_value(answers.market),
        days=answers.days,
        people=answers.people,
        shop=SHOP.split(".")[1],
        product=answers.product,
        goods=_block(_product(answers), 8),
        channels=_block(channels, 6),
        baseline=_(AS_IT_IS),
        strategies=_block(_strategies(chosen), 2),
        replications=answers.replications,
    )


def _product(a: Answers) -> Iterator[str]:
    cycle = float(CYCLE_DAYS[a.category])
    for name, value in (("category", a.category), ("price", a.price), ("cost", a.cost), ("cycle_days", cycle)):
        yield _stated(name, value, ProductParams)


def _strategies(chosen: list[Idea]) -> Iterator[str]:
    for idea in chosen:
        yield f"{_(idea.name)}:"
        yield from (f"  {line}" for path, change in idea.changes.items() for line in _patch(path, change))


def _block(lines: Iterable[str], depth: int) -> str:
    return "\n".join(" " * depth + line for line in lines)


def _question(a: Answers, chosen: list[Idea]) -> str:
    *most, last = [_(AS_IT_IS), *(_(idea.name) for idea in chosen)]
    if not most:
        return _("What does {goods} earn?", goods=a.sell)
    return _("What earns more with {goods}: {names} or {last}?", goods=a.sell, names=_(", ").join(most), last=last)


def _patch(path: str, change: Any) -> Iterator[str]:
    """A change at a path under the shop, with what the model says of it."""
    if not isinstance(change, Mapping):
        yield f"{SHOP}.{_stated(path, change, ProductParams)}"
        return
    yield f"# {_summary(path)}"
    yield f"{SHOP}.{path}:"
    yield from (f"  {_stated(name, value, catalog.mechanisms()[path].Params)}" for name, value in change.items())


def _stated(path: str, value: Any, model: type[Params]) -> str:
    """A parameter, and in a comment its meaning and unit."""
    field = model.model_fields[path.rpartition(".")[2]]
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    unit = str(extra.get("unit", ""))
    told = "" if unit in ("name", "names", "yes or no", "steps", "") else _(" ({unit})", unit=_(unit))
    return f"{path}: {_value(value)} # {_(field.description or '')}{told}"


def _summary(key: str) -> str:
    return _(catalog.summary(catalog.mechanisms()[key]))


def _value(value: Any) -> str:
    """A value as YAML: numbers short, texts in quotes only where they must be."""
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {_value(each)}' for key, each in value.items())}}}"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:.10g}"
    return str(value) if re.fullmatch(r"[a-z][\w.-]*", str(value)) else json.dumps(value, ensure_ascii=False)
