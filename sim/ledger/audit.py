"""The audit of a ledger: money, stock, coupons and points are conserved, and everything that began has ended.

Each check is one question in SQL that finds the events that break it; the report names the first of them. An order or
gift (a *deal*) opens an escrow under its own event and ends in exactly one event whose cause it is.

All checks but those named in `AT_THE_END` hold after every tick as well, of what has been written so far, if the deals
that have not ended yet are given as open: an open deal has not ended, not even once.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sim.ledger.reader import Ledger
from sim.ledger.schema import ACCOUNTS
from sim.units import DAY

DEALS = ("order", "gift_sent")
ENDS = ("completed", "returned", "gift_expired")
HELD = ("escrow", "commission", "reserved", "transit")  # accounts that are empty when everything has ended


@dataclass(frozen=True, slots=True)
class Break:
    """One law broken: the first event that breaks it, when, what is wrong, and how many events do so."""

    check: str
    event: int  # 0 where the event itself is missing
    time: int  # seconds since the scenario's start
    wrong: str
    count: int

    def as_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {**asdict(self), "event": f"{self.event:016x}" if self.event else None}

    def __str__(self) -> str:
        day, second = divmod(self.time, DAY)
        clock = f"day {day} {second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
        more = f" (and {self.count - 1} more)" if self.count > 1 else ""
        return f"{self.check}: event {self.event:016x}, {clock}: {self.wrong}{more}"


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
            **asdict(self),
            "breaks": [each.as_dict() for each in self.breaks],
        }

    def __str__(self) -> str:
        lines = [str(found) for found in self.breaks]
        if not self.digest_matches:
            since = f", the first that differs on day {self.changed[0]}" if self.changed else ""
            lines.append(f"digest: the rows are not those that the run wrote{since}")
        if self.recounted:
            lines.append(f"daily: the counts are not those that the run wrote, first on day {self.recounted[0]}")
        return "\n".join(lines) or f"{len(CHECKS)} checks passed"


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
    """One question in SQL for the first break of each of these checks: (check, event, time, wrong, count).

    `together` gathers what the checks share once, which pays for a small ledger that is asked often.
    """
    gathered = "AS MATERIALIZED" if together else "AS NOT MATERIALIZED"
    shared = ", ".join(f"{name} {gathered} ({sql})" for name, sql in SHARED.items())
    first = " UNION ALL ".join(
        f"(SELECT '{check}', event, time, wrong, count(*) OVER () FROM ({CHECKS[check]}) ORDER BY time, event LIMIT 1)"
        for check in checks
    )
    return f"WITH {shared} {first}"


def breaks_in(answer: Iterable[Sequence[Any]]) -> tuple[Break, ...]:
    """The breaks that a question found, in order of (time, event)."""
    found = [Break(str(row[0]), int(row[1]), int(row[2]), str(row[3]), int(row[4])) for row in answer]
    return tuple(sorted(found, key=lambda each: (each.time, each.event)))


def _texts(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _id(column: str) -> str:
    """Inside a text in SQL: an event's id as it is written everywhere, 16 hexadecimal digits."""
    return f"' || printf('%016x', {column}) || '"


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
WAY = "nothing is left on the way"
UNENDED = f"""
    SELECT event FROM events AS deal ANTI JOIN (FROM events WHERE kind IN ({_texts(ENDS)})) AS done
    ON done.cause = deal.event WHERE deal.kind IN ({_texts(DEALS)})"""
