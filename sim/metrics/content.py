"""Content: whom it reaches, who likes it, who follows for it, and who buys."""

from sim.metrics.metric import OURS, Metric, of_daily, orders, ratio, texts, total

CHANNELS = ("image_posts", "articles")
ARTICLES = ("article", "broadcast")

_SHOWN = total("count", "recommended")
_OPENED = f"{total('count', 'post_opened')} + {total('quantity', 'article_read')}"


def _caused(kind: str, *by: str) -> str:
    """Events of a kind whose cause is of these kinds."""
    published = f"SELECT event FROM events WHERE kind IN ({texts(*by)})"
    return f"SELECT count(*) FROM events WHERE kind = '{kind}' AND {OURS} AND cause IN ({published})"


METRICS = (
    Metric(
        "stranger_reach", "Content shown to strangers", "impressions", True,
        "Times that image posts and articles were shown to somebody who did not follow the merchant.",
        of_daily(_SHOWN),
    ),
    Metric(
        "content_click_rate", "Content opened by strangers", "share", True,
        "Image posts and articles opened by strangers, of those that they were shown.",
        of_daily(ratio(_OPENED, _SHOWN)),
    ),
    Metric("likes", "Likes", "likes", True, "Times that somebody liked content.", of_daily(total("count", "like"))),
    Metric(
        "pressed_like_share", "Likes by social pressure", "share", None,
        "Likes given only because friends were seen to like it, of all.",
        f"SELECT avg(detail) FROM events WHERE kind = 'like' AND {OURS}",
    ),
    Metric(
        "content_fans", "Fans won by content", "people", True,
        "Times that somebody began to follow the service account for content that she had read.",
        _caused("follow", "image_post", *ARTICLES),
    ),
    Metric(
        "content_orders", "Orders in content", "orders", True,
        "Orders and gifts paid through the product shown in an image post or an article.",
        f"SELECT {orders(f'channel IN ({texts(*CHANNELS)})')}",
    ),
    Metric(
        "article_share_rate", "Articles passed on", "share", True,
        "Shares caused by an article, per article read, by fans or strangers.",
        of_daily(ratio(f"({_caused('share', *ARTICLES)})", total("count", "article_read"))),
    ),
)  # fmt: skip
