"""Indices against closed forms, against SALib where there is one seed, and against noise that was put there."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.study import indices


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer resamples where there are many repetitions."""
    monkeypatch.setattr(indices, "RESAMPLES", 100)


RNG = np.random.default_rng


def saltelli(rows: int, width: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    a, b = RNG(seed).random((2, rows, width))
    return a, b, np.stack([np.where(np.arange(width) == at, b, a) for at in range(width)], axis=1)


def product(x: np.ndarray) -> np.ndarray:
    return np.asarray((x[..., 0] + 0.5) * (x[..., 1] + 1.0) + 0.0 * x[..., 2])


def noisy(at: tuple[np.ndarray, ...], seeds: int, size: float, rng: np.random.Generator) -> list[np.ndarray]:
    """Outputs under seeds: each seed lifts all points alike, and moves each for itself."""
    lift = 10 * rng.standard_normal(seeds)
    return [product(x)[..., None] + lift + size * rng.standard_normal((*x.shape[:-1], seeds)) for x in at]


def test_with_one_seed_sobol_indices_are_those_of_salib() -> None:
    from SALib.analyze import sobol

    a, b, ab = saltelli(128, 3, 1)
    y = np.concatenate([product(a)[:, None], product(ab), product(b)[:, None]], axis=1)
    found = indices.sobol(y[:, [0]], y[:, [-1]], y[:, 1:-1, None])
    problem = {"num_vars": 3, "names": list("abc"), "bounds": [[0, 1]] * 3}
    said = sobol.analyze(problem, y.ravel(), calc_second_order=False, seed=1)
    np.testing.assert_allclose([first.value for first, _ in found], said["S1"], atol=1e-12)
    np.testing.assert_allclose([total.value for _, total in found], said["ST"], atol=1e-12)
    widths = [(total.high - total.low) / 2 for _, total in found]
    np.testing.assert_allclose(widths, said["ST_conf"], rtol=0.35)  # 100 resamples there


def test_seeds_that_differ_in_nothing_change_nothing() -> None:
    a, b, ab = (product(x)[..., None] for x in saltelli(64, 3, 2))
    for one, many in zip(
        indices.sobol(a, b, ab), indices.sobol(*(np.repeat(y, 4, -1) for y in (a, b, ab))), strict=True
    ):
        for x, y in zip(one, many, strict=True):
            assert (x.value, x.low, x.noise) == pytest.approx((y.value, y.low, y.noise), abs=1e-9)


def test_noise_is_taken_off_sobol_indices(few: None) -> None:
    rows, seeds, rng, repeats = 512, 3, RNG(3), 100
    at = saltelli(rows, 3, 4)
    clean = np.array([[i.value for i in both] for both in indices.sobol(*(product(x)[..., None] for x in at))])
    runs = [indices.sobol(*noisy(at, seeds, 0.5, rng)) for _ in range(repeats)]
    found = np.array([[[i.value for i in both] for both in each] for each in runs])
    error = found.std(axis=0, ddof=1) / repeats**0.5
    assert (np.abs(found.mean(axis=0) - clean) < 4 * error + 0.005).all()  # 0.005: a quotient of means, V ± 6 %
    noise = np.array([[both[1].noise for both in each] for each in runs]).mean(axis=0)
    variance = 0.5**2 / seeds / product(at[0]).var()  # each total gains s²/R of V
    assert noise == pytest.approx(np.full(3, variance), rel=0.15)


def test_intervals_cover_about_as_often_as_they_say(few: None) -> None:
    rng = RNG(5)
    vx, vy, mx, my = 1 / 12, 1 / 12, 1.0, 1.5
    whole = vx * my**2 + vy * mx**2 + vx * vy
    truth = (vx * my**2 + vx * vy) / whole
    hits = []
    for repeat in range(60):
        found = indices.sobol(*noisy(saltelli(128, 3, 100 + repeat), 4, 0.3, rng))
        hits.append(found[0][1].low <= truth <= found[0][1].high)
    assert np.mean(hits) > 0.95 - 3 * (0.95 * 0.05 / 60) ** 0.5 - 0.02


def test_what_does_nothing_is_told_from_luck_rarely(few: None) -> None:
    rng = RNG(6)
    wrong = [indices.sobol(*noisy(saltelli(64, 3, 200 + repeat), 4, 0.5, rng))[2][1].matters for repeat in range(80)]
    assert np.mean(wrong) <= 0.025 + 3 * (0.025 * 0.975 / 80) ** 0.5 + 0.025


def test_nothing_moves_a_constant() -> None:
    a, b, ab = (np.ones((*x.shape[:-1], 2)) for x in saltelli(8, 3, 1))
    assert all(np.isnan(i.value) and not i.matters for both in indices.sobol(a, b, ab) for i in both)


def test_effects_of_a_line_are_its_slopes() -> None:
    slopes = np.array([3.0, -2.0, 0.0])
    found = indices.elementary(np.tile(slopes[None, :, None], (6, 1, 2)))
    assert [effect.value for effect, _ in found] == [3, 2, 0]
    assert [effect.high - effect.low for effect, _ in found] == pytest.approx([0, 0, 0])
    assert all(spread.value == 0 for _, spread in found)
    assert [effect.matters for effect, _ in found] == [True, True, False]


def test_luck_alone_shows_the_effect_that_is_called_its_noise() -> None:
    effects = RNG(7).standard_normal((4_000, 1, 4))
    ((effect, spread),) = indices.elementary(effects)
    assert effect.value == pytest.approx((2 / np.pi) ** 0.5 / 2, rel=0.04)  # mean |N(0, 1/4)|; error 1.2 %
    assert effect.noise == pytest.approx(effect.value, rel=0.04)
    assert spread.value < 0.1 and not effect.matters


def test_noise_is_taken_off_the_spread() -> None:
    truth = RNG(8).choice([1.0, 3.0], 4_000)
    effects = truth[:, None, None] + RNG(9).standard_normal((4_000, 1, 3))
    ((effect, spread),) = indices.elementary(effects)
    assert (effect.value, spread.value) == pytest.approx((2.0, 1.0), rel=0.04)


def test_parts_of_the_variance_are_those_that_were_put_there() -> None:
    rng, points, seeds = RNG(10), 400, 60
    y = 2 * rng.standard_normal((points, 1)) + rng.standard_normal(seeds) + 1.5 * rng.standard_normal((points, seeds))
    found = indices.parts(y)
    whole = 4 + 1 + 2.25
    assert (found.parameters, found.seeds, found.both) == pytest.approx((4 / whole, 1 / whole, 2.25 / whole), abs=0.08)
    assert np.isnan(indices.parts(y[:, :1]).seeds) and np.isnan(indices.parts(np.ones((3, 3))).both)


@given(st.integers(2, 6), st.integers(1, 4), st.floats(0.1, 100), st.floats(-50, 50))
def test_units_do_not_matter(rows: int, seeds: int, factor: float, shift: float) -> None:
    y = RNG(rows).random((rows, 4, seeds))
    for one, other in zip(
        indices.sobol(y[:, 0], y[:, 1], y[:, 2:]),
        indices.sobol(*(part * factor + shift for part in (y[:, 0], y[:, 1], y[:, 2:]))),
        strict=True,
    ):
        assert [i.value for i in one] == pytest.approx([i.value for i in other], rel=1e-5, abs=1e-7, nan_ok=True)
    for one, other in zip(indices.elementary(y), indices.elementary(y * factor), strict=True):
        assert [i.value * factor for i in one] == pytest.approx([i.value for i in other], rel=1e-7, abs=1e-9)
