"""What to take from a search: the rule of one standard error, the Pareto front."""

import pickle

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV

from skvae.selection import one_standard_error_rule, pareto_front


def results_of(params, **scores):
    """Return the part of ``cv_results_`` that rules read; folds are columns."""
    results = {"params": params}
    for name, folds in scores.items():
        for number, fold in enumerate(np.array(folds, dtype=float).T):
            results[f"split{number}_test_{name}"] = fold
    return results


BETAS = [{"beta": beta} for beta in (1, 2, 4, 8)]


class TestOneStandardError:
    # The best fidelity is .8, its standard error .1 / sqrt(2) / sqrt(2) = .05 / 1.
    FIDELITY = ((0.85, 0.75), (0.80, 0.72), (0.74, 0.75), (0.1, 0.1))

    def test_best_disentangled_of_those_close_to_the_best_fidelity(self):
        results = results_of(
            BETAS,
            fidelity=self.FIDELITY,
            independence=[(-4, -4), (-2, -2), (-3, -1.5), (0, 0)],
        )
        # .745 is below .8 - .05: the third is out, though the best but one.
        assert one_standard_error_rule("fidelity", "independence")(results) == 1

    def test_best_fidelity_where_disentanglement_is_no_better(self):
        results = results_of(BETAS, fidelity=self.FIDELITY, mig=[(0.5, 0.5)] * 4)
        assert one_standard_error_rule("fidelity", "mig")(results) == 0

    def test_one_fold_has_no_error(self):
        fidelity = [(0.8,), (0.8,), (0.79,), (0.1,)]
        results = results_of(BETAS, fidelity=fidelity, mig=[(0.1,), (0.2,), (1,), (1,)])
        assert one_standard_error_rule("fidelity", "mig")(results) == 1

    def test_failed_fits_are_never_taken(self):
        results = results_of(
            BETAS,
            fidelity=[(np.nan, np.nan), *self.FIDELITY[1:]],
            mig=[(1, 1), (0.1, 0.1), (np.nan, 0.5), (1, 1)],
        )
        assert one_standard_error_rule("fidelity", "mig")(results) == 1

    def test_no_fit_succeeded(self):
        nothing = [(np.nan, np.nan)] * 4
        with pytest.raises(ValueError, match="No setting has both scores"):
            one_standard_error_rule("a", "b")(results_of(BETAS, a=nothing, b=nothing))

    def test_unknown_score(self):
        results = results_of(BETAS, fidelity=self.FIDELITY)
        with pytest.raises(ValueError, match="no score 'mig'; expected one of fidel"):
            one_standard_error_rule("fidelity", "mig")(results)

    def test_names_are_taken_to_the_letter(self):
        results = results_of(BETAS, **{"a.b": self.FIDELITY, "axb": self.FIDELITY})
        assert one_standard_error_rule("a.b", "axb")(results) == 0
        with pytest.raises(ValueError, match="no score"):
            one_standard_error_rule("a.b", "a.")(results)

    def test_in_a_search(self, tiny_search):
        rule = one_standard_error_rule("fidelity", "independence")
        search = GridSearchCV(**tiny_search, refit=pickle.loads(pickle.dumps(rule)))
        search.fit(np.random.default_rng(0).normal(size=(60, 3)))
        assert search.best_index_ == rule(search.cv_results_)


@pytest.fixture
def tiny_search():
    """Return the parameters of a search that takes no time, with two scores."""
    from sklearn.decomposition import PCA

    return {
        "estimator": PCA(),
        "param_grid": {"n_components": [1, 2]},
        "scoring": {
            "fidelity": lambda estimator, X, y=None: estimator.score(X),
            "independence": lambda estimator, X, y=None: -estimator.n_components_,
        },
        "cv": 2,
    }


class TestParetoFront:
    RESULTS = results_of(
        [{"beta": 1, "lr": 0.1}, {"beta": 2, "lr": 0.1}, {"beta": 4, "lr": 0.2}],
        fidelity=[(0.5, 0.7), (0.9, 0.9), (0.5, 0.5)],
        mig=[(0.3, 0.3), (0.1, 0.1), (0.2, 0.2)],
    )

    def test_only_those_that_none_beats(self):
        front = pareto_front(self.RESULTS, "fidelity", "mig")
        assert front.index.tolist() == [1, 0]
        assert front.columns.tolist() == ["beta", "lr", "fidelity", "mig"]
        np.testing.assert_allclose(front["fidelity"], [0.9, 0.6])

    def test_three_scores(self):
        third = results_of(BETAS[:3], tc=[(0, 0), (0, 0), (1, 1)])
        front = pareto_front(self.RESULTS | third, "mig", "fidelity", "tc")
        assert front.index.tolist() == [0, 2, 1]

    def test_equals_stand_side_by_side(self):
        equal = results_of(BETAS, a=[(1, 1)] * 4, b=[(2, 2)] * 4)
        assert len(pareto_front(equal, "a", "b")) == 4

    def test_failed_fits_are_left_out(self):
        results = results_of(BETAS[:2], a=[(np.nan, 9), (1, 1)], b=[(9, 9), (1, 1)])
        assert pareto_front(results, "a", "b").index.tolist() == [1]

    def test_one_score_has_no_front(self):
        with pytest.raises(ValueError, match="names of two or more"):
            pareto_front(self.RESULTS, "mig")
