"""What all windows of the page show: a setting, what came out of it, and what was predicted before."""

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from sim.config import shipped
from sim.config.load import load
from sim.config.model import Scenario
from sim.errors import ScenarioError, StudyError
from sim.metrics.catalog import STANDARD
from sim.study.comparison import Comparison
from sim.web.levers import Group, Lever, groups
from sim.web.predictions import Prediction
from sim.web.result import Seen
from sim.web.setting import MOST, MOST_FOR_A_CLASS, Setting, begun, made
from sim.web.work import Apart, Running
from sim.words import _


class Lesson:
    """One table for all windows, so that a class sees what the teacher does. Nothing is written outside its folder.

    `versions` goes up, part by part, with everything that changes; a window that has shown another one shows it anew.
    """

    def __init__(self, source: str, *, read_only: bool = False) -> None:
        self.read_only = read_only
        self.most: Mapping[str, int] = MOST_FOR_A_CLASS if read_only else MOST
        self.folder = Path(tempfile.mkdtemp(prefix="wxsim-serve-"))
        self.apart = Apart()
        self.running: Running | None = None
        self.shown: Setting | None = None  # of which the result is
        self.seen: Seen | None = None
        self.predict_first = read_only
        self.revealed = False
        self.predictions: list[Prediction] = []
        self.versions = {"scenario": 0, "setting": 0, "predictions": 0}
        self._runs = 0
        try:
            self.open(source)
        except BaseException:
            self.close()
            raise

    # -------------------------------------------------------------------------------------------------- the setting

    def open(self, source: str) -> None:
        """Take up a scenario. ScenarioError or StudyError if it cannot be."""
        if hasattr(self, "setting"):
            self._unlocked()
        self.setting, self.scenario = begun(source, self.most)
        self.groups: list[Group] = groups(self.scenario, source)
        self.predictions.clear()
        self._discard()
        for part in self.versions:
            self._moved(part)

    def change(self, lever: Lever, value: Any) -> None:
        """Set a lever; None sets it back. StudyError if it may not stand there."""
        self._unlocked()
        value = lever.fitted(value)
        if value is not None and not lever.allowed(value):
            self._moved("setting")  # every window shows again what stands there
            raise StudyError(lever.refused(value))
        self._set(self.setting.changed(lever.key, value))

    def back(self) -> None:
        """Take all changes of levers back."""
        self._unlocked()
        self._set(replace(self.setting, changes={}))

    def size(self, name: str, value: float | None) -> None:
        """How many people, days or seeds, within what may be."""
        if value is not None and name in self.most:
            self._set(self.setting.sized(name, min(max(1, int(value)), self.most[name])))

    def switch(self, strategy: str, on: bool) -> None:
        """Let a strategy run or not."""
        if strategy != self.baseline:
            self._set(self.setting.switched(strategy, on))

    @property
    def baseline(self) -> str:
        """What the others are compared with."""
        return self.scenario.compare.baseline if self.scenario.compare else ""

    @property
    def metric(self) -> str:
        """The first metric, which predictions are about."""
        asked = self.scenario.compare.metrics if self.scenario.compare else ()
        return (*asked, *STANDARD)[0]

    @property
    def others(self) -> list[str]:
        """The strategies that are on, without the baseline."""
        return [name for name in self.scenario.strategies if name not in self.setting.off | {self.baseline}]

    @property
    def stale(self) -> bool:
        """Whether the result is of another setting than that which the levers show."""
        return self.shown is not None and self.shown != self.setting

    def made(self) -> Scenario:
        """The scenario as it is set. StudyError if it cannot stand."""
        return made(self.setting, self.folder)

    # ---------------------------------------------------------------------------------------------------- the result

    def run(self) -> None:
        """Begin to simulate the setting; an earlier result goes. StudyError if the setting cannot stand."""
        if self.busy:
            return
        scenario = self.made()
        self._discard()
        self._runs += 1
        self.shown, self.revealed = self.setting, not self.predict_first
        self.running = Running(scenario, self.setting.seeds, self.folder / f"run-{self._runs}")
        self.seen = Seen(self.running)
        self._moved("predictions")

    @property
    def busy(self) -> bool:
        """Whether something runs."""
        return self.running is not None and self.running.running

    @property
    def found(self) -> Comparison | None:
        """What came out so far, whether or not it is to be seen."""
        return self.running.found if self.running is not None else None

    @property
    def hidden(self) -> bool:
        """Whether the result is kept back until it is revealed."""
        return self.predict_first and not self.revealed

    def version(self) -> tuple[int, ...]:
        """Goes up with the result and with whether it may be seen."""
        return self._runs, self.running.version if self.running else 0, self.hidden

    # ------------------------------------------------------------------------------------------------ predictions

    def predicts_first(self, on: bool) -> None:
        """Whether results are kept back until they are revealed."""
        self.predict_first, self.revealed = on, False
        self._moved("predictions")

    def predict(self, prediction: Prediction) -> None:
        """Take a prediction down; a later one of the same name takes its place."""
        self.predictions = [each for each in self.predictions if each.who != prediction.who] + [prediction]
        self._moved("predictions")

    def forget(self, who: str = "") -> None:
        """Strike out a prediction, or all."""
        self.predictions = [each for each in self.predictions if who and each.who != who]
        self._moved("predictions")

    def reveal(self) -> None:
        """Show what came out."""
        self.revealed = True
        self._moved("predictions")

    # ------------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """End all work and remove everything."""
        self.apart.close()
        self._discard()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _discard(self) -> None:
        if self.running is not None:
            self.running.close()
        self.running = self.shown = self.seen = None

    def _set(self, setting: Setting) -> None:
        if setting != self.setting:
            self.setting = setting
            self._moved("setting")

    def _moved(self, part: str) -> None:
        self.versions[part] += 1

    def _unlocked(self) -> None:
        if self.read_only:
            raise StudyError(_("levers are locked; the teacher chose them"))


@cache
def offered() -> Mapping[str, str]:
    """Titles of the shipped scenarios that compare something, by name."""
    out = {}
    for name in shipped.names():
        try:
            scenario = load(name)
        except ScenarioError:
            continue
        if scenario.compare is not None:
            out[name] = scenario.title
    return out
