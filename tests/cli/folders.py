"""A scenario and a study with names as long as somebody might write them, in English and Chinese."""

from pathlib import Path

SHOP, CUP = "tea_house_of_the_seven_happinesses_by_the_western_lake", "the_cup_that_somebody_gave_a_long_name"
BASE = "只有微信小店，没有小程序，也没有服务号，更没有视频号直播"
ALL = "everything at once and for as long as anybody here can remember"
TEXT = f"""
title: 七夕之前，微信小店、小程序与服务号三者同时投入，究竟会不会互相放大，还是只是在瓜分同样的订单与利润？
horizon: {{start: 2025-03-03, days: 3, tick: 6h}}
seed: 3
world: {{people: {{count: 60}}}}
platform: {{rules: {{}}, search_engine: {{}}}}
people: {{browse: {{opens: 1.0}}, search_intent: {{}}, buy: {{nothing: -3}}, repurchase: {{}}}}
merchants:
  {SHOP}:
    products:
      明前西湖龙井特级手工炒制礼盒装二百五十克: {{category: tea, price: 90, cost: 30}}
      {CUP}: {{category: tea, price: 40, cost: 20}}
    channels: {{store: {{}}}}
strategies:
  {BASE}: {{}}
  and again, with nothing in it that is different from what was there before: {{}}
  {ALL}: {{merchants.{SHOP}.products.{CUP}.price: 30}}
compare: {{baseline: {BASE}, metrics: [orders, net_gmv, repeat_share_30d, reach@store], replications: 2}}
"""
STUDY = f"""
title: {ALL}, and at which price of the cup that somebody gave a long name does that pay?
scenario: shop.yaml
seeds: 1
strategies: [{BASE}, {ALL}]
axes: {{people.browse.opens: [0.7, 1.0]}}
sensitivity: {{size: 2}}
"""


def write(folder: Path) -> None:
    """The scenario and the study as files."""
    (folder / "shop.yaml").write_text(TEXT, "utf-8")
    (folder / "study.yaml").write_text(STUDY, "utf-8")
