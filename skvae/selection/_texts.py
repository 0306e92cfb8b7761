"""Text that the docstrings of several scorers share, written once."""

import inspect

_COMPARED = """
estimator : estimator
    A fitted model, or a Pipeline or search with one inside.

X : DataFrame or array-like of shape (n_samples, n_features)
    The table to compare with.

y : None
    Ignored.

space : {"data", "model"}, default="data"
    Whether to compare in the units of `X`, which takes an inverse of every step
    before the model, or as the model sees the table.
"""
_WITH_FACTORS = """
estimator : estimator
    A fitted model, or a Pipeline or search with one inside.

X : DataFrame or array-like of shape (n_samples, n_features)
    Rows to encode.

y : DataFrame or array-like of shape (n_samples, n_factors)
    The true factors of the rows. Searches pass them on as their own ``y``.
"""
_NO_FACTORS = """
ValueError
    If `y` is None or has another number of rows than `X`.
"""
_OF_CODES = """
estimator : estimator
    A fitted model, or a Pipeline or search with one inside.

X : DataFrame or array-like of shape (n_samples, n_features)
    Rows to encode.

y : None
    Ignored.
"""
_OF_SEEDS = """
estimator : estimator
    A fitted :class:`SeedEnsemble`, or a Pipeline or search with one inside.

X : DataFrame or array-like of shape (n_samples, n_features)
    Rows to encode.

y : None
    Ignored.
"""


def of_rows(scorer):
    """Give a scorer that compares rows with a table the text of its parameters.

    Parameters
    ----------
    scorer : callable
        With ``{compared}`` in its docstring.

    Returns
    -------
    scorer : callable
        The same function.
    """
    return _filled(scorer, compared=_COMPARED)


def with_factors(scorer):
    """Give a scorer that needs true factors the text of its parameters and errors.

    Parameters
    ----------
    scorer : callable
        With ``{with_factors}`` and ``{no_factors}`` in its docstring.

    Returns
    -------
    scorer : callable
        The same function.
    """
    return _filled(scorer, with_factors=_WITH_FACTORS, no_factors=_NO_FACTORS)


def of_codes(scorer):
    """Give a scorer of codes alone the text of its parameters.

    Parameters
    ----------
    scorer : callable
        With ``{of_codes}`` in its docstring.

    Returns
    -------
    scorer : callable
        The same function.
    """
    return _filled(scorer, of_codes=_OF_CODES)


def of_seeds(scorer):
    """Give a scorer of several seeds the text of its parameters.

    Parameters
    ----------
    scorer : callable
        With ``{of_seeds}`` in its docstring.

    Returns
    -------
    scorer : callable
        The same function.
    """
    return _filled(scorer, of_seeds=_OF_SEEDS)


def _filled(scorer, **texts):
    if scorer.__doc__ is not None:  # None under python -OO
        doc = inspect.cleandoc(scorer.__doc__)
        for name, text in texts.items():
            doc = doc.replace(f"{{{name}}}", text.strip())
        scorer.__doc__ = doc + "\n"
    return scorer
