"""A scenario that runs in a fraction of a second: one tea shop, 150 people, five days."""

from pathlib import Path

DAYS, PEOPLE, REPLICATIONS = 5, 150, 3
STRATEGIES = ("store only", "again", "cheaper")
TEXT = f"""
title: A small question
horizon: {{start: 2025-03-03, days: {DAYS}, tick: 6h}}
seed: 3
world: {{people: {{count: {PEOPLE}}}}}
platform: {{rules: {{}}, search_engine: {{}}}}
people: {{browse: {{opens: 1.0}}, search_intent: {{}}, buy: {{nothing: -3}}, repurchase: {{}}}}
merchants:
  tea:
    products: {{cake: {{category: tea, price: 90, cost: 30}}, cup: {{category: tea, price: 40, cost: 20}}}}
    channels: {{store: {{}}}}
strategies:
  store only: {{}}
  again: {{}}
  cheaper: {{merchants.tea.products.cake.price: 45}}
compare: {{baseline: store only, metrics: [orders, net_gmv], replications: {REPLICATIONS}}}
"""


def write(folder: Path, old: str = "", new: str = "") -> Path:
    """The scenario as a file, with one text replaced by another."""
    assert old in TEXT
    path = folder / "tiny.yaml"
    path.write_text(TEXT.replace(old, new) if old else TEXT, "utf-8")
    return path
