"""
Discover the factors of a credit table
======================================

From a table of credit card clients to a few latent factors, found, scored and drawn:

1. a grid search over beta, the number of latents and the learning rate, with several
   scores at once and no labels;
2. a model refitted with the chosen setting;
3. what each factor moves, in words and in pictures.

The table is the Taiwan credit table where it is at hand (in the folder that
``SKVAE_DATA_HOME`` names, in the cache, or on OpenML), else a simulated portfolio. It
goes in as it is, its coded columns as categories.
Pictures go to ``examples/output``.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import GridSearchCV, ShuffleSplit
from tqdm.auto import tqdm

import skvae
from skvae import BetaTCVAE
from skvae.datasets import fetch_taiwan_credit, make_credit_portfolio
from skvae.inspection import (
    LatentTraversalDisplay,
    LossCurveDisplay,
    MutualInformationDisplay,
    factor_effects,
)
from skvae.selection import (
    fidelity_scorer,
    ks_scorer,
    latent_consistency_scorer,
    n_active_scorer,
    neg_total_correlation_scorer,
)

OUTPUT = Path(__file__).parent / "output"
STATUSES = ["PAY_0", "PAY_2", "PAY_3", "PAY_4", "PAY_5", "PAY_6"]
CODES = ["SEX", "EDUCATION", "MARRIAGE", *STATUSES]
# Shown of each factor: the six statuses, which go together, and what follows them.
N_COLUMNS = 8
SCORERS = {
    "consistency": latent_consistency_scorer,
    "KS of means": ks_scorer,
    "fidelity": fidelity_scorer,
    "-TC": neg_total_correlation_scorer,
    "active": n_active_scorer,
}

# %%
# The table
# ---------


def load_table():
    """Return the real table, or a simulated one where it is not to be had."""
    try:
        table = fetch_taiwan_credit().data
        print(f"Taiwan credit table: {len(table):,} clients, real data.")
    except skvae.DataUnavailableError:
        table = make_credit_portfolio(30_000, random_state=0).data
        table = table.astype(dict.fromkeys(CODES, "category"))
        print(f"Simulated portfolio of {len(table):,} clients (no real table at hand).")
    return table


# %%
# The search
# ----------
# A scorer takes an estimator and a table, so several go into one search. A model that
# keeps its latents independent says less about each row: independence (``-TC``) and
# reconstructions (``KS of means``) have to be traded, and the choice below does that.
# ``fidelity`` is that of rows drawn from the model: choose by it where you want rows.


def choose(results):
    """Return the most independent setting among those that reconstruct rows well.

    Well is a KS of reconstructions within 0.05 of the best one.
    """
    likeness = results["mean_test_KS of means"]
    independence = np.where(
        likeness >= likeness.max() - 0.05, results["mean_test_-TC"], -np.inf
    )
    return int(independence.argmax())


def search_settings(table):
    """Search over beta, latent_dim and lr, with a bar over the fits."""
    grid = {"beta": [1, 2, 4], "latent_dim": [5, 10], "lr": [1e-3, 3e-3]}

    def scores(estimator, X, y=None):
        found = {name: scorer(estimator, X) for name, scorer in SCORERS.items()}
        bar.update()
        return found

    search = GridSearchCV(
        BetaTCVAE(max_epochs=12, kl_warmup=4, early_stopping=False, random_state=0),
        grid,
        scoring=scores,
        refit=choose,
        cv=ShuffleSplit(1, test_size=0.25, random_state=0),
        error_score="raise",
    )
    with tqdm(total=12, desc="Searching", unit="fit") as bar:
        search.fit(table)
    return search


def score_table(search):
    """Return one row a setting, the chosen one marked."""
    results = pd.DataFrame(search.cv_results_)
    table = pd.DataFrame(
        {name: results[f"param_{name}"] for name in ("beta", "latent_dim", "lr")}
        | {name: results[f"mean_test_{name}"] for name in SCORERS}
    )
    chosen = table.index == search.best_index_
    return table.assign(chosen=np.where(chosen, "<--", "")).sort_values("-TC")


# %%
# The factors
# -----------


def describe_factors(model, table):
    """Print each active factor with the columns that it moves most."""
    effects = factor_effects(model, table)
    most_first = np.argsort(-model.kl_per_dimension_)[: model.n_active_]
    for position in most_first:
        row = effects.iloc[position]
        strongest = row.abs().sort_values(ascending=False).index[:N_COLUMNS]
        # How far the shares of levels change has no sign.
        moved = ", ".join(
            f"{column} {row[column]:{'.2f' if column in CODES else '+.2f'}}"
            for column in strongest
        )
        kl = model.kl_per_dimension_[position]
        print(f"  {effects.index[position]:12s} KL {kl:.2f} nats   {moved}")


def draw(model, table):
    """Save what the factors do, what they know, and how training went."""
    OUTPUT.mkdir(exist_ok=True)
    displays = {
        "traversals": LatentTraversalDisplay.from_estimator(
            model, table, n_columns=N_COLUMNS
        ),
        "mutual_information": MutualInformationDisplay.from_estimator(model, table),
        "loss": LossCurveDisplay.from_estimator(model),
    }
    for name, display in displays.items():
        path = OUTPUT / f"credit_{name}.png"
        display.figure_.savefig(path, dpi=120, bbox_inches="tight")
        print(f"  {path}")


def main():
    table = load_table()
    search = search_settings(table)
    print("\nScores on rows that no fit saw, the most independent latents last:")
    print(score_table(search).round(3).to_string(index=False))

    print(f"\nTraining with {search.best_params_} on all rows.")
    model = BetaTCVAE(
        **search.best_params_, max_epochs=40, random_state=0, verbose=1
    ).fit(table)

    print(f"\n{model.n_active_} of {model.latent_dim} factors are active.")
    print(
        "From its 5 % to its 95 % quantile each moves these columns, as a share of "
        "their own such range,\nor of categories the shares of their levels:"
    )
    describe_factors(model, table)
    print("\nPictures:")
    draw(model, table)


if __name__ == "__main__":
    main()
