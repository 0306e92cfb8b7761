"""Everything that can be measured of a model's latents, in one table."""

from numbers import Integral

import numpy as np
import pandas as pd
from scipy.stats import rankdata
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, validate_params

from skvae._core.activity import ACTIVE_KL
from skvae._core.html_table import html_table
from skvae.metrics import (
    DCI,
    beta_vae_score,
    dci_scores,
    explicitness_score,
    factor_entropies,
    factor_vae_score,
    gaussian_total_correlation,
    gaussian_wasserstein,
    irs_score,
    kl_per_dimension,
    latent_consistency_score,
    mig_score,
    mig_sup_score,
    modularity_score,
    recovered_factors,
    sap_score,
    total_correlation,
)
from skvae.selection._resolve import encoder_of, resolve
from skvae.selection._seed_ensemble import agreement
from skvae.selection._seed_scorers import find_ensemble, model_centrality_scorer

# From these on a sentence says that something is wrong.
_SAME, _DEPENDENT, _BIAS, _FEW_ROWS = 0.8, 1.0, 0.05, 500
# Latents that hold the same, and hold something, have more total correlation.
_LITTLE = 0.2
_N_BINS = 20
_COLUMNS = ["value", "chance", "meaning"]

_MEANINGS = {
    "active latents": "latents that carry information, more than 0.01 nats",
    "KL": "nats that the latents carry in all",
    "total correlation": "nats by which latents depend on one another",
    "Gaussian total correlation": "the same of the codes, by their correlations alone",
    "distance to the prior": "squared 2-Wasserstein distance of q(z) to N(0, I)",
    "latent consistency": "whether latents survive decoding and encoding; sees no turn",
    "UDR": "whether other seeds find the same latents",
    "shared latents": "how many latents other seeds find, too",
    "model centrality": "whether other seeds hear which latent of a seed was fixed",
    "FactorVAE score": "whether a fixed factor stills one latent",
    "beta-VAE score": "whether a linear classifier tells which factor was fixed",
    "MIG": "whether one latent knows a factor, and no second one does",
    "MIG-sup": "whether a latent knows one factor, and no second one",
    "DCI disentanglement": "whether each latent serves to predict one factor",
    "DCI completeness": "whether each factor is predicted from one latent",
    "DCI informativeness": "how well factors are predicted from all latents",
    "SAP": "whether one latent predicts a factor better than all others",
    "modularity": "whether each latent knows one factor only",
    "explicitness": "whether factors can be read off the code by a linear rule",
    "IRS": "whether latents stay as they are when other factors change",
    "recovered factors": "share of the factors with a latent of their own",
}

# Of the scores that do not go from 0 to 1.
_UNITS = {
    "active latents": "latents",
    "shared latents": "latents",
    "KL": "nats",
    "total correlation": "nats",
    "Gaussian total correlation": "nats",
    "distance to the prior": "squared prior sd",
}


class DisentanglementReport(pd.DataFrame):
    """What :func:`disentanglement_report` returns: a table, and what is wrong.

    Parameters
    ----------
    scores : DataFrame of shape (n_scores, 3)
        A row for each score: ``value``, ``chance``, which codes with their rows
        shuffled get (NaN where there is no such thing), and ``meaning``.

    findings : list of str
        Sentences about what is wrong; empty where nothing was found.
    """

    _metadata = ["findings"]

    def __init__(self, scores, findings):
        super().__init__(scores)
        self.findings = findings

    @property
    def _constructor(self):
        return pd.DataFrame  # a part of a report is a plain table

    def __copy__(self):
        return type(self)(pd.DataFrame(self).copy(), self.findings)

    def __deepcopy__(self, memo):
        return type(self)(pd.DataFrame(self).copy(), list(self.findings))

    def __repr__(self):
        if list(self.columns) != _COLUMNS:  # changed in place
            return super().__repr__()
        width = self["meaning"].str.len().max()
        table = pd.DataFrame(
            {
                "value": self["value"].map("{:.3f}".format, na_action="ignore"),
                "chance": self["chance"].map("{:.3f}".format, na_action="ignore"),
                "meaning": self["meaning"].str.ljust(width),
            }
        )
        lines = [table.fillna("").to_string(index_names=False)]
        return "\n".join([*lines, *(f"- {finding}" for finding in self.findings)])

    def _repr_html_(self):
        if list(self.columns) != _COLUMNS:  # changed in place
            return super()._repr_html_()
        return html_table(
            "Disentanglement",
            ["score", "value", "chance", "unit or range", "meaning"],
            [_html_row(*row) for row in self.itertuples()],
            notes=self.findings,
        )


def _html_row(name, value, chance, meaning):
    """Return the cells of a score: latents are counted where they are whole."""
    unit = _UNITS.get(name, "0 to 1")
    is_count = unit == "latents" and value % 1 == 0
    return name, int(value) if is_count else value, chance, unit, meaning


