"""From which beta on a score only fluctuates."""

import numpy as np
import pytest
from scipy.stats import f_oneway
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from skvae.selection import beta_threshold
from skvae.selection._beta_threshold import _p_value

BETAS = (1, 2, 4, 8, 16, 32)
STEPS = np.array([0.9, 0.8, 0.6, 0.5, 0.5, 0.5])
NOISE = np.random.default_rng(0).normal(scale=0.01, size=(6, 5))


def results_of(params, folds, name="score"):
    columns = {f"split{n}_test_{name}": fold for n, fold in enumerate(folds.T)}
    return {"params": list(params), **columns}


def test_where_the_steps_end():
    results = results_of([{"beta": b} for b in BETAS], STEPS[:, None] + NOISE)
    (row,) = beta_threshold(results).to_dict("records")
    assert (row["beta_0"], row["low"], row["high"]) == (8, 8, 8)
    assert row["mean"] == pytest.approx(0.5, abs=0.01)
    assert row["sd"] < 0.01


def test_a_score_that_never_changes_has_the_smallest():
    results = results_of([{"beta": b} for b in BETAS], 0.7 + NOISE)
    assert beta_threshold(results)["beta_0"].tolist() == [1]


def test_a_score_that_always_changes_has_none():
    falling = np.linspace(0.9, 0.4, 6)[:, None] + NOISE
    (row,) = beta_threshold(results_of([{"beta": b} for b in BETAS], falling)).to_dict(
        "records"
    )
    assert np.isnan([row["beta_0"], row["mean"], row["sd"]]).all()
    assert (row["low"], row["high"]) == (np.inf, np.inf)


def test_order_of_the_settings_does_not_matter():
    order = [3, 0, 5, 1, 4, 2]
    folds = (STEPS[:, None] + NOISE)[order]
    results = results_of([{"beta": BETAS[p]} for p in order], folds)
    assert beta_threshold(results)["beta_0"].tolist() == [8]


def test_folds_of_different_level_do_not_hide_a_step():
    # Each fold has its own level, ten times as far apart as the steps are.
    folds = STEPS[:, None] + NOISE + np.linspace(-5, 5, 5)
    results = results_of([{"beta": b} for b in BETAS], folds)
    assert beta_threshold(results)["beta_0"].tolist() == [8]


def test_one_for_each_other_setting():
    params = [{"vae__beta": b, "vae__lr": lr} for lr in (0.1, 0.2) for b in BETAS]
    folds = np.vstack([STEPS[:, None] + NOISE, 0.7 + NOISE])
    thresholds = beta_threshold(results_of(params, folds, "ks"), "ks", beta="vae__beta")
    assert thresholds.index.names == ["vae__lr"]
    assert thresholds["beta_0"].to_dict() == {(0.1,): 8, (0.2,): 1}


def test_the_stricter_the_test_the_later():
    noisy = STEPS[:, None] + 10 * NOISE
    results = results_of([{"beta": b} for b in BETAS], noisy)
    loose, strict = (beta_threshold(results, level=p)["beta_0"][0] for p in (1e-6, 0.9))
    assert loose < 8
    assert np.isnan(strict) or strict > loose


def test_p_value_of_folds_without_a_level_of_their_own():
    # With the level of each fold taken out, blocks explain nothing, and the F of two
    # ways differs from that of one way by the degrees of freedom only.
    folds = NOISE - NOISE.mean(axis=0)
    one_way = f_oneway(*folds)
    ratio = one_way.statistic * (5 * 4) / (6 * 4)
    from scipy.stats import f

    assert _p_value(folds) == pytest.approx(f.sf(ratio, 5, 20), rel=1e-9)


def test_p_value_without_noise():
    assert _p_value(np.ones((3, 4)) + np.arange(4)) == 1
    assert _p_value(np.ones((3, 4)) + np.arange(3)[:, None]) == 0


@pytest.mark.parametrize(
    ("betas", "n_folds", "kwargs", "found"),
    [
        (BETAS[:2], 5, {}, "expected three different ones"),
        (BETAS, 2, {}, "2 folds; expected three"),
        (BETAS, 5, {"beta": "model__beta"}, "expected a parameter among"),
        (BETAS, 5, {"score": "ks"}, "no score 'ks'"),
        (BETAS, 5, {"level": 1.0}, "level"),
    ],
)
def test_wrong_input(betas, n_folds, kwargs, found):
    folds = (STEPS[:, None] + NOISE)[: len(betas), :n_folds]
    with pytest.raises(ValueError, match=found):
        beta_threshold(results_of([{"beta": b} for b in betas], folds), **kwargs)


def test_a_failed_fit():
    folds = STEPS[:, None] + NOISE
    folds[2, 1] = np.nan
    with pytest.raises(ValueError, match="A fit of the search failed"):
        beta_threshold(results_of([{"beta": b} for b in BETAS], folds))


def search_of(settings, means):
    noise = np.random.default_rng(0).normal(scale=0.01, size=(len(means), 5))
    folds = np.array(means)[:, None] + noise
    return {"params": settings} | {
        f"split{fold}_test_score": scores for fold, scores in enumerate(folds.T)
    }


def test_parameters_that_have_no_order_or_no_hash():
    layers, steps = [[8], [16]], [PCA(2), StandardScaler()]
    settings = [
        {"beta": beta, "layers": layer, "step": step}
        for layer, step in zip(layers, steps, strict=True)
        for beta in (1, 2, 4)
    ]
    result = beta_threshold(search_of(settings, [0.9, 0.5, 0.5] * 2))
    assert result["beta_0"].tolist() == [2, 2]
    assert result.index.get_level_values("layers").tolist() == ["[8]", "[16]"]


def test_settings_without_beta_are_left_out():
    settings = [{"beta": beta} for beta in (1, 2, 4)] + [{"beta": None}]
    result = beta_threshold(search_of(settings, [0.9, 0.5, 0.5, 0.1]))
    assert result["beta_0"].tolist() == [2]


def test_errors_name_the_setting():
    settings = [{"beta": beta, "lr": 0.1} for beta in (1, 1, 2)]
    with pytest.raises(ValueError, match=r"\[1.0, 1.0, 2.0\] with {'lr': 0.1}"):
        beta_threshold(search_of(settings, [0.9, 0.9, 0.5]))
