"""What the shipped town does of which the facts state a range; the docstrings of the mechanisms say where it misses."""

from pathlib import Path

import numpy as np
import pytest

from sim.config.load import load
from sim.metrics.catalog import table
from sim.run import run

SEEDS = tuple(range(1, 9))
ACCOUNT = "platform: {recommender: {}}\npeople: {like: {}}\nmerchants: {tea_house: {channels: {service_account: {}%s}}}"
SALE = "merchants: {tea_house: {offers: {limited_time_sale: {start: 2025-04-01}}}}"


def measured(folder: Path, stated: str, metric: str) -> np.ndarray:
    """The metric of the tea house with what is stated on top of the shipped market, seed by seed."""
    folder.mkdir()
    (folder / "town.yaml").write_text(f"extends: base.yaml\ntitle: t\n{stated}\n", "utf-8")
    ledgers = run(load(folder / "town.yaml"), SEEDS, [folder / f"run-{seed}" for seed in SEEDS])
    return np.array([table(ledger, (metric,), "tea_house")[metric] for ledger in ledgers])


@pytest.mark.full
def test_middling_image_posts_let_an_account_grow_as_the_facts_say(tmp_path: Path) -> None:
    """Facts service_account.fan_growth_from_image_posts: 0.10 to 0.35."""
    without = measured(tmp_path / "without", ACCOUNT % "", "follows")
    with_posts = measured(tmp_path / "with", ACCOUNT % ", image_posts: {}", "follows")
    assert 0.10 <= with_posts.sum() / without.sum() - 1 <= 0.35


@pytest.mark.full
def test_articles_are_passed_on_as_the_facts_say(tmp_path: Path) -> None:
    """Facts service_account.article_share_rate: 0.015 to 0.06."""
    stated = ACCOUNT % ", articles: {unpushed_per_week: 7}"
    assert 0.015 <= measured(tmp_path / "run", stated, "article_share_rate").mean() <= 0.06


@pytest.mark.full
def test_a_sale_sells_as_the_facts_say(tmp_path: Path) -> None:
    """Facts promotion.limited_time_20pct_off: 2.5 to 5.5 times the usual sales."""
    assert 2.5 <= measured(tmp_path / "run", SALE, "window_lift").mean() <= 5.5
