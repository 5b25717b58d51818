"""The platform's rules: what WeChat allows and charges, as data with dates.

A rule has one value from the first day on, and every entry of `changes` replaces the values of the rules that it
names from its date on. ``as_of: 2026-06-01`` holds the rules of that date throughout: how would this year have gone
under next year's rules? The engine asks `effective(date)` at the start of each day and shows the answer to all
mechanisms as `view.rules`. A deadline is fixed when it begins: a gift keeps that of the day on which it was sent, a
return window that of the delivery; fees are those of the day on which an order is completed.

Besides the rules as stated, one that follows from the date is shown: ``gifts`` (they are rolled out).

It cannot: let gifts go to a group (first come, lottery), roll a rule out to a share of users, or apply a rule to some
merchants only.
"""

from bisect import bisect_right
from collections.abc import Mapping
from datetime import date
from itertools import accumulate
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, create_model

from sim.contract import Mechanism
from sim.params import Params, param

Swap = Literal["none", "only_when_out_of_stock", "same_product_other_style_same_price"]


class RuleSet(Params):
    """Every rule, with the value that it has when no change is stated."""

    gift_rollout_start: date = param(
        date(2024, 12, 18), "first day of gifts", unit="date", source="facts: gift.rollout_start"
    )
    gift_deadline_hours: int = param(
        24, "time to confirm an address; then full refund", unit="hours", source="facts: gift.deadline_hours",
        ge=1, le=720,
    )  # fmt: skip
    gift_price_cap_yuan: float = param(
        10_000.0, "highest list price of a gift", unit="yuan", source="facts: gift.price_cap_yuan", ge=0, le=1e7
    )
    gift_excluded_categories: tuple[str, ...] = param(
        ("jewellery", "education"), "categories that cannot be given", unit="names",
        source="facts: gift.excluded_categories",
    )  # fmt: skip
    gift_swap: Swap = param(
        "same_product_other_style_same_price", "what a recipient may swap a gift for (sources disagree)", unit="name",
        source="facts: gift.swap",
    )  # fmt: skip
    broadcasts_per_month_cap: int = param(
        4, "broadcasts of a service account", unit="per month", source="facts: service_account.broadcasts_per_month",
        ge=0, le=1_000,
    )  # fmt: skip
    folding: bool = param(
        True, "messages of service accounts are folded into one box, pinned ones are not", unit="yes or no",
        source="facts: service_account.folding_multiplier",
    )  # fmt: skip
    folding_multiplier: float = param(
        0.25, "opens of a folded message, relative", unit="relative",
        source="facts: service_account.folding_multiplier", ge=0, le=1,
    )  # fmt: skip
    group_cap: int = param(
        500, "most members of a group; when full a new one opens", unit="people",
        source="facts: private_domain.group_cap", ge=2, le=100_000,
    )  # fmt: skip
    messages_per_customer_per_day: int = param(
        1, "most messages of a merchant to a customer", unit="per day",
        source="facts: private_domain.messages_per_customer_per_day", ge=0, le=1_000,
    )  # fmt: skip
    reminders_per_customer_per_day: int = param(
        3, "most reminders and subscribed notices of a merchant to a customer", unit="per day",
        source="facts: private_domain.messages_per_customer_per_day", ge=0, le=1_000,
    )  # fmt: skip
    levels_allowed: int = param(
        2, "levels of promoters that earn on an order: the promoter, and who invited her", unit="levels",
        source="facts: promoters.levels_allowed", ge=1, le=2,
    )  # fmt: skip
    gift_places: int = param(6, "gifts that a gift page shows", unit="per session", ge=1, le=100)
    store_places: int = param(4, "goods that stores may recommend in a session", unit="per session", ge=1, le=100)
    platform_fee: float = param(
        0.05, "service fee of a completed order", unit="share", source="facts: store.platform_fee", ge=0, le=0.5
    )
    payment_fee: float = param(
        0.006, "payment fee of a completed order", unit="share", source="facts: store.payment_fee", ge=0, le=0.5
    )
    return_window_days: int = param(
        7, "days in which a parcel may be sent back without a reason", unit="days",
        source="Consumer Protection Law of the PRC, article 25", ge=0, le=90,
    )  # fmt: skip


def _change() -> Any:
    """The model of one entry of `changes`: a date, and any of the rules within the bounds of `RuleSet`."""
    rules: dict[str, Any] = {}
    for name, rule in RuleSet.model_fields.items():
        kind: Any = Annotated[rule.annotation, *rule.metadata] if rule.metadata else rule.annotation
        stated = Field(None, description=rule.description, json_schema_extra=rule.json_schema_extra)
        rules[name] = (kind | None, stated)
    return create_model(
        "Change", __base__=Params, since=(date, param(..., "first day of the change", unit="date")), **rules
    )


if TYPE_CHECKING:
    Change = Params
else:
    Change = _change()


class RulesParams(RuleSet):
    """The rules, and how they change."""

    changes: tuple[Change, ...] = param((), "rules that change: since when, and to what", unit="changes")
    as_of: date | None = param(None, "hold the rules of this date throughout", unit="date")


class Rules(Mechanism):
    """The rules in force on a date."""

    Params = RulesParams

    def prepare(self) -> None:
        changes = sorted(self.p.changes, key=lambda change: change.since)  # stable: of one date the later entry wins
        first = {name: getattr(self.p, name) for name in RuleSet.model_fields}
        self._since: list[date] = [change.since for change in changes]
        self._rules = list(accumulate(map(_stated, changes), lambda rules, change: rules | change, initial=first))

    def effective(self, day: date) -> Mapping[str, Any]:
        """Every rule as it stands on that date (or on `as_of`, if that is given), by name."""
        day = self.p.as_of or day
        rules = self._rules[bisect_right(self._since, day)]
        return MappingProxyType({**rules, "gifts": day >= rules["gift_rollout_start"]})


def _stated(change: Params) -> dict[str, Any]:
    """The rules that a change names."""
    values = {name: getattr(change, name) for name in RuleSet.model_fields}
    return {name: value for name, value in values.items() if value is not None}
