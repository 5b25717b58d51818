"""The scenario: a market, its merchants and their mechanisms, over a horizon, with strategies to compare."""

import json
import re
from collections.abc import Mapping
from datetime import date
from hashlib import blake2b
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, field_validator, model_validator

from sim.config.advice import did_you_mean
from sim.config.sections import Section
from sim.errors import StudyError
from sim.params import Params
from sim.units import DAY, HOUR, MINUTE
from sim.words import _
from sim.world.categories import CATEGORIES
from sim.world.params import MerchantParams, ProductParams, WorldParams

FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2080, 12, 31)  # the lunar calendar is known to 2099
_SECONDS = {"s": 1, "m": MINUTE, "h": HOUR, "d": DAY}
_NAME = r"^\w[\w-]*$"


def _duration(value: object) -> object:
    """Seconds from ``90s``, ``30m``, ``1h`` or ``1d``; whatever is not such a text is left as it is."""
    match = re.fullmatch(r"([0-9]{1,9})([smhd])", value) if isinstance(value, str) else None
    return int(match[1]) * _SECONDS[match[2]] if match else value


Duration = Annotated[
    int,
    BeforeValidator(_duration),
    WithJsonSchema({"anyOf": [{"type": "string", "pattern": "^[0-9]+[smhd]$"}, {"type": "integer"}]}),
]
Name = Annotated[str, Field(pattern=_NAME)]


