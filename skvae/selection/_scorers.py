"""The list of all scorers."""

import pandas as pd

from skvae.selection import (
    _factor_scorers,
    _fidelity_scorers,
    _latent_scorers,
    _outlier_scorers,
    _seed_scorers,
)

_NEEDS = {
    _latent_scorers: "nothing but rows",
    _seed_scorers: "a SeedEnsemble",
    _factor_scorers: "true factors as y",
    _fidelity_scorers: "nothing but rows",
    _outlier_scorers: "which rows are outliers, as y",
}
# Of single ones.
_NEEDS_BESIDES = {
    "tv": "columns of categories",
    "utility": "a column to predict: functools.partial(utility_scorer, target=...)",
}


def scorers():
    """List the scorers for ``GridSearchCV(scoring=...)``.

    Returns
    -------
    scorers : DataFrame of shape (n_scorers, 3)
        A row for each, by its name without ``_scorer``: ``needs``, what it needs
        beside a fitted estimator; ``says``, in a sentence; ``scorer``, the callable.

    Examples
    --------
    >>> from skvae.selection import scorers
    >>> scorers()["needs"].loc[["udr", "mig", "fidelity"]]
    udr            a SeedEnsemble
    mig         true factors as y
    fidelity     nothing but rows
    Name: needs, dtype: str

    Several at once:

    >>> scoring = scorers()["scorer"][["fidelity", "neg_total_correlation"]].to_dict()
    """
    rows = {}
    for module, needs in _NEEDS.items():
        for function, scorer in vars(module).items():
            if function.endswith("_scorer") and not function.startswith("_"):
                name = function.removesuffix("_scorer")
                needed = _NEEDS_BESIDES.get(name, needs)
                rows[name] = (needed, _sentence(scorer), scorer)
    return pd.DataFrame.from_dict(rows, "index", columns=["needs", "says", "scorer"])


def _sentence(scorer):
    return (scorer.__doc__ or "").strip().partition("\n")[0]
