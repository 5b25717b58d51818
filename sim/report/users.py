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
from sim.words import _, marked
from sim.world.build import society
from sim.world.categories import CATEGORIES, category
from sim.world.params import WorldParams

SQL = f"""
    SELECT "user", count(*) AS deals, sum(amount - coalesce(back, 0))::BIGINT AS fen FROM ({BOUGHT})
    LEFT JOIN (SELECT cause AS event, amount AS back FROM events WHERE kind IN ({texts(*REFUNDS)})) USING (event)
    GROUP BY "user" ORDER BY "user" """
WAYS = (marked("only with it"), marked("more"), marked("as before"), marked("less"), marked("only without it"))
THIRDS = (marked("lowest third"), marked("middle third"), marked("highest third"))
TIERS = (marked("1 (largest)"), "2", "3", "4")
TRAITS: Mapping[str, tuple[str, str, tuple[str, ...]]] = {  # title and axis of the figure, and the groups
    "income": (marked("By income"), marked("income"), THIRDS),
    "price-sensitivity": (marked("By price sensitivity"), marked("price sensitivity"), THIRDS),
    "taste": (marked("By taste for {category}"), marked("taste for {category}"), THIRDS),
    "city-tier": (marked("By city tier"), marked("city tier"), TIERS),
}
NAMED = 3  # users named by strategy and direction
Groups = Mapping[str, Array]  # by trait: the group of each user


@dataclass(frozen=True, slots=True, eq=False)
class Bought:
    """What the users of one run bought from the merchant, those who bought anything; fen less refunds."""

    user: I64
    deals: I64
    fen: I64
    groups: Groups | str | None  # of everybody, in the first run of a world; or why they are not known

    def dense(self, column: str, users: int) -> I64:
        """A column with an entry for every user."""
        out = np.zeros(users, np.int64)
        out[self.user] = getattr(self, column)
        return out


def look(cell: Cell, ledger: Ledger, material: Material) -> Bought:
    """The buyers of one run."""
    found = ledger.query(SQL, **material.values(ledger.manifest))
    user, deals, fen = (found[name].to_numpy().astype(np.int64) for name in ("user", "deals", "fen"))
    first = next((each for each in material.cells if each.number == cell.number), cell)
    return Bought(user, deals, fen, _groups(material, cell.seed) if cell == first else None)


def tell(material: Material, found: Mapping[Cell, Bought]) -> dict[str, Any]:
    """Differences by group of users; of a run the purchases themselves. `untold` says why there are no groups."""
    runs = material.by_strategy({cell: (cell, bought) for cell, bought in found.items()})
    users = {int(manifest["users"]) for manifest in material.manifests.values()}
    worlds = {repr(manifest["scenario"].get("world")) for manifest in material.manifests.values()}
    if not found or len(users) > 1 or len(worlds) > 1:
        return {"untold": "worlds" if found else "runs"}
    known = {cell.number: bought.groups for cell, bought in found.items() if bought.groups is not None}
    untold = next((each for each in known.values() if isinstance(each, str)), "")
    groups = {} if untold else {number: each for number, each in known.items() if not isinstance(each, str)}
    count = users.pop()
    names = list(material.comparison.strategies if material.single else material.others)
    return {
        "figures": _figures(material, runs, groups, names, count),
        "directions": [_(way) for way in WAYS],
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
    kind = _category(material.scenario, material.comparison.merchant) if groups else 0
    for trait in next(iter(groups.values()), {}):
        title, axis, places = TRAITS[trait]
        lines = []
        for name in names:
            rows = [
                _per_thousand(_change(runs, name, at, "deals", material, users), groups[at][trait], len(places))
                for at in _pairs(runs, name, material)
            ]
            if rows:
                lines.append(line(name, rows))
        unit = _("orders per 1,000 people") if material.single else _("more orders per 1,000 people")
        if lines:
            title, axis = (_(text, category=_(CATEGORIES[kind])) for text in (title, axis))
            named = tuple(_(place) for place in places)
            figures.append(Figure(f"users-by-{trait}", "dots", title, axis, unit, named, tuple(lines), zero=True))
    return figures


def _per_thousand(change: I64, of: Array, groups: int) -> F64:
    size = np.bincount(of, minlength=groups)
    total = np.bincount(of, change, groups)
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
    spent = {side: bought.dense("fen", users) for side, (_cell, bought) in (("own", own), ("base", base))}
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


def _groups(material: Material, seed: int) -> Groups | str:
    """The groups of a world, made again from its seed; or why there are none."""
    scenario = material.scenario
    try:
        params = WorldParams.model_validate(scenario["world"])
        return _of_world(params, seed, _category(scenario, material.comparison.merchant))
    except (KeyError, ValueError, OSError, WxsimError) as error:
        return f"{type(error).__name__}: {error}"


def _of_world(params: WorldParams, seed: int, liking: int) -> Groups:
    people = society(params, seed).people
    return {
        "income": _third(people["income"]),
        "price-sensitivity": _third(people["price_sensitivity"]),
        "taste": _third(people["taste"][:, liking]),
        "city-tier": people["tier"].astype(np.int64) - 1,
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
