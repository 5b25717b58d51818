"""The JSON Schema of scenario files, made from the models and the catalogue; editors complete and explain with it."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from sim.config.model import Scenario
from sim.config.strategies import FIXED

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """The schema of a file as it is written: partial (the rest may stand in what it extends), with patches."""
    full = Scenario.model_json_schema()
    definitions = {name: _partial(part) for name, part in full["$defs"].items()}
    root = definitions.pop("Scenario")
    free = {name: part for name, part in root["properties"].items() if name not in FIXED}
    names = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
    patch = {
        "description": "a patch: dotted paths, or the sections themselves, and the strategies it extends",
        "type": ["object", "null"],
        "properties": {"extends": names, **free},
        "additionalProperties": True,
    }
    extends = {"type": "string", "description": "the path of a scenario file, or the name of a shipped one"}
    strategies = {**root["properties"]["strategies"], "additionalProperties": patch}
    root["properties"] = {"extends": extends, **root["properties"], "strategies": strategies}
    return {"$schema": DRAFT, **root, "$defs": definitions}


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
