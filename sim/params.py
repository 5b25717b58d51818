"""Frozen parameters with a meaning, a unit, a range and the source of each default, and what they need to act."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]  # one of several shares
Weight = Annotated[float, Field(ge=0)]  # one of several weights


class Params(BaseModel):
    """Frozen parameters of a part of the model. Every field is made by `param`, with unit and source.

    What a mechanism, or one of its parameters, does nothing without it says here, and `wxsim lint` warns of it; what
    its author tells the swarm about it as well. So nothing of a mechanism stands anywhere else.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, allow_inf_nan=False)

    needs: ClassVar[tuple[str, ...]] = ()  # mechanisms without which it does nothing; "a.b | c.d": one of them will do
    wants: ClassVar[Mapping[str, str]] = {}  # mechanism without which it does less: what is missing then
    moot: ClassVar[Mapping[str, str]] = {}  # parameter that does nothing without another one, or a mechanism: which
    lively: ClassVar[Mapping[str, tuple[Any, ...]]] = {}  # parameter: values with which much happens, for the swarm

    def idle(self, around: "Setting") -> Iterator[tuple[str, str]]:
        """What else of it does nothing there: (parameter or "", ``what is wrong; what to write instead``)."""
        return iter(())


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a mechanism stands: what is on beside it by key, the days of the scenario, the merchant's goods.

    Beside a merchant's mechanism are its other ones and those of the world; beside one of the world, those of all.
    """

    on: Mapping[str, Params]
    start: date
    days: int
    goods: tuple[str, ...] = ()


def param(default: Any, doc: str, *, unit: str, source: str = "assumed", **bounds: Any) -> Any:
    """A parameter with its meaning, unit, range (`ge`, `gt`, `le`, `lt`) and the source of its default.

    `source` is ``assumed`` (it will be swept), ``facts: <section>.<key>`` for a number of the facts table, or a
    citation. A mutable default is given as a factory: ``param(lambda: {...}, ...)``.
    """
    extra: dict[str, Any] = {"unit": unit, "source": source}
    if callable(default):
        return Field(default_factory=default, description=doc, json_schema_extra=extra, **bounds)
    return Field(default, description=doc, json_schema_extra=extra, **bounds)
