"""Days of a population: who is active picks a store of 1,000, perhaps buys, and then tells friends.

`job`: the graph's file, people, days. The result is the number of purchases. `engine` and `starsim` do other work: a
bare scenario with accounts and ledger, and starsim's own SIR model; they stand there for scale.
"""

import random

import numpy as np
from worker import serve

ACTIVE, BUY, HEED, TELL, STORES = 0.31, 0.1, 0.2, 0.05, 1_000


class Market:
    """What all people share: the day, and each store's sales."""

    def __init__(self, seed=0):
        self.today, self.sales, self.coin = 0, [0] * STORES, random.Random(seed).random


def live(person, market):
    """One person's day. What friends tell today is heard tomorrow, whoever comes first."""
    coin, today = market.coin, market.today
    if coin() >= ACTIVE:
        return
    store = int(coin() * STORES)
    if coin() < (HEED if person.told[(today - 1) & 1] == today - 1 else BUY):
        market.sales[store] += 1
        for friend in person.friends:
            if coin() < TELL:
                friend.told[today & 1] = today


def befriend(people, job):
    """Give everybody the list of friends and a memory for what was told on even and on odd days."""
    file = np.load(job["graph"])
    ends, friends = file["indptr"].tolist(), file["indices"].tolist()
    for i, person in enumerate(people):
        person.friends = [people[j] for j in friends[ends[i] : ends[i + 1]]]
        person.told = [-9, -9]


def objects(job, people, step):
    """Days of people who are objects; `step` lets all of them live once."""
    befriend(people, job)

    def act(seed):
        market = Market(seed)
        for person in people:
            person.told[:] = -9, -9
        for market.today in range(job["days"]):
            step(market)
        return sum(market.sales)

    return act


def mesa(job, way="do"):
    import mesa

    class Person(mesa.Agent):
        def step(self, market):
            live(self, market)

    model = mesa.Model(seed=1)
    Person.create_agents(model, job["users"])
    return objects(job, list(model.agents), lambda market: getattr(model.agents, way)("step", market))


def mesa_shuffled(job):
    return mesa(job, "shuffle_do")


def agentpy(job):
    import agentpy

    class Person(agentpy.Agent):
        def step(self, market):
            live(self, market)

    people = agentpy.AgentList(agentpy.Model(), job["users"], Person)
    return objects(job, list(people), lambda market: people.step(market))


def simpy(job):
    import simpy

    class Person:
        __slots__ = ("friends", "told")

    def life(person, environment, market):
        while True:
            market.today = int(environment.now)
            live(person, market)
            yield environment.timeout(1)

    people = [Person() for _ in range(job["users"])]
    befriend(people, job)

    def act(seed):
        market, environment = Market(seed), simpy.Environment()
        for person in people:
            person.told[:] = -9, -9
            environment.process(life(person, environment, market))
        return lambda: environment.run(job["days"]) or sum(market.sales)

    return act


def starsim(job):
    import starsim as ss

    def act(seed):
        sim = ss.Sim(
            n_agents=job["users"], diseases=ss.SIR(), networks=ss.RandomNet(n_contacts=20), start=0, dur=job["days"],
            dt=1, rand_seed=seed, verbose=0,
        )  # fmt: skip
        sim.init()
        return lambda: sim.run() and np.nan

    return act


def ours(job):
    """The same work with the project's draws and kernels, in blocks as in the engine; every draw has an address."""
    from sim import draws
    from sim.kernels.expand import neighbours

    file, n, block = np.load(job["graph"]), job["users"], 1 << 15
    indptr, indices = file["indptr"], file["indices"]

    def act(seed):
        keys, told, sales = draws.keys(seed, "user", n), np.full((2, n), -9, np.int16), np.zeros(STORES, np.int64)
        for day in range(job["days"]):
            for first in range(0, n, block):
                who = first + draws.chance("day/active", keys[first : first + block], ACTIVE, day).nonzero()[0]
                session = draws.bits("day/session", keys[who], day)
                store = draws.below("day/store", session, STORES)
                heed = told[(day - 1) & 1, who] == day - 1
                buys = draws.chance("day/buy", session, np.where(heed, HEED, BUY)).nonzero()[0]
                sales += np.bincount(store[buys], minlength=STORES)
                owner, friend = neighbours(indptr, indices, who[buys])
                told[day & 1, friend[draws.chance("day/tell", session[buys][owner], TELL, friend)]] = day
        return sales.sum()

    return act


def engine(job):
    """A bare scenario of the whole engine: 30 % of the people a day, one shop, search, purchases, shares, ledger."""
    from sim.run import run
    from sim.study.bench import bare_scenario, sized

    scenario = sized(bare_scenario(), job["users"], job["days"])
    run(scenario.with_seed(1))  # the world is kept: the days are measured, not building it

    def act(seed):
        run(scenario, (1,))
        return np.nan

    return act


if __name__ == "__main__":
    serve({f.__name__: f for f in (ours, engine, mesa, mesa_shuffled, agentpy, simpy, starsim)})
