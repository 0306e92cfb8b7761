"""Every estimator of skvae under every check that scikit-learn has for it."""

import inspect
import re
from itertools import product
from unittest import SkipTest

import pytest
import scipy._lib._array_api as scipy_array_api
from model_cases import ESTIMATORS, TRANSFORMERS, make_table, small
from numpydoc.docscrape import ClassDoc, FunctionDoc
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

pytestmark = pytest.mark.filterwarnings("ignore::skvae.PosteriorCollapseWarning")

# Class name to {check name: reason}. It stays empty: an estimator that fails a check
# is mended.
EXPECTED_FAILED_CHECKS: dict[str, dict[str, str]] = {}

# scikit-learn runs these on its own estimators, but `check_estimator` does not yield
# them.
MORE_CHECKS = [
    "check_dataframe_column_names_consistency",
    "check_inplace_ensure_writeable",
    "check_param_validation",
]
MORE_CHECKS_OF_TRANSFORMERS = [
    "check_get_feature_names_out_error",
    "check_global_output_transform_pandas",
    "check_global_set_output_transform_polars",
    "check_set_output_transform",
    "check_set_output_transform_pandas",
    "check_set_output_transform_polars",
    "check_transformer_get_feature_names_out",
    "check_transformer_get_feature_names_out_pandas",
]

estimator_classes = pytest.mark.parametrize(
    "estimator_class", ESTIMATORS, ids=lambda estimator: estimator.__name__
)


def test_estimators_are_found():
    names = {estimator.__name__ for estimator in ESTIMATORS}
    assert names >= {"VAE", "BetaVAE", "BetaTCVAE"}


def test_no_failure_is_expected():
    assert EXPECTED_FAILED_CHECKS == {}


def test_array_api_checks_are_on():
    assert scipy_array_api.SCIPY_ARRAY_API


def all_checks():
    checks = parametrize_with_checks(
        [small(estimator) for estimator in ESTIMATORS],
        expected_failed_checks=lambda estimator: EXPECTED_FAILED_CHECKS.get(
            type(estimator).__name__, {}
        ),
    )
    # scikit-learn 1.6 hands over a generator, of which pytest 9 warns.
    names, cases = checks.args
    return pytest.mark.parametrize(names, list(cases), **checks.kwargs)


@all_checks()
def test_check_estimator(estimator, check):
    try:
        check(estimator)
    except SkipTest as skipped:
        pytest.fail(f"The check did not run: {skipped}")


# The set_output checks fit a DataFrame and transform an array on purpose, or the
# other way round.
@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
@pytest.mark.filterwarnings("ignore:X has feature names, but")
@pytest.mark.parametrize(
    ("estimator_class", "check"),
    [
        *product(ESTIMATORS, MORE_CHECKS),
        *product(TRANSFORMERS, MORE_CHECKS_OF_TRANSFORMERS),
    ],
)
def test_check_that_check_estimator_leaves_out(estimator_class, check):
    if "polars" in check:
        pytest.importorskip("polars")
    check = getattr(estimator_checks, check)
    check(estimator_class.__name__, small(estimator_class))


@estimator_classes
def test_default_parameters_construct_and_survive(estimator_class):
    estimator = estimator_class()
    signature = inspect.signature(estimator_class)
    defaults = {name: p.default for name, p in signature.parameters.items()}
    assert estimator.get_params() == defaults
    assert set(defaults) == set(estimator_class._parameter_constraints)


@estimator_classes
def test_docstring_lists_parameters_in_order_with_their_defaults(estimator_class):
    documented = ClassDoc(estimator_class)["Parameters"]
    signature = inspect.signature(estimator_class).parameters
    assert [entry.name for entry in documented] == list(signature)
    for entry in documented:
        default = re.search(r"default=(.+)$", entry.type, flags=re.DOTALL)
        assert default, f"{entry.name} has no default"
        assert eval(default[1]) == signature[entry.name].default, entry.name
        assert "".join(entry.desc).strip(), f"{entry.name} says nothing"


@estimator_classes
def test_docstring_lists_the_fitted_attributes(estimator_class):
    fitted = small(estimator_class).fit(make_table())
    documented = {entry.name for entry in ClassDoc(estimator_class)["Attributes"]}
    members = {*vars(fitted), *dir(estimator_class)}
    public = {n for n in members if n.endswith("_") and not n.startswith("_")}
    assert documented == public
    for name in documented:
        getattr(fitted, name)


@estimator_classes
def test_docstrings_of_methods_list_their_parameters(estimator_class):
    methods = inspect.getmembers(estimator_class, inspect.isfunction)
    ours = [
        (name, method)
        for name, method in methods
        if not name.startswith("_") and method.__module__.startswith("skvae")
    ]
    assert {"fit", "score_samples"} <= {name for name, _ in ours}
    for name, method in ours:
        documented = FunctionDoc(method)
        parameters = list(inspect.signature(method).parameters)[1:]
        assert [entry.name for entry in documented["Parameters"]] == parameters, name
        writes_a_file = name in ("save", "to_onnx")
        assert documented["Returns"] or writes_a_file, name
