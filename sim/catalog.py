"""The catalogue: a mechanism is found by its folder and file name, and by nothing else.

``people/browse.py`` holds the mechanism ``people.browse``. There is no decorator and no list to keep: to add a
mechanism is to add a file. Keys are sorted; that canonical order is the one in which effects are applied.
"""

import pkgutil
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType, ModuleType

from sim.contract import Mechanism
from sim.errors import ContractError

FOLDERS = ("channels", "offers", "operations", "people", "platform")
ENGINE_KINDS = ("message_dropped", "visit")  # written by the engine itself


@cache
def mechanisms() -> Mapping[str, type[Mechanism]]:
    """Every mechanism by its key, ``"people.browse"``, in the order of keys."""
    return MappingProxyType(scan("sim"))


@cache
def channels() -> tuple[str, ...]:
    """Every name that a `channel` code can stand for; the code is the position in this tuple."""
    return channel_names(mechanisms())


@cache
def kinds() -> tuple[str, ...]:
    """Every kind of record, the engine's own included; the code is the position in this tuple."""
    return kind_names(mechanisms())


def scan(package: str) -> dict[str, type[Mechanism]]:
    """The mechanisms in the five folders of a package, sorted by key; each is told its folder and name."""
    return dict(sorted((f"{cls.folder}.{cls.name}", cls) for folder in FOLDERS for cls in _folder(package, folder)))


def channel_names(known: Mapping[str, type[Mechanism]]) -> tuple[str, ...]:
    """The files of `channels/`, and the surfaces that other mechanisms name in `channel_names`, sorted."""
    names = {name for cls in known.values() for name in cls.channel_names}
    return tuple(sorted(names | {cls.name for cls in known.values() if cls.folder == "channels"}))


def kind_names(known: Mapping[str, type[Mechanism]]) -> tuple[str, ...]:
    """All declared kinds, sorted. A kind has one owner: `ContractError` if two declare it."""
    declared = Counter(ENGINE_KINDS)
    for cls in known.values():
        declared.update(cls.kinds.keys())
    for kind in sorted(kind for kind, owners in declared.items() if owners > 1):
        owners = ["the engine"] * (kind in ENGINE_KINDS) + [key for key, cls in known.items() if kind in cls.kinds]
        raise ContractError(f"kind {kind!r} is declared by {' and '.join(owners)}; a kind has one owner")
    return tuple(sorted(declared))


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
