"""Tests are deterministic: hypothesis draws the same examples every time; `make check` looks at the first of them."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "deterministic",
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    database=None,
)
settings.register_profile("quick", parent=settings.get_profile("deterministic"), max_examples=25)
settings.load_profile("deterministic")
