import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sim.config.node import Node, find, merge, nearest, nest, plain, without
from sim.config.yaml import compose

LEAF = st.none() | st.booleans() | st.integers(0, 9) | st.lists(st.integers(0, 9), max_size=2)
TREE = st.recursive(
    st.dictionaries(st.sampled_from("abcd"), LEAF, max_size=3),
    lambda inner: st.dictionaries(st.sampled_from("abcd"), inner | LEAF, max_size=3),
    max_leaves=12,
)


def node(data: dict[str, Any]) -> Node:
    tree, faults = compose(json.dumps({"root": data}).encode(), "f")
    assert faults == []
    assert tree is not None
    return tree.children["root"]


def merged(base: Any, over: Any) -> Any:
    """Merging in plain data, as an oracle."""
    if isinstance(base, dict) and over is None:
        return base
    if isinstance(base, dict) and isinstance(over, dict):
        fresh = {key: value for key, value in over.items() if key not in base}
        return {key: merged(value, over[key]) if key in over else value for key, value in base.items()} | fresh
    return over


@given(TREE, TREE)
def test_merge_agrees_with_the_oracle_and_keeps_order(base: dict[str, Any], over: dict[str, Any]) -> None:
    got = plain(merge(node(base), node(over)))
    assert got == merged(base, over)
    assert list(got)[: len(base)] == list(base)


@given(TREE, TREE)
def test_merging_twice_changes_nothing_more(base: dict[str, Any], over: dict[str, Any]) -> None:
    once = merge(node(base), node(over))
    assert plain(merge(once, node(over))) == plain(once)


@given(TREE)
def test_nothing_laid_on_a_mapping_leaves_it(base: dict[str, Any]) -> None:
    assert plain(merge(node(base), node({}))) == base
    assert plain(node({"a": base}).children["a"]) == base


def test_merge_replaces_lists_and_false_and_keeps_under_nothing() -> None:
    base = node({"a": {"x": 1, "y": [1, 2]}, "b": {"x": 1}, "c": False, "d": {"x": 1}})
    over = node({"a": {"y": [3]}, "b": False, "c": {"x": 2}, "d": None, "e": 5})
    wanted = {"a": {"x": 1, "y": [3]}, "b": False, "c": {"x": 2}, "d": {"x": 1}, "e": 5}
    assert plain(merge(base, over)) == wanted


def test_places_follow_the_winner() -> None:
    base, over = (compose(text, name)[0] for text, name in ((b"a: {x: 1, y: 2}\n", "base"), (b"\na: {y: 3}\n", "over")))
    assert base is not None
    assert over is not None
    tree = merge(base, over)
    x, y = find(tree, "a", "x"), find(tree, "a", "y")
    assert x is not None
    assert y is not None
    assert (x.place.file, x.place.line, x.place.column) == ("base", 1, 8)
    assert (y.place.file, y.place.line, y.place.column) == ("over", 2, 8)


def test_nearest_stops_where_the_path_leaves_the_tree() -> None:
    tree = node({"a": {"b": [{"c": 1}]}})
    assert nearest(tree, ("a", "b", 0, "c"))[1] == ()
    for path, rest in (
        (("a", "z", "c"), ("z", "c")),
        (("a", "b", 1), (1,)),
        (("a", "b", 0, "c", "d"), ("d",)),
        (("a", "b", "c"), ("c",)),
    ):
        assert nearest(tree, path)[1] == rest
    assert find(tree, "a", "z") is None
    assert find(tree) is tree


def test_nest_and_without_are_opposites() -> None:
    leaf = node({"x": 1}).children["x"]
    tree = nest(["a", "b"], leaf)
    assert plain(tree) == {"a": {"b": 1}}
    assert plain(without(tree, "a", "z")) == {}
    assert tree.key == leaf.key
