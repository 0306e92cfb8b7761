"""What the tests of saved models share: there and back, and a look at everything."""

import numpy as np
import pandas as pd
import torch
from sklearn.base import BaseEstimator
from sklearn.neighbors import NearestNeighbors

import skvae
from skvae.training import Net

# What does not come back: code, and what is made anew when it is asked for.
LEFT_OUT = {"callbacks", "_aggregate", "_metadata_request"}
OF_NETS = ("module", "first", "best_epoch_", "max_epochs", "latent_dim")


def there_and_back(model, folder, **given):
    path = folder / "model.skvae"
    model.save(path)
    return skvae.load(path, **given)


def assert_same_output(one, other):
    """Say so where two results differ, be it in the last bit."""
    assert type(one) is type(other)
    if isinstance(one, pd.DataFrame):
        pd.testing.assert_frame_equal(one, other, check_exact=True)
    elif isinstance(one, pd.Series):
        pd.testing.assert_series_equal(one, other, check_exact=True)
    elif isinstance(one, tuple):
        for first, second in zip(one, other, strict=True):
            assert_same_output(first, second)
    else:
        np.testing.assert_array_equal(one, other)


def assert_same_model(model, again, X, condition=None):
    """Say so where a model that was loaded does something else than the saved one."""

    def outputs(model):
        given = {} if condition is None else {"condition": condition}
        yield model.transform(X, **given)
        yield model.score_samples(X, **given)
        yield model.inverse_transform(model._encode(X[:9])[0])
        yield model.sample(9, random_state=0)
        yield model.sample(9, latent="prior", kind="draw", random_state=0)

    for expected, found in zip(outputs(model), outputs(again), strict=True):
        assert_same_output(expected, found)


def assert_same_in_all(model, again, X, condition=None):
    """Say so where it differs in anything at all that a model can do."""

    def given(n_rows, name="condition"):
        return {} if condition is None else {name: condition[:n_rows]}

    def outputs(model):
        yield model.sample(7, random_state=0, **given(7))
        own = given(None, "own_condition")
        yield model.reconstruct(X, kind="draw", random_state=0, **own)
        own = given(30, "own_condition")
        yield model.counterfactual(X[:30], X[30:], factors=[0], **own)
        yield model.score_columns(X, **given(None))
        yield model.elbo_decomposition(X, **given(None))
        yield model.impute(X[:5], random_state=0, **given(5))
        yield model.history_
        yield model.get_feature_names_out()
        yield model.n_iter_, model.best_epoch_, model.n_active_

    assert_same_model(model, again, X, condition)
    for expected, found in zip(outputs(model), outputs(again), strict=True):
        assert_same_output(expected, found)


def assert_same_state(one, other, path="model", seen=None):
    """Say so where anything that two objects hold differs, however deep inside."""
    seen = set() if seen is None else seen
    if (id(one), id(other)) in seen:
        return
    seen.add((id(one), id(other)))
    assert type(one) is type(other), path
    if isinstance(one, np.ndarray):
        assert (one.dtype, one.flags.f_contiguous) == (
            other.dtype,
            other.flags.f_contiguous,
        ), path
        np.testing.assert_array_equal(one, other, err_msg=path)
    elif isinstance(one, torch.nn.Module):
        assert_same_module(one, other, path)
    elif isinstance(one, Net):
        assert list(one.history) == list(other.history), path
        assert_same_module(one.module_, other.module_, path)
        for name in OF_NETS:
            assert_same_state(
                getattr(one, name), getattr(other, name), f"{path}.{name}", seen
            )
    elif isinstance(one, list | tuple):
        assert len(one) == len(other), path
        for number, pair in enumerate(zip(one, other, strict=True)):
            assert_same_state(*pair, f"{path}.{number}", seen)
    elif isinstance(one, dict):
        assert list(one) == list(other), path
        for key in one:
            assert_same_state(one[key], other[key], f"{path}.{key}", seen)
    elif hasattr(one, "__dict__") and not _is_of_pandas(one):
        assert_same_attributes(one, other, path, seen)
    else:
        assert one == other or (one != one and other != other), path


def _is_of_pandas(value):
    return type(value).__module__.startswith("pandas") or isinstance(value, np.dtype)


def assert_same_attributes(one, other, path, seen):
    names, others = set(vars(one)) - LEFT_OUT, set(vars(other)) - LEFT_OUT
    if isinstance(one, NearestNeighbors):
        names, others = names - {"_tree"}, others - {"_tree"}
    assert names == others, path
    for name in names:
        parts = vars(one)[name], vars(other)[name]
        assert_same_state(*parts, f"{path}.{name}", seen)
    if isinstance(one, BaseEstimator):
        assert repr(one) == repr(other)


def assert_same_module(one, other, path):
    weights, others = one.state_dict(), other.state_dict()
    assert list(weights) == list(others), path
    for name, weight in weights.items():
        assert weight.dtype == others[name].dtype, f"{path}.{name}"
        assert torch.equal(weight.cpu(), others[name]), f"{path}.{name}"
    assert str(one) == str(other)
    assert not other.training
    assert not any(weight.requires_grad for weight in other.parameters())
