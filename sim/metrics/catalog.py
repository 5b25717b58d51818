"""All metrics by name, and a table of some of them for one ledger."""

import difflib
from collections.abc import Iterable, Mapping

from sim.errors import StudyError
from sim.ledger.reader import Ledger
from sim.metrics import annoyance, customers, funnel, gifts, money, promoters, service, sharing
from sim.metrics.metric import Metric as Metric
from sim.metrics.metric import ask

METRICS: Mapping[str, Metric] = {
    metric.name: metric
    for theme in (money, customers, gifts, sharing, promoters, funnel, service, annoyance)
    for metric in theme.METRICS
}
STANDARD = ("net_gmv", "margin", "orders", "new_customers", "repeat_share_30d", "annoyance")


def table(ledger: Ledger, names: Iterable[str], merchant: str | None = None) -> dict[str, float]:
    """These metrics of a ledger, in that order, for one merchant by name or (None) for all; NaN: nothing to measure.

    Raises StudyError for a metric that does not exist, LedgerError for a merchant that does not.
    """
    metrics = [_find(name) for name in names]
    number = ledger.merchant(merchant) if merchant else None
    found: dict[str, float] = {}
    for metric in metrics:
        if metric.name not in found:
            found.update(ask(ledger, metric, number))
    return {metric.name: found[metric.name] for metric in metrics}


def _find(name: str) -> Metric:
    if name not in METRICS:
        close = difflib.get_close_matches(name, METRICS, 1)
        hint = f"did you mean {close[0]!r}?" if close else "`wxsim metrics` lists them"
        raise StudyError(f"no metric is called {name!r}; {hint}")
    return METRICS[name]
