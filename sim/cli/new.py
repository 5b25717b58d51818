"""Commands to begin with: ``wxsim new`` and ``wxsim schema``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sim.cli import app
from sim.errors import StudyError
from sim.words import _

if TYPE_CHECKING:
    from sim.config.draft import Answers

File = Annotated[Path | None, typer.Argument(metavar="[FILE]", help="Where to write; by default SELL.yaml.")]


@app.command()
def new(
    file: File = None,
    sell: Annotated[str | None, typer.Option(metavar="WHAT", help="What you sell.")] = None,
    category: Annotated[str | None, typer.Option(metavar="NAME", help="Its category; unless WHAT is one.")] = None,
    price: Annotated[float | None, typer.Option(metavar="YUAN", help="What a piece is sold for.")] = None,
    cost: Annotated[float | None, typer.Option(metavar="YUAN", help="What a piece costs you.")] = None,
    channel: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Where you sell; may be repeated.")] = None,
    strategy: Annotated[list[str] | None, typer.Option(metavar="NAME", help="What to compare; repeated.")] = None,
    extends: Annotated[str, typer.Option(metavar="MARKET", help="Where the shop opens: a scenario.")] = "base",
    days: Annotated[int | None, typer.Option(metavar="N", min=1, max=3_650, help="How long.")] = None,
    people: Annotated[int, typer.Option(metavar="N", min=1, help="In how large a town.")] = 5_000,
    replications: Annotated[int, typer.Option(metavar="N", min=1, help="In how many worlds.")] = 8,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing; what is not given is as proposed.")] = False,
) -> None:
    """Write a first scenario from a few questions.

    Every answer can be given as an option.
    """
    from sim.config import draft
    from sim.world.categories import CATEGORIES

    if file is not None:
        _check_free(file)
    ask = _proposed if yes else _asked
    sell = sell or ask(_("What do you sell"), "tea")
    if sell not in CATEGORIES:
        category = category or ask(_("Its category, one of {known}", known=", ".join(CATEGORIES)), "food")
    price = price or ask(_("Its price, yuan"), 168.0)
    cost = ask(_("What it costs you, yuan"), round(price / 2.5, 2)) if cost is None else cost
    channels = _words(channel, ask, _("Where you sell: any of {known}", known=", ".join(draft.CHANNELS)), "store")
    offered = draft.offered(channels)
    ideas = _words(strategy, ask, _("Which to compare, of {known}", known=", ".join(offered)), ", ".join(offered[:2]))
    answers = draft.Answers(
        sell=sell,
        category=category or sell,
        price=price,
        cost=cost,
        channels=channels,
        ideas=ideas,
        market=extends,
        days=days or ask(_("How many days"), 60),
        people=people,
        replications=replications,
    )
    _write(file or Path(f"{answers.product}.yaml"), answers)


@app.command()
def schema(
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write it here, not on the screen.")] = None,
) -> None:
    """Print the JSON Schema of scenario files.

    Editors complete from it; `wxsim new` writes it beside a scenario.
    """
    if out is None:
        typer.echo(_schema(), nl=False)
    else:
        out.write_text(_schema(), "utf-8")
        typer.echo(_("wrote {files}", files=out))


def _write(file: Path, answers: "Answers") -> None:
    """The scenario, and the schema beside it."""
    from sim.config import draft

    _check_free(file)
    with file.open("x", encoding="utf-8") as made:
        made.write(draft.text(answers, file.name))
    (file.parent / draft.SCHEMA).write_text(_schema(), "utf-8")
    typer.echo(_("wrote {files}", files=f"{file}\n      {file.parent / draft.SCHEMA}"))
    typer.echo(_("now: {command}", command=f"wxsim compare {file}"))


def _check_free(file: Path) -> None:
    if file.exists():
        raise StudyError(_("{file} is there already, and stays as it is; name another file", file=file))
    if not file.absolute().parent.is_dir():
        raise StudyError(_("{file}: there is no folder {folder}", file=file, folder=file.parent))


def _words(given: list[str] | None, ask: Any, question: str, proposed: str) -> tuple[str, ...]:
    """Answers from options, or from one line with commas; each once."""
    words = given or ask(question, proposed).split(",")
    return tuple(dict.fromkeys(word.strip() for word in words if word.strip()))


def _asked(question: str, proposed: Any) -> Any:
    return typer.prompt(question, default=proposed, err=True)


def _proposed(question: str, proposed: Any) -> Any:
    return proposed


def _schema() -> str:
    import json

    from sim.config.schema import schema as made

    return json.dumps(made(), ensure_ascii=False, indent=1) + "\n"
