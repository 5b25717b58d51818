"""The catalogue: a mechanism is found by its folder and file name, and by nothing else.

``people/browse.py`` holds the mechanism ``people.browse``. There is no decorator and no list to keep: to add a
mechanism is to add a file. Keys are sorted; that canonical order is the one in which effects are applied.
"""

import pkgutil
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType, ModuleType

from sim.contract import Kind, Mechanism
from sim.errors import ContractError
from sim.world.state import CORE

FOLDERS = ("channels", "offers", "operations", "people", "platform")
ENGINE_KINDS: Mapping[str, Kind] = {  # written by the engine itself
    "message_dropped": Kind(
        "a message that scrolled away unseen",
        detail=True,
        says="a message[ about {product}] goes to {user}, who never sees it",
    ),
    "visit": Kind("a session; written when something recorded came of it", detail=True, says="{user} opens WeChat"),
}


@cache
def mechanisms() -> Mapping[str, type[Mechanism]]:
    """Every mechanism by its key, ``"people.browse"``, in the order of keys."""
    known = scan("sim")
    check_columns(known)
    return MappingProxyType(known)


@cache
def channels() -> tuple[str, ...]:
    """Every name that a `channel` code can stand for; the code is the position in this tuple."""
    return channel_names(mechanisms())


@cache
def clicks() -> Mapping[str, float]:
    """The share of noticed pages that are opened, by channel, as whoever shows things on it says."""
    return MappingProxyType({name: rate for cls in mechanisms().values() for name, rate in cls.clicks.items()})


@cache
def feeds() -> tuple[str, ...]:
    """Kinds of content that may be shown to strangers."""
    return tuple(kind for kind, declared in kinds().items() if declared.feed)


@cache
def kinds() -> Mapping[str, Kind]:
    """Every kind of record by name, the engine's own included, in the order of names."""
    return MappingProxyType(declared_kinds(mechanisms()))


def summary(cls: type[Mechanism]) -> str:
    """What a mechanism is, in the first sentence of its file."""
    return (sys.modules[cls.__module__].__doc__ or "").strip().split("\n\n")[0].replace("\n", " ")


def scan(package: str) -> dict[str, type[Mechanism]]:
    """The mechanisms in the five folders of a package, sorted by key; each is told its folder and name."""
    return dict(sorted((f"{cls.folder}.{cls.name}", cls) for folder in FOLDERS for cls in _folder(package, folder)))


def channel_names(known: Mapping[str, type[Mechanism]]) -> tuple[str, ...]:
    """The files of `channels/`, and the surfaces that other mechanisms name in `clicks`, sorted."""
    names = {name for cls in known.values() for name in cls.clicks}
    return tuple(sorted(names | {cls.name for cls in known.values() if cls.folder == "channels"}))


def declared_kinds(known: Mapping[str, type[Mechanism]]) -> dict[str, Kind]:
    """All declared kinds, sorted. A kind has one owner: `ContractError` if two declare it."""
    declared = [("the engine", ENGINE_KINDS), *((key, cls.kinds) for key, cls in known.items())]
    owners = Counter(kind for _, kinds in declared for kind in kinds)
    for kind in sorted(kind for kind, count in owners.items() if count > 1):
        names = [owner for owner, kinds in declared if kind in kinds]
        raise ContractError(f"kind {kind!r} is declared by {' and '.join(names)}; a kind has one owner")
    return dict(sorted((kind, text) for _, kinds in declared for kind, text in kinds.items()))


def check_columns(known: Mapping[str, type[Mechanism]]) -> None:
    """A column has one owner: `ContractError` if two declare it, for each would write over what the other keeps."""
    owners: dict[tuple[str, str], list[str]] = {}
    for key, columns in (("the core", CORE), *((key, cls.columns) for key, cls in known.items())):
        for column in columns:
            owners.setdefault((column.table, column.name), []).append(key)
    for (table, name), keys in sorted(owners.items()):
        if len(keys) > 1:
            raise ContractError(f"column {table}.{name} is declared by {' and '.join(keys)}; a column has one owner")


def _folder(package: str, folder: str) -> Iterator[type[Mechanism]]:
    """The mechanisms of one folder; works in a checkout, a wheel and a zip alike."""
    for file in pkgutil.iter_modules(import_module(f"{package}.{folder}").__path__):
        cls = _only_mechanism(import_module(f"{package}.{folder}.{file.name}"))
        cls.folder, cls.name = folder, file.name
        yield cls


def _only_mechanism(module: ModuleType) -> type[Mechanism]:
    """The one mechanism that a file defines."""
    classes = dict.fromkeys(value for value in vars(module).values() if isinstance(value, type))
    found = [cls for cls in classes if issubclass(cls, Mechanism) and cls.__module__ == module.__name__]
    if len(found) != 1:
        names = ", ".join(cls.__name__ for cls in found) or "none"
        raise ContractError(f"{module.__name__} must define exactly one Mechanism; found {names}")
    return found[0]
