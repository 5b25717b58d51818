from docs.generate import MODEL, bounds, pages, parameters
from sim import catalog
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
