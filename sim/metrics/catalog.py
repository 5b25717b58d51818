"""All metrics by name, and a table of some of them for one ledger.

A metric is found by standing in the `METRICS` of a file of this folder, its theme; there is no list to keep.
"""

import difflib
import pkgutil
from collections.abc import Iterable, Mapping
from importlib import import_module

from sim import metrics
from sim.errors import StudyError
from sim.ledger.reader import Ledger
from sim.metrics.metric import Metric as Metric
from sim.metrics.metric import ask
from sim.words import _

_FIRST = ("money", "customers")  # of the themes, in lists


def themes() -> dict[str, tuple[Metric, ...]]:
    """The metrics of each file of this folder that has some; money and customers first."""
    names = {file.name for file in pkgutil.iter_modules(metrics.__path__)} - {__name__.rpartition(".")[2]}
    files = {name: import_module(f"sim.metrics.{name}") for name in (*_FIRST, *sorted(names - {*_FIRST}))}
    return {name: file.METRICS for name, file in files.items() if hasattr(file, "METRICS")}


METRICS: Mapping[str, Metric] = {metric.name: metric for theme in themes().values() for metric in theme}
STANDARD = ("net_gmv", "margin", "orders", "new_customers", "repeat_share_30d", "annoyance")


def table(ledger: Ledger, names: Iterable[str], merchant: str | None = None) -> dict[str, float]:
    """These metrics of a ledger, in that order, for one merchant by name or (None) for all; NaN: nothing to measure.

    Raises StudyError for a metric that does not exist, LedgerError for a merchant that does not.
    """
    metrics = [_find(name) for name in names]
    found = ask(ledger, metrics, ledger.merchant(merchant) if merchant else None)
    return {metric.name: found[metric.name] for metric in metrics}


def _find(name: str) -> Metric:
    if name not in METRICS:
        close = difflib.get_close_matches(name, METRICS, 1)
        hint = _("did you mean {word!r}?", word=close[0]) if close else _("`wxsim metrics` lists them")
        raise StudyError(_("no metric is called {name!r}; {hint}", name=name, hint=hint))
    return METRICS[name]
