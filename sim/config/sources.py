"""Where scenario files lie, and how one extends another."""

from pathlib import Path

from sim.config import shipped
from sim.config.advice import did_you_mean
from sim.config.node import Node, Place, merge, without
from sim.config.yaml import MAX_BYTES, compose
from sim.errors import Fault, reason
from sim.words import _

MAX_EXTENDS = 10  # files, one on top of another


def read(source: str | Path) -> tuple[Node | None, list[Fault]]:
    """The tree of a scenario with all that it extends, and the faults of reading; no tree if a file is unreadable.

    `source` is the path of a file, or the bare name of a shipped scenario. An existing file wins.
    """
    faults: list[Fault] = []
    start = Place(str(source), 1, 1, "")
    path = _locate(str(source), Path(), start, faults)
    return (None if path is None else _read(path, start, (), faults)), faults


def is_file(path: Path) -> bool:
    """Whether there is a file; a path that no system can hold has none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _read(path: Path, asked: Place, below: tuple[Path, ...], faults: list[Fault]) -> Node | None:
    """One file laid on what it extends. `below` are the files that led here, `asked` the place that named it."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        faults.append(asked.fault(_("{path} cannot be read: {reason}", path=path, reason=reason(error))))
        return None
    tree, found = compose(raw, str(path))
    faults += found
    if tree is None:
        return None
    own = without(tree, "extends")
    extends = tree.child("extends")
    if extends is None or extends.value is None:
        return own
    base = _base(extends, path, (*below, path.resolve()), faults)
    return None if base is None else merge(base, own)


def _base(extends: Node, path: Path, trail: tuple[Path, ...], faults: list[Fault]) -> Node | None:
    """The tree that a file extends."""
    place = extends.place
    if not isinstance(extends.value, str):
        faults.append(
            place.fault(_("must name one scenario"), _("write the path of a file, or the name of a shipped one"))
        )
        return None
    target = _locate(extends.value, path.parent, place, faults)
    if target is None:
        return None
    if target.resolve() in trail:
        faults.append(place.fault(_("{target} extends this file in turn", target=target), _("break the circle")))
        return None
    if len(trail) >= MAX_EXTENDS:
        faults.append(
            place.fault(_("more than {count} files extend one another", count=MAX_EXTENDS), _("merge some of them"))
        )
        return None
    return _read(target, place, trail, faults)


def _locate(name: str, folder: Path, asked: Place, faults: list[Fault]) -> Path | None:
    """The file of this path, relative to the folder, or the shipped scenario of this name."""
    if is_file(path := folder / name):
        return path
    if found := shipped.find(name):
        return found
    faults.append(asked.fault(_("there is no file or shipped scenario {name!r}", name=name), _advice(name)))
    return None


def _advice(name: str) -> str:
    word = Path(name).name.removesuffix(".yaml").removesuffix(".yml")
    return did_you_mean(word, shipped.names())
