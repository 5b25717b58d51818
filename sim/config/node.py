"""A scenario file as a tree whose every key and value knows its place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sim.errors import Fault

Scalar = str | int | float | bool | None
Path = Sequence[str | int]


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: file, line and column (from 1), and its dotted path in that file."""

    file: str
    line: int
    column: int
    where: str

    def fault(self, wrong: str, instead: str = "", *, where: str | None = None) -> Fault:
        """A fault at this place."""
        return Fault(self.file, self.line, self.column, self.where if where is None else where, wrong, instead)


@dataclass(frozen=True, slots=True)
class Node:
    """A value, its place, and the place of the key that it stands under (its own place, if under none)."""

    value: "Scalar | Mapping[str, Node] | tuple[Node, ...]"
    place: Place
    key: Place

    @property
    def children(self) -> "Mapping[str, Node]":
        """The entries of a mapping; none if it is not one."""
        return self.value if isinstance(self.value, Mapping) else {}

    def child(self, step: str | int) -> "Node | None":
        """The entry under a key or at a position of a list, if there is one."""
        if isinstance(self.value, Mapping):
            return self.value.get(str(step))
        if isinstance(self.value, tuple) and isinstance(step, int) and step < len(self.value):
            return self.value[step]
        return None


def join(where: str, step: str | int) -> str:
    """The dotted path of an entry: ``a.b`` under a key, ``a[0]`` in a list."""
    if isinstance(step, int):
        return f"{where}[{step}]"
    return f"{where}.{step}" if where else step


def plain(node: Node) -> Any:
    """The value alone, as dicts, lists and scalars."""
    if isinstance(node.value, Mapping):
        return {key: plain(child) for key, child in node.value.items()}
    if isinstance(node.value, tuple):
        return [plain(child) for child in node.value]
    return node.value


def nearest(root: Node, path: Path) -> tuple[Node, Path]:
    """The deepest node on the way along a path, and the rest of the path that leads nowhere."""
    node = root
    for depth, step in enumerate(path):
        child = node.child(step)
        if child is None:
            return node, path[depth:]
        node = child
    return node, ()


def find(root: Node, *path: str | int) -> Node | None:
    """The node at a path, if it is there."""
    node, rest = nearest(root, path)
    return None if rest else node


def merge(base: Node, over: Node) -> Node:
    """`over` laid on `base`: mappings are merged, anything else replaces; nothing (null) leaves a mapping as it is.

    Keys of `base` keep their order and come first: the position of a merchant is its number in the world.
    """
    if not isinstance(base.value, Mapping):
        return over
    if over.value is None:
        return base
    if not isinstance(over.value, Mapping):
        return over
    merged = dict(base.value)
    for key, child in over.value.items():
        merged[key] = merge(merged[key], child) if key in merged else child
    return Node(merged, over.place, over.key)


def without(root: Node, *keys: str) -> Node:
    """The mapping less some of its keys."""
    return Node({key: child for key, child in root.children.items() if key not in keys}, root.place, root.key)


def nest(path: Sequence[str], leaf: Node) -> Node:
    """The leaf at the end of nested mappings, all of which stand where the leaf's key stands."""
    for step in reversed(path):
        leaf = Node({step: leaf}, leaf.key, leaf.key)
    return leaf
