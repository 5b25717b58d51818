import json
import math
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sim.config.node import plain
from sim.config.yaml import MAX_BYTES, MAX_DEPTH, compose


def value(text: str) -> Any:
    """The value of `v` in a text that has no fault."""
    tree, faults = compose(f"v: {text}\n".encode(), "f")
    assert faults == []
    assert tree is not None
    return plain(tree)["v"]


def only(text: str | bytes) -> tuple[int, int, str, str]:
    """The one fault of a text."""
    _, faults = compose(text if isinstance(text, bytes) else text.encode(), "f")
    (fault,) = faults
    return fault.line, fault.column, fault.where, fault.wrong


@pytest.mark.parametrize(
    "text", ["NO", "no", "yes", "on", "off", "Yes", "y", "1:30", "2025-01-06", "0x", "1_000", "<<"]
)
def test_what_yaml_1_1_would_convert_is_a_text(text: str) -> None:
    assert value(text) == text


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("true", True), ("True", True), ("TRUE", True), ("false", False), ("FALSE", False),
        ("", None), ("~", None), ("null", None), ("NULL", None),
        ("0", 0), ("-7", -7), ("+3", 3), ("007", 7), ("0o17", 15), ("0xff", 255),
        ("1e-3", 0.001), ("1E3", 1000.0), (".5", 0.5), ("-2.", -2.0), ("1.5e+2", 150.0),
        ("'true'", "true"), ('"7"', "7"), ("'~'", "~"), ('""', ""),
        ("a b", "a b"), ("[1, [x]]", [1, ["x"]]), ("{}", {}), ("[]", []),
    ],
)  # fmt: skip
def test_core_schema_of_yaml_1_2(text: str, wanted: Any) -> None:
    got = value(text)
    assert got == wanted
    assert type(got) is type(wanted)


def test_block_texts_are_texts() -> None:
    assert value("|\n  12\n  true") == "12\ntrue\n"
    assert value(">\n  12\n  true") == "12 true\n"


def test_keys_are_the_texts_they_are_written_as() -> None:
    tree, faults = compose(b"{1: a, 2025-01-06: b, true: c, ~: d, 'x y': e}", "f")
    assert faults == []
    assert tree is not None
    assert plain(tree) == {"1": "a", "2025-01-06": "b", "true": "c", "~": "d", "x y": "e"}


TEXT = st.text(st.characters(categories=["L", "N", "P", "Sc", "Sm"]), max_size=20)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**18), 10**18)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(TEXT, JSON, min_size=1, max_size=5))
def test_json_is_yaml(data: dict[str, Any]) -> None:
    """JSON is a subset of YAML 1.2, so the json module is an oracle."""
    tree, faults = compose(json.dumps(data, ensure_ascii=False).encode(), "f")
    assert faults == []
    assert tree is not None
    assert plain(tree) == data


def test_every_key_and_value_knows_its_place() -> None:
    tree, _ = compose("# 注释\n茶: {b: 3,   c: [x, 'y']}\nd:\n  e:\n    f: 1\ng:\n".encode(), "f")
    assert tree is not None
    leaf = tree.children["茶"].children["c"].value[1]  # type: ignore[index]
    assert (leaf.place.line, leaf.place.column, leaf.place.where) == (2, 20, "茶.c[1]")
    inner = tree.children["d"].children["e"].children["f"]
    assert (inner.key.line, inner.key.column, inner.key.where) == (5, 5, "d.e.f")
    assert (inner.place.line, inner.place.column) == (5, 8)
    assert (tree.children["g"].place.line, tree.children["g"].place.column) == (6, 1)
    assert (tree.place.line, tree.place.column, tree.place.where) == (1, 1, "")


