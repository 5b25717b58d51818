import re
import sys
from typing import Literal

import pytest

from docs.generate import MODEL, bounds, pages, parameters
from sim import catalog
from sim.contract import Mechanism
from sim.params import Params, param


def test_pages_are_up_to_date() -> None:
    """If this fails: `make docs`."""
    written = {path.relative_to(MODEL).as_posix(): path.read_text("utf-8") for path in MODEL.rglob("*.md")}
    assert sorted(written) == sorted(pages())
    assert written == pages()


def test_every_mechanism_is_in_the_index() -> None:
    index = pages()["index.md"]
    assert all(f"({key.replace('.', '/')}.md)" in index for key in catalog.mechanisms())


def test_parameter_is_told_with_unit_range_default_and_source() -> None:
    class Demo(Params):
        rate: float = param(0.25, "how often", unit="per day", source="facts: x.y", gt=0, le=1)
        names: dict[str, int] = param(lambda: {"a": 1_000}, "some | names", unit="fen")

    assert list(parameters(Demo)) == [
        ["`rate`", "how often", "per day", "> 0, ≤ 1", "0.25", "facts: x.y"],
        ["`names`", "some | names", "fen", "", "a: 1,000", "assumed"],
    ]
    assert bounds(Demo.model_fields["names"]) == ""


def test_choices_and_what_lies_inside_are_told() -> None:
    class Inner(Params):
        above: float = param(1, "from where", unit="yuan")

    class Demo(Params):
        when: Literal["always", "dates"] | None = param(None, "when", unit="name")
        steps: tuple[Inner, ...] = param((), "steps", unit="steps")
        one: Inner = param(Inner, "one", unit="")

    assert [(row[0], row[3]) for row in parameters(Demo)] == [
        ("`when`", "always / dates"),
        ("`steps`", ""),
        ("`steps[].above`", ""),
        ("`one`", ""),
        ("`one.above`", ""),
    ]


@pytest.mark.parametrize("cls", catalog.mechanisms().values(), ids=catalog.mechanisms().keys())
def test_a_page_says_what_the_mechanism_cannot_do(cls: type[Mechanism]) -> None:
    said = " ".join((sys.modules[cls.__module__].__doc__ or "").split())
    assert re.search(r"[Cc]annot|not modell?ed|does not", said)
