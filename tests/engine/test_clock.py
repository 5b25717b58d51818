"""The clock: ticks at the end of their window, errands at their own second, an end when nothing is open."""

from sim.engine.clock import EventClock, Steps, TickClock
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
    clock = TickClock(diary, 3600, 3, 10)
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
    clock = TickClock(diary, 60, 1, 1)
    clock.follow("restock", Records(3, time=[5, 5, 9], event=[3, 1, 2]))
    clock.run()
    assert diary.entries == [("restock", [5, 5]), ("restock", [9]), 0]


def test_the_run_goes_on_after_the_horizon_until_nothing_is_open() -> None:
    diary = Diary(idle_from=7)
    TickClock(diary, 60, 3, 100).run()
    assert diary.entries == list(range(7))


def test_the_run_goes_on_after_the_horizon_until_every_errand_is_handed_over() -> None:
    diary = Diary()
    clock = TickClock(diary, 60, 3, 100)
    clock.follow("restock", Records(1, time=[400]))
    clock.run()
    assert diary.entries == [*range(6), ("restock", [400]), 6]


def test_the_run_never_exceeds_its_longest() -> None:
    diary = Diary(idle_from=10**9)
    TickClock(diary, 60, 3, 12).run()
    assert diary.entries == list(range(12))


def test_progress_is_told_after_each_tick() -> None:
    diary = Diary()
    TickClock(diary, 60, 2, 50).run(lambda: diary.entries.append("told"))
    assert diary.entries == [0, "told", 1, "told"]


def test_processes_run_between_begin_and_end_of_their_tick_lower_ranks_first() -> None:
    said: list[object] = []
    clock = EventClock(60)

    def steps(time: int, rank: int) -> Steps:
        yield clock.until(time, rank)
        said.append((time, rank))
        yield clock.until_end()
        said.append("responds")

    class Engine:
        def begin(self, tick: int) -> None:
            said.append(("begin", tick))
            if tick == 0:
                for time, rank in ((60, 0), (59, 2**64), (59, 0), (0, 1)):
                    clock.start(steps(time, rank))

        def end(self, tick: int) -> None:
            said.append(("end", tick))

        def idle(self) -> bool:
            return True

    clock.run(Engine(), 2, 9, lambda: None)
    first = [("begin", 0), (0, 1), (59, 0), (59, 2**64), "responds", "responds", "responds", ("end", 0)]
    assert said == [*first, ("begin", 1), (60, 0), "responds", ("end", 1)]
