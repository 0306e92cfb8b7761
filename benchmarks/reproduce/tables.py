"""The published tables, each beside what was measured here.

The published figures are those of W. Hu, "Variational Autoencoders for Discovering
Influential Latent Factors", MEng thesis, Massachusetts Institute of Technology, 2022
(tables 5.1, 5.2, 5.3 and B.1), and of the dCVAE paper's table 1, in ``published/``.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from skvae.selection import beta_threshold

PUBLISHED = Path(__file__).parent / "published"
CELL = ["latent_dim", "lr", "beta"]
# The thesis' accuracies, by its listing, beside the library's version of them.
LABELS = {"thesis train": "C.3 train", "thesis eval": "C.3 eval"}


def published(name):
    """Return a published table."""
    return pd.read_csv(PUBLISHED / f"{name}.csv")


def beside(name, runs, columns):
    """Return a published table with columns of what was measured in its cells.

    Parameters
    ----------
    name : str
        The published table.

    runs : DataFrame
        One row a run.

    columns : dict of (str, str) to list of str
        For each data set and setting the measures to show.

    Returns
    -------
    table : DataFrame
        Means over seeds, with the standard deviation where there are two or more.
        Without columns of what was not run.
    """
    table = published(name).set_index(CELL).add_prefix("published: ")
    for (data, setting), measures in columns.items():
        of_variant = runs[(runs["data"] == data) & (runs["setting"] == setting)]
        if of_variant.empty:
            continue
        title = setting if data == "Taiwan" else f"{data}, {setting}"
        text = mean_and_sd(of_variant, CELL, measures).rename(columns=LABELS)
        table = table.join(text.add_prefix(f"{title}: "))
    return without_gaps(table).reset_index().astype({"lr": str})


def mean_and_sd(runs, by, measures):
    """Return text such as ``0.520 ± 0.030`` for each group of runs."""
    grouped = runs.groupby(by, sort=False)[measures]
    mean, sd, n = grouped.mean(), grouped.std(), grouped.count()
    text = mean.apply(as_text).where(mean.notna(), "")
    return text.where(n < 2, text + " ± " + sd.apply(as_text))


def as_text(column):
    """Return numbers with three decimals, and with one if they are counts."""
    return column.map(f"{{:.{1 if column.name == 'n_active' else 3}f}}".format)


def of_beta(runs, score):
    """Return runs as the ``cv_results_`` of a search, seeds in place of folds.

    Parameters
    ----------
    runs : DataFrame
        The runs of one setting, over betas and whatever else.

    score : str
        What was measured.

    Returns
    -------
    cv_results : dict of str to array
        For `ScoreCurveDisplay.from_cv_results` and `beta_threshold`.
    """
    wide = of_whole_seeds(runs, score)
    results = {"params": wide.index.to_frame().to_dict("records")}
    for place, seed in enumerate(wide):
        results[f"split{place}_test_{score}"] = wide[seed].to_numpy()
    return results


def of_whole_seeds(runs, score):
    """Return a score by cell and seed, of the seeds of which all cells were run."""
    return runs.pivot(index=CELL, columns="seed", values=score).dropna(axis="columns")


def figure_5_5(runs):
    """Return how well reconstructions are distributed as beta grows.

    A row for each setting, number of latents and learning rate: what the thesis says of
    its picture, the KS of the smallest and of the largest beta, the rank correlation of
    beta and KS, the fall in all and the largest from one beta to the next, and beta_0.
    """

    def described(cell, ends):
        return of_trend(cell, "KS", ends) | fall(cell, ends) | beta_0(cell)

    table = by_cell(runs, described)
    theirs = published("figure_5_5").astype({"lr": str})
    theirs = theirs.set_index(["latent_dim", "lr"])["KS"]
    cells = pd.MultiIndex.from_frame(table[["latent_dim", "lr"]])
    table.insert(3, "published: KS", theirs.reindex(cells, fill_value="").to_numpy())
    return table


def along_beta(runs):
    """Return what else changes with beta (the thesis' sections 4.2.1 and 5.3.1)."""
    measures = ("skewness", "effect range", "distinct rows", "n_active")

    def trends(cell, ends):
        trends = (of_trend(cell, name, ends) for name in measures)
        return {title: value for trend in trends for title, value in trend.items()}

    return by_cell(runs, trends)


def by_cell(runs, describe):
    """Return a table with a row for each setting, number of latents and rate.

    Parameters
    ----------
    runs : DataFrame
        One row a run.

    describe : callable
        What the row says, of its runs and of the smallest and largest beta of all.
    """
    keys = ["setting", "latent_dim", "lr"]
    ends = runs["beta"].min(), runs["beta"].max()
    rows = [
        dict(zip(keys, values, strict=True)) | describe(cell, ends)
        for values, cell in runs.groupby(keys)
    ]
    table = pd.DataFrame(rows).astype({"lr": str}).round(3)
    return without_gaps(table.replace(0.0, 0.0))  # the -0 that rounding leaves


def without_gaps(table):
    """Return a table whose missing cells are empty texts."""
    return table.astype(object).where(table.notna(), "")


def of_trend(cell, name, ends):
    """Return a measure at both ends of beta, and its rank correlation with it."""
    means = cell.groupby("beta")[name].mean()
    at_ends = {f"{name}, beta {beta:g}": means.get(beta, np.nan) for beta in ends}
    return at_ends | {f"{name}, Spearman": rank_correlation(means.index, means)}


def fall(cell, ends):
    """Return how far the KS falls in all, and at most from one beta to the next."""
    means = cell.groupby("beta")["KS"].mean()
    at_first, at_last = means.reindex(ends)
    falls = -means.diff()
    return {
        "KS({:g}) - KS({:g})".format(*ends): at_first - at_last,
        "largest fall": falls.max(),
        "to beta": falls.idxmax(),
    }


def rank_correlation(x, y):
    """Return Spearman's, NaN where nothing changes."""
    return spearmanr(x, y).statistic if np.ptp(y) > 0 else np.nan


def beta_0(cell):
    """Return from which beta on the KS only fluctuates, if seeds are enough to tell."""
    if of_whole_seeds(cell, "KS").shape[1] < 3:
        return {}
    row = beta_threshold(of_beta(cell, "KS"), "KS").iloc[0]
    return {"beta_0": row["beta_0"], "its low": row["low"], "its high": row["high"]}


def attributes(runs):
    """Return the mutual information gap of images with attributes, by beta."""
    measures = ["MIG", "MIG adjusted", "FactorVAE score", "n_active", "MSE"]
    runs = runs.dropna(subset="MIG")
    table = mean_and_sd(runs, ["data", "setting", *CELL], measures)
    return table.reset_index().astype({"lr": str})


def dcvae_table_1(runs):
    """Return the published AUC of detectors beside those of each protocol and setting.

    Parameters
    ----------
    runs : DataFrame
        Those of ``anomaly_images.py``.

    Returns
    -------
    table : DataFrame
        Means and standard deviations over the choices of a class, and minutes of a
        fit.
    """
    table = published("dcvae_table_1").set_index(["data", "model"])
    table = table.add_prefix("published: ")
    for setting in ("paper", "ours"):
        of_setting = runs[runs["settings"] == setting]
        n_train = of_setting.groupby("data")["n_train"].transform("min")
        of_setting = of_setting[of_setting["n_train"] == n_train]
        for protocol, part in of_setting.groupby("protocol"):
            of_class = part.groupby(["data", "model", "class"])["AUC"].mean()
            text = mean_and_sd(of_class.reset_index(), ["data", "model"], ["AUC"])
            table[f"{setting}: {protocol}"] = text["AUC"]
        minutes = of_setting.groupby(["data", "model"])["fit s"].mean() / 60
        table[f"{setting}: minutes a fit"] = minutes.round(2)
    return without_gaps(table).reset_index()
