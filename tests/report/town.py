"""A town for reports: 120 people, five days, a strategy that sells nothing; its words try to be markup."""

from pathlib import Path

from sim.config.load import load
from sim.study.compare import compare
from sim.study.comparison import Comparison

TITLE = '<script>alert(1)</script> & "tea"'
BASE, CHEAPER, DEAR = "as it is", "<b>cheaper</b> & </script>", "too dear"
DAYS, PEOPLE, SEEDS = 5, 120, 2
METRICS = ("net_gmv", "gmv", "margin", "orders", "conversion", "gift_acceptance", "structural_virality@shares")
TEXT = f"""
title: '{TITLE}'
expectation: Cheaper tea & <i>more</i> of it.
expects: [{{metric: orders, strategy: '{DEAR}', is: higher}}, {{metric: gmv, strategy: '{DEAR}', between: [0, 5]}}]
horizon: {{start: 2025-03-03, days: {DAYS}, tick: 6h}}
seed: 3
world: {{people: {{count: {PEOPLE}}}}}
platform: {{rules: {{}}, search_engine: {{}}}}
people:
  browse: {{opens: 1.0}}
  search_intent: {{}}
  buy: {{nothing: -3}}
  repurchase: {{}}
  gift: {{everyday: 0.1}}
  share: {{after_order: 0.8, after_view: 0.1, forward: 0.5}}
merchants:
  tea:
    products: {{cake: {{category: tea, price: 90, cost: 30}}, cup: {{category: tea, price: 40, cost: 20}}}}
    channels: {{store: {{}}, promoters: {{commission: 0.3, join: 0.5}}}}
    offers: {{gift_packet: {{}}}}
strategies:
  '{BASE}': {{}}
  '{CHEAPER}': {{merchants.tea.products.cake.price: 45}}
  '{DEAR}': {{merchants.tea.products.cake.price: 90000, merchants.tea.products.cup.price: 90000}}
compare: {{baseline: '{BASE}', metrics: [{", ".join(METRICS)}], replications: {SEEDS}}}
"""


def compared(folder: Path, old: str = "", new: str = "") -> Comparison:
    """The comparison of the town, or of one with a text replaced, in a folder."""
    assert old in TEXT
    path = folder / "town.yaml"
    path.write_text(TEXT.replace(old, new) if old else TEXT, "utf-8")
    return compare(load(path), out=folder / "found", workers=1)
