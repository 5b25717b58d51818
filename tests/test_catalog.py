import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sim import catalog
from sim.contract import Kind, Mechanism
from sim.errors import ContractError
from sim.params import Params
from sim.world.state import CORE, Column

ONE = "from sim.contract import Kind, Mechanism\nclass {name}(Mechanism):\n    {body}\n"
Package = Callable[..., str]


def source(name: str, body: str = "pass") -> str:
    return ONE.format(name=name, body=body)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Package]:
    """Make a package with the five folders and the given files; optionally zipped, as a wheel may be."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def make(files: dict[str, str], *, zipped: bool = False) -> str:
        files = {**{f"{folder}/__init__.py": "" for folder in catalog.FOLDERS}, "__init__.py": "", **files}
        if zipped:
            with zipfile.ZipFile(tmp_path / "made.zip", "w") as archive:
                for path, text in files.items():
                    archive.writestr(f"made_market/{path}", text)
            monkeypatch.syspath_prepend(str(tmp_path / "made.zip"))
            return "made_market"
        for path, text in files.items():
            (tmp_path / "made_market" / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "made_market" / path).write_text(text)
        return "made_market"

    yield make
    for name in [name for name in sys.modules if name.split(".")[0] == "made_market"]:
        del sys.modules[name]


@pytest.mark.parametrize("zipped", [False, True])
def test_a_file_is_a_mechanism(package: Package, zipped: bool) -> None:
    files = {"people/gift.py": source("Anything"), "channels/store.py": source("B"), "people/buy.py": source("C")}
    found = catalog.scan(package(files, zipped=zipped))
    assert list(found) == ["channels.store", "people.buy", "people.gift"]
    assert (found["people.gift"].folder, found["people.gift"].name) == ("people", "gift")
    assert found["people.gift"].__name__ == "Anything"


def test_imported_and_renamed_classes_are_not_counted(package: Package) -> None:
    text = source("Gift") + "from sim.contract import Mechanism as Other\nSame = Gift\nclass Note: pass\n"
    assert list(catalog.scan(package({"people/gift.py": text}))) == ["people.gift"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "found none"),
        ("from sim.contract import Mechanism\n", "found none"),
        (source("A") + source("B"), "found A, B"),
    ],
)
def test_a_file_with_none_or_two_breaks_the_contract(package: Package, text: str, found: str) -> None:
    with pytest.raises(ContractError, match=rf"made_market\.people\.gift must define exactly one Mechanism; {found}"):
        catalog.scan(package({"people/gift.py": text}))


def mechanism(folder: str, name: str, kinds: tuple[str, ...] = (), channels: tuple[str, ...] = ()) -> type[Mechanism]:
    declared = {kind: Kind("") for kind in kinds}
    return type(
        name, (Mechanism,), {"folder": folder, "name": name, "kinds": declared, "clicks": dict.fromkeys(channels, 0.5)}
    )


def market(*classes: type[Mechanism]) -> dict[str, type[Mechanism]]:
    return {f"{cls.folder}.{cls.name}": cls for cls in classes}


def test_channels_are_the_files_of_channels_and_what_others_name() -> None:
    known = market(
        mechanism("channels", "store"), mechanism("people", "share", channels=("share",)),
        mechanism("channels", "live", channels=("live_room", "share")), mechanism("offers", "coupon"),
    )  # fmt: skip
    assert catalog.channel_names(known) == ("live", "live_room", "share", "store")


def test_kinds_are_those_of_all_mechanisms_and_the_engine() -> None:
    known = market(mechanism("people", "buy", ("order", "cart")), mechanism("people", "like", ("a_like",)))
    assert list(catalog.declared_kinds(known)) == ["a_like", "cart", "message_dropped", "order", "visit"]


@pytest.mark.parametrize(
    ("kind", "owners"), [("order", "people.a and people.b"), ("visit", "the engine and people.a and people.b")]
)
def test_a_kind_has_one_owner(kind: str, owners: str) -> None:
    known = market(mechanism("people", "a", (kind,)), mechanism("people", "b", (kind,)))
    with pytest.raises(ContractError, match=f"kind '{kind}' is declared by {owners}; a kind has one owner"):
        catalog.declared_kinds(known)


def test_a_column_has_one_owner() -> None:
    core = CORE[0]
    lists = (Column("slot", "mine", int, 0, ""), Column("user", "mine", int, 0, ""), core)
    one, other, greedy = (mechanism("people", name) for name in ("a", "b", "c"))
    one.columns, other.columns, greedy.columns = lists[:1], lists[:1], lists[2:]
    with pytest.raises(ContractError, match="column slot.mine is declared by people.a and people.b; a column has one"):
        catalog.check_columns(market(one, other))
    with pytest.raises(ContractError, match=f"column {core.table}.{core.name} is declared by the core and people.c"):
        catalog.check_columns(market(one, greedy))
    other.columns = lists[1:2]  # the same name in another table is another column
    catalog.check_columns(market(one, other))


# ------------------------------------------------------------------------------------------- the real one


def test_the_catalogue_is_the_files_in_order() -> None:
    folder = Path(catalog.__file__).parent
    files = [f"{name}.{path.stem}" for name in catalog.FOLDERS for path in (folder / name).glob("*.py")]
    assert list(catalog.mechanisms()) == sorted(key for key in files if not key.endswith("__init__"))


def test_each_mechanism_knows_where_it_stands() -> None:
    for key, cls in catalog.mechanisms().items():
        assert f"{cls.folder}.{cls.name}" == key
        assert cls.__module__ == f"sim.{key}"
        assert issubclass(cls.Params, Params)


def test_names_are_sorted_and_distinct() -> None:
    for names in (catalog.channels(), tuple(catalog.kinds())):
        assert list(names) == sorted(set(names))
    assert set(catalog.ENGINE_KINDS) <= set(catalog.kinds())
    assert {cls.name for cls in catalog.mechanisms().values() if cls.folder == "channels"} <= set(catalog.channels())


def test_what_is_settled_is_declared_by_somebody() -> None:
    for key, cls in catalog.mechanisms().items():
        assert set(cls.settles) <= set(catalog.kinds()), key


def test_the_catalogue_is_read_only_and_read_once() -> None:
    assert catalog.mechanisms() is catalog.mechanisms()
    with pytest.raises(TypeError):
        catalog.mechanisms()["people.nobody"] = Mechanism  # type: ignore[index]
