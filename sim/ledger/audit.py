"""The audit of a ledger: money, stock, coupons and points are conserved, and everything that began has ended.

Each check is one question in SQL that finds the events that break it; the report names the first of them. An order or
gift (a *deal*) opens an escrow under its own event and ends in exactly one event whose cause it is.

All checks but those named in `AT_THE_END` hold after every tick as well, of what has been written so far, if the deals
that have not ended yet are given as open: an open deal has not ended, not even once.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sim.ledger.reader import Ledger
from sim.ledger.schema import ACCOUNTS
from sim.units import DAY
from sim.words import _, marked

DEALS = ("order", "gift_sent")
ENDS = ("completed", "returned", "gift_expired")
HELD = ("escrow", "commission", "reserved", "transit")  # accounts that are empty when everything has ended


@dataclass(frozen=True, slots=True)
class Break:
    """One law broken: the first event that breaks it, when, what is wrong, and how many events do so."""

    check: str
    event: int  # 0 where the event itself is missing
    time: int  # seconds since the scenario's start
    says: str  # what is wrong, with {} for each value
    values: tuple[str, ...]
    count: int

    @property
    def wrong(self) -> str:
        """What is wrong."""
        return _(self.says).format(*map(_, self.values))

    def as_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {
            "check": self.check,
            "event": f"{self.event:016x}" if self.event else None,
            "time": self.time,
            "wrong": self.says.format(*self.values),
            "count": self.count,
        }

    def __str__(self) -> str:
        day, second = divmod(self.time, DAY)
        clock = f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
        what = {"check": _(self.check), "event": self.event, "day": day, "clock": clock, "wrong": self.wrong}
        said = _("{check}: event {event:016x}, day {day} {clock}: {wrong}", **what)
        return _("{said} (and {count} more)", said=said, count=self.count - 1) if self.count > 1 else said


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What an audit found; `breaks` in order of (time, event)."""

    breaks: tuple[Break, ...]
    digest_matches: bool  # the files still have the fingerprint that the run wrote
    changed: tuple[int, ...] = ()  # days whose rows are not those that the run wrote
    recounted: tuple[int, ...] = ()  # days whose daily counts are not

    @property
    def first(self) -> Break | None:
        """The earliest break."""
        return self.breaks[0] if self.breaks else None

    @property
    def ok(self) -> bool:
        """Whether every law holds and the files are those of the run."""
        return not self.breaks and self.digest_matches and not self.recounted

    def as_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {
            "ok": self.ok,
            "checks": list(CHECKS),
            "breaks": [each.as_dict() for each in self.breaks],
            "digest_matches": self.digest_matches,
            "changed": list(self.changed),
            "recounted": list(self.recounted),
        }

    def __str__(self) -> str:
        lines = [str(found) for found in self.breaks]
        if not self.digest_matches:
            said = marked("digest: the rows are not those that the run wrote")
            if self.changed:
                said = marked("digest: the rows are not those that the run wrote, the first that differs on day {day}")
            lines.append(_(said, day=self.changed[:1] and self.changed[0]))
        if self.recounted:
            said = marked("daily: the counts are not those that the run wrote, first on day {day}")
            lines.append(_(said, day=self.recounted[0]))
        return "\n".join(lines) or _("{count} checks passed", count=len(CHECKS))


def audit(ledger: Ledger, progress: Callable[[int, int], None] = lambda done, all_: None) -> AuditReport:
    """Check every law of `CHECKS` and the digest; `progress(done, all)` counts checks."""
    stopped = "stopped" in ledger.manifest  # then deals may be under way
    still_open = [int(row[0]) for row in ledger.rows(UNENDED)] if stopped else []
    checks = [check for check in CHECKS if not (stopped and check == WAY)]
    everything = bool(ledger.manifest["everything"])
    details = [kind for kind, detail in ledger.manifest["kinds"].items() if detail and not everything]
    values = {"open": still_open, "unwritten": details}
    breaks: list[Break] = []
    for done, check in enumerate(checks):
        progress(done, len(checks) + 1)
        breaks += breaks_in(ledger.rows(question((check,)), **values))
    progress(len(checks), len(checks) + 1)
    found, wrote = ledger.digest(), ledger.manifest["digest"]
    changed = differing_days(wrote["days"], found.days())
    matches = found.total() == wrote["total"] and not changed
    recounted = differing_days(wrote["daily"], ledger.counts_digest().days()) if "daily" in wrote else ()
    ordered = tuple(sorted(breaks, key=lambda b: (b.time, b.event)))
    return AuditReport(ordered, matches, changed, recounted)


