"""How to make it again: seeds, versions, and the digest of every ledger."""

from typing import Any

from sim.report.material import Material


def tell(material: Material) -> dict[str, Any]:
    """What the manifests say."""
    comparison, manifest = material.comparison, material.manifest
    places = {(cell.strategy, cell.number): cell.place for cell in material.cells}
    return {
        "versions": dict(sorted(manifest.get("versions", {}).items())),
        "seeds": comparison.seeds,
        "rows": [
            {
                "strategy": strategy,
                "seed": seed,
                "digest": comparison.digests[strategy][number],
                "place": places.get((strategy, number)),
            }
            for strategy in comparison.strategies
            for number, seed in enumerate(comparison.seeds)
        ],
        "failures": comparison.failures,
        "complete": comparison.complete,
    }
