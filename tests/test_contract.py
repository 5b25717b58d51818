"""What every mechanism promises, checked for each one from the day its file is there."""

import inspect
import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from sim import catalog
from sim.config.load import load
from sim.config.model import Scenario
from sim.config.sections import ALWAYS
from sim.contract import HOOKS, PER_MERCHANT, PHASES, STAGES, Effects, Mechanism, View
from sim.draws import child
from sim.ledger.audit import audit
from sim.ledger.reader import Ledger
from sim.ledger.schema import Records
from sim.params import Params
from sim.run import run
from sim.world.build import build
from sim.world.calendar import Calendar
from sim.world.relations import Relations
from sim.world.state import CORE, FOLLOWS, SLOTS
from tests.views import make_view, mechanism, seat, show, slots_of

KNOWN = catalog.mechanisms()
ACTING = tuple(phase for phase in PHASES if phase not in ("settle", "close"))  # hooks that move sessions
TABLES = {"user", "slot", "merchant", "product", "variant"}
NEEDED = {*ALWAYS, "platform.rules", "people.browse", "people.buy"}  # else nothing happens, or what began has no end

every_mechanism = pytest.mark.parametrize("cls", KNOWN.values(), ids=KNOWN.keys())


def test_the_catalogue_is_not_empty() -> None:
    assert {"people.browse", "people.buy", "channels.store", "platform.rules"} <= set(KNOWN)


# ------------------------------------------------------------------------------------------------- declarations


def fields(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every field of a model and of the models inside it."""
    for name, field in model.model_fields.items():
        yield prefix + name, field
        for inner in inner_models(field.annotation):
            yield from fields(inner, f"{prefix}{name}.")


def inner_models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The parameter models that an annotation names."""
    if inspect.isclass(annotation) and issubclass(annotation, Params):
        yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from inner_models(argument)


def is_number(field: FieldInfo) -> bool:
    """Whether a field takes a number (or a number or nothing)."""
    kinds = {field.annotation, *getattr(field.annotation, "__args__", ())}
    return bool(kinds & {int, float}) and not hasattr(field.annotation, "__origin__")


@every_mechanism
def test_parameters_are_frozen_and_closed(cls: type[Mechanism]) -> None:
    params = cls.Params()  # `key: {}` in a scenario: every default must be there
    assert isinstance(params, Params)
    with pytest.raises(ValidationError):
        cls.Params(no_such_parameter=1)
    for name in cls.Params.model_fields:
        with pytest.raises(ValidationError):
            setattr(params, name, getattr(params, name))


@every_mechanism
def test_defaults_are_within_their_own_bounds(cls: type[Mechanism]) -> None:
    assert cls.Params.model_validate(cls.Params().model_dump()) == cls.Params()


@every_mechanism
def test_every_parameter_says_what_it_is_in_which_unit_and_whence(cls: type[Mechanism]) -> None:
    for name, field in fields(cls.Params):
        extra = field.json_schema_extra
        assert isinstance(extra, dict), name
        assert field.description, name
        assert extra["unit"], name
        assert re.fullmatch(r"assumed|facts: \w+\.\w+(, \w+\.\w+)*|(?!facts).{8,}", str(extra["source"])), name


@every_mechanism
def test_every_number_is_bounded_on_both_sides(cls: type[Mechanism]) -> None:
    for name, field in fields(cls.Params):
        if is_number(field):
            assert any(hasattr(rule, "ge") or hasattr(rule, "gt") for rule in field.metadata), name
            assert any(hasattr(rule, "le") or hasattr(rule, "lt") for rule in field.metadata), name


@every_mechanism
def test_what_it_needs_and_what_makes_it_lively_exists(cls: type[Mechanism]) -> None:
    params = cls.Params
    own = {f"{cls.folder}.{cls.name}", *params.model_fields}
    needed = [*params.needs, *params.wants, *params.moot.values()]
    keys = {key for need in needed for key in need.split(" | ") if "." in key}
    assert keys <= set(KNOWN) - own
    assert {other for other in params.moot.values() if "." not in other} <= set(params.model_fields)
    assert {*params.moot, *params.lively} <= set(params.model_fields)
    for name, values in params.lively.items():
        for value in values:
            assert params.model_validate_json(json.dumps({name: value}), strict=True), name


@every_mechanism
def test_what_it_declares_is_well_formed(cls: type[Mechanism]) -> None:
    assert inspect.getmodule(cls).__doc__ and cls.__doc__
    for kind in cls.kinds.values():
        assert kind.doc
        assert kind.stage in {*STAGES, "plain", ""}
    for column in cls.columns:
        assert column.doc
        assert column.table in TABLES
        np.full(1, column.default, column.dtype)
    assert set(cls.settles) <= set(catalog.kinds())


@every_mechanism
def test_it_takes_part(cls: type[Mechanism]) -> None:
    """It has a hook; `effective` is how the engine asks for the rules of a day."""
    assert (HOOKS | {"effective"}) & set(vars(cls))


# --------------------------------------------------------------------------------------------------- behaviour


def crowd(cls: type[Mechanism], on: bool = True) -> tuple[View, Mechanism]:
    """A view in which all users know all merchants and look at a few products; nothing in it can be written."""
    columns = [column for other in KNOWN.values() for column in other.columns]
    view = make_view(60, 2, columns=columns, orders=1, loyalty=0.9, flags=31)
    view.channels = {name: code for code, name in enumerate(catalog.channels())}
    view.rules = mechanism(KNOWN["platform.rules"], view).effective(date(2025, 2, 10))
    made = mechanism(cls, view, on=on)
    looked_at = view.world.product["price"].size
    sessions = np.repeat(np.arange(len(view.sessions)), 2)
    show(view, sessions, (sessions * 3 + np.arange(sessions.size)) % looked_at)
    lock(view)
    return view, made


def nobody(cls: type[Mechanism]) -> tuple[View, Mechanism]:
    """The same with no session at all."""
    view, made = crowd(cls)
    seat(view, user=np.zeros(0, np.int64))
    show(view, np.zeros(0, np.int64), np.zeros(0, np.int32))
    return view, made


def lock(view: View) -> None:
    """Make every array of state and world read-only, as the engine does."""
    world, kept = view.world, view._kept.columns
    for columns in [*view.state.values(), kept, world.people, world.product, world.merchant]:
        for array in columns.values():
            array.flags.writeable = False


def flat(value: Any) -> list[Any]:
    """Effects as nested lists, so that two can be compared and sizes counted."""
    if isinstance(value, Effects):
        return flat(vars(value))
    if isinstance(value, list | tuple):
        return [flat(part) for part in value]
    if isinstance(value, dict):
        return [[key, flat(part)] for key, part in value.items()]
    if hasattr(value, "columns"):
        return [[name, column.tolist()] for name, column in value.columns().items()]
    return [value.tolist() if isinstance(value, np.ndarray) else value]


def arrays(value: Any) -> Iterator[np.ndarray]:
    """Every array of per-row values in effects."""
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, Effects):
        yield from arrays(vars(value))
    elif isinstance(value, list | tuple):
        for part in value:
            yield from arrays(part)
    elif isinstance(value, dict):
        for part in value.values():
            yield from arrays(part)
    elif hasattr(value, "columns"):
        yield from value.columns().values()