AT_THE_END = (WAY, "daily counts agree with events")  # checks of a finished ledger only
CHECKS: Mapping[str, str] = {
    "an id names one event": """
        SELECT event, min(time) AS time, 'its id is that of ' || count(*) || ' events' AS wrong
        FROM events GROUP BY event HAVING count(*) > 1""",
    "every cause comes first": f"""
        SELECT effect.event AS event, effect.time AS time,
            'its cause {_id("effect.cause")} is not in the ledger before it' AS wrong
        FROM events AS effect
        ANTI JOIN events AS cause ON effect.cause = cause.event AND effect.time >= cause.time
        WHERE effect.cause <> 0""",
    "every posting has its event": """
        SELECT event, time, 'moves ' || amount || ' ' || currency || ', but is not in the ledger at that time' AS wrong
        FROM moves ANTI JOIN events USING (event, time)""",
    "amounts are positive": """
        SELECT event, time, 'moves ' || amount || ' ' || currency AS wrong FROM moves WHERE amount <= 0""",
    "accounts hold their own currency": f"""
        SELECT event, time, 'moves ' || currency || ' through ' || coalesce(account, 'no account') AS wrong
        FROM legs WHERE (account, currency) NOT IN ({_VALID}) OR account IS NULL""",
    "closed accounts stay above zero": f"""
        SELECT event, time, account || ' of ' || owner || ' falls to ' || balance || ' ' || currency AS wrong
        FROM (
            SELECT event, time, account, owner, currency,
                (sum(sum(amount)) OVER (PARTITION BY account, owner, currency, item ORDER BY time, event))::BIGINT
                AS balance
            FROM legs WHERE account IN ({_CLOSED}) GROUP BY time, event, account, owner, currency, item
        ) WHERE balance < 0""",
    WAY: f"""
        SELECT arg_max(event, (time, event)) AS event, max(time) AS time,
            account || ' of ' || owner || ' ends at ' || sum(amount)::BIGINT || ' ' || currency AS wrong
        FROM legs WHERE account IN ({_texts(HELD)})
        GROUP BY account, owner, currency, item HAVING sum(amount) <> 0""",
    "every deal ends once": """
        SELECT deal AS event, min(time) AS time, 'it ends ' || count(*) FILTER (ends) || ' times' AS wrong
        FROM ended GROUP BY deal
        HAVING bool_or(NOT ends)
            AND count(*) FILTER (ends) <> CASE WHEN list_contains($open::UBIGINT[], deal) THEN 0 ELSE 1 END""",
    "every end has its deal": f"""
        SELECT event, time, 'it ends {_id("deal")}, which is no order and no gift' AS wrong
        FROM ended
        ANTI JOIN (SELECT event AS deal FROM events WHERE kind IN ({_texts(DEALS)})) USING (deal) WHERE ends""",
    "the escrow of a deal ends at zero": f"""
        SELECT arg_max(event, (time, event)) AS event, max(time) AS time,
            'the escrow of {_id("deal")} ends at ' || sum(held)::BIGINT || ' fen' AS wrong
        FROM ended
        JOIN (SELECT event, sum(amount) AS held FROM legs WHERE account = 'escrow' GROUP BY event) USING (event)
        GROUP BY deal HAVING sum(held) <> 0 AND NOT list_contains($open::UBIGINT[], deal)""",
    "every commission ends once": """
        SELECT held.event AS event, any_value(held.time) AS time, 'of ' || any_value(held.amount) || ' fen '
            || coalesce(sum(done.amount) FILTER (done.kind = 'commission_paid'), 0)::BIGINT || ' are paid and '
            || coalesce(sum(done.amount) FILTER (done.kind = 'commission_voided'), 0)::BIGINT || ' void' AS wrong
        FROM events AS held JOIN events AS counted ON held.cause = counted.event
        LEFT JOIN events AS done ON done.cause = held.event AND done.kind IN ('commission_paid', 'commission_voided')
        WHERE held.kind = 'commission_held' GROUP BY held.event
        HAVING count(done.event) <> CASE WHEN list_contains($open::UBIGINT[], any_value(counted.cause)) THEN 0 ELSE 1
            END OR coalesce(sum(done.amount), any_value(held.amount)) <> any_value(held.amount)""",
    "commission held is paid, void or open": """
        SELECT arg_max(event, (time, event)) AS event, max(time) AS time, 'for merchant ' || merchant || ' '
            || sum(held)::BIGINT || ' fen are held, but ' || sum(due)::BIGINT || ' are due' AS wrong
        FROM (
            SELECT event, time, owner AS merchant, amount AS held, 0 AS due FROM legs WHERE account = 'commission'
            UNION ALL
            SELECT event, time, merchant, 0, CASE kind WHEN 'commission_held' THEN amount ELSE -amount END FROM events
            WHERE kind IN ('commission_held', 'commission_paid', 'commission_voided')
        ) GROUP BY merchant HAVING sum(held) <> sum(due)""",
    "a gift is claimed or expires": """
        SELECT sent.event AS event, any_value(sent.time) AS time,
            'it was claimed ' || count(*) FILTER (done.kind = 'gift_claimed') || ' times and expired '
            || count(*) FILTER (done.kind = 'gift_expired') || ' times' AS wrong
        FROM events AS sent
        LEFT JOIN events AS done ON done.cause = sent.event AND done.kind IN ('gift_claimed', 'gift_expired')
        WHERE sent.kind = 'gift_sent' GROUP BY sent.event
        HAVING count(done.event) > 1 OR count(done.event) = 0 AND NOT list_contains($open::UBIGINT[], sent.event)""",
    "a coupon is used once": f"""
        SELECT arg_max(event, (time, event)) AS event, max(time) AS time,
            'the coupon of {_id("cause")} was used or expired ' || count(*) || ' times' AS wrong
        FROM events WHERE kind IN ('coupon_redeemed', 'coupon_expired') GROUP BY cause HAVING count(*) > 1""",
    "daily counts agree with events": """
        SELECT coalesce(first, 0) AS event, coalesce(since, day * 86400) AS time,
            'daily has ' || coalesce(d.count, 0) || ' ' || kind || ' of ' || coalesce(d.amount, 0)
            || ' fen, the events ' || coalesce(e.count, 0) || ' of ' || coalesce(e.amount, 0) AS wrong
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
    "a deal moves its goods and its money": f"""
        SELECT event, time, 'it moves no ' || missing AS wrong FROM (
            SELECT event, time, 'pieces' AS missing
            FROM events ANTI JOIN stock USING (event) WHERE kind IN ({_texts(DEALS)}) AND quantity <> 0
            UNION ALL
            SELECT event, time, 'money' AS missing
            FROM events ANTI JOIN (FROM postings WHERE currency = 'fen') USING (event)
            WHERE kind IN ({_texts(DEALS)}) AND amount <> 0)""",
}
