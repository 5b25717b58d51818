"""Societies kept in a folder, so that the processes of a study build each of them once between them."""

import os
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from sim.units import Array
from sim.world.graph import SocialGraph
from sim.world.params import WorldParams

FOLDER: ContextVar[Path | None] = ContextVar("societies", default=None)  # set by the study; None: kept nowhere

_GRAPHS = ("graph", "groups", "members")
_MADE_BY = ("numpy", "scipy", "networkx")


@dataclass(frozen=True, slots=True, eq=False)
class Society:
    """People and ties of a lone world: all that does not depend on merchants."""

    people: Mapping[str, Array]
    graph: SocialGraph
    groups: SocialGraph
    members: SocialGraph


def kept(make: Callable[[WorldParams, int], Society], params: WorldParams, seed: int) -> Society:
    """The society that `make` makes; taken from the folder if it is there, else made and laid there.

    A file is whole or absent, and one that cannot be read is made anew. Worlds from a graph file are never kept: the
    file may change.
    """
    folder = FOLDER.get()
    if folder is None or params.graph.file is not None:
        return make(params, seed)
    path = folder / f"{_name(params, seed)}.npz"
    try:
        return _read(path)
    except (OSError, EOFError, ValueError, KeyError, BadZipFile):
        out = make(params, seed)
        _write(path, out)
        return out


def _name(params: WorldParams, seed: int) -> str:
    """What a society depends on, as a word."""
    text = repr((params.model_dump_json(), seed, [version(name) for name in _MADE_BY]))
    return blake2b(text.encode(), digest_size=16).hexdigest()


def _write(path: Path, society: Society) -> None:
    columns = {f"people/{trait}": column for trait, column in society.people.items()}
    for name in _GRAPHS:
        graph: SocialGraph = getattr(society, name)
        columns |= {f"{name}/indptr": graph.indptr, f"{name}/indices": graph.indices}
        if graph.layer is not None:
            columns[f"{name}/layer"] = graph.layer
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.stem}-{os.getpid()}.tmp")
    with temporary.open("wb") as file:
        np.savez(file, **columns)  # type: ignore[arg-type]
    temporary.replace(path)


def _read(path: Path) -> Society:
    with np.load(path, allow_pickle=False) as columns:
        people = {name.removeprefix("people/"): columns[name] for name in columns if name.startswith("people/")}
        return Society(people, *(_graph(columns, name) for name in _GRAPHS))


def _graph(columns: Mapping[str, Array], name: str) -> SocialGraph:
    return SocialGraph(columns[f"{name}/indptr"], columns[f"{name}/indices"], columns.get(f"{name}/layer"))
