"""Timers that always run: each, when it rings, is set anew, an hour to a week ahead. How many ring in `days`."""

import random

import numpy as np
from worker import serve

HOUR, WEEK = 3_600, 7 * 86_400


def ours(job):
    from sim import draws
    from sim.kernels.timers import Timers
    from sim.ledger.schema import Records

    def act(seed):
        timers, keys, rung = Timers(HOUR, Records.concat), draws.keys(seed, "user", job["live"]), 0
        who = np.arange(job["live"])
        rows = Records(job["live"], time=draws.below("timer", keys, WEEK), event=keys, user=who)
        timers.add("ring", rows)
        for tick in range(job["days"] * 24):
            for rows in timers.due(tick).values():
                rung += rows.n
                later = HOUR + draws.below("timer", rows.event, WEEK - HOUR, tick + 1)
                timers.add("ring", Records(rows.n, time=rows.time + later, event=rows.event, user=rows.user))
        return rung

    return act


def simpy(job):
    import simpy

    def act(seed):
        environment, below, rung = simpy.Environment(), random.Random(seed).randrange, [0]

        def timer():
            yield environment.timeout(below(WEEK))
            while True:
                rung[0] += 1
                yield environment.timeout(below(HOUR, WEEK))

        for _ in range(job["live"]):
            environment.process(timer())
        environment.run(job["days"] * 24 * HOUR)
        return rung[0]

    return act


if __name__ == "__main__":
    serve({f.__name__: f for f in (ours, simpy)})