class Part(BaseModel):
    """A frozen part of a scenario; its schema is built when it is first needed, from the catalogue."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)


class Horizon(Part):
    """From which day, for how long, in which steps."""

    start: date = Field(description="first day")
    days: int = Field(description="how many days", ge=1, le=3_650, json_schema_extra={"unit": "days"})
    tick: Duration = Field(HOUR, description="step of the clock, such as 1h; must divide a day")

    @field_validator("start")
    @classmethod
    def _in_the_calendar(cls, value: date) -> date:
        if not FIRST_DAY <= value <= LAST_DAY:
            raise ValueError(
                _("is outside the calendar; write a day from {first} to {last}", first=FIRST_DAY, last=LAST_DAY)
            )
        return value

    @field_validator("tick")
    @classmethod
    def _divides_a_day(cls, value: int) -> int:
        if not (MINUTE <= value <= DAY and DAY % value == 0):
            raise ValueError(_("does not divide a day; write 1m, 10m, 30m, 1h, 2h, 6h, 12h or 1d"))
        return value

    @property
    def ticks(self) -> int:
        """Ticks in the horizon."""
        return self.days * DAY // self.tick


class MerchantConfig(MerchantParams):
    """A merchant: what it sells, where, with which offers, and how its shop is run."""

    model_config = ConfigDict(defer_build=True)

    products: dict[Name, ProductParams] = Field(description="what it sells, by name")
    channels: Annotated[Mapping[str, Params], Section("channels")] = Field({}, description="where it meets people")
    offers: Annotated[Mapping[str, Params], Section("offers")] = Field({}, description="what it offers on top")
    operations: Annotated[Mapping[str, Params], Section("operations")] = Field({}, description="how its shop is run")

    @field_validator("category")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        if value is not None and value not in CATEGORIES:
            raise ValueError(_("unknown category {value!r}; one of {known}", value=value, known=", ".join(CATEGORIES)))
        return value


class Compare(Part):
    """Which strategies are compared, by what, and how often."""

    baseline: str = Field(description="the strategy that the others are compared with")
    metrics: tuple[str, ...] = Field((), description="what is compared; by default the standard table")
    replications: int = Field(16, description="worlds per strategy", ge=1, le=100_000)
    merchant: str | None = Field(None, description="whose numbers; by default those of the first merchant")
    synergy: Mapping[str, tuple[str, ...]] = Field(
        {}, description="strategies that combine others: what each earns beyond the sum of what those earn alone"
    )


Range = tuple[float | None, float | None]


class Expected(Part):
    """A claim of the expectation, such that a comparison can say whether it holds.

    ``{metric: margin, strategy: 20 percent, is: lower}`` than under the baseline, or under `than`; under several
    strategies in `than`: what it adds to the baseline, against the sum of what these add. ``times: [1.3, 1.6]`` what
    it is under `than`; ``between: [0.4, 0.6]`` says how large it is. With `per` it is what the strategy adds of the
    metric, for each that it adds of this one.
    """

    model_config = ConfigDict(populate_by_name=True)

    metric: str = Field(description="of what")
    strategy: str = Field(description="under which strategy")
    per: str | None = Field(None, description="what is added of `metric`, for each that is added of this metric")
    than: str | tuple[str, ...] = Field((), description="compared with which; by default the baseline")
    is_: Literal["lower", "higher"] | None = Field(None, alias="is", description="on which side")
    times: Range | None = Field(None, description="as many times, from and to; an open end is null")
    between: Range | None = Field(None, description="how large, from and to; an open end is null")

    @model_validator(mode="after")
    def _one_claim(self) -> "Expected":
        if sum(claim is not None for claim in (self.is_, self.times, self.between)) != 1:
            raise ValueError(_("must claim one thing; write one of `is`, `times` and `between`"))
        if self.than and self.between is not None:
            raise ValueError(_("compares with nothing; leave out `than`, or write `times` for `between`"))
        if isinstance(self.than, tuple) and self.than and (self.is_ is None or self.per is not None):
            raise ValueError(_("cannot add that up; name one strategy in `than`, or claim `is` without `per`"))
        if self.per is not None and self.between is None and not self.than:
            raise ValueError(_("compares with what the baseline adds to itself; name another strategy in `than`"))
        return self


class Scenario(Part):
    """A complete scenario: every default filled in, everything checked. `strategies` are complete scenarios too."""

    title: str = Field(description="one line that says what is asked", min_length=1)
    expectation: str = Field("", description="what to expect, and why; written before running")
    expects: tuple[Expected, ...] = Field((), description="the claims of the expectation, for a comparison to check")
    trap: str = Field("", description="what a hasty reader would conclude, and what is wrong with it")
    horizon: Horizon = Field(description="from which day, for how long")
    seed: int = Field(1, description="all luck descends from it", ge=0, le=2**63 - 1)
    record: Literal["orders", "all"] = Field("orders", description="orders, or every exposure too")
    world: WorldParams = Field(default_factory=WorldParams, description="people and how they know each other")
    platform: Annotated[Mapping[str, Params], Section("platform")] = Field({}, description="WeChat's own doings")
    people: Annotated[Mapping[str, Params], Section("people")] = Field({}, description="what people do")
    merchants: Mapping[Name, MerchantConfig] = Field(description="who sells, by name", min_length=1)
    strategies: Mapping[str, "Scenario"] = Field({}, description="what is compared: patches of this scenario")
    compare: Compare | None = Field(None, description="which strategies are compared, by what")

    @property
    def focal(self) -> str:
        """The merchant whose numbers are compared."""
        stated = self.compare.merchant if self.compare else None
        return stated or next(iter(self.merchants))

    def strategy(self, name: str) -> "Scenario":
        """The scenario under a strategy."""
        if name not in self.strategies:
            raise StudyError(
                _("there is no strategy {name!r}; {advice}", name=name, advice=did_you_mean(name, self.strategies))
            )
        return self.strategies[name]

    def with_seed(self, seed: int) -> "Scenario":
        """The same scenario, strategies included, with other luck."""
        strategies = {name: strategy.with_seed(seed) for name, strategy in self.strategies.items()}
        return self.model_copy(update={"seed": seed, "strategies": strategies})

    def resolved(self) -> dict[str, Any]:
        """The scenario with every default written out, ready for JSON; `restore` makes it a scenario again."""
        return self.model_dump(mode="json", by_alias=True)

    @classmethod
    def restore(cls, resolved: Mapping[str, Any]) -> "Scenario":
        """The scenario that `resolved` wrote."""
        return cls.model_validate_json(json.dumps(resolved), strict=True)

    @property
    def digest(self) -> str:
        """A hash of all that a run depends on: not of the title, the comparison or the other strategies.

        A graph file counts by its bytes, not by where it lies.
        """
        content = self.resolved()
        for key in ("title", "expectation", "expects", "trap", "strategies", "compare"):
            del content[key]
        if self.world.graph.file is not None:
            content["world"]["graph"]["file"] = blake2b(Path(self.world.graph.file).read_bytes()).hexdigest()
        return blake2b(json.dumps(content).encode(), digest_size=16).hexdigest()
