"""
Choose a model of a credit table without labels
===============================================

Nobody knows the true factors of a table of clients. What can be seen is whether models
with other seeds find the same ones. So each setting is fitted with several seeds, stock
``GridSearchCV`` takes the setting whose seeds share the most latents, and one call
reports on the chosen model, beside quantities that a bank thinks in.
"""

# %%
# The table
# ---------
# Taiwan credit where it is at hand (in the folder that ``SKVAE_DATA_HOME`` names, in
# the cache, or on OpenML), else a simulated portfolio. Some of the clients are
# to choose on, others to judge the choice by.

from pathlib import Path

import pandas as pd

import skvae
from skvae.datasets import fetch_taiwan_credit, make_credit_portfolio

OUTPUT = Path("output")
OUTPUT.mkdir(exist_ok=True)

try:
    table = fetch_taiwan_credit().data
    print(f"Taiwan credit: {len(table):,} clients, real data.")
except skvae.DataUnavailableError:
    table = make_credit_portfolio(30_000, random_state=0).data
    print(f"Simulated portfolio of {len(table):,} clients (no real table at hand).")
table = table.sample(7_000, random_state=0)
train, test = table[:3_000], table[3_000:]
print(f"{len(train):,} clients to choose on, {len(test):,} others.")

# %%
# The search
# ----------
# ``SeedEnsemble`` fits a model with three seeds and is an estimator like any other. Two
# scores: how much of the rows the model keeps (``fidelity``), and how many latents its
# seeds have in common (``shared``).

from sklearn.model_selection import GridSearchCV

from skvae import BetaTCVAE
from skvae.selection import SeedEnsemble, reconstruction_scorer, shared_latents_scorer

settings = {"max_epochs": 12, "kl_warmup": 4, "early_stopping": False}
model = BetaTCVAE(hidden_layer_sizes=(64, 64), lr=5e-3, **settings)
search = GridSearchCV(
    SeedEnsemble(model, n_seeds=3, random_state=0),
    {"estimator__beta": [0.5, 1, 2], "estimator__latent_dim": [5, 10]},
    scoring={"fidelity": reconstruction_scorer, "shared": shared_latents_scorer},
    refit="shared",
    cv=3,
    error_score="raise",
)
search.fit(train)
print(f"Chosen: {search.best_params_}")

# %%
# What beta does
# --------------
# The thesis behind this library found that a score falls with beta up to some value,
# and only fluctuates beyond. To search there is to choose among equals. On the real
# table that is so from the smallest beta of this search on, for five latents: by
# fidelity alone any of them would do.

from skvae.inspection import ScoreCurveDisplay
from skvae.selection import beta_threshold

thresholds = beta_threshold(search.cv_results_, "fidelity", beta="estimator__beta")
print("From which beta on the fidelity only fluctuates:")
print(thresholds.round(3).to_string())

for score in ("fidelity", "shared"):
    display = ScoreCurveDisplay.from_cv_results(
        search.cv_results_, score=score, x="beta", hue="latent_dim"
    )
    display.figure_.savefig(OUTPUT / f"credit_{score}.png", dpi=120)

# %%
# Between which settings there is a choice
# ----------------------------------------
# A setting that another beats in both scores is out, whatever one wants. What is left
# is the front. The bars show how far folds differ; settings that are closer to one
# another than that are as good as equal.

from skvae.inspection import ParetoDisplay
from skvae.selection import pareto_front

front = pareto_front(search.cv_results_, "fidelity", "shared")
print(front.round(3).to_string(index=False))

display = ParetoDisplay.from_cv_results(
    search.cv_results_,
    "fidelity",
    "shared",
    hue="latent_dim",
    chosen=search.best_index_,
)
display.figure_.savefig(OUTPUT / "credit_front.png", dpi=120)

# %%
# Does it speak the language of a bank?
# -------------------------------------
# How much of the line is used, how far payments are behind, and what share of the bills
# is paid: one would like latents to be such quantities. They are columns in other words
# and related to one another, so a low score says that latents have to be read in other
# terms, and not that they are wrong.

from skvae.selection import disentanglement_report


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


quantities = financial_quantities(test)
report = disentanglement_report(search, test, quantities)
print("On clients that no fit saw. Chance is what shuffled codes score:\n")
print(report)

# %%
# Which latent knows what
# -----------------------
# The latent that goes best with each quantity, and a picture of all of them.

from skvae.inspection import MutualInformationDisplay
from skvae.metrics import recovered_factors

codes = search.transform(test)
print("The latent of each quantity, and their rank correlation:")
print(recovered_factors(quantities, codes).per_factor.round(2).to_string())

chosen = search.best_estimator_.best_estimator_
display = MutualInformationDisplay.from_estimator(
    chosen, test, quantities, normalize=True
)
display.figure_.savefig(OUTPUT / "credit_quantities.png", dpi=120)
print(f"All pictures are in {OUTPUT}.")
