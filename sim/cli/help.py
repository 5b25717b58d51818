"""Help and errors of usage in the user's language. Typer has both in English; in English they stay as it makes them."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NoReturn

import typer
from typer.core import TyperCommand

from sim.cli.terminal import WRONG, fail
from sim.words import ENGLISH, _, marked, spoken, told_by
from sim.words.columns import left, width, wrap

if TYPE_CHECKING:
    Base = TyperCommand
else:
    Base = object

UsageError: type[Any] = typer.BadParameter.__mro__[1]  # which typer itself does not name
NAMES = 30  # columns of a name, with what it takes
USAGE = (  # what typer says, of options and of values
    marked("No such option: {name} (Possible options: {known})"),
    marked("No such option: {name}"),
    marked("No such command {name}. Did you mean {known}?"),
    marked("No such command {name}."),
    marked("Missing command."),
    marked("Missing argument {name}."),
    marked("Missing option {name}."),
    marked("Option {name} requires an argument."),
    marked("Got unexpected extra argument(s) ({names})"),
    marked("Invalid value for {name}: Value error, {said}"),
    marked("Invalid value for {name}: {said}"),
    marked("{value} is not one of {known}."),
    marked("Input should be a valid integer, unable to parse string as an integer"),
    marked("Input should be a valid number, unable to parse string as a number"),
    marked("Input should be greater than or equal to {low}"),
    marked("Input should be greater than {low}"),
    marked("Input should be less than or equal to {high}"),
)
EXTRA = (marked("default: {value}"), marked("required"))
HELP = (marked("Show this message and exit."), marked("[OPTIONS]"), marked("COMMAND [ARGS]..."))


class Spoken(Base):
    """A command, or several, whose help is told in the user's language."""

    def format_usage(self, ctx: Any, formatter: Any) -> None:
        """How it is called."""
        if spoken() == ENGLISH:
            super().format_usage(ctx, formatter)
        else:
            formatter.write("\n".join(usage(self, ctx, formatter.width)) + "\n")

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """How it is called, what it does, its arguments, options and commands."""
        if spoken() == ENGLISH:
            super().format_help(ctx, formatter)
        else:
            formatter.write("\n".join(page(self, ctx, formatter.width)) + "\n")

    def get_short_help_str(self, limit: int = 45) -> str:
        """What it does, in a line."""
        return super().get_short_help_str(limit) if spoken() == ENGLISH else _(paragraphs(self.help)[0])


class Command(Spoken, TyperCommand):
    """A command of wxsim."""


def paragraphs(text: str | None) -> list[str]:
    """The paragraphs of a text, each in a line: the first says what a command does."""
    return [" ".join(part.split()) for part in (text or "").split("\n\n") if part.strip()]


def usage(command: Any, ctx: Any, columns: int) -> list[str]:
    """How a command is called."""
    first = _("Usage: {command} ", command=ctx.command_path)
    return wrap(" ".join(map(_, command.collect_usage_pieces(ctx))), columns, first, " " * width(first))


def page(command: Any, ctx: Any, columns: int) -> Iterator[str]:
    """The help of a command, line by line."""
    yield from usage(command, ctx, columns)
    for part in paragraphs(command.help):
        yield from ("", *wrap(_(part), columns, "  ", "  "))
    options = [(each.param_type_name, _option(each, ctx)) for each in command.get_params(ctx)]
    commands = [(name, each.get_short_help_str()) for name, each in getattr(command, "commands", {}).items()]
    for heading, rows in (
        (_("Arguments:"), [row for kind, row in options if kind == "argument"]),
        (_("Options:"), [row for kind, row in options if kind == "option"]),
        (_("Commands:"), commands),
    ):
        if rows:
            yield from ("", heading, *_rows(rows, columns))
    for part in paragraphs(command.epilog):
        yield from ("", *wrap(_(part), columns, "  ", "  "))


def _option(option: Any, ctx: Any) -> tuple[str, str]:
    """An argument or option as it is written, and what it does."""
    name, said = option.get_help_record(ctx)
    meaning = option.help or ""
    extra = said.removeprefix(meaning).strip().removeprefix("[").removesuffix("]")
    notes = [told_by(note, EXTRA) for note in extra.split("; ") if note]
    return name, _(meaning) + (_(" [{notes}]", notes=_("; ").join(notes)) if notes else "")


def _rows(rows: Iterable[tuple[str, str]], columns: int) -> Iterator[str]:
    """Names and what they mean, in two columns."""
    rows = list(rows)
    indent = 4 + min(NAMES, max(width(name) for name, _meaning in rows))
    for name, meaning in rows:
        first = left(f"  {name}", indent)
        if width(first) > indent:
            yield first
            first = " " * indent
        yield from wrap(meaning, columns, first, " " * indent) or [first.rstrip()]


def fail_usage(error: Any) -> NoReturn:
    """Say what is wrong with what was typed; what typer shows by itself, or in English, is raised again."""
    if spoken() == ENGLISH or type(error).show is not UsageError.show:
        raise error
    said = told_by(error.format_message(), USAGE)
    if error.ctx is not None:
        more = _("`{command} --help` says more.", command=error.ctx.command_path)
        said = f"{error.ctx.get_usage()}\n{more}\n\n{said}"
    fail(said, WRONG)
