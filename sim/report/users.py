"""Who bought more and who bought less: each user beside herself under the baseline, with the same luck."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sim.errors import WxsimError
from sim.ledger.reader import Ledger
from sim.metrics.metric import BOUGHT, texts
from sim.metrics.money import REFUNDS
from sim.report.material import Cell, Material
from sim.report.shape import Figure, Line, line
from sim.units import F64, FEN_PER_YUAN, I64, Array
from sim.world.build import society
from sim.world.categories import CATEGORIES, category
from sim.world.params import WorldParams

SQL = f"""
    SELECT "user", count(*) AS deals, sum(amount - coalesce(back, 0))::BIGINT AS fen FROM ({BOUGHT})
    LEFT JOIN (SELECT cause AS event, amount AS back FROM events WHERE kind IN ({texts(*REFUNDS)})) USING (event)
    GROUP BY "user" ORDER BY "user" """
WAYS = ("only with it", "more", "as before", "less", "only without it")
THIRDS = ("lowest third", "middle third", "highest third")
NAMED = 3  # users named by strategy and direction
Groups = Mapping[str, tuple[tuple[str, ...], Array]]  # by trait: names of its groups, and the group of each user


@dataclass(frozen=True, slots=True, eq=False)
class Bought:
    """What the users of one run bought from the merchant, those who bought anything; fen less refunds."""

    user: I64
    deals: I64
    fen: I64

    def dense(self, column: str, users: int) -> I64:
        """A column with an entry for every user."""
        out = np.zeros(users, np.int64)
        out[self.user] = getattr(self, column)
        return out


def look(cell: Cell, ledger: Ledger, material: Material) -> Bought:
    """The buyers of one run."""
    found = ledger.query(SQL, **material.values(ledger.manifest))
    return Bought(*(found[name].to_numpy().astype(np.int64) for name in ("user", "deals", "fen")))


def tell(material: Material, found: Mapping[Cell, Bought]) -> dict[str, Any]:
    """Differences by group of users; of a run the purchases themselves. `untold` says why there are no groups."""
    runs = material.by_strategy({cell: (cell, bought) for cell, bought in found.items()})
    users = {int(manifest["users"]) for manifest in material.manifests.values()}
    worlds = {repr(manifest["scenario"].get("world")) for manifest in material.manifests.values()}
    if not found or len(users) > 1 or len(worlds) > 1:
        return {"untold": "worlds" if found else "runs"}
    groups, untold = _groups(material, {cell.number: cell.seed for cell in found})
    count = users.pop()
    names = list(material.comparison.strategies if material.single else material.others)
    return {
        "figures": _figures(material, runs, groups, names, count),
        "ways": {} if material.single else {name: _ways(runs, name, material, count) for name in names},
        "named": {} if material.single else {name: _named(runs, name, material, count) for name in names},
        "untold": untold,
        **material.asked(SQL),
    }


def _pairs(runs: Mapping[str, Mapping[int, tuple[Cell, Bought]]], name: str, material: Material) -> list[int]:
    return sorted(runs[name].keys() & (runs[name] if material.single else runs[material.comparison.baseline]).keys())


def _change(
    runs: Mapping[str, Mapping[int, tuple[Cell, Bought]]],
    name: str,
    at: int,
    column: str,
    material: Material,
    users: int,
) -> I64:
    """A column of every user under a strategy, less that of the same user under the baseline; of a run itself."""
    own = runs[name][at][1].dense(column, users)
    return own if material.single else own - runs[material.comparison.baseline][at][1].dense(column, users)


def _figures(
    material: Material,
    runs: Mapping[str, Mapping[int, tuple[Cell, Bought]]],
    groups: Mapping[int, Groups],
    names: list[str],
    users: int,
) -> list[Figure]:
    """For each trait the orders per 1,000 people of a group, more or fewer than under the baseline."""
    figures = []
    for trait, (places, _) in next(iter(groups.values()), {}).items():
        lines = []
        for name in names:
            rows = [
                _per_thousand(_change(runs, name, at, "deals", material, users), groups[at][trait])
                for at in _pairs(runs, name, material)
            ]
            if rows:
                lines.append(line(name, rows))
        unit = "orders per 1,000 people" if material.single else "more orders per 1,000 people"
        if lines:
            slug = trait.replace(" ", "-")
            figures.append(
                Figure(f"users-by-{slug}", "dots", f"By {trait}", trait, unit, places, tuple(lines), zero=True)
            )
    return figures


def _per_thousand(change: I64, groups: tuple[tuple[str, ...], Array]) -> F64:
    places, of = groups
    size = np.bincount(of, minlength=len(places))
    total = np.bincount(of, change, len(places))
    return 1000.0 * total / np.where(size > 0, size, np.nan)


def _ways(runs: Mapping[str, Mapping[int, tuple[Cell, Bought]]], name: str, material: Material, users: int) -> Line:
    """People who bought more, less, as before ... than without the strategy: means over the worlds."""
    rows = []
    for at in _pairs(runs, name, material):
        own = runs[name][at][1].dense("deals", users)
        base = runs[material.comparison.baseline][at][1].dense("deals", users)
        rows.append(
            [
                ((own > 0) & (base == 0)).sum(),
                ((own > base) & (base > 0)).sum(),
                (own == base).sum(),
                ((own < base) & (own > 0)).sum(),
                ((own == 0) & (base > 0)).sum(),
            ]
        )
    return line(name, [np.array(row, np.float64) for row in rows])


def _named(
    runs: Mapping[str, Mapping[int, tuple[Cell, Bought]]], name: str, material: Material, users: int
) -> list[dict[str, Any]]:
    """The users of the first world whose spending changed most, up and down."""
    both = _pairs(runs, name, material)
    if not both:
        return []
    at = both[0]
    own, base = runs[name][at], runs[material.comparison.baseline][at]
    change = _change(runs, name, at, "fen", material, users)
    order = np.argsort(-change, kind="stable")
    chosen = [*order[:NAMED].tolist(), *order[::-1][:NAMED][::-1].tolist()]
    spent = {side: bought.dense("fen", users) for side, (_, bought) in (("own", own), ("base", base))}
    return [
        {
            "user": user,
            "with": int(spent["own"][user]) / FEN_PER_YUAN,
            "without": int(spent["base"][user]) / FEN_PER_YUAN,
            "place": own[0].place,
            "base_place": base[0].place,
        }
        for user in dict.fromkeys(chosen)
        if change[user]
    ]


# ------------------------------------------------------------------------------------------------ groups of people


def _groups(material: Material, seeds: Mapping[int, int]) -> tuple[Mapping[int, Groups], str]:
    """The groups of every world, by number of the replication, made again from its seed; or why there are none."""
    scenario = material.scenario
    try:
        params = WorldParams.model_validate(scenario["world"])
        liking = _category(scenario, material.comparison.merchant)
        return {number: _of_world(params, seed, liking) for number, seed in sorted(seeds.items())}, ""
    except (KeyError, ValueError, OSError, WxsimError) as error:
        return {}, f"{type(error).__name__}: {error}"


def _of_world(params: WorldParams, seed: int, liking: int) -> Groups:
    people = society(params, seed).people
    return {
        "income": (THIRDS, _third(people["income"])),
        "price sensitivity": (THIRDS, _third(people["price_sensitivity"])),
        f"taste for {CATEGORIES[liking]}": (THIRDS, _third(people["taste"][:, liking])),
        "city tier": (("1 (largest)", "2", "3", "4"), people["tier"].astype(np.int64) - 1),
    }


def _third(values: Array) -> I64:
    """Which third of the people each stands in, by rank; ties by number."""
    rank = np.empty(values.size, np.int64)
    rank[np.argsort(values, kind="stable")] = np.arange(values.size)
    return rank * 3 // max(values.size, 1)


def _category(scenario: Mapping[str, Any], merchant: str) -> int:
    """What the merchant sells: its category, or that of its first product."""
    own = scenario["merchants"][merchant or next(iter(scenario["merchants"]))]
    return category(own.get("category") or next((each["category"] for each in own["products"].values()), CATEGORIES[0]))


def more_and_fewer(line: Line) -> dict[str, Any]:
    """The ways of `WAYS` with their means and intervals, for the page."""
    return {
        way: {
            "mean": line.mean[at],
            "low": line.low[at] if line.low else None,
            "high": line.high[at] if line.high else None,
        }
        for at, way in enumerate(WAYS)
        if line.mean
    }
