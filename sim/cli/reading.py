"""Commands that read a finished run: ``wxsim trace`` and ``genealogy``."""

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sim.cli import app
from sim.cli.options import JsonOption, MerchantOption, QuietOption, RunArgument
from sim.cli.terminal import Answer, progress
from sim.errors import StudyError
from sim.words import _
from sim.words.columns import left, right

if TYPE_CHECKING:
    from sim.metrics.genealogy import Genealogy

Kinds = StrEnum("Kinds", ["shares", "promotions", "gifts"])


@app.command()
def trace(
    run: RunArgument,
    user: Annotated[int | None, typer.Option(metavar="N", help="Tell the life of this user.")] = None,
    event: Annotated[
        str | None, typer.Option(metavar="ID", help="Tell why this happened: its id, or the first digits.")
    ] = None,
    json: JsonOption = None,
    quiet: QuietOption = False,
) -> None:
    """Tell a user's life, or why something happened.

    An order or any other event is told with all that led to it and all that came of it.
    """
    from sim.ledger.reader import Ledger
    from sim.study import trace as told

    answer = Answer(json, quiet)
    if user is not None and event is not None:
        raise StudyError(_("give --user or --event, not both"))
    ledger = Ledger(run)
    with progress(_("reading"), quiet):
        if user is not None:
            text, rows = told.life(ledger, user), told.life_as_dict(ledger, user)
        elif event is not None:
            text, rows = told.story(ledger, event), told.story_as_dict(ledger, event)
        else:
            text, rows = told.hints(ledger), told.hints_as_dict(ledger)
    answer.say(text)
    answer.wrote(answer.give("trace", {"folder": str(run), **rows}))


@app.command()
def genealogy(
    run: RunArgument,
    kind: Annotated[Kinds, typer.Option(help="What is passed on.")] = Kinds.shares,
    merchant: MerchantOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write the trees too, as .graphml or .json.")
    ] = None,
    json: JsonOption = None,
    quiet: QuietOption = False,
) -> None:
    """Tell what shares, promotions or gifts led to, as trees.

    Their size and depth, how they branch, and what they sold, generation by generation.
    """
    from sim.ledger.reader import Ledger
    from sim.metrics.genealogy import genealogy as trees

    answer = Answer(json, quiet)
    with progress(_("reading"), quiet):
        found = trees(Ledger(run), kind.value, merchant)
        if out is not None:
            found.export(out)
        table = "\n".join(_table(found))
    answer.say(table)
    written = answer.give("genealogy", {"folder": str(run), "merchant": merchant, **found.as_dict()})
    answer.wrote([*([out] if out else []), *written])


def _table(found: "Genealogy") -> Iterator[str]:
    """Numbers of all trees, then a line for each generation."""
    from sim.study.table import NOTHING, number

    said = found.summary()
    low, high = (number(said[f"branching_{end}"]) for end in ("low", "high"))
    interval = _("95 % interval {low} .. {high}", low=low, high=high) if low != NOTHING else ""
    kind = _(found.kind)
    for title, name, more in (
        (_("trees of {kind}", kind=kind), "trees", ""),
        (kind, "nodes", ""),
        (_("size"), "size_mean", _("at most {size}", size=number(said["size_max"]))),
        (_("depth, at most"), "depth_max", ""),
        (_("branching ratio"), "branching", interval),
        (_("structural virality"), "structural_virality", _("of trees of two or more")),
    ):
        yield f"{left(title, 24)}{right(number(said[name]), 10)}  {more}".rstrip()
    yield ""
    heads = ((kind, 12), (_("orders"), 12), (_("value, yuan"), 16), (_("value of each"), 16))
    yield left(_("generation"), 14) + "".join(right(head, wide) for head, wide in heads)
    for row in found.generations().to_pylist():
        each = number(row["value"] / row["nodes"])
        counts = f"{row['nodes']:>12,}{row['orders']:>12,}"
        yield f"{row['generation']:<14}{counts}{number(row['value']):>16}{each:>16}"
