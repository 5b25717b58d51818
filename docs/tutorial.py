"""Run the pages of docs/tutorial as a reader would, one after the other in a copy of the checkout.

    python -m docs.tutorial

writes into the pages what their commands print. On a page a block ```` ```sh ```` is run, a block with a file name
(```` ```yaml town.yaml ````) is saved under it, and a block ```` ```text ```` is what the command before it prints.
There are no others, so every one of them is tried.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = tuple(sorted((ROOT / "docs" / "tutorial").glob("*.md")))
COPIED = ("sim", "scenarios", "data", "tests", "pyproject.toml")
_BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.M | re.S)
_NUMBER = re.compile(r"\b[0-9a-f]{8,}\b|[-+]?\d[\d,.:]*[MG]?\b")


def checkout(folder: Path) -> Path:
    """A copy of the checkout, with `wxsim` and `python` in its folder `bin`."""
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name)
        else:
            shutil.copy2(ROOT / name, folder / name)
    (folder / "bin").mkdir()
    for name, words in (("wxsim", "-m sim.cli"), ("python", "")):
        command = folder / "bin" / name
        command.write_text(f'#!/bin/sh\nexec "{sys.executable}" {words} "$@"\n', "utf-8")
        command.chmod(0o755)
    return folder


def begun(page: Path, folder: Path) -> None:
    """Make what the pages before this one have made and it may need: files, and what `wxsim new` writes."""
    for before in PAGES[: PAGES.index(page)]:
        for language, name, text in _BLOCK.findall(before.read_text("utf-8")):
            if name or text.startswith("wxsim new "):
                _tried(language, name, text, folder)


def printed(page: str, folder: Path) -> Iterator[tuple[str, str]]:
    """Follow a page in a checkout: what is shown, and what was printed, for each of its commands that show it."""
    said = ""
    for language, name, text in _BLOCK.findall(page):
        if language == "text":
            yield text, said
        else:
            said = _tried(language, name, text, folder)


def _tried(language: str, name: str, text: str, folder: Path) -> str:
    """Save a block, or run it; what it prints."""
    if name:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
        return ""
    if language != "sh":
        raise AssertionError(f"a block that nobody tries: ```{language}")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text],
        cwd=folder,
        env={**os.environ, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "PYTHONPATH": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise AssertionError(f"{text}ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


def shape(text: str) -> str:
    """What must stay when numbers move: every word, in order."""
    return " ".join(_NUMBER.sub("#", text.replace("–", "#")).split())


def main() -> None:
    """Follow the pages and write down what is printed."""
    with tempfile.TemporaryDirectory() as place:
        folder = checkout(Path(place))
        for page in PAGES:
            text = page.read_text("utf-8")
            for shown, found in printed(text, folder):
                text = text.replace(f"```text\n{shown}```", f"```text\n{found}```", 1)
            page.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
