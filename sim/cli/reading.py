"""Commands that read a finished run: ``wxsim genealogy``."""

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sim.cli import RunArgument, app

if TYPE_CHECKING:
    from sim.metrics.genealogy import Genealogy

Kinds = StrEnum("Kinds", ["shares", "promotions", "gifts"])


@app.command()
def genealogy(
    run: RunArgument,
    kind: Annotated[Kinds, typer.Option(help="What is passed on.")] = Kinds.shares,
    merchant: Annotated[str | None, typer.Option(metavar="NAME", help="Only what concerns this merchant.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write the trees too, as .graphml or .json.")
    ] = None,
) -> None:
    """Tell what shares, promotions or gifts led to: trees, their size and depth, how they branch, what they sold."""
    from sim.ledger.reader import Ledger
    from sim.metrics.genealogy import genealogy as trees

    found = trees(Ledger(run), kind.value, merchant)
    if out is not None:
        found.export(out)
    typer.echo("\n".join(_table(found)))
    if out is not None:
        typer.echo(f"wrote {out}")


def _table(found: "Genealogy") -> Iterator[str]:
    """Numbers of all trees, then a line for each generation."""
    from sim.study.table import NOTHING, number

    said = found.summary()
    low, high = (number(said[f"branching_{end}"]) for end in ("low", "high"))
    interval = f"95 % interval {low} .. {high}" if low != NOTHING else ""
    for title, name, more in (
        (f"trees of {found.kind}", "trees", ""),
        (found.kind, "nodes", ""),
        ("size", "size_mean", f"at most {number(said['size_max'])}"),
        ("depth, at most", "depth_max", ""),
        ("branching ratio", "branching", interval),
        ("structural virality", "structural_virality", "of trees of two or more"),
    ):
        yield f"{title:<24}{number(said[name]):>10}  {more}".rstrip()
    yield ""
    yield f"{'generation':<14}{found.kind:>12}{'orders':>12}{'value, yuan':>16}{'value of each':>16}"
    for row in found.generations().to_pylist():
        each = number(row["value"] / row["nodes"])
        counts = f"{row['nodes']:>12,}{row['orders']:>12,}"
        yield f"{row['generation']:<14}{counts}{number(row['value']):>16}{each:>16}"
