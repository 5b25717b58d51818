"""Metrics of content on a ledger told by hand."""

from pathlib import Path

import pytest

from sim.metrics.catalog import table
from tests.ledger.story import Story

NAMES = ("stranger_reach", "content_click_rate", "likes", "pressed_like_share", "content_fans", "content_orders",
         "article_share_rate")  # fmt: skip


def told() -> Story:
    """A post, a broadcast with its article, and what came of them; the bakery has a post that nobody opens."""
    story = Story()
    visit = story.event("visit", 10, user=9)
    post, push = story.event("image_post", 20), story.event("broadcast", 30)
    for user in range(8):
        story.event("recommended", 100, post, user=user, channel="image_posts")
    for user in range(3):
        story.event("post_opened", 110, post, user=user, channel="image_posts")
    story.event("recommended", 100, push, user=9, channel="articles")
    story.event("article_read", 120, push, user=9, channel="articles", quantity=1)  # a stranger
    for user in range(10, 14):
        story.event("article_read", 120, push, user=user, channel="articles")  # fans
    for user, alone in ((0, 0), (1, 0), (2, 1), (10, 0)):
        story.event("like", 130, post, user=user, detail=alone, channel="image_posts")
    story.event("follow", 140, post, user=0)
    story.event("follow", 140, push, user=9)
    story.event("follow", 140, visit, user=9)  # was asked after buying
    story.event("share", 150, push, user=11)
    story.event("share", 150, visit, user=12)
    story.event("order", 160, post, user=1, channel="image_posts", amount=900)
    story.event("gift_sent", 160, push, user=13, channel="articles", amount=900)
    story.event("order", 160, visit, user=9, channel="store", amount=900)
    idle = story.event("image_post", 20, merchant=1)
    story.event("recommended", 100, idle, user=1, channel="image_posts", merchant=1)
    return story


@pytest.mark.parametrize(
    ("merchant", "want"),
    [
        ("tea_house", (9, 4 / 9, 4, 1 / 4, 2, 2, 1 / 5)),
        ("bakery", (1, 0.0, 0, float("nan"), 0, 0, float("nan"))),
        (None, (10, 4 / 10, 4, 1 / 4, 2, 2, 1 / 5)),
    ],
)
def test_numbers_are_those_worked_out_on_paper(tmp_path: Path, merchant: str | None, want: tuple[float, ...]) -> None:
    got = table(told().write(tmp_path / "run"), NAMES, merchant)
    assert list(got.values()) == pytest.approx(want, nan_ok=True)
