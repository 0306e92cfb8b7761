"""
Choose a model of a credit table without labels
===============================================

Nobody knows the true factors of a table of clients. What can be seen is whether models
with other seeds find the same ones. So:

1. each setting is fitted with several seeds, in a ``SeedEnsemble``;
2. stock ``GridSearchCV`` takes the setting whose seeds share the most latents;
3. one call reports on the chosen model, beside quantities that a bank thinks in: how
   much of the line is used, how far payments are behind, what share of the bills is
   paid.

The table is the Taiwan credit table where it is at hand (in the folder that
``SKVAE_DATA_HOME`` names, in the cache, or on OpenML), else a simulated portfolio.
The picture goes to ``examples/output``.
"""

from pathlib import Path

import pandas as pd
from sklearn.model_selection import GridSearchCV

import skvae
from skvae import BetaTCVAE
from skvae.datasets import fetch_taiwan_credit, make_credit_portfolio
from skvae.inspection import MutualInformationDisplay
from skvae.metrics import recovered_factors
from skvae.selection import (
    SeedEnsemble,
    beta_threshold,
    disentanglement_report,
    pareto_front,
    reconstruction_scorer,
    shared_latents_scorer,
)

OUTPUT = Path(__file__).parent / "output"
N_TRAIN, N_TEST = 4000, 4000
GRID = {"estimator__beta": [1, 2, 4], "estimator__latent_dim": [5, 10]}

# %%
# The table, and what a bank would call its factors
# -------------------------------------------------


def load_table():
    """Return the real table, or a simulated one where it is not to be had."""
    try:
        table = fetch_taiwan_credit().data
        print("Taiwan credit table, real data.")
    except skvae.DataUnavailableError:
        table = make_credit_portfolio(30_000, random_state=0).data
        print("Simulated portfolio (no real table at hand).")
    return table.sample(N_TRAIN + N_TEST, random_state=0)


def financial_quantities(table):
    """Return what one would like latents to be, missing where it makes no sense."""
    bills = table.filter(like="BILL_AMT").clip(lower=0).sum(axis=1)
    paid = table.filter(like="PAY_AMT").sum(axis=1)
    months_late = table.filter(regex="^PAY_[0-9]$").astype(int)
    return pd.DataFrame(
        {
            "utilisation": table["BILL_AMT1"] / table["LIMIT_BAL"],
            "arrears": months_late.clip(lower=0).mean(axis=1),
            # Clients without a bill have no such ratio.
            "payment ratio": paid / bills.where(bills > 0),
        }
    )


# %%
# The search
# ----------


def search_settings(table):
    """Search over beta and latent_dim, each setting with three seeds."""
    model = BetaTCVAE(max_epochs=15, early_stopping=False)
    search = GridSearchCV(
        SeedEnsemble(model, n_seeds=3, random_state=0),
        GRID,
        scoring={"fidelity": reconstruction_scorer, "shared": shared_latents_scorer},
        refit="shared",
        cv=3,
        error_score="raise",
    )
    return search.fit(table)


# %%
# What was found
# --------------


def draw(search, table, quantities):
    """Save what each latent knows of each quantity."""
    OUTPUT.mkdir(exist_ok=True)
    display = MutualInformationDisplay.from_estimator(
        search.best_estimator_.best_estimator_, table, quantities, normalize=True
    )
    path = OUTPUT / "credit_quantities.png"
    display.figure_.savefig(path, dpi=120, bbox_inches="tight")
    return path


def main():
    table = load_table()
    train, test = table[:N_TRAIN], table[N_TRAIN:]
    search = search_settings(train)
    results = search.cv_results_
    print("\nSettings between which there is a choice:")
    print(pareto_front(results, "fidelity", "shared").round(3).to_string(index=False))
    print("\nFrom which beta on the fidelity only fluctuates:")
    thresholds = beta_threshold(results, "fidelity", beta="estimator__beta")
    print(thresholds.round(3).to_string())
    print(f"\nChosen: {search.best_params_}")

    quantities = financial_quantities(test)
    report = disentanglement_report(search, test, quantities)
    print("\nOn clients that no fit saw:")
    print(report)

    codes = search.transform(test)
    print("\nThe latent of each quantity, and their rank correlation:")
    print(recovered_factors(quantities, codes).per_factor.round(2).to_string())
    print(f"\nPicture: {draw(search, test, quantities)}")


if __name__ == "__main__":
    main()
