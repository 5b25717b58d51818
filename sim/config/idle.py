"""What a scenario states that does nothing there, as warnings that say what to write instead.

Each mechanism says itself what it needs (`sim.params.Params`); here it is only asked, in the scenario, or in each of
its strategies if there are any. What a strategy states must act in that strategy. What all of them share must act in
one: it stands ready for those that build on it.
"""

from collections.abc import Iterator, Mapping
from json import dumps

from sim.config.advice import parted
from sim.config.model import Scenario
from sim.config.node import Node, Path, nearest
from sim.config.sections import PER_MERCHANT, PER_WORLD
from sim.errors import Fault
from sim.params import Params, Setting
from sim.words import _, marked


def warnings(variants: Mapping[str, tuple[Node, Scenario]]) -> list[Fault]:
    """What does nothing in these scenarios, each with the tree that it was made of; in the order of files and lines."""
    found: dict[Fault, tuple[Path, set[str]]] = {}
    for name, (tree, scenario) in variants.items():
        for path, said in idle(scenario):
            fault = nearest(tree, path)[0].key.fault(*parted(said))
            found.setdefault(fault, (path, set()))[1].add(name)
    told = [fault for fault, (path, where) in found.items() if _states(fault, path, variants) <= where]
    return sorted(told, key=lambda fault: (fault.file, fault.line, fault.column, fault.wrong))


def _states(fault: Fault, path: Path, variants: Mapping[str, tuple[Node, Scenario]]) -> set[str]:
    """The strategy that states what is at fault, or all that share it."""
    owner = {name for name in variants if name and fault.where.startswith(f"strategies.{name}.")}
    places = ((name, nearest(tree, path)[0].key) for name, (tree, _) in variants.items())
    return owner or {name for name, key in places if (key.file, key.line, key.column) == _place(fault)}


def _place(fault: Fault) -> tuple[str, int, int]:
    return fault.file, fault.line, fault.column


def idle(scenario: Scenario) -> Iterator[tuple[tuple[str, ...], str]]:
    """Paths in a scenario that do nothing, and ``what is wrong; what to write instead``."""
    world = _on(scenario, PER_WORLD)
    shops = {name: _on(merchant, PER_MERCHANT) for name, merchant in scenario.merchants.items()}
    anywhere = {key: params for shop in reversed(shops.values()) for key, params in shop.items()} | world
    places = [((), world, anywhere, ())] + [
        (("merchants", name), shops[name], world | shops[name], tuple(merchant.products))
        for name, merchant in scenario.merchants.items()
    ]
    for prefix, mechanisms, beside, goods in places:
        around = Setting(beside, scenario.horizon.start, scenario.horizon.days, goods)
        for key, params in mechanisms.items():
            for name, said in _of(params, around):
                yield (*prefix, *key.split("."), *([name] if name else [])), said


def _on(holder: object, folders: tuple[str, ...]) -> dict[str, Params]:
    """The mechanisms that are on in these sections, by key."""
    return {f"{folder}.{name}": params for folder in folders for name, params in getattr(holder, folder).items()}


def _of(params: Params, around: Setting) -> Iterator[tuple[str, str]]:
    """What of one mechanism does nothing: it as a whole, or else some of what is stated of it."""
    missing = [need for need in params.needs if not _there(need, around)]
    if missing:
        said = marked("does nothing without {need}; {write}")
        yield from (("", _(said, need=_or(need), write=_write(need))) for need in missing)
        return
    for want, lost in params.wants.items():
        if not _there(want, around):
            yield "", _("{lost} without {need}; {write}", lost=_(lost), need=_or(want), write=_write(want))
    for name, other in params.moot.items():
        if name not in params.model_fields_set or not getattr(params, name):
            continue
        if "." in other and not _there(other, around):
            said = marked("does nothing without {need}; {write}, or leave it out")
            yield name, _(said, need=_or(other), write=_write(other))
        elif "." not in other and not getattr(params, other):
            said = marked("does nothing while {other} is {value}; state {other}, or leave it out")
            yield name, _(said, other=other, value=dumps(getattr(params, other)))
    yield from params.idle(around)


def _there(need: str, around: Setting) -> bool:
    """Whether one of these mechanisms is on."""
    return any(key in around.on for key in need.split(" | "))


def _or(need: str) -> str:
    return _(" or ").join(need.split(" | "))


def _write(need: str) -> str:
    """How to switch the first of these on."""
    folder, name = need.split(" | ")[0].split(".")
    said = marked("write `{yaml}`") if folder in PER_WORLD else marked("write for the merchant `{yaml}`")
    return _(said, yaml=f"{folder}: {{{name}: {{}}}}")
