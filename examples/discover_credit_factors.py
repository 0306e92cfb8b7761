"""
From a table to its factors
===========================

A table of credit card clients has 23 columns, and few things behind them: how much of
the limit is used, whether payments are late, how large the account is. This example
finds such factors, scores them, and draws what each does to the columns. It looks at no
label. Run it with ``make demo``.
"""

# %%
# The table
# ---------
# Taiwan credit where it is at hand (in the folder that ``SKVAE_DATA_HOME`` names, in
# the cache, or on OpenML), else a simulated portfolio. It goes in as it is, its coded
# columns as categories.

from pathlib import Path

import numpy as np
import pandas as pd

import skvae
from skvae.datasets import fetch_taiwan_credit, make_credit_portfolio

OUTPUT = Path("output")
OUTPUT.mkdir(exist_ok=True)
STATUSES = ["PAY_0", "PAY_2", "PAY_3", "PAY_4", "PAY_5", "PAY_6"]
CODES = ["SEX", "EDUCATION", "MARRIAGE", *STATUSES]

try:
    table = fetch_taiwan_credit().data
    print(f"Taiwan credit: {len(table):,} clients, real data.")
except skvae.DataUnavailableError:
    table = make_credit_portfolio(30_000, random_state=0).data
    table = table.astype(dict.fromkeys(CODES, "category"))
    print(f"Simulated portfolio of {len(table):,} clients (no real table at hand).")
print(table.iloc[:3, :12].to_string(index=False))

# %%
# The search
# ----------
# A scorer takes a fitted estimator and rows, so that several go into one search. A
# model that keeps its latents independent (``-TC``) says less about each row (``KS``
# compares the columns of reconstructions with those of the table). The rule takes, of
# the settings whose KS is within 0.05 of the best, the one with the most independent
# latents. A fifth of the clients is enough to search on.

from sklearn.model_selection import GridSearchCV, ShuffleSplit

from skvae import BetaTCVAE
from skvae.selection import (
    ks_scorer,
    n_active_scorer,
    neg_total_correlation_scorer,
)


def most_independent(results):
    """Return the position of the chosen setting."""
    likeness = results["mean_test_KS"]
    is_like = likeness >= likeness.max() - 0.05
    return int(np.where(is_like, results["mean_test_-TC"], -np.inf).argmax())


grid = {"beta": [1, 2, 4], "latent_dim": [5, 10], "lr": [1e-3, 3e-3]}
search = GridSearchCV(
    BetaTCVAE(max_epochs=12, kl_warmup=4, early_stopping=False, random_state=0),
    grid,
    scoring={
        "KS": ks_scorer,
        "-TC": neg_total_correlation_scorer,
        "active": n_active_scorer,
    },
    refit=most_independent,
    cv=ShuffleSplit(1, test_size=0.25, random_state=0),
    error_score="raise",
    verbose=1,
)
search.fit(table[:6_000])

results = pd.DataFrame(search.cv_results_)
scores = pd.DataFrame(search.cv_results_["params"]).join(
    results.filter(like="mean_test_").rename(columns=lambda name: name[10:])
)
scores["chosen"] = np.where(scores.index == search.best_index_, "<--", "")
print("Scores on rows that no fit saw:")
print(scores.sort_values("-TC").round(3).to_string(index=False))

# %%
# Between which settings is there a choice at all? Those that no other beats in both
# scores are the front.

from skvae.inspection import ParetoDisplay

display = ParetoDisplay.from_cv_results(
    search.cv_results_, "KS", "-TC", hue="latent_dim", chosen=search.best_index_
)
display.figure_.savefig(OUTPUT / "credit_search.png", dpi=120)

# %%
# The model
# ---------
# The chosen setting on all clients, with more epochs. Training stops by itself; the
# curve shows each term of the loss, and where the warm-up ended.

from skvae.inspection import LossCurveDisplay

model = BetaTCVAE(**search.best_params_, max_epochs=15, random_state=0, verbose=1)
model.fit(table)
print(f"{model.n_active_} of {model.latent_dim} latents are active.")
display = LossCurveDisplay.from_estimator(model)
display.figure_.savefig(OUTPUT / "credit_loss.png", dpi=120)

# %%
# What each factor is
# -------------------
# One factor moves from its 5 % to its 95 % quantile, the others stay. The change of a
# column is a share of the distance between its own quantiles: 1 takes it from its low
# values to its high ones. Of categories it is the share of clients whose level changes,
# which has no sign.

from skvae.inspection import FactorEffectDisplay

display = FactorEffectDisplay.from_estimator(model, table)
display.figure_.savefig(OUTPUT / "credit_effects.png", dpi=120)
# sphinx_gallery_thumbnail_number = 3

# %%
# The factor that says most, in the units of the columns:

from skvae.inspection import describe_factor

strongest = int(np.argmax(model.kl_per_dimension_))
print(describe_factor(model, table, strongest).head(10).round(2).to_string())

# %%
# And what happens between the two quantiles, of each factor, to the columns that it
# moves most:

from skvae.inspection import LatentTraversalDisplay

display = LatentTraversalDisplay.from_estimator(model, table, n_columns=6)
display.figure_.savefig(OUTPUT / "credit_traversals.png", dpi=120)
print(f"All pictures are in {OUTPUT}.")

# %%
# A latent has no name of its own: read it off the picture, and mind that another seed
# may find another set (:doc:`/choosing`).
