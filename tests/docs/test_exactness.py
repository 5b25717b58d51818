"""docs/exactness.md names only files, commands, options and make targets that exist, and stays two pages long."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command

from sim.cli import app

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "exactness.md").read_text("utf-8")
NAMED = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", PAGE, flags=re.S))
FILES = sorted({name for name in NAMED if re.fullmatch(r"[\w./-]+\.(py|md|lock|txt)", name)})
COMMANDS = sorted({name for name in NAMED if name.startswith("wxsim ")})
TARGETS = sorted({name.split()[1] for name in NAMED if name.startswith("make ")})


def faults(command: str) -> Iterator[str]:
    """What a command line of the page says that the command does not know."""
    _, name, *words = command.split()
    commands = get_command(app).commands  # type: ignore[attr-defined]
    if name not in commands:
        yield f"no command {name}"
        return
    known = {option for parameter in commands[name].params for option in parameter.opts}
    yield from (f"no option {word} of {name}" for word in words if word.startswith("--") and word not in known)


@pytest.mark.parametrize("name", FILES)
def test_file_exists(name: str) -> None:
    assert (ROOT / name).is_file()


@pytest.mark.parametrize("command", COMMANDS)
def test_command_exists(command: str) -> None:
    assert not list(faults(command))


@pytest.mark.parametrize("target", TARGETS)
def test_make_target_exists(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text("utf-8"), re.M)


def test_the_page_is_found_and_read() -> None:
    assert len(FILES) > 10
    assert len(COMMANDS) > 3
    assert list(faults("wxsim verify --nonsense")) == ["no option --nonsense of verify"]
    assert list(faults("wxsim nonsense")) == ["no command nonsense"]
    assert "docs/exactness.md" in (ROOT / "README.md").read_text("utf-8")


def test_it_is_two_pages() -> None:
    assert len(PAGE.splitlines()) <= 110