def differing_days(one: Mapping[Any, str], other: Mapping[Any, str]) -> tuple[int, ...]:
    """Days whose digests are not the same, in order; a day is a number or, in a manifest, its digits."""
    left, right = ({int(day): digest for day, digest in days.items()} for days in (one, other))
    return tuple(sorted(day for day in left.keys() | right.keys() if left.get(day) != right.get(day)))


def question(checks: Iterable[str], *, together: bool = False) -> str:
    """One question in SQL for the first break of each of these checks: (check, event, time, values, count).

    `together` gathers what the checks share once, which pays for a small ledger that is asked often.
    """
    gathered = "AS MATERIALIZED" if together else "AS NOT MATERIALIZED"
    shared = ", ".join(f"{name} {gathered} ({sql})" for name, sql in SHARED.items())
    first = " UNION ALL ".join(
        f"(SELECT '{check}', event, time, wrong, count(*) OVER () FROM ({CHECKS[check].sql}) "
        "ORDER BY time, event LIMIT 1)"
        for check in checks
    )
    return f"WITH {shared} {first}"


def breaks_in(answer: Iterable[Sequence[Any]]) -> tuple[Break, ...]:
    """The breaks that a question found, in order of (time, event)."""
    found = [
        Break(str(check), int(event), int(time), CHECKS[check].says, tuple(values), int(count))
        for check, event, time, values, count in answer
    ]
    return tuple(sorted(found, key=lambda each: (each.time, each.event)))


