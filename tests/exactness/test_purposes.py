"""A random number serves one thing: a purpose is named for the file that draws it, and drawn in one place of it.

Neither a second engine nor an audit would see it: both would be equally lucky twice. So it is read off the source.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

SIM = Path(__file__).parents[2] / "sim"
FOLDERS = ("people", "channels", "offers", "operations", "platform")
NAMERS = {
    "draws.child",
    "draws.keys",
    "draws.purpose",
}  # functions of `sim.draws` whose name is that of an event or a key

Use = tuple[str, str]  # purpose (of an f-string its beginning), place


def uses(place: str, source: str) -> Iterator[Use]:
    """The purposes for which a file draws; one for each place in it."""
    for node in ast.walk(ast.parse(source)):
        called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
        if isinstance(node, ast.Call) and re.fullmatch(r"draws\.\w+", called) and called not in NAMERS:
            first = next((arg for arg in node.args if isinstance(arg, ast.Constant | ast.JoinedStr)), None)
            value = first.values[0] if isinstance(first, ast.JoinedStr) else first
            purpose = value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else ""
            yield purpose, f"{place}:{node.lineno}"


def faults(found: Iterable[Use]) -> Iterator[str]:
    """What is wrong with the purposes of all files."""
    first: dict[str, str] = {}
    for purpose, place in found:
        own = place.split(":")[0] + "/"
        if not purpose.startswith(own):
            yield f"{place}: the purpose {purpose!r} is not one of {own}"
        if purpose in first:
            yield f"{place}: {purpose!r} is drawn at {first[purpose]} too"
        first.setdefault(purpose, place)


def test_every_purpose_is_drawn_in_one_place() -> None:
    found = [
        use
        for folder in FOLDERS
        for path in sorted((SIM / folder).glob("*.py"))
        for use in uses(f"{folder}.{path.stem}", path.read_text("utf-8"))
    ]
    assert len(found) > 40
    assert list(faults(found)) == []


@pytest.mark.parametrize(
    ("source", "wrong"),
    [
        (
            "draws.chance('people.buy/click', e, p); draws.uniform('people.buy/click', e)",
            "is drawn at people.buy:1 too",
        ),
        ("draws.uniform('people.gift/wish', e)", "is not one of people.buy/"),
        ("draws.quantile(table, 'rate', e)", "is not one of people.buy/"),
        ("draws.uniform(name, e)", "is not one of people.buy/"),
    ],
)
def test_a_number_used_twice_is_caught(source: str, wrong: str) -> None:
    (fault,) = faults(uses("people.buy", source))
    assert wrong in fault
