"""Frozen parameters with a meaning, a unit, a range and the source of each default."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]  # one of several shares
Weight = Annotated[float, Field(ge=0)]  # one of several weights


class Params(BaseModel):
    """Frozen parameters of a part of the model. Every field is made by `param`, with unit and source."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, allow_inf_nan=False)


def param(default: Any, doc: str, *, unit: str, source: str = "assumed", **bounds: Any) -> Any:
    """A parameter with its meaning, unit, range (`ge`, `gt`, `le`, `lt`) and the source of its default.

    `source` is ``assumed`` (it will be swept), ``facts: <section>.<key>`` for a number of the facts table, or a
    citation. A mutable default is given as a factory: ``param(lambda: {...}, ...)``.
    """
    extra: dict[str, Any] = {"unit": unit, "source": source}
    if callable(default):
        return Field(default_factory=default, description=doc, json_schema_extra=extra, **bounds)
    return Field(default, description=doc, json_schema_extra=extra, **bounds)
