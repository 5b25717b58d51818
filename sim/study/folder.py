"""Output folders: made aside and put in place when they are whole; what somebody else put there is never touched.

A folder that is there already stays the same folder (it may be a link, a disk, or where a shell stands): what wxsim
wrote there earlier makes way for what it writes now.
"""

import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sim.errors import StudyError, reason
from sim.words import _, marked

UNFINISHED = ".wxsim-"  # how the names of folders and files begin that are being made


@dataclass(frozen=True, slots=True)
class Output:
    """What a kind of output folder holds, and how to tell one that wxsim wrote."""

    what: str
    manifest: str
    keys: frozenset[str]  # that its manifest has
    files: tuple[str, ...]  # all that is ever written there, the manifest first


RUN = Output(
    marked("run"),
    "run.json",
    frozenset({"ledger", "strategy", "seed", "digest"}),
    ("run.json", "events", "postings", "stock", "daily.parquet", "report.html", "diffusion.html"),
)
COMPARISON = Output(
    marked("comparison"),
    "comparison.json",
    frozenset({"wxsim", "scenario", "strategies", "seeds"}),
    ("comparison.json", "table.txt", "differences.png", "report.html", "runs"),
)


def slugs(names: Iterable[str]) -> dict[str, str]:
    """A folder name for each name: letters and digits of any script, joined by hyphens, no two alike."""
    out: dict[str, str] = {}
    for name in names:
        slug = stem = re.sub(r"[\W_]+", "-", name.lower()).strip("-")[:60] or "strategy"
        again = 1
        while slug in out.values():
            again += 1
            slug = f"{stem}-{again}"
        out[name] = slug
    return out


def check(folder: Path, output: Output) -> None:
    """StudyError unless the folder is new, empty, or an earlier output of this kind, which may be replaced."""
    if not folder.exists() or (folder.is_dir() and (_is_ours(folder, output) or is_empty(folder))):
        return
    raise StudyError(
        _(
            "{folder} exists and is not a {what} of wxsim; choose another folder with --out",
            folder=folder,
            what=_(output.what),
        )
    )


def _is_ours(folder: Path, output: Output) -> bool:
    try:
        manifest = json.loads((folder / output.manifest).read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(manifest, dict) and output.keys <= manifest.keys()


def is_empty(folder: Path) -> bool:
    """Whether nothing lies there, but for what somebody is making, or was killed while making."""
    return all(entry.name.startswith(UNFINISHED) for entry in folder.iterdir())


def begin(folder: Path, output: Output) -> Path:
    """An empty folder on the disk where the output will stand, in the folder of that name if there is one."""
    try:
        check(folder, output)
        place = folder if folder.is_dir() else folder.absolute().parent
        place.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=place))
    except OSError as error:
        raise StudyError(_("{folder} cannot be written: {reason}", folder=folder, reason=reason(error))) from error
    made.chmod(0o755)  # mkdtemp keeps others out; results are for sharing
    return made


def publish(made: Path, folder: Path, output: Output) -> None:
    """Give a finished folder its name. An earlier output there is replaced; what else lies in it is kept.

    The manifest leaves first and comes last: a folder without one is not finished.
    """
    check(folder, output)
    if not folder.exists():
        made.replace(folder)
        return
    earlier = made / "earlier"
    earlier.mkdir()
    for name in output.files:
        if (folder / name).exists():
            (folder / name).replace(earlier / name)
    for name in reversed(output.files):
        if (made / name).exists():
            (made / name).replace(folder / name)
    shutil.rmtree(made)


@contextmanager
def replacing(folder: Path, output: Output) -> Iterator[Path]:
    """A folder to fill, which takes the place of `folder` when the block ends well and is removed when it does not."""
    made = begin(folder, output)
    try:
        yield made
        publish(made, folder, output)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON whole or not at all."""
    write_text(path, json_text(content))


def json_text(content: Mapping[str, Any]) -> str:
    """JSON as it is written everywhere; a NaN in it is a bug and raises."""
    return json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def write_text(path: Path, text: str) -> None:
    """Write a text file under a temporary name, bring it to disk, then give it its name."""
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f"{UNFINISHED}{path.name}-", dir=path.absolute().parent)
    except OSError as error:
        raise StudyError(_("{path} cannot be written: {reason}", path=path, reason=reason(error))) from error
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    Path(temporary).chmod(0o644)
    Path(temporary).replace(path)
