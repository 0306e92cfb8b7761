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
    if scorer.__doc__ is not None:  # None under python -OO
        doc = inspect.cleandoc(scorer.__doc__)
        scorer.__doc__ = doc.replace("{compared}", _COMPARED.strip()) + "\n"
    return scorer
