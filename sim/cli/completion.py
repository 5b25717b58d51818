"""Command for shells: ``wxsim completion``."""

from typing import Annotated

import typer

from sim.cli import COMPLETE, app, completing
from sim.cli.terminal import WRONG, fail
from sim.words import _


@app.command()
def completion(
    shell: Annotated[str, typer.Argument(metavar="SHELL", help="bash, zsh or fish.", autocompletion=completing.shells)],
) -> None:
    """Print what lets a shell complete words of wxsim.

    It changes no file; in ~/.bashrc or ~/.zshrc write `eval "$(wxsim completion bash)"` (or zsh), for fish:
    `wxsim completion fish > ~/.config/fish/completions/wxsim.fish`.
    """
    from typer._completion_shared import get_completion_script

    if shell not in completing.SHELLS:
        fail(_("{shell}: there are {known}", shell=shell, known=", ".join(completing.SHELLS)), WRONG)
    script = get_completion_script(prog_name="wxsim", complete_var=COMPLETE, shell=shell)
    typer.echo(script.replace("-o default", "-o default -o filenames"))  # so that bash quotes a name with spaces


def begin() -> None:
    """Let typer answer a shell that asks."""
    from typer._completion_classes import completion_init

    completion_init()
