"""What messages cost: people who mute, unfollow or leave; and the fans that they are set against."""

from sim.metrics.metric import Metric, of_daily, ratio, total

_GONE = ("mute", "unfollow", "leave_group")

METRICS = (
    Metric(
        "messages_noticed", "Messages noticed", "messages", None,
        "Messages of the merchant that somebody noticed.",
        of_daily(total("count", "notice")),
    ),
    Metric("mutes", "Mutes", "people", False, "Times that somebody muted it.", of_daily(total("count", "mute"))),
    Metric(
        "unfollows", "Unfollows", "people", False,
        "Times that somebody stopped following the service account.",
        of_daily(total("count", "unfollow")),
    ),
    Metric(
        "follows", "Follows", "people", True,
        "Times that somebody began to follow the service account.",
        of_daily(total("count", "follow")),
    ),
    Metric(
        "net_follows", "Net follows", "people", True,
        "Follows less unfollows.",
        of_daily(f"{total('count', 'follow')} - {total('count', 'unfollow')}"),
    ),
    Metric(
        "annoyance", "Annoyance", "per 1,000 messages", False,
        "Mutes, unfollows and people who left a group, per 1,000 messages noticed.",
        of_daily(ratio(total("count", *_GONE), total("count", "notice"), 1000)),
    ),
)  # fmt: skip
