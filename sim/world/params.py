"""Parameters of the world: how many people, how they know each other, who sells what."""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from sim.params import Params, param
from sim.words import _
from sim.world.categories import CATEGORIES

NATIVE_FROM = 10_000  # people; below, networkx builds the default graph


class PeopleParams(Params):
    """Who they are."""

    count: int = param(5_000, "how many people", unit="people", ge=1, le=100_000_000)
    age_mean: float = param(38.0, "mean age of people who shop by phone (18 to 80)", unit="years", ge=25, le=60)
    tier_shares: tuple[float, float, float, float] = param(
        (0.20, 0.25, 0.25, 0.30), "shares of people by city tier 1 to 4", unit="share"
    )
    income_spread: float = param(0.6, "spread of log income", unit="log", ge=0, le=2)
    taste_spread: float = param(0.8, "variance of a person's own liking of a category", unit="relative", gt=0, le=5)
    homophily: float = param(0.6, "spread of liking between communities (0: none)", unit="log", ge=0, le=2)
    price_spread: float = param(0.35, "spread of log price sensitivity", unit="log", ge=0, le=2)
    price_income: float = param(-0.3, "correlation of price sensitivity with income", unit="correlation", ge=-1, le=1)
    activity_shape: float = param(1.5, "evenness of activity (gamma shape)", unit="shape", gt=0.05, le=100)
    sociality_shape: float = param(2.0, "evenness of the urge to share (gamma shape)", unit="shape", gt=0.05, le=100)
    generosity_shape: float = param(2.0, "evenness of the urge to give (gamma shape)", unit="shape", gt=0.05, le=100)
    attention: float = param(6.0, "things noticed per session, mean", unit="things", gt=0, le=1_000)
    tolerance: tuple[float, float, float] = param(
        (0.10, 0.37, 0.33),
        "shares of people who mute a merchant at 1, at 2 to 5 and at 6 to 10 messages a week; the rest never do",
        unit="share",
        source="facts: private_domain.disable_push_hazard",
    )

    @field_validator("tier_shares", "tolerance")
    @classmethod
    def _shares(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if min(value) < 0 or sum(value) > 1 + 1e-9:
            raise ValueError(_("shares must be at least 0 and sum to at most 1"))
        return value


class GeneratorParams(Params):
    """A networkx generator by name with its arguments, e.g. ``{generator: barabasi_albert_graph, m: 10}``."""

    model_config = {**Params.model_config, "extra": "allow"}

    generator: str = Field(description="name of a function of networkx.generators that returns a graph")

    @property
    def arguments(self) -> dict[str, Any]:
        """The generator's own arguments; `n` and `seed` are given by the world where it takes them."""
        return dict(self.model_extra or {})


class GraphParams(Params):
    """Who knows whom."""

    kind: Literal["community"] = param("community", "the default model of overlapping communities", unit="name")
    engine: Literal["auto", "networkx", "native"] = param(
        "auto", f"what builds the community model: networkx below {NATIVE_FROM:,} people, else native", unit="name"
    )
    mean_degree: float = param(20.0, "mean number of active ties", unit="ties", ge=1, le=1_000)
    degree_spread: float = param(
        0.94, "spread of the log number of ties", unit="log", source="facts: network.friends_lognormal", ge=0, le=2
    )
    cap: int = param(5_000, "most ties that a person wants", unit="ties", source="facts: network.friends_cap", ge=1)
    networkx: GeneratorParams | None = param(None, "a networkx generator instead of the community model", unit="name")
    file: Path | None = param(None, "a graph file instead: edge list, GraphML or GEXF, also gzipped", unit="path")

    @model_validator(mode="after")
    def _one_source(self) -> "GraphParams":
        if self.networkx is not None and self.file is not None:
            raise ValueError(_("give either networkx or file, not both"))
        return self


class GroupParams(Params):
    """Chat groups of friends."""

    per_person: float = param(5.0, "chat groups that a person is in, mean", unit="groups", ge=0, le=100)
    size: float = param(15.0, "members of a group, mean", unit="people", ge=2, le=500)
    size_spread: float = param(0.8, "spread of log size", unit="log", ge=0, le=2)
    cap: int = param(500, "most members of a group", unit="people", source="facts: private_domain.group_cap", ge=2)


class WorldParams(Params):
    """Everything that is fixed before the first day, except merchants."""

    people: PeopleParams = param(PeopleParams, "who they are", unit="")
    graph: GraphParams = param(GraphParams, "who knows whom", unit="")
    groups: GroupParams = param(GroupParams, "chat groups of friends", unit="")


class ProductParams(Params):
    """One product of a merchant."""

    lively = {"price": (20.0, 100.0)}

    price: float = param(172.0, "list price", unit="yuan", source="facts: store.average_order_yuan", ge=0.01, le=1e7)
    customary_price: float | None = param(
        None,
        "what people are used to pay for it; by default the list price in the scenario without strategies",
        unit="yuan", ge=0.01, le=1e7,
    )  # fmt: skip
    cost: float | None = param(None, "cost of goods; by default half the price", unit="yuan", ge=0, le=1e7)
    category: str = param("food", f"one of {', '.join(CATEGORIES)}", unit="name")
    quality: float = param(0.7, "what buyers find when they open the parcel", unit="0..1", ge=0, le=1)
    cycle_days: float = param(0.0, "days until it is used up; 0 for never", unit="days", ge=0, le=3_650)
    giftable: bool = param(True, "whether the merchant offers it as a gift", unit="yes or no")
    popularity: float = param(1.0, "how often people come across it, relative to others", unit="relative", gt=0, le=1e6)
    variants: tuple[str, ...] = param(("standard",), "its styles, sizes or flavours", unit="names", min_length=1)

    @field_validator("category")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in CATEGORIES:
            raise ValueError(_("unknown category {value!r}; one of {known}", value=value, known=", ".join(CATEGORIES)))
        return value

    @field_validator("variants")
    @classmethod
    def _distinct(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) < len(value):
            raise ValueError(_("two variants have the same name"))
        return value


class MerchantParams(Params):
    """What a merchant is and sells; its channels, offers and operations are added by the scenario model."""

    name: str | None = param(None, "name to show; by default its key in the scenario", unit="text")
    category: str | None = param(None, "main category; by default that of its first product", unit="name")
    products: dict[str, ProductParams] = param(dict, "what it sells, by name", unit="products")
