"""What a shell offers when Tab is pressed: scenarios, strategies, metrics, mechanisms, folders of runs.

It is asked at every key press, so it reads names of files and, at most, the scenario that was typed; nothing of the
model is imported. A fault in what is there is no matter here: then nothing is offered.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import typer

METRICS = Path(__file__).with_name("metrics.txt")  # written by docs/generate.py, as reading them takes a second
MECHANISMS = ("channels", "offers", "operations", "people", "platform")
Offer = Iterable[str | tuple[str, str]]
SHELLS = ("bash", "zsh", "fish")
PLACES = 2  # how deep folders are looked for


def scenarios(incomplete: str) -> Offer:
    """Shipped scenarios, and files here."""
    from sim.config import shipped

    return [*shipped.names(), *_files(incomplete, ".yaml", ".yml")]


def strategies(ctx: typer.Context) -> Offer:
    """The strategies of the scenario that was named."""
    words = [word for word in ctx.args if not word.startswith("-")]  # what is not parsed, for an option lacks its value
    named = ctx.params.get("scenario") or next(iter(words), None)
    return list(_strategies(named, Path(named))) if named else []


def metrics() -> Offer:
    """Every metric."""
    return METRICS.read_text("utf-8").split()


def goals() -> Offer:
    """What `--until` takes."""
    return ["decided", *(f"{metric} decided" for metric in metrics())]


def mechanisms() -> Offer:
    """Every mechanism: file and folder are its key."""
    root = Path(__file__).parents[1]
    files = (file for folder in MECHANISMS for file in sorted((root / folder).glob("*.py")))
    return [f"{file.parent.name}.{file.stem}" for file in files if not file.stem.startswith("_")]


def runs(incomplete: str) -> Offer:
    """Folders of runs."""
    return _holding(incomplete, "run.json")


def folders(incomplete: str) -> Offer:
    """Folders of runs, comparisons and studies."""
    return _holding(incomplete, "run.json", "comparison.json", "study.json")


def study_folders(incomplete: str) -> Offer:
    """Folders that a sweep wrote."""
    return _holding(incomplete, "study.json")


def studies(incomplete: str) -> Offer:
    """Study files, and folders that hold one."""
    return [*_holding(incomplete, "study.yaml"), *_files(incomplete, ".yaml", ".yml")]


def shells() -> Offer:
    """The shells that can ask."""
    return SHELLS


def _files(incomplete: str, *suffixes: str) -> Iterator[str]:
    """Files of a kind where one is typing, and the folders beside them."""
    typed, place = _place(incomplete)
    for path in sorted(place.iterdir()) if place.is_dir() else ():
        if path.is_dir() and not path.name.startswith("."):
            yield f"{typed}{path.name}/"
        elif path.suffix in suffixes:
            yield f"{typed}{path.name}"


def _holding(incomplete: str, *manifests: str) -> list[str]:
    """Folders with one of these files where one is typing; without any, folders to look into."""
    typed, place = _place(incomplete)
    depths = ("/".join("*" * depth) for depth in range(1, PLACES + 2))
    found = {path.parent for depth in depths for name in manifests for path in place.glob(f"{depth}/{name}")}
    near = [f"{typed}{path.relative_to(place)}" for path in sorted(found)]
    return near or [each for each in _files(incomplete) if each.endswith("/")]


def _place(incomplete: str) -> tuple[str, Path]:
    """What was typed up to the last slash, and the folder that it means."""
    typed = incomplete[: incomplete.rfind("/") + 1]
    return typed, Path(typed or ".").expanduser()


def _strategies(scenario: str, file: Path | None, trail: tuple[Path, ...] = ()) -> dict[str, None]:
    """Names in a scenario file and in those that it extends; none of a file with faults."""
    import yaml

    from sim.config import shipped

    file = file if file is not None and file.is_file() else shipped.find(scenario)
    if file is None or file in trail:
        return {}
    try:
        said = yaml.load(file.read_text("utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        above, own = said.get("extends"), said.get("strategies") or {}
        return (_strategies(above, file.parent / above, (*trail, file)) if above else {}) | dict.fromkeys(own)
    except (OSError, ValueError, TypeError, AttributeError, yaml.YAMLError):
        return {}
