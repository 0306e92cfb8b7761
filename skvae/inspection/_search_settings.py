"""The settings of a search, as the displays of searches group and name them."""

import itertools
from collections import Counter
from numbers import Integral, Real

import numpy as np
import pandas as pd

from skvae._core.search_results import comparable
from skvae.inspection import _style

# Smaller numbers, such as learning rates, read better with an exponent.
_SMALL = 0.01
# What a setting has that lacks a parameter, as in a list of grids.
_NOT_SET = "default"


def setting_table(cv_results):
    """Return the parameters of each setting of a search, comparable with one another.

    Parameters
    ----------
    cv_results : dict of str to array
        The ``cv_results_`` of a search.

    Returns
    -------
    settings : DataFrame of shape (n_settings, n_parameters), of object
        NaN where a setting lacks a parameter. Lists, estimators and the like, which
        may have no hash, are texts.
    """
    params = [
        {name: comparable(value) for name, value in setting.items()}
        for setting in cv_results["params"]
    ]
    return pd.DataFrame(params, dtype=object)


def names_of(hue):
    """Return the names of parameters that a user passed as one, several or None."""
    return () if hue is None else (hue,) if isinstance(hue, str) else tuple(hue)


def find_parameters(settings, names):
    """Return what a search calls parameters, given with their prefix or without it.

    Parameters
    ----------
    settings : DataFrame of shape (n_settings, n_parameters)
        The parameters of the search.

    names : sequence of str
        Such as ``"beta"``, for ``"betatcvae__beta"``.

    Returns
    -------
    found : list of str
        In the order of `names`.

    Raises
    ------
    ValueError
        If there is none of that name, if there are several, or if two names are of one
        parameter.
    """
    found = [_find_parameter(list(settings), name) for name in names]
    if len(set(found)) < len(found):
        raise ValueError(f"Got the parameters {found}; expected different ones.")
    return found


def _find_parameter(known, name):
    if name in known:
        return name
    matches = [other for other in known if other.endswith(f"__{name}")]
    if len(matches) == 1:
        return matches[0]
    expected = f"one of {matches}" if matches else f"a parameter among {known}"
    raise ValueError(f"Got the parameter {name!r}; expected {expected}.")


def plain_names(names):
    """Return parameters without their prefix, where that leaves no doubt.

    Parameters
    ----------
    names : iterable of str
        All parameters of a search.

    Returns
    -------
    plain : dict of str to str
        ``"beta"`` for ``"betatcvae__beta"``, unless another step has a beta, too.
    """
    last = {name: name.rpartition("__")[2] for name in names}
    counts = Counter(last.values())
    return {name: part if counts[part] == 1 else name for name, part in last.items()}


def spread_of(folds):
    """Return the standard deviation of each setting's scores over folds.

    Parameters
    ----------
    folds : DataFrame of shape (n_settings, n_folds)
        NaN where a fit failed.

    Returns
    -------
    sd : Series of shape (n_settings,)
        With ``ddof=1``. NaN where a fit failed, or if there is one fold.
    """
    return folds.std(axis=1, ddof=1, skipna=False)


def score_label(score, *, has_spread):
    """Return the label of the axis of a score."""
    return f"{score} (mean ± sd of folds)" if has_spread else score


def text_of_values(values):
    """Return the values of some parameters as a legend has them."""
    return ", ".join(map(text_of_value, values))


def text_of_value(value):
    """Return the value of a parameter as a label: numbers with few digits."""
    if _is_absent(value):
        return _NOT_SET
    if not isinstance(value, Real) or isinstance(value, Integral):
        return _style.short(value)
    if 0 < abs(value) < _SMALL:
        digits, exponent = f"{value:.3e}".split("e")
        return f"{float(digits):g}e{int(exponent)}"
    return f"{value:.4g}"


def group_settings(settings, hue):
    """Return which settings of a search have the same values of some parameters.

    Parameters
    ----------
    settings : DataFrame of shape (n_settings, n_parameters)
        The parameters of the search.

    hue : sequence of str
        Some of them.

    Returns
    -------
    groups : dict of tuple to list
        For each combination of values the index of the settings that have it: numbers
        from small to large, anything else as it comes.
    """
    groups = {}
    for position, *values in settings[list(hue)].itertuples(name=None):
        # NaN is unlike itself, and would be a group each time.
        key = tuple(_NOT_SET if _is_absent(value) else value for value in values)
        groups.setdefault(key, []).append(position)
    ranks = [_ranks(values) for values in zip(*groups, strict=True)]
    order = sorted(
        groups,
        key=lambda key: [rank[v] for rank, v in zip(ranks, key, strict=True)],
    )
    return {key: groups[key] for key in order}


def _is_absent(value):
    return isinstance(value, float) and np.isnan(value)


def _ranks(values):
    """Return the place of each value, numbers first."""
    numbers = sorted({v for v in values if isinstance(v, Real)})
    return {v: place for place, v in enumerate(dict.fromkeys([*numbers, *values]))}


def setting_looks(keys, name, forms):
    """Return a look for each setting: its colour, and its dashes or marker.

    The first parameter of a setting has the colour and the others the form, if there
    are enough of both; otherwise settings get one look after another.

    Parameters
    ----------
    keys : iterable of tuple
        The settings.

    name : {"linestyle", "marker"}
        What beside colour tells them apart.

    forms : tuple of str
        Its values.

    Returns
    -------
    looks : dict of tuple to dict
        Keywords of each setting.
    """
    keys = list(keys)
    firsts = list(dict.fromkeys(key[:1] for key in keys))
    others = list(dict.fromkeys(key[1:] for key in keys))
    if len(firsts) <= len(_style.PALETTE) and len(others) <= len(forms):
        pairs = [(others.index(key[1:]), firsts.index(key[:1])) for key in keys]
    else:
        every = itertools.product(range(len(forms)), range(len(_style.PALETTE)))
        pairs = itertools.islice(itertools.cycle(every), len(keys))
    return {
        key: {"color": _style.PALETTE[color], name: forms[form]}
        for key, (form, color) in zip(keys, pairs, strict=True)
    }


def varying(settings):
    """Return the names of the parameters that are not the same in all settings."""
    return [name for name in settings if settings[name].nunique(dropna=False) > 1]