@validate_params(
    {
        "estimator": "no_validation",
        "X": "no_validation",
        "factors": ["array-like", None],
        "max_rows": [Interval(Integral, 100, None, closed="left")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def disentanglement_report(
    estimator, X, factors=None, *, max_rows=10_000, random_state=0
):
    """Measure whether the latents of a model are disentangled, in every way there is.

    Parameters
    ----------
    estimator : estimator
        A fitted model, a :class:`SeedEnsemble`, or a Pipeline or search with one
        inside.

    X : DataFrame or array-like of shape (n_samples, n_features)
        Rows to encode, best those that the model has not seen.

    factors : DataFrame or array-like of shape (n_samples, n_factors), default=None
        What is known of the same rows: true factors of a simulator, or quantities that
        one would like latents to be, such as how far a credit line is used. Without
        them the report has scores that need none.

    max_rows : int, default=10_000
        Rows to measure on, drawn if there are more.

    random_state : int, RandomState instance or None, default=0
        Determines what is drawn.

    Returns
    -------
    report : DisentanglementReport of shape (n_scores, 3)
        A DataFrame with the columns ``value``, ``chance`` and ``meaning``, and
        ``report.findings``, sentences about what is wrong.

    Raises
    ------
    TypeError
        If there is no model of skvae inside.

    ValueError
        If `X` and `factors` have different numbers of rows.

    See Also
    --------
    skvae.metrics : The scores of arrays.

    Notes
    -----
    Scores with factors are of the active latents. ``chance`` is measured: it is the
    score of the same codes with their rows shuffled, which know nothing of the
    factors. For latent consistency it is 1 over the number of active latents.

    Examples
    --------
    >>> from skvae import BetaTCVAE
    >>> from skvae.datasets import make_factor_table
    >>> from skvae.selection import disentanglement_report
    >>> table = make_factor_table(500, random_state=0)
    >>> model = BetaTCVAE(latent_dim=4, max_epochs=5, random_state=0).fit(table.data)
    >>> report = disentanglement_report(model, table.data, table.factors)
    >>> report.loc[["active latents", "MIG"], "value"].round(1).tolist()
    [4.0, 0.1]
    """
    random_state = check_random_state(random_state)
    seed = random_state.randint(2**31 - 1)
    X, factors = _some_rows(X, factors, max_rows, random_state)
    resolved = resolve(estimator, X)
    model = resolved.model._factor_model
    means, log_variances = model._encode(resolved.inputs)
    kl = kl_per_dimension(means, log_variances)
    active = np.flatnonzero(kl > ACTIVE_KL)
    scores = _without_factors(model, means, log_variances, kl, seed)
    scores |= _of_seeds(*find_ensemble(estimator, X))
    problems = []
    if factors is not None:
        factors, problems = _usable(factors)
    if factors is not None:
        codes = means[:, active] if len(active) else means
        shuffled = codes[random_state.permutation(len(codes))]
        pairs, found = _with_factors(factors, codes, shuffled, seed)
        scores |= pairs
        problems += found
    table = pd.DataFrame.from_dict(scores, "index", columns=_COLUMNS[:2])
    table["meaning"] = table.index.map(_MEANINGS)
    table.index.name = "score"
    findings = _findings(table, means, kl, factors)
    return DisentanglementReport(table, [*findings, *problems])


def _some_rows(X, factors, max_rows, random_state):
    """Return at most so many rows of both."""
    n_rows = len(X)
    if factors is not None:
        if not isinstance(factors, pd.DataFrame | pd.Series):
            factors = np.asarray(factors)
        if len(factors) != n_rows:
            raise ValueError(
                f"Got {n_rows} rows in X and {len(factors)} in factors; expected the "
                "same rows."
            )
    if n_rows <= max_rows:
        return X, factors
    rows = np.sort(random_state.choice(n_rows, max_rows, replace=False))
    return _taken(X, rows), None if factors is None else _taken(factors, rows)


def _taken(table, rows):
    if isinstance(table, pd.DataFrame | pd.Series):
        return table.iloc[rows]
    return np.asarray(table)[rows]


def _without_factors(model, means, log_variances, kl, seed):
    """Return pairs of value and chance by the name of the score."""
    is_active = kl > ACTIVE_KL
    consistency = latent_consistency_score(
        means,
        model._inference.decode,
        encoder_of(model),
        active=is_active,
        random_state=seed,
    ).eval_accuracy
    total = total_correlation(means, log_variances, random_state=seed)
    distance = gaussian_wasserstein(means, log_variances)
    n_active = int(is_active.sum())
    linear = gaussian_total_correlation(means[:, is_active]) if n_active else 0.0
    return {
        "active latents": (n_active, np.nan),
        "KL": (kl.sum(), np.nan),
        "total correlation": (total, np.nan),
        "Gaussian total correlation": (linear, np.nan),
        "distance to the prior": (distance, np.nan),
        "latent consistency": (consistency, 1 / n_active if n_active else np.nan),
    }


def _of_seeds(ensemble, X):
    """Return such pairs of several seeds; none without an ensemble."""
    if ensemble is None:
        return {}
    udr = agreement(ensemble._posteriors(X))
    return {
        "UDR": (udr.mean, np.nan),
        "shared latents": (udr.n_shared, np.nan),
        "model centrality": (model_centrality_scorer(ensemble, X), 0.0),
    }


def _usable(factors):
    """Return the factors that vary, None without one, and what is wrong with others."""
    factors = pd.DataFrame(factors)
    varies = factors.nunique().to_numpy() > 1
    if varies.all():
        return factors, []
    left_out = ", ".join(map(str, factors.columns[~varies]))
    finding = f"Left out, as they do not vary: {left_out}."
    return factors.loc[:, varies] if varies.any() else None, [finding]


def _with_factors(factors, codes, shuffled, seed):
    """Return such pairs, and sentences about scores that could not be taken."""
    seeded = {"random_state": seed}
    ordered = _with_order(factors)
    scores = {
        "FactorVAE score": lambda rows: factor_vae_score(factors, rows, **seeded),
        "beta-VAE score": lambda rows: beta_vae_score(factors, rows, **seeded),
        "MIG": lambda rows: mig_score(factors, rows),
        "MIG-sup": lambda rows: mig_sup_score(factors, rows),
        "SAP": lambda rows: sap_score(factors, rows, **seeded),
        "modularity": lambda rows: modularity_score(factors, rows),
        "explicitness": lambda rows: explicitness_score(factors, rows, **seeded),
        "IRS": lambda rows: irs_score(factors, rows),
        "DCI": lambda rows: dci_scores(factors, rows, **seeded),
    }
    if ordered.shape[1] > 0:
        scores["recovered factors"] = lambda rows: (
            recovered_factors(ordered, rows).share
        )
    pairs, problems = {}, []
    for name, score in scores.items():
        try:
            pairs[name] = (score(codes), score(shuffled))
        except ValueError as error:  # of rows that are too few, as it says
            problems.append(f"No {name}: {error}")
    if "DCI" in pairs:
        values = zip(*pairs.pop("DCI"), strict=True)
        names = [f"DCI {name}" for name in DCI._fields]
        pairs |= dict(zip(names, values, strict=True))
    return pairs, problems


def _with_order(factors):
    """Return the factors whose values can be ranked."""
    factors = pd.DataFrame(factors).infer_objects()
    factors = factors.select_dtypes(exclude=["object", "string"])
    return factors.loc[:, [getattr(each, "ordered", True) for each in factors.dtypes]]


def _findings(table, means, kl, factors):
    """Return sentences about what is wrong."""
    active = np.flatnonzero(kl > ACTIVE_KL)
    if len(active) == 0:
        return [
            "Every latent is switched off: the posterior has collapsed, and no other "
            "number here means anything. Lower beta, or lengthen kl_warmup."
        ]
    value = table["value"]
    findings = [
        *_redundant(means, active, kl, value["total correlation"]),
        *_entangled(value),
        *_too_few_rows(len(means), factors),
    ]
    if value["latent consistency"] < 0.5 * (1 + table["chance"]["latent consistency"]):
        findings.append(
            f"Latents do not survive decoding and encoding (consistency "
            f"{value['latent consistency']:.2f}): several say the same, or the "
            "decoder ignores some."
        )
    return findings


def _redundant(means, active, kl, total_correlation):
    ranks = rankdata(means[:, active], axis=0)
    correlations = np.atleast_2d(np.corrcoef(ranks.T))
    for i, j in zip(*np.triu_indices(len(active), 1), strict=True):
        if abs(correlations[i, j]) >= _SAME:
            advice = "Raise beta, or take fewer latents."
            if total_correlation < _LITTLE:  # only the means are alike
                advice = f"They carry little (KL {kl[active].sum():.2f}): lower beta."
            yield (
                f"Latents {active[i]} and {active[j]} hold much the same (rank "
                f"correlation {correlations[i, j]:.2f}). {advice}"
            )


def _entangled(value):
    if value["total correlation"] >= _DEPENDENT:
        yield (
            f"Latents depend on one another (total correlation "
            f"{value['total correlation']:.1f} nats). Raise beta of a BetaTCVAE."
        )
    is_known = {"MIG", "DCI informativeness"} <= set(value.index)
    if is_known and value["DCI informativeness"] > 0.5 > 5 * value["MIG"]:
        yield (
            f"The code holds the factors (informativeness "
            f"{value['DCI informativeness']:.2f}), and no latent holds one alone (MIG "
            f"{value['MIG']:.2f}): they are entangled."
        )


def _too_few_rows(n_rows, factors):
    if n_rows < _FEW_ROWS:
        yield f"{n_rows} rows are few: take all of these scores as rough."
    elif factors is not None:
        entropies = factor_entropies(factors, n_bins=_N_BINS)
        # Of the binned mutual information of independent columns.
        bias = (_N_BINS - 1) * (np.exp(entropies) - 1) / (2 * n_rows)
        if (bias > _BIAS * entropies).any():
            yield (
                f"{n_rows} rows are few for MIG, MIG-sup and modularity of factors "
                "with so many values: compare them with their chance level."
            )
