"""The JSON Schema of scenario files, made from the models and the catalogue; editors complete and explain with it."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from sim.config.model import Scenario
from sim.config.sections import PER_MERCHANT, PER_WORLD
from sim.config.strategies import FIXED

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """The schema of a file as it is written: partial (the rest may stand in what it extends), with patches."""
    full = Scenario.model_json_schema()
    definitions = {name: _told(_partial(part)) for name, part in full["$defs"].items()}
    root = definitions.pop("Scenario")
    free = {name: part for name, part in root["properties"].items() if name not in FIXED}
    names = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
    patch = {
        "description": "a patch: dotted paths, or the sections themselves, and the strategies it extends",
        "type": ["object", "null"],
        "properties": {"extends": names, **free},
        "patternProperties": dict(_dotted(free, definitions)),
        "additionalProperties": True,
    }
    extends = {"type": "string", "description": "the path of a scenario file, or the name of a shipped one"}
    strategies = {**root["properties"]["strategies"], "additionalProperties": patch}
    root["properties"] = {"extends": extends, **root["properties"], "strategies": strategies}
    return {"$schema": DRAFT, **root, "$defs": definitions}


def _dotted(free: Mapping[str, Any], definitions: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What may stand at the dotted paths of a patch, by their pattern: a mechanism, a product, or one parameter."""
    shop = definitions["MerchantConfig"]["properties"]
    sections = {folder: free[folder] for folder in PER_WORLD}
    sections |= {rf"merchants\.[^.]+\.{folder}": shop[folder] for folder in PER_MERCHANT}
    parts = {rf"{path}\.{name}": part for path, held in sections.items() for name, part in held["properties"].items()}
    parts[r"merchants\.[^.]+\.products\.[^.]+"] = {"$ref": "#/$defs/ProductParams"}
    for path, part in parts.items():
        yield f"^{path}$", part
        reference = next(variant["$ref"] for variant in part.get("anyOf", [part]))
        for name in definitions[reference.rsplit("/", 1)[1]].get("properties", {}):
            yield rf"^{path}\.{name}$", {"$ref": f"{reference}/properties/{name}"}


def _told(part: dict[str, Any]) -> dict[str, Any]:
    """A model whose descriptions hold the unit and source of each parameter: editors show nothing else."""
    properties = {name: _with_unit(field) for name, field in part.get("properties", {}).items()}
    return {**part, "properties": properties} if properties else part


def _with_unit(field: dict[str, Any]) -> dict[str, Any]:
    told = [str(field[key]) for key in ("unit", "source") if field.get(key)]
    return {**field, "description": f"{field['description']} ({'; '.join(told)})"} if told else field


def _partial(part: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in part.items() if key != "required"}


# ------------------------------------------------------------------------------------------- to advise by


@cache
def _full() -> dict[str, Any]:
    return Scenario.model_json_schema()


def at(path: tuple[str | int, ...]) -> dict[str, Any]:
    """What the schema says of the value at a path of the scenario; {} if it says nothing."""
    part = _full()
    for step in path:
        found = (_step(variant, step) for variant in variants(part))
        part = next((entry for entry in found if entry is not None), {})
    return part


def variants(part: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The shapes that a value may have, references followed."""
    if "$ref" in part:
        yield from variants(_full()["$defs"][part["$ref"].rsplit("/", 1)[1]])
    elif "anyOf" in part:
        for variant in part["anyOf"]:
            yield from variants(variant)
    else:
        yield dict(part)


def keys(path: tuple[str | int, ...]) -> list[str]:
    """The keys that a mapping at a path may have."""
    return [key for variant in variants(at(path)) for key in variant.get("properties", ())]


def _step(variant: Mapping[str, Any], step: str | int) -> dict[str, Any] | None:
    if isinstance(step, int):
        fixed = variant.get("prefixItems", [])
        entry = fixed[step] if step < len(fixed) else variant.get("items")
    else:
        others = next(iter(variant.get("patternProperties", {}).values()), variant.get("additionalProperties"))
        entry = variant.get("properties", {}).get(step, others)
    return entry if isinstance(entry, dict) else None
