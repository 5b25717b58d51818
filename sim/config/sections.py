"""Sections of mechanisms (`people`, `platform`, and a merchant's `channels`, `offers`, `operations`).

In a file a mechanism is on with its defaults if it stands there empty (`store:`, `store: {}` or `store: true`), on
with other parameters if it states some, and off if it is `false` or not named. A section of the finished
scenario holds the parameters of the mechanisms that are on, in the catalogue's order.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from sim import catalog
from sim.params import Params

PER_WORLD = ("people", "platform")
PER_MERCHANT = ("channels", "offers", "operations")
# On whether named or not: goods and money go somewhere, and somebody sets the rules.
ALWAYS = ("operations.after_sale", "operations.finance", "operations.inventory", "platform.rules")


def known(folder: str) -> dict[str, type[Params]]:
    """Parameters of a folder's mechanisms by name, in the catalogue's order."""
    return {cls.name: cls.Params for cls in catalog.mechanisms().values() if cls.folder == folder}


@dataclass(frozen=True)
class Section:
    """Annotation of a section's field: the schema is made of the catalogue when it is first needed."""

    folder: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        fields = {
            name: core_schema.typed_dict_field(handler.generate_schema(params), required=False)
            for name, params in known(self.folder).items()
        }
        schema = core_schema.typed_dict_schema(fields, extra_behavior="forbid")
        return core_schema.no_info_after_validator_function(_in_order, schema)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        section = handler(schema)
        for name, params in section.get("properties", {}).items():
            switch: dict[str, Any] = {"const": True} if f"{self.folder}.{name}" in ALWAYS else {"type": "boolean"}
            section["properties"][name] = {"anyOf": [params, {"type": "null"}, switch]}
        return section


def _in_order(section: dict[str, Params]) -> dict[str, Params]:
    return dict(sorted(section.items()))


def switched(data: dict[str, Any]) -> dict[str, Any]:
    """A scenario as its file states it, with every switch turned into parameters or left out."""
    out = {key: value for key, value in data.items() if value is not None}
    out |= {folder: _section(data.get(folder), folder) for folder in PER_WORLD}
    if isinstance(merchants := data.get("merchants"), Mapping):
        out["merchants"] = {name: _merchant(merchant) for name, merchant in merchants.items()}
    return out


def _merchant(merchant: Any) -> Any:
    if not isinstance(merchant, Mapping):
        return merchant
    return {**merchant, **{folder: _section(merchant.get(folder), folder) for folder in PER_MERCHANT}}


def _section(section: Any, folder: str) -> Any:
    if section is not None and not isinstance(section, Mapping):
        return section
    named = known(folder)
    defaults: dict[str, Any] = {name: {} for name in named if f"{folder}.{name}" in ALWAYS}
    given = {name: {} if value is None or value is True else value for name, value in (section or {}).items()}
    return {
        name: value
        for name, value in {**defaults, **given}.items()
        if value is not False or name not in named or f"{folder}.{name}" in ALWAYS
    }
