"""What a report is made of: a comparison (or a run, as one of one strategy in one world) and its ledgers."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from textwrap import dedent
from typing import Any, TypeVar

import numpy as np

from sim.errors import LedgerError, StudyError
from sim.ledger.parquet import MANIFEST
from sim.ledger.reader import Ledger
from sim.metrics import catalog
from sim.study import folder
from sim.study.comparison import Comparison
from sim.words import _, marked

_Seen = TypeVar("_Seen")

ALONE = marked("as it is")  # what the strategy of a run is called that has none


@dataclass(frozen=True)
class Cell:
    """One run of a report: a strategy in the world of a seed."""

    strategy: str
    number: int  # of the replication
    seed: int
    place: str  # its folder, as seen from the report's
    folder: Path
    example: bool  # whether its rows stand for those of all seeds

    def ledger(self) -> Ledger:
        """Its ledger."""
        return Ledger(self.folder)


@dataclass(frozen=True)
class Material:
    """A comparison and where its ledgers are; `cells` are its finished runs, strategy by strategy."""

    folder: Path
    comparison: Comparison
    cells: tuple[Cell, ...]
    single: bool  # a run, not a comparison

    @cached_property
    def manifests(self) -> Mapping[str, Mapping[str, Any]]:
        """What the first finished run of each strategy says of itself, by strategy."""
        return {cell.strategy: cell.ledger().manifest for cell in self.cells if cell.example}

    @property
    def manifest(self) -> Mapping[str, Any]:
        """What the first finished run says of itself, the baseline's if there is one; empty without any."""
        return next(iter(self.manifests.values()), {}) if self.base is None else self.manifests[self.base]

    @property
    def base(self) -> str | None:
        """The baseline, if any run of it is finished."""
        return self.comparison.baseline if self.comparison.baseline in self.manifests else None

    @property
    def scenario(self) -> Mapping[str, Any]:
        """The scenario that was run, with every default; empty if nothing was."""
        found: Mapping[str, Any] = self.manifest.get("scenario", {})
        return found

    @property
    def days(self) -> int:
        """The horizon, or how much of it was run."""
        return int(self.manifest.get("stopped", self.manifest.get("days", 0)))

    @property
    def others(self) -> tuple[str, ...]:
        """The strategies that are compared with the baseline."""
        return tuple(name for name in self.comparison.strategies if name != self.comparison.baseline)

    def spoken(self) -> "Material":
        """The same, with the strategy of a run that has none called so in the user's language."""
        if not self.single or self.manifest["strategy"]:
            return self
        name, found = _(ALONE), self.comparison
        comparison = replace(
            found,
            baseline=name,
            values={name: found.values[ALONE]},
            done={name: found.done[ALONE]},
            digests={name: found.digests[ALONE]},
        )
        return replace(self, comparison=comparison, cells=tuple(replace(cell, strategy=name) for cell in self.cells))

    def of(self, strategy: str) -> Iterator[Cell]:
        """The finished runs of a strategy."""
        return (cell for cell in self.cells if cell.strategy == strategy)

    def by_strategy(self, found: Mapping[Cell, _Seen]) -> dict[str, dict[int, _Seen]]:
        """What was found in each run, by strategy and number of the replication."""
        return {
            name: {cell.number: seen for cell, seen in found.items() if cell.strategy == name}
            for name in self.comparison.strategies
        }

    def values(self, manifest: Mapping[str, Any]) -> dict[str, Any]:
        """What the parameters of questions stand for in a run."""
        merchant = self.comparison.merchant
        number = manifest["merchants"].index(merchant) if merchant else None
        details = [kind for kind, detail in manifest["kinds"].items() if detail]
        return {"merchant": number, "days": manifest["days"], "users": manifest["users"], "details": details}

    def asked(self, sql: str, cell: Cell | None = None, **others: object) -> dict[str, str]:
        """A question as it can be asked of a run, by default the first, as it stands; and where that is."""
        cell = cell or self.cells[0]
        return {"sql": literal(sql, **{**self.values(self.manifests[cell.strategy]), **others}), "place": cell.place}


def literal(sql: str, **values: object) -> str:
    """A question with its parameters written out."""
    for name, value in values.items():
        sql = re.sub(rf"\${name}\b", "NULL" if value is None else str(value), sql)
    return dedent(sql).strip()


def read(place: Path, merchant: str = "") -> Material:
    """The comparison or run in a folder; of a run the numbers of a merchant, by default those of the one in question.

    StudyError or LedgerError if it is neither, or cannot be read.
    """
    if (place / folder.COMPARISON.manifest).is_file():
        if merchant:
            raise StudyError(
                _("{folder}: is a comparison, which is of one merchant; leave out --merchant", folder=place)
            )
        return _comparison(place)
    if (place / MANIFEST).is_file():
        return _run(place, merchant)
    wrong = _("holds no run, comparison or study of wxsim") if place.exists() else _("there is no such folder")
    told = _(
        "{folder}: {wrong}; name the folder that `wxsim run`, `compare` or `sweep` wrote", folder=place, wrong=wrong
    )
    raise StudyError(told)


def _comparison(place: Path) -> Material:
    path = place / folder.COMPARISON.manifest
    try:
        content = json.loads(path.read_text("utf-8"))
        found = Comparison.restore(content, place)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        said = f"{type(error).__name__}: {error}"
        raise StudyError(
            _("{file}: is not a comparison that this wxsim reads ({why}); compare again", file=path, why=said)
        ) from None
    return of(found)


def of(found: Comparison) -> Material:
    """A comparison, finished or not, with the ledgers of its finished runs. LedgerError if one is missing."""
    cells = []
    slugs = folder.slugs(found.strategies)
    for strategy in found.strategies:
        example = True
        for number in np.flatnonzero(found.done[strategy]).tolist():
            at = f"runs/{slugs[strategy]}/seed-{number}"
            if not (found.folder / at / MANIFEST).is_file():
                where = {"folder": found.folder / at, "file": folder.COMPARISON.manifest}
                raise LedgerError(_("{folder}: is missing, though {file} names it; compare again", **where))
            cells.append(Cell(strategy, number, found.seeds[number], at, found.folder / at, example))
            example = False
    return Material(found.folder, found, tuple(cells), single=False)


def _run(place: Path, merchant: str) -> Material:
    ledger = Ledger(place)
    manifest = ledger.manifest
    scenario, strategy = manifest["scenario"], manifest["strategy"] or ALONE
    asked = scenario.get("compare") or {}
    merchants = manifest["merchants"]
    merchant = merchant or asked.get("merchant") or (merchants[0] if merchants else "")
    metrics = tuple(name for name in asked.get("metrics") or () if name in catalog.METRICS) or catalog.STANDARD
    values = catalog.table(ledger, metrics, merchant or None)
    ledger.close()
    found = Comparison(
        title=str(scenario.get("title") or place.resolve().name),
        baseline=strategy,
        merchant=merchant,
        metrics=metrics,
        seeds=(int(manifest["seed"]),),
        values={strategy: np.array([[values[name]] for name in metrics])},
        done={strategy: np.ones(1, np.bool_)},
        digests={strategy: (manifest["digest"]["total"],)},
        failures=(),
        folder=place,
    )
    return Material(place, found, (Cell(strategy, 0, found.seeds[0], ".", place, True),), single=True)
