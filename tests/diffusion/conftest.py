import pytest

from sim import fast


@pytest.fixture(autouse=True)
def twins_of_everything(monkeypatch):
    """Twins serve small networks too."""
    monkeypatch.setattr(fast, "WORTH", 0)


@pytest.fixture(params=["numpy", "fast"] if fast.present else ["numpy"])
def way(request, monkeypatch):
    """With numpy alone, and compiled where numba is."""
    monkeypatch.setattr(fast, "present", request.param == "fast")
    return request.param
