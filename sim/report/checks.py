"""What the numbers rest on: where the parameters come from, and what was checked of these very ledgers."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from sim.config.model import Scenario
from sim.config.parameters import ASSUMED, Parameter, parameters
from sim.errors import WxsimError
from sim.ledger.audit import AuditReport, audit
from sim.ledger.reader import Ledger
from sim.report.material import Cell, Material
from sim.words import _, told

FACTS = "facts: "  # how the source of a number from the facts table begins


def look(cell: Cell, ledger: Ledger, material: Material) -> AuditReport | None:
    """Whether the books of an example are whole; of other runs it is not asked."""
    return audit(ledger) if cell.example else None


def tell(material: Material, found: Mapping[Cell, AuditReport | None]) -> dict[str, Any]:
    """Audits and the sources of parameters; `untold` says why these are not known."""
    audits = [(cell, _broken(audited)) for cell, audited in found.items() if audited is not None]
    try:
        own = [parameters(Scenario.restore(manifest["scenario"])).values() for manifest in material.manifests.values()]
    except (ValidationError, ValueError, KeyError, WxsimError) as error:
        return {"audits": audits, "untold": f"{type(error).__name__}: {str(error).splitlines()[0]}"}
    used = {each.path: each for strategy in own for each in strategy}
    stated = [each for each in used.values() if each.unit]
    assumed = [each for each in stated if each.source.startswith(ASSUMED)]
    facts = [each for each in stated if each.source.startswith(FACTS)]
    cited = [each for each in stated if each not in assumed and each not in facts]
    return {
        "audits": audits,
        "parameters": len(stated),
        "assumed": [_row(each) for each in assumed],
        "facts": _by_source(facts),
        "cited": _by_source(cited),
        "counts": {"assumed": len(assumed), "facts": len(facts), "cited": len(cited)},
    }


def _broken(found: AuditReport) -> tuple[str, ...]:
    """The laws that books break, none if they are whole."""
    whole = found.digest_matches and not found.recounted
    return (*map(str, found.breaks), *(() if whole else (_("the files are not those that the run wrote"),)))


def _row(each: Parameter) -> dict[str, Any]:
    return {"path": each.path, "value": str(each.value), "unit": told(each.unit), "doc": told(each.doc)}


def _by_source(found: list[Parameter]) -> dict[str, list[dict[str, Any]]]:
    """Parameters by where their default comes from."""
    out: dict[str, list[dict[str, Any]]] = {}
    for each in found:
        out.setdefault(each.source.removeprefix(FACTS), []).append(_row(each))
    return dict(sorted(out.items()))