def act(made: Mechanism, view: View, names: tuple[str, ...] = ACTING) -> Iterator[tuple[str, Effects]]:
    """What the mechanism's own methods of these names return, in order; its notes reach its later phases."""
    for name in names:
        if name in vars(type(made)):
            effects = getattr(made, name)(view)
            yield name, effects
            view.scratch.update(effects.scratch)


def sizes(effects: Effects) -> list[np.ndarray]:
    """The arrays in effects that are not empty."""
    return [array for array in arrays(effects) if array.size]


@every_mechanism
def test_without_sessions_nothing_happens(cls: type[Mechanism]) -> None:
    view, made = nobody(cls)
    for name, effects in act(made, view):
        assert sizes(effects) == [], name


@every_mechanism
def test_without_requests_nothing_is_settled(cls: type[Mechanism]) -> None:
    view, made = nobody(cls)
    for kind in cls.settles:
        assert sizes(made.settle(view, kind, Records(0), np.zeros(0, np.bool_))) == [], kind


@every_mechanism
def test_the_same_view_gives_the_same_effects_and_is_left_as_it_was(cls: type[Mechanism]) -> None:
    view, made = crowd(cls)
    before = flat([view.state, slots_of(view)])
    for name, effects in act(made, view, (*ACTING, "close")):
        assert flat(effects) == flat(getattr(made, name)(view)), name
    assert flat([view.state, slots_of(view)]) == before


@pytest.mark.parametrize("cls", [cls for cls in KNOWN.values() if cls.folder in PER_MERCHANT], ids=lambda cls: cls.name)
def test_switched_on_nowhere_it_does_nothing(cls: type[Mechanism]) -> None:
    view, made = crowd(cls, on=False)
    for name, effects in act(made, view):
        asked = {what: value for what, value in vars(effects).items() if what != "scratch"}  # a note is no effect
        assert [array for array in arrays([asked]) if np.any(array != 0)] == [], name


# ------------------------------------------------------------------------------------------------------ the view


def test_relations_are_those_of_the_acting_users_session_by_session() -> None:
    view = make_view(5, 3, known=2, points=np.arange(5 * SLOTS).reshape(5, SLOTS))
    slots_of(view)["merchant"][3] = [-1, 2, -1, 0, -1, -1]
    slots_of(view)["flags"][3, [1, 3]] = FOLLOWS
    seat(view, user=np.array([1, 3]))
    assert view.related.tolist() == [0, 0, 1, 1]
    assert view.relations("merchant").tolist() == [0, 1, 2, 0]
    assert view.relations("points").tolist() == [6, 7, 19, 0]
    session, merchant = np.repeat([0, 1], 3), np.tile([0, 1, 2], 2)
    assert view.relation("points", session, merchant, -1).tolist() == [6, 7, -1, 0, -1, 19]
    assert [x.tolist() for x in view.followed(FOLLOWS)] == [[1, 1], [0, 2]]
    assert set(view.relation_columns) == {column.name for column in CORE if column.table == "slot"}