@pytest.mark.parametrize(
    ("text", "line", "column", "where", "wrong"),
    [
        ("", 1, 1, "", "is empty"),
        ("# only a comment\n", 1, 1, "", "is empty"),
        ("- a\n- b\n", 1, 1, "", "must be a mapping"),
        ("\n  word\n", 2, 3, "", "must be a mapping"),
        ("a: 1\nb: 2\na: 3\n", 3, 1, "a", "twice"),
        ("a: {b: 1, c: {d: 1, d: 2}}\n", 1, 21, "a.c.d", "twice"),
        ("a: &x 1\n", 1, 4, "a", "&x is an anchor"),
        ("a: *x\n", 1, 4, "a", "alias"),
        ("&x a: 1\n", 1, 1, "a", "&x is an anchor"),
        ("a: !!int 3\n", 1, 4, "a", "!!int is a tag"),
        ("a: !!python/object/apply:os.system [ls]\n", 1, 4, "a", "!!python/object/apply:os.system is a tag"),
        ("a: [1, ! x]\n", 1, 8, "a[1]", "! is a tag"),
        ("? [p]\n: 1\n", 1, 3, "", "a key must be a word"),
        ("a: {{b: 1}: 2}\n", 1, 5, "a.", "a key must be a word"),
        ("a:\n\tb: 1\n", 2, 1, "", "a tab"),
        ("a:\n  b: 1\n\tc: 2\n", 3, 1, "", "a tab"),
        ("a: 1\n---\nb: 2\n", 2, 1, "", "second document"),
        ("a: 1\n  b: 2\n", 2, 4, "", "mapping values are not allowed"),
        ("a: [1\nb: 2\n", 2, 2, "", "expected ',' or ']'"),
        ("a: @x\n", 1, 4, "", "cannot start any token"),
        ("a: .inf\n", 1, 4, "a", "not a finite number"),
        ("a: -.INF\n", 1, 4, "a", "not a finite number"),
        ("a: .nan\n", 1, 4, "a", "not a finite number"),
        ("a: 1e999\n", 1, 4, "a", "not a finite number"),
        ("a: " + "9" * 5000 + "\n", 1, 4, "a", "5000 digits"),
        ("a: x\x07y\n", 1, 5, "", "control character"),
        ("a: 1\r\nb: 2\r\nb: 3\r\n", 3, 1, "b", "twice"),
        ("\ufeffa: 1\na: 2\n", 2, 1, "a", "twice"),
        ("\ufeffa: *x\n", 1, 4, "a", "alias"),
    ],
)
def test_faults_stand_at_their_place(text: str, line: int, column: int, where: str, wrong: str) -> None:
    got = only(text)
    assert got[:3] == (line, column, where)
    assert wrong in got[3]


def test_bytes_that_are_not_utf8_are_found_at_their_place() -> None:
    assert only("a: 1\n茶: ".encode() + b"\xff\n")[:2] == (2, 4)
    assert only("a: 1\n".encode("utf-16"))[:2] == (1, 1)


def test_several_faults_are_reported_at_once() -> None:
    tree, faults = compose(b"a: *x\nb: !t 1\nc: {d: .nan, d: 1}\n", "f")
    assert [(fault.line, fault.column) for fault in faults] == [(1, 4), (2, 4), (3, 8), (3, 14)]
    assert tree is not None
    assert plain(tree) == {"a": None, "b": 1, "c": {"d": None}}


def test_a_syntax_fault_comes_with_those_before_it() -> None:
    tree, faults = compose(b"a: 1\na: 2\nb: [\n", "f")
    assert tree is None
    assert [fault.line for fault in faults][:1] == [2]
    assert len(faults) == 2


def test_advice_tells_what_to_write() -> None:
    _, (fault,) = compose(b"a: 1\nb: 2\na: 3\n", "f")
    assert str(fault) == "f:3:1: a: is stated twice; keep one; the first is on line 1"
    _, (fault,) = compose(b"title: price: 3\n", "f")
    assert "quotes" in fault.instead


@pytest.mark.parametrize("brackets", ["[" * 10_000, "{" * 10_000, "- " * 10_000, "a: " + "[" * 60 + "]" * 60])
def test_deep_nesting_is_refused_not_followed(brackets: str) -> None:
    line, _, _, wrong = only(brackets)
    assert line == 1
    assert f"more than {MAX_DEPTH} levels" in wrong


def test_the_deepest_allowed_nesting_is_read() -> None:
    depth = MAX_DEPTH - 1  # the file's own mapping is the first level
    tree, faults = compose(("a: " + "[" * depth + "]" * depth).encode(), "f")
    assert faults == []
    assert tree is not None


def test_large_files_are_refused() -> None:
    assert "larger" in only(b"a: 1\n" + b"#" * MAX_BYTES)[3]


def test_the_longest_whole_number_is_exact() -> None:
    assert value("18446744073709551615") == 2**64 - 1


SOUP = st.lists(
    st.sampled_from(
        [*":-?[]{},&*!|>'\"%@`#~\n \t\r", "a", "b: ", "\n  ", "- ", "---\n", "...", "&x ", "*x", "!t ", "\ufeff"]
    ),
    max_size=40,
).map("".join)  # fmt: skip


@given(SOUP | st.text(max_size=60))
@example('a: "\\ud800"')
@example("%YAML 99999999999999999999.1\n---\na: 1")
@example('a: "\\0"')
def test_no_text_can_do_worse_than_be_refused(text: str) -> None:
    tree, faults = compose(text.encode("utf-8", "surrogatepass"), "f")
    assert tree is not None or faults
    for fault in faults:
        assert fault.line >= 1
        assert fault.column >= 1
        assert fault.wrong
    if tree is not None:
        assert all(math.isfinite(number) for number in numbers(plain(tree)))


@given(st.binary(max_size=60))
def test_no_bytes_can_do_worse_than_be_refused(raw: bytes) -> None:
    tree, faults = compose(raw, "f")
    assert tree is not None or faults


def numbers(data: Any) -> list[float]:
    if isinstance(data, dict):
        return [number for child in data.values() for number in numbers(child)]
    if isinstance(data, list):
        return [number for child in data for number in numbers(child)]
    return [data] if isinstance(data, int | float) else []
