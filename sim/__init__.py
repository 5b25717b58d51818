"""Compare marketing strategies on WeChat in a simulated market.

::

    import sim

    scenario = sim.load("triangle")
    comparison = sim.compare(scenario, replications=16)
    comparison.difference("all three", "net_gmv").verdict

A run turns a scenario into a ledger; everything else reads the ledger. Names are imported when they are first used.
"""

import sys
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim import diffusion as diffusion
    from sim.config.load import load as load
    from sim.config.model import Scenario as Scenario
    from sim.errors import ScenarioError as ScenarioError
    from sim.errors import WxsimError as WxsimError
    from sim.ledger.audit import audit as audit
    from sim.ledger.reader import Ledger as Ledger
    from sim.metrics.catalog import METRICS as METRICS
    from sim.metrics.catalog import Metric as Metric
    from sim.metrics.genealogy import genealogy as genealogy
    from sim.run import run as run
    from sim.study.compare import compare as compare
    from sim.study.comparison import Comparison as Comparison
    from sim.study.results import Results as Results
    from sim.study.results import results as results
    from sim.world.build import build as build_world  # noqa: F401
    from sim.world.graph import SocialGraph as SocialGraph
    from sim.world.world import World as World

    __version__: str

_HOMES = {
    "METRICS": "sim.metrics.catalog",
    "Comparison": "sim.study.comparison",
    "Ledger": "sim.ledger.reader",
    "Metric": "sim.metrics.catalog",
    "Results": "sim.study.results",
    "Scenario": "sim.config.model",
    "ScenarioError": "sim.errors",
    "SocialGraph": "sim.world.graph",
    "World": "sim.world.world",
    "WxsimError": "sim.errors",
    "audit": "sim.ledger.audit",
    "build_world": "sim.world.build:build",
    "compare": "sim.study.compare",
    "genealogy": "sim.metrics.genealogy",
    "load": "sim.config.load",
    "results": "sim.study.results",
    "run": "sim.run",
}
_FOLDERS = ("diffusion",)  # public as a whole
__all__ = [*_HOMES, *_FOLDERS, "__version__"]  # noqa: PLE0604


class _Library(ModuleType):
    """The module `sim`: its names come from their homes on first use.

    Importing the submodule `sim.run` would bind that module here, over the function `run`; it is kept from doing so.
    """

    def __getattr__(self, name: str) -> Any:
        if name == "__version__":
            return _installed_version()
        if name in _FOLDERS:
            return import_module(f"sim.{name}")
        if name not in _HOMES:
            raise AttributeError(f"module 'sim' has no attribute {name!r}")
        home, _, other = _HOMES[name].partition(":")
        value = self.__dict__[name] = getattr(import_module(home), other or name)
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *__all__})


def _installed_version() -> str:
    try:
        return version("wxsim")
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "unknown"


sys.modules[__name__].__class__ = _Library