def test_what_a_view_gives_of_relations_can_be_changed_without_harm() -> None:
    view = make_view(3, 2, points=7)
    view.relations("points")[:] = 0
    view.relation("points", np.array([0]), np.array([1]))[:] = 0
    assert (seat(view).relations("points") == 7).all()


# --------------------------------------------------------------------------------------------------- whole runs

DAYS, SEED = 4, 11


def scenario_text(without: str = "", backwards: bool = False) -> str:
    """Two small shops with every mechanism on, but one."""

    def section(folder: str) -> str:
        names = [cls.name for key, cls in KNOWN.items() if cls.folder == folder and key != without]
        off = [f"{without.split('.')[1]}: false"] if without.startswith(folder + ".") else []
        entries = [f"{name}: {{}}" for name in names] + off
        return f"{folder}: {{{', '.join(reversed(entries) if backwards else entries)}}}"

    shop = f"{section('channels')}, {section('offers')}, {section('operations')}"
    return "\n".join(
        [
            "title: every mechanism",
            f"horizon: {{start: 2025-02-10, days: {DAYS}, tick: 6h}}",
            "record: all",
            "world: {people: {count: 150}}",
            section("platform"),
            section("people"),
            "merchants:",
            f"  tea: {{products: {{cake: {{category: tea, price: 90, cost: 30}}}}, {shop}}}",
            f"  fruit: {{products: {{box: {{category: fruit, price: 60, cost: 35}}}}, {shop}}}",
        ]
    )


@pytest.fixture(scope="module")
def complete(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    return play(tmp_path_factory.mktemp("complete"), scenario_text())


def play(folder: Path, text: str) -> Ledger:
    (folder / "scenario.yaml").write_text(text, "utf-8")
    return run(load(folder / "scenario.yaml"), (SEED,), (folder / "run",))[0]


def visits(ledger: Ledger) -> set[int]:
    """Ids of all sessions."""
    return set(ledger.query("SELECT event FROM events WHERE kind = 'visit'").column("event").to_pylist())


def planned(scenario: Scenario) -> set[int]:
    """Ids of the sessions that people plan of themselves: they descend from user, day and tick alone."""
    world = build(scenario.world, scenario.merchants, (SEED,))
    view = View(world, Calendar(scenario.horizon.start, DAYS), {}, Relations(0, CORE), {})
    browse: Any = KNOWN["people.browse"](scenario.people["browse"], np.ones(world.m, np.bool_), world)
    plans = [browse.plan(view, day) for day in range(DAYS)]
    ids = [child(world.user_key[rows.user], "visit", rows.time // scenario.horizon.tick) for rows in plans]
    return set(np.concatenate(ids).tolist())


@pytest.mark.slow
def test_rows_are_for_those_who_have_relations_and_the_fresh_one_is_left_alone(
    complete: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[Relations] = []

    class Watched(Relations):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            kept.append(self)

    monkeypatch.setattr("sim.engine.engine.Relations", Watched)
    assert play(tmp_path, scenario_text()).manifest["digest"] == complete.manifest["digest"]
    (relations,) = kept
    with_row = relations.row.nonzero()[0]
    fresh = Relations(0, [*CORE, *(column for cls in KNOWN.values() for column in cls.columns)])
    assert with_row.size > 0
    assert sorted(relations.row[with_row].tolist()) == list(range(1, with_row.size + 1))
    at, _ = relations.of(with_row)
    assert set(at.tolist()) == set(range(with_row.size))
    for name, column in relations.columns.items():
        assert (column[0] == fresh.columns[name][0]).all(), name
        assert not column[1 + with_row.size :].any(), name


@pytest.mark.slow
def test_order_in_the_file_does_not_matter(complete: Ledger, tmp_path: Path) -> None:
    again = play(tmp_path, scenario_text(backwards=True))
    assert again.manifest["digest"] == complete.manifest["digest"]


@pytest.mark.slow
@pytest.mark.parametrize("key", [key for key in KNOWN if key not in NEEDED])
def test_switched_off_it_leaves_other_luck_alone_and_the_books_in_balance(key: str, tmp_path: Path) -> None:
    without = play(tmp_path, scenario_text(without=key))
    assert audit(without).breaks == ()
    expected = planned(load(tmp_path / "scenario.yaml"))
    assert len(expected) > 100
    assert expected <= visits(without)


@pytest.mark.slow
def test_the_books_balance_with_everything_on(complete: Ledger) -> None:
    assert audit(complete).breaks == ()
    assert complete.manifest["counts"]["postings"] > 0
