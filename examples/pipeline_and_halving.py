"""
A search inside a Pipeline
==========================

A model of skvae is a step of a scikit-learn ``Pipeline`` as any other. This example
puts an arcsinh before it, searches over the whole by two scores, draws the choice that
is left, and then does a search by halving, in which bad settings get few epochs.
"""

# %%
# The table
# ---------
# Clients of a simulated bank: amounts that span several orders of magnitude and codes.
# The amounts are taken here.

from pathlib import Path

from skvae.datasets import make_credit_portfolio

OUTPUT = Path("output")
OUTPUT.mkdir(exist_ok=True)

portfolio = make_credit_portfolio(2_000, random_state=0).data
table = portfolio.filter(regex="LIMIT|BILL|PAY_AMT")
print(table.describe().loc[["min", "50%", "max"]].T.round().astype(int).to_string())

# %%
# A Pipeline
# ----------
# The arcsinh is a logarithm that takes zeros and negative bills, and it has an inverse.
# So what the model makes can be had in the units of the table again. (The library
# treats skewed amounts by itself; a step is for what is particular to your table.)

import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skvae import BetaTCVAE

logs = FunctionTransformer(np.arcsinh, np.sinh, feature_names_out="one-to-one")
logs.set_output(transform="pandas")
model = BetaTCVAE(
    lr=5e-3, max_epochs=10, kl_warmup=2, early_stopping=False, random_state=0
)
pipeline = make_pipeline(logs, model)
print(pipeline)

# %%
# Two scores at once
# ------------------
# ``fidelity`` is how much of the rows a model keeps, from 0 to 1, in the units of the
# table. ``-TC`` is how independent its latents are, 0 at best. Parameters get the name
# of their step as a prefix, and the rule for ``refit`` reads: of the settings within
# one standard error of the best fidelity the one with the most independent latents.

import pandas as pd
from sklearn.model_selection import GridSearchCV

from skvae.selection import (
    neg_total_correlation_scorer,
    one_standard_error_rule,
    reconstruction_scorer,
)

search = GridSearchCV(
    pipeline,
    {"betatcvae__beta": [0.5, 1, 2, 4], "betatcvae__latent_dim": [4, 8]},
    scoring={"fidelity": reconstruction_scorer, "-TC": neg_total_correlation_scorer},
    refit=one_standard_error_rule("fidelity", "-TC"),
    cv=2,
    error_score="raise",
)
search.fit(table)

results = pd.DataFrame(search.cv_results_)
scores = pd.DataFrame(search.cv_results_["params"]).join(
    results[["mean_test_fidelity", "mean_test_-TC"]]
)
print(scores.round(3).to_string(index=False))
print(f"Chosen: {search.best_params_}")

# %%
# The choice that is left
# -----------------------
# No other setting beats those on the line in both scores. In the picture parameters go
# without their prefix.

from skvae.inspection import ParetoDisplay

display = ParetoDisplay.from_cv_results(
    search.cv_results_, "fidelity", "-TC", hue="latent_dim", chosen=search.best_index_
)
display.figure_.savefig(OUTPUT / "pipeline_front.png", dpi=120)

# %%
# Halving: few epochs first
# -------------------------
# Which learning rate, and which layers? All settings get few epochs, the better half
# twice as many, and so on. ``kl_warmup`` has to be short enough for the first round. A
# halving search takes one score.


from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import HalvingGridSearchCV

grid = {
    "betatcvae__lr": [1e-3, 2e-3, 5e-3, 1e-2],
    "betatcvae__hidden_layer_sizes": [(32,), (128, 64)],
}
halving = HalvingGridSearchCV(
    search.best_estimator_,
    grid,
    resource="betatcvae__max_epochs",
    factor=2,
    min_resources=3,
    max_resources=24,
    scoring=reconstruction_scorer,
    cv=2,
    error_score="raise",
    random_state=0,
)
halving.fit(table)
rounds = pd.DataFrame(halving.cv_results_).rename(columns={"n_resources": "epochs"})
best = rounds.groupby(["iter", "epochs"])["mean_test_score"].agg(["size", "max"])
print(best.set_axis(["settings", "best fidelity"], axis=1).round(3).to_string())
print(f"Chosen: {halving.best_params_}")

# %%
# The last survivor, in the units of the table
# --------------------------------------------
# Held against clients of the same bank that no search saw. The steps before the model
# are undone, and the columns are back in dollars.

from skvae.inspection import DistributionDisplay

others = make_credit_portfolio(2_000, random_state=1).data[table.columns]
columns = ["LIMIT_BAL", "BILL_AMT1", "PAY_AMT1"]
display = DistributionDisplay.from_estimator(
    halving.best_estimator_, others, columns=columns
)
display.figure_.savefig(OUTPUT / "pipeline_distributions.png", dpi=120)
print(f"All pictures are in {OUTPUT}.")
