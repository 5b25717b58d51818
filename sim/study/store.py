"""A store of runs: one small file for each, named by all that determines it, so that no run is ever done twice.

A run's key is a hash of the scenario (every default filled in, strategy included, as `Scenario.digest` takes it), the
merchant asked about, the seed, the model, and the version of networkx where it makes the graph. The model is the source
code that results depend on. A file holds every metric, so that asking for another one computes nothing again; it holds
no time of day and no path, so that whoever made it, the bytes are the same. Files are written whole or not at all.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sim.errors import StudyError
from sim.study.folder import UNFINISHED, is_empty, write_json
from sim.study.stats import finite
from sim.words import _
from sim.world.params import NATIVE_FROM, WorldParams

FORMAT = 1
MARKER = "wxsim-store.json"
_KEY_BYTES = 16
_PACKAGE = Path(__file__).resolve().parents[1]
_OUTSIDE = (
    "cli",
    "config",
    "diffusion",
    "report",
    "study",
    "web",
    "words",
)  # what a given scenario's run ignores


class Store:
    """The runs in a folder, by key."""

    def __init__(self, folder: Path, *, begin: bool = True) -> None:
        """Open a store, or begin one in a new or empty folder (`begin`). StudyError if something else lies there."""
        self.folder = folder
        marker = folder / MARKER
        if marker.exists():
            found = _json(marker)
            if found.get("wxsim") != "store" or found.get("format") != FORMAT:
                raise StudyError(
                    _(
                        "{folder}: a store of format {found}, this wxsim writes {format}; name another folder with "
                        "--store, nothing was changed",
                        folder=folder,
                        found=found.get("format"),
                        format=FORMAT,
                    )
                )
            return
        if folder.exists() and not (folder.is_dir() and is_empty(folder)):
            raise StudyError(
                _("{folder}: is not a store of wxsim and not empty; name another folder with --store", folder=folder)
            )
        if not begin:
            return
        folder.mkdir(parents=True, exist_ok=True)
        write_json(marker, {"wxsim": "store", "format": FORMAT})
        for left in folder.glob(f"{UNFINISHED}{MARKER}-*"):
            left.unlink(missing_ok=True)

    def path(self, key: str) -> Path:
        """Where a run stands or will stand."""
        return self.folder / key[:2] / f"{key}.json"

    def __contains__(self, key: str) -> bool:
        return self.path(key).exists()

    def get(self, key: str) -> dict[str, Any] | None:
        """A run by its key, None if it has not been done. StudyError if its file is not one of wxsim."""
        path = self.path(key)
        if not path.exists():
            return None
        found = _json(path)
        if found.get("wxsim") != "run" or found.get("key") != key:
            raise StudyError(_("{path}: is not a run of wxsim; move it away and run the study again", path=path))
        return found

    def put(self, key: str, content: Mapping[str, Any]) -> None:
        """Keep a run; one that is there already stays. What a killed writer of it left is removed."""
        if key not in self:
            path = self.path(key)
            path.parent.mkdir(exist_ok=True)
            with suppress(FileNotFoundError):  # who writes the same run at the same time may have removed ours
                write_json(path, {"wxsim": "run", "key": key, "model": model(), **content})
            for left in path.parent.glob(f"{UNFINISHED}{path.name}-*"):
                left.unlink(missing_ok=True)

    def keys(self) -> Iterator[str]:
        """Every key in the store, sorted."""
        yield from sorted(path.stem for path in self.folder.glob("??/*.json"))


def key(digest: str, merchant: str, seed: int, libraries: Sequence[str] = ()) -> str:
    """The key of a run, from its scenario's digest and the libraries whose own choices its world depends on."""
    text = json.dumps([digest, merchant, seed, model(), *libraries])
    return blake2b(text.encode(), digest_size=_KEY_BYTES).hexdigest()


def libraries(world: WorldParams) -> tuple[str, ...]:
    """Networkx with its version where it makes or reads the graph; no other world can change with it."""
    graph = world.graph
    small = graph.engine == "auto" and world.people.count < NATIVE_FROM
    if graph.networkx is None and graph.file is None and graph.engine != "networkx" and not small:
        return ()
    return (f"networkx {version('networkx')}",)


@cache
def model() -> str:
    """A word for the model: a hash of the source that results depend on."""
    found = blake2b(digest_size=_KEY_BYTES)
    for path in sorted(_PACKAGE.rglob("*.py")):
        inside = path.relative_to(_PACKAGE)
        if inside.parts[0] not in _OUTSIDE:
            found.update(os.fsencode(inside.as_posix()) + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()


def numbers(metrics: Mapping[str, float]) -> dict[str, float | None]:
    """Metrics as JSON can hold them: what there is nothing to measure of is null."""
    return {name: finite(value) for name, value in metrics.items()}


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise StudyError(
            _("{path}: cannot be read as JSON ({error}); move it away, nothing was changed", path=path, error=error)
        ) from None
    return found if isinstance(found, dict) else {}
