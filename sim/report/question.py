"""What is asked: title, expectation, trap, the market, and what each strategy changes."""

from collections.abc import Iterator, Mapping
from os.path import commonprefix
from typing import Any

from sim.metrics.catalog import METRICS
from sim.report.material import Material
from sim.words import _, told

_NOT_RUN = ("title", "expectation", "trap", "seed", "strategies", "compare", "record")


def tell(material: Material) -> dict[str, Any]:
    """The words of the scenario, the size of the market, and the changes by strategy."""
    scenario, manifest = material.scenario, material.manifest
    own = {name: dict(_flat(_run(found["scenario"]))) for name, found in material.manifests.items()}
    base = own.get(material.comparison.baseline)
    return {
        "expectation": _(str(scenario.get("expectation", "")).strip()),
        "trap": _(str(scenario.get("trap", "")).strip()),
        "users": manifest.get("users"),
        "days": manifest.get("days"),
        "start": scenario.get("horizon", {}).get("start"),
        "merchants": manifest.get("merchants", []),
        "stopped": {
            cell.place: found["stopped"]
            for cell in material.cells
            if cell.example and "stopped" in (found := material.manifests[cell.strategy])
        },
        "titles": {name: told(METRICS[name].title) for name in material.comparison.metrics},
        "changes": {name: list(_changes(base, own[name])) for name in material.others if base and name in own},
    }


def _run(scenario: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in scenario.items() if name not in _NOT_RUN}


def _flat(part: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Paths with dots and what stands there; nothing of a part that is empty."""
    if isinstance(part, Mapping):
        for name, value in part.items():
            yield from _flat(value, f"{path}.{name}" if path else str(name))
    else:
        yield path, part


def _changes(base: Mapping[str, Any], own: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Paths whose value differs, those of one new or lost part together."""
    seen: set[str] = set()
    for path in sorted({*base, *own}):
        here, there = base.get(path), own.get(path)
        if path in base and path in own:
            if here != there:
                yield {"path": path, "before": here, "after": there}
            continue
        top = _top(path, base if path in own else own)
        if top not in seen:
            seen.add(top)
            part = [each for each in (own if path in own else base) if each == top or each.startswith(top + ".")]
            shared = ".".join(commonprefix([each.split(".") for each in part]))
            yield {"path": shared, "added": path in own, "parameters": len(part)}


def _top(path: str, other: Mapping[str, Any]) -> str:
    """The uppermost part of a path that the other scenario has nothing of."""
    steps = path.split(".")
    for depth in range(1, len(steps)):
        top = ".".join(steps[:depth])
        if not any(each.startswith(top + ".") for each in other):
            return top
    return path
