"""What can be changed: which strategies run, and levers, those that strategies touch first."""

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from nicegui import ui

from sim import catalog
from sim.config.parameters import ASSUMED, Parameter, parameters
from sim.study.table import number
from sim.web.levers import EVERYONE, Group, Lever, at, lever, same, search, usable
from sim.web.window import Window, button, named, say
from sim.words import _, marked, several, told

FOLD = "dense switch-toggle-side header-class=fold"
WORLD = {  # parts of the world that have levers
    "world.people": marked("People and their tastes"),
    "world.graph": marked("Who knows whom"),
    "world.groups": marked("Chat groups"),
}
_BEGINS = re.compile(r"[^:：(（]+")
UNSAID = ("", "name", "names", "yes or no", "tools", "rule")  # units that say nothing beside a lever


class Changing:
    """The panel of strategies and levers."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self._rows: list[Row] = []
        self._shown = -1
        self._known = {EVERYONE: usable(parameters(window.lesson.scenario))}
        self._known |= {name: usable(parameters(each)) for name, each in window.lesson.scenario.strategies.items()}
        self._switches: dict[str, ui.switch] = {}
        with ui.element("section").classes("panel change").props('aria-labelledby="wx-change"'):
            say("h2", _("What is compared")).props('id="wx-change"')
            self._strategies()
            if window.lesson.read_only:
                self._stated()
            else:
                self._levers()

    async def follow(self) -> None:
        """Show the setting as it is now, whoever changed it."""
        version = self._window.lesson.versions["setting"]
        if version == self._shown:
            return
        self._shown = version
        setting = self._window.lesson.setting
        for name, switch in self._switches.items():
            switch.value = name not in setting.off
        for row in self._rows:
            row.show()
        if not self._window.lesson.read_only:
            changed = len(setting.changes)
            self._count.text = several("{count} value changed", "{count} values changed", changed) if changed else ""
            self._back.set_enabled(bool(changed))

    def known(self, strategy: str, path: str) -> Parameter | None:
        """A parameter of the market, or as it is under a strategy."""
        return self._known[strategy].get(path)

    def holders(self, path: str) -> Iterator[str]:
        """Who can have a lever at a path: everyone, and strategies."""
        yield from (name for name, known in self._known.items() if path in known)

    def _strategies(self) -> None:
        lesson = self._window.lesson
        with ui.element("ul").classes("strategies"):
            for at_, name in enumerate(lesson.scenario.strategies):
                with ui.element("li"):
                    ui.element("span").classes(f"dot k{at_ % 8}").props('aria-hidden="true"')
                    if name == lesson.baseline:
                        say("span", name)
                        say("span", _("baseline"), "soft")
                        continue
                    switch = ui.switch(name, value=True).props("dense keep-color")
                    switch.on_value_change(self._window.hears(partial(self._switch, name)))
                    self._switches[name] = switch

    def _switch(self, strategy: str, event: Any) -> None:
        self._window.lesson.switch(strategy, bool(event.value))

    def _stated(self) -> None:
        """What strategies change, where nothing can be moved."""
        for group in (group for group in self._window.lesson.groups if group.first and not group.merchant):
            with ui.element("div").classes("group"):
                say("h3", _("“{strategy}” changes", strategy=group.name))
                for each in group.levers:
                    value = each.parameter.value
                    shown = number(value) if each.parameter.number else _(str(value).replace("_", " "))
                    unit = told(each.parameter.unit) if each.parameter.unit not in UNSAID else ""
                    say("p", f"{label(each.parameter)}: {shown} {unit}".strip())

    def _levers(self) -> None:
        window, lesson = self._window, self._window.lesson
        with ui.element("details").props('open id="wx-levers"').classes("levers"):
            with ui.element("summary"):
                say("h2", _("Levers"))
            with ui.element("div").classes("row between"):
                self._count = say("span", "", "soft").props('role="status"')
                self._back = button(_("Reset all"), window.does(lesson.back), "quiet small")
            first = [group for group in lesson.groups if group.first and group.levers]
            for group in first:
                self._group(group)
            with ui.expansion(_("All levers, by mechanism")).classes("group inner").props(FOLD):
                for group in lesson.groups:
                    if group not in first:
                        self._folded(group)
            self._search()

    def _group(self, group: Group) -> None:
        title = heading(group) if group.merchant else _("“{strategy}” changes", strategy=group.name)
        with named(ui.element("div").classes("group").props("role=group"), title):
            say("h3", title)
            for each in group.levers:
                self._rows.append(Row(self, self._window, each))

    def _folded(self, group: Group) -> None:
        """The levers of a mechanism, made when they are asked for."""
        opened = ui.expansion(heading(group)).classes("group").props(FOLD)

        def fill(event: Any) -> None:
            if event.value and not opened.default_slot.children:
                with opened:
                    for each in group.levers:
                        self._rows.append(Row(self, self._window, each))
                        self._rows[-1].show()

        opened.on_value_change(self._window.hears(fill))

    def _search(self) -> None:
        with ui.element("div").classes("group").props('role="search"'):
            say("h3", _("Any other parameter"))
            words = ui.input(_("Search, such as price or share")).props("outlined dense clearable debounce=300")
            found, added = ui.element("ul").classes("found"), ui.element("div")
        there: set[str] = set()

        def add(path: str, strategy: str) -> None:
            parameter = self.known(strategy, path)
            if parameter is not None and path not in there:
                there.add(path)
                with added:
                    self._rows.append(Row(self, self._window, lever(parameter, strategy)))
                    self._rows[-1].show()
            words.value = ""

        def look(event: Any) -> None:
            every = {path: each for known in reversed(self._known.values()) for path, each in known.items()}
            said = {path: told(each.doc) for path, each in every.items()}
            found.clear()
            with found:
                for each in search(every.values(), event.value or "", said):
                    holder = next(self.holders(each.path))
                    with ui.element("li"):
                        act = self._window.does(add, each.path, holder)
                        button(f"{label(each)} · {where(each.path)}", act, "quiet pick")

        words.on_value_change(self._window.hears(look))


class Row:
    """A lever: a slider that is a number field too, a switch or a choice; whose it is, its source, and back."""

    def __init__(self, panel: Changing, window: Window, first: Lever) -> None:
        self._panel, self._window = panel, window
        self._lever, self._first = first, first
        name = label(first.parameter)
        self._slider: ui.slider | None = None
        self._value: Any = None
        with named(ui.element("div").classes("lever").props("role=group"), name):
            with ui.element("div").classes("row between"):
                say("span", name, "name")
                self._input(name)
            if first.kind == "slider":
                made = ui.slider(min=first.low or 0.0, max=first.high or 0.0, step=first.step or 1.0, value=first.low)
                self._slider = named(made.props("color=accent"), name)
                made.on_value_change(window.hears(self._set))
            with ui.element("div").classes("row foot"):
                self._whose()
                with ui.element("details").classes("source"):
                    say("summary", _("source"))
                    say("p", source(first.parameter), "soft")
                self._reset = button(_("Reset"), window.does(self._back), "quiet small")
                named(self._reset, _("Reset: {name}", name=name))

    def show(self) -> None:
        """Stand where the setting says."""
        setting = self._window.lesson.setting
        value = setting.changes.get(self._lever.key, self._usual)
        fitting = at(self._lever, value)
        if self._slider is not None:
            self._slider.props["min"], self._slider.props["max"] = fitting.low, fitting.high
            self._slider.value = value
            self._slider.update()
        self._value.value = value
        self._reset.set_visibility(self._lever.key in setting.changes)

    @property
    def _usual(self) -> Any:
        """What stands there without a change of this lever: what is changed for everyone, unless she states her own."""
        strategy, path = self._lever.key
        market = self._panel.known(EVERYONE, path)
        own = self._lever.parameter.value
        for_all = self._window.lesson.setting.changes.get((EVERYONE, path))
        if strategy != EVERYONE and for_all is not None and market is not None and same(own, market.value):
            return for_all
        return own

    def _input(self, name: str) -> None:
        parameter, kind = self._first.parameter, self._first.kind
        unit = told(parameter.unit) if parameter.unit not in UNSAID else ""
        if kind == "switch":
            self._value = ui.switch(value=bool(parameter.value)).props("dense")
        elif kind == "choice":
            words = {word: told(word.replace("_", " ")) for word in parameter.choices}
            self._value = ui.select(words, value=parameter.value).props("outlined dense options-dense")
        else:
            self._value = ui.number(value=parameter.value, step=self._first.step, suffix=unit)
            self._value.props("outlined dense debounce=400 inputmode=decimal")
        named(self._value, f"{name}, {unit}" if unit else name).classes(f"value {kind}")
        self._value.on_value_change(self._window.hears(self._set))

    def _whose(self) -> None:
        names = {name: name or _("all strategies") for name in self._panel.holders(self._first.path)}
        if len(names) == 1 and self._first.strategy == EVERYONE:
            return
        chosen = ui.select(names, value=self._first.strategy, on_change=self._window.hears(self._take))
        named(chosen.props("dense borderless options-dense").classes("whose"), _("For which strategy"))

    def _take(self, event: Any) -> None:
        parameter = self._panel.known(event.value, self._first.path)
        if parameter is not None:
            self._lever = lever(parameter, event.value)
            self.show()

    def _set(self, event: Any) -> None:
        if event.value is None:
            return
        value = self._lever.fitted(event.value)
        current = self._window.lesson.setting.changes.get(self._lever.key, self._usual)
        if not same(value, current):
            self._window.lesson.change(self._lever, None if same(value, self._usual) else value)

    def _back(self) -> None:
        self._window.lesson.change(self._lever, None)


def heading(group: Group) -> str:
    """What a group of levers is called."""
    name = _("Prices") if group.name == "price" else title(group.name)
    return f"{name} · {group.merchant}".replace("_", " ") if group.merchant else name


def title(key: str) -> str:
    """A mechanism, or a part of the world, as people call it: what its first sentence begins with."""
    known = catalog.mechanisms().get(key)
    if known is None:
        return _(WORLD.get(key, key.replace("_", " ")))
    name = _BEGINS.match(told(catalog.summary(known)))
    return name[0].strip() if name else key


def label(parameter: Parameter) -> str:
    """A parameter in words: what it is; of goods, whose."""
    steps = parameter.path.split(".")
    doc = told(parameter.doc).partition(";")[0].partition("；")[0]
    return f"{steps[3]}: {doc}".replace("_", " ") if steps[0] == "merchants" and steps[2] == "products" else doc


def where(path: str) -> str:
    """Where a parameter belongs, as people say it."""
    steps = path.split(".")
    if steps[0] != "merchants":
        return title(".".join(steps[:2]))
    return f"{steps[1]} · {title('.'.join(steps[2:4]))}".replace("_", " ") if len(steps) > 4 else steps[1]


def source(parameter: Parameter) -> str:
    """What is known of a parameter: what it does, its unit and bounds, and where its value is from."""
    said = [told(parameter.doc), parameter.path]
    if parameter.unit not in UNSAID:
        said.append(_("unit: {unit}", unit=told(parameter.unit)))
    if parameter.low is not None or parameter.high is not None:
        ends = (number(end) if end is not None else "–" for end in (parameter.low, parameter.high))
        said.append(_("allowed: {ends}", ends=" .. ".join(ends)))
    assumed = parameter.source == ASSUMED
    said.append(_("assumed: nobody knows it well") if assumed else _("source: {name}", name=parameter.source))
    return " · ".join(said)