def _texts(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _id(column: str) -> str:
    """In SQL: an event's id as it is written everywhere, 16 hexadecimal digits."""
    return f"printf('%016x', {column})"


class Check(NamedTuple):
    """A law: what is wrong where it is broken, and the events that break it, with values for what it says.

    The question answers event, time and wrong: a list of texts.
    """

    says: str
    sql: str


_CLOSED = _texts(name for name, account in ACCOUNTS.items() if not account.open)
_VALID = ", ".join(f"('{name}', '{currency}')" for name, a in ACCOUNTS.items() for currency in a.currencies)
SHARED: Mapping[str, str] = {  # what several checks look at
    "moves": "FROM postings UNION ALL FROM stock",
    "legs": """
        SELECT time, event, currency, source AS account, source_owner AS owner, item, -amount AS amount FROM moves
        UNION ALL
        SELECT time, event, currency, target, target_owner, item, amount FROM moves""",
    "ended": f"""
        SELECT event, time, event AS deal, false AS ends FROM events WHERE kind IN ({_texts(DEALS)})
        UNION ALL
        SELECT event, time, cause, true FROM events WHERE kind IN ({_texts(ENDS)})""",
}
WAY = marked("nothing is left on the way")
UNENDED = f"""
    SELECT event FROM events AS deal ANTI JOIN (FROM events WHERE kind IN ({_texts(ENDS)})) AS done
    ON done.cause = deal.event WHERE deal.kind IN ({_texts(DEALS)})"""
AT_THE_END = (WAY, "daily counts agree with events")  # checks of a finished ledger only
CHECKS: Mapping[str, Check] = {
    marked("an id names one event"): Check(
        marked("its id is that of {} events"),
        """
        SELECT event, min(time) AS time, [count(*)::VARCHAR] AS wrong FROM events GROUP BY event HAVING count(*) > 1""",
    ),
    marked("every cause comes first"): Check(
        marked("its cause {} is not in the ledger before it"),
        f"""
        SELECT effect.event AS event, effect.time AS time, [{_id("effect.cause")}] AS wrong
        FROM events AS effect
        ANTI JOIN events AS cause ON effect.cause = cause.event AND effect.time >= cause.time
        WHERE effect.cause <> 0""",
    ),
    marked("every posting has its event"): Check(
        marked("moves {} {}, but is not in the ledger at that time"),
        """
        SELECT event, time, [amount::VARCHAR, currency] AS wrong FROM moves ANTI JOIN events USING (event, time)""",
    ),
    marked("amounts are positive"): Check(
        marked("moves {} {}"), "SELECT event, time, [amount::VARCHAR, currency] AS wrong FROM moves WHERE amount <= 0"
    ),
    marked("accounts hold their own currency"): Check(
        marked("moves {} through {}"),
        f"""
        SELECT event, time, [currency, coalesce(account, '{marked("no account")}')] AS wrong
        FROM legs WHERE (account, currency) NOT IN ({_VALID}) OR account IS NULL""",
    ),
    marked("closed accounts stay above zero"): Check(
        marked("{} of {} falls to {} {}"),
        f"""
        SELECT event, time, [account, owner::VARCHAR, balance::VARCHAR, currency] AS wrong
        FROM (
            SELECT event, time, account, owner, currency,
                (sum(sum(amount)) OVER (PARTITION BY account, owner, currency, item ORDER BY time, event))::BIGINT
                AS balance
            FROM legs WHERE account IN ({_CLOSED}) GROUP BY time, event, account, owner, currency, item
        ) WHERE balance < 0""",
    ),
    WAY: Check(
        marked("{} of {} ends at {} {}"),
        f"""
        SELECT arg_max(event, (time, event)) AS event, max(time) AS time,
            [account, owner::VARCHAR, sum(amount)::BIGINT::VARCHAR, currency] AS wrong
        FROM legs WHERE account IN ({_texts(HELD)})
        GROUP BY account, owner, currency, item HAVING sum(amount) <> 0""",
    ),
    marked("every deal ends once"): Check(
        marked("it ends {} times"),
        """
        SELECT deal AS event, min(time) AS time, [(count(*) FILTER (ends))::VARCHAR] AS wrong
        FROM ended GROUP BY deal
        HAVING bool_or(NOT ends)
            AND count(*) FILTER (ends) <> CASE WHEN list_contains($open::UBIGINT[], deal) THEN 0 ELSE 1 END""",
    ),
    marked("every end has its deal"): Check(
        marked("it ends {}, which is no order and no gift"),
        f"""
        SELECT event, time, [{_id("deal")}] AS wrong
        FROM ended
        ANTI JOIN (SELECT event AS deal FROM events WHERE kind IN ({_texts(DEALS)})) USING (deal) WHERE ends""",
    ),
    marked("the escrow of a deal ends at zero"): Check(
        marked("the escrow of {} ends at {} fen"),
        f"""
        SELECT arg_max(event, (time, event)) AS event, max(time) AS time,
            [{_id("deal")}, sum(held)::BIGINT::VARCHAR] AS wrong
        FROM ended
        JOIN (SELECT event, sum(amount) AS held FROM legs WHERE account = 'escrow' GROUP BY event) USING (event)
        GROUP BY deal HAVING sum(held) <> 0 AND NOT list_contains($open::UBIGINT[], deal)""",
    ),
    marked("every commission ends once"): Check(
        marked("of {} fen {} are paid and {} void"),
        """
        SELECT held.event AS event, any_value(held.time) AS time, [any_value(held.amount)::VARCHAR,
            coalesce(sum(done.amount) FILTER (done.kind = 'commission_paid'), 0)::BIGINT::VARCHAR,
            coalesce(sum(done.amount) FILTER (done.kind = 'commission_voided'), 0)::BIGINT::VARCHAR] AS wrong
        FROM events AS held JOIN events AS counted ON held.cause = counted.event
        LEFT JOIN events AS done ON done.cause = held.event AND done.kind IN ('commission_paid', 'commission_voided')
        WHERE held.kind = 'commission_held' GROUP BY held.event
        HAVING count(done.event) <> CASE WHEN list_contains($open::UBIGINT[], any_value(counted.cause)) THEN 0 ELSE 1
            END OR coalesce(sum(done.amount), any_value(held.amount)) <> any_value(held.amount)""",
    ),
    marked("commission held is paid, void or open"): Check(
        marked("for merchant {} {} fen are held, but {} are due"),
        """
        SELECT arg_max(event, (time, event)) AS event, max(time) AS time,
            [merchant::VARCHAR, sum(held)::BIGINT::VARCHAR, sum(due)::BIGINT::VARCHAR] AS wrong
        FROM (
            SELECT event, time, owner AS merchant, amount AS held, 0 AS due FROM legs WHERE account = 'commission'
            UNION ALL
            SELECT event, time, merchant, 0, CASE kind WHEN 'commission_held' THEN amount ELSE -amount END FROM events
            WHERE kind IN ('commission_held', 'commission_paid', 'commission_voided')
        ) GROUP BY merchant HAVING sum(held) <> sum(due)""",
    ),
    marked("a gift is claimed or expires"): Check(
        marked("it was claimed {} times and expired {} times"),
        """
        SELECT sent.event AS event, any_value(sent.time) AS time,
            [(count(*) FILTER (done.kind = 'gift_claimed'))::VARCHAR,
            (count(*) FILTER (done.kind = 'gift_expired'))::VARCHAR] AS wrong
        FROM events AS sent
        LEFT JOIN events AS done ON done.cause = sent.event AND done.kind IN ('gift_claimed', 'gift_expired')
        WHERE sent.kind = 'gift_sent' GROUP BY sent.event
        HAVING count(done.event) > 1 OR count(done.event) = 0 AND NOT list_contains($open::UBIGINT[], sent.event)""",
    ),
    marked("a coupon is used once"): Check(
        marked("the coupon of {} was used or expired {} times"),
        f"""
        SELECT arg_max(event, (time, event)) AS event, max(time) AS time,
            [{_id("cause")}, count(*)::VARCHAR] AS wrong
        FROM events WHERE kind IN ('coupon_redeemed', 'coupon_expired') GROUP BY cause HAVING count(*) > 1""",
    ),
    marked("daily counts agree with events"): Check(
        marked("daily has {} {} of {} fen, the events {} of {}"),
        """
        SELECT coalesce(first, 0) AS event, coalesce(since, day * 86400) AS time,
            [coalesce(d.count, 0)::VARCHAR, kind, coalesce(d.amount, 0)::VARCHAR, coalesce(e.count, 0)::VARCHAR,
            coalesce(e.amount, 0)::VARCHAR] AS wrong
        FROM (
            SELECT * REPLACE (coalesce(channel, '') AS channel) FROM daily
            WHERE NOT list_contains($unwritten::VARCHAR[], kind)
        ) d
        FULL JOIN (
            SELECT time // 86400 AS day, kind, merchant, coalesce(channel, '') AS channel, count(*) AS count,
                sum(quantity)::BIGINT AS quantity, sum(amount)::BIGINT AS amount,
                arg_min(event, (time, event)) AS first, min(time) AS since
            FROM events WHERE NOT list_contains($unwritten::VARCHAR[], kind) GROUP BY ALL
        ) e USING (day, kind, merchant, channel)
        WHERE (d.count, d.quantity, d.amount) IS DISTINCT FROM (e.count, e.quantity, e.amount)""",
    ),
    marked("a deal moves its goods and its money"): Check(
        marked("it moves no {}"),
        f"""
        SELECT event, time, [missing] AS wrong FROM (
            SELECT event, time, '{marked("pieces")}' AS missing
            FROM events ANTI JOIN stock USING (event) WHERE kind IN ({_texts(DEALS)}) AND quantity <> 0
            UNION ALL
            SELECT event, time, '{marked("money")}' AS missing
            FROM events ANTI JOIN (FROM postings WHERE currency = 'fen') USING (event)
            WHERE kind IN ({_texts(DEALS)}) AND amount <> 0)""",
    ),
}
