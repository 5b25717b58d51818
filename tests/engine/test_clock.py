"""The clock: ticks at the end of their window, errands at their own second, an end when nothing is open."""

from sim.engine.clock import Clock
from sim.ledger.schema import Records


class Diary:
    """An engine that only writes down how it is driven."""

    def __init__(self, idle_from: int = 0) -> None:
        self.entries: list[object] = []
        self._idle_from = idle_from
        self._ticks = 0

    def advance(self, tick: int) -> None:
        self.entries.append(tick)
        self._ticks += 1

    def hand(self, kind: str, rows: Records) -> None:
        self.entries.append((kind, rows.time.tolist()))

    def idle(self) -> bool:
        return self._ticks >= self._idle_from


def test_a_tick_is_handled_after_all_errands_of_its_window() -> None:
    diary = Diary()
    clock = Clock(diary, 3600, 3, 10)
    clock.follow("broadcast", Records(4, time=[7200, 100, 3599, 0], event=[1, 2, 3, 4]))
    clock.run()
    handed_before = {tick: diary.entries[: diary.entries.index(tick)] for tick in range(3)}
    assert ("broadcast", [0]) in handed_before[0]
    assert ("broadcast", [100]) in handed_before[0]
    assert ("broadcast", [3599]) in handed_before[0]
    assert ("broadcast", [7200]) not in handed_before[0]
    assert ("broadcast", [7200]) in handed_before[2]


def test_errands_of_one_second_are_handed_over_together() -> None:
    diary = Diary()
    clock = Clock(diary, 60, 1, 1)
    clock.follow("restock", Records(3, time=[5, 5, 9], event=[3, 1, 2]))
    clock.run()
    assert diary.entries == [("restock", [5, 5]), ("restock", [9]), 0]


def test_the_run_goes_on_after_the_horizon_until_nothing_is_open() -> None:
    diary = Diary(idle_from=7)
    Clock(diary, 60, 3, 100).run()
    assert diary.entries == list(range(7))


def test_the_run_never_exceeds_its_longest() -> None:
    diary = Diary(idle_from=10**9)
    Clock(diary, 60, 3, 12).run()
    assert diary.entries == list(range(12))


def test_stop_ends_the_run_at_the_end_of_a_tick() -> None:
    diary = Diary()
    Clock(diary, 60, 50, 50).run(lambda: len(diary.entries) == 4)
    assert diary.entries == [0, 1, 2, 3]
