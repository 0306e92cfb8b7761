"""
Generate credit clients one can trust
=====================================

A bank wants rows to hand on, and the table itself has to stay. So rows are generated
and held against real clients that training never saw; then rows are asked for, of whom
there are few; and then holes are filled, and the guesses compared with the truth.
"""

# %%
# The table
# ---------
# Taiwan credit where it is at hand (in the folder that ``SKVAE_DATA_HOME`` names, in
# the cache, or on OpenML), else a simulated portfolio. Half is held out: whether rows
# are copies shows only against as many rows that could not be copied.

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

import skvae
from skvae.datasets import fetch_taiwan_credit, make_credit_portfolio

OUTPUT = Path("output")
OUTPUT.mkdir(exist_ok=True)
STATUSES = ["PAY_0", "PAY_2", "PAY_3", "PAY_4", "PAY_5", "PAY_6"]
CODES = ["SEX", "EDUCATION", "MARRIAGE", *STATUSES]

try:
    credit = fetch_taiwan_credit()
    (target,) = credit.target_names
    table = credit.frame.astype({target: "category"})
    print(f"Taiwan credit: {len(table):,} clients, real data.")
except skvae.DataUnavailableError:
    target = "PAY_0"
    table = make_credit_portfolio(30_000, random_state=0).data
    table = table.astype(dict.fromkeys(CODES, "category"))
    print(f"Simulated portfolio of {len(table):,} clients (no real table at hand).")
train, test = train_test_split(table[:20_000], test_size=0.5, random_state=0)
print(f"{len(train):,} clients to learn from, {len(test):,} held out.")

# %%
# The model
# ---------
# Settings for rows, not for factors: many latents, and a KL that weighs less.

from skvae import BetaVAE

settings = {"latent_dim": 20, "hidden_layer_sizes": (256, 256, 256), "random_state": 0}
settings |= {"lr_schedule": "one_cycle", "kl_warmup": 0, "early_stopping": False}
model = BetaVAE(beta=0.6, lr=1e-2, max_epochs=40, batch_size=512, **settings).fit(train)
made = model.sample(len(train), random_state=0)
print("Three clients that nobody is:")
print(made[:3].T.to_string(header=False))

# %%
# Are they any good?
# ------------------
# Two tables tell how to read the scores: the training rows with each column shuffled by
# itself, which any model should beat, and real rows, which none can. A shape near 1 is
# no merit: look at the independent columns. Privacy is the share of rows nearer to a
# training row than to a held-out one; where nothing was copied it is about a half.

from skvae.metrics import fidelity_report

rules = ["BILL_AMT1 <= 1.5 * LIMIT_BAL", "PAY_AMT1 <= 0 | BILL_AMT2 > 0"]
judges = {"holdout": test, "target": target, "rules": rules}
print(fidelity_report(train, made, **judges, random_state=0).T.to_string())

# %%
# Each column by itself: held-out clients, their reconstructions, and samples.
# Reconstructions are mean rows and vary less; samples have no such excuse.

from skvae.inspection import DistributionDisplay

columns = ["LIMIT_BAL", "AGE", "EDUCATION", "PAY_0", "BILL_AMT1", "PAY_AMT1"]
display = DistributionDisplay.from_estimator(model, test, columns=columns)
display.figure_.savefig(OUTPUT / "credit_distributions.png", dpi=120)

# %%
# Two columns together: what was owed in August, and what was paid of it in September.
# Real clients pay all of it (the diagonal), about the least that is due (the
# line beneath), a round sum (the horizontal lines), or nothing (the line at the
# bottom). Nobody tells the model.

import matplotlib.pyplot as plt


def draw_payments(ax, clients, title):
    """Draw what clients owed against what they paid."""
    rows = clients[clients["BILL_AMT2"] > 100][:6_000]
    ax.plot(rows["BILL_AMT2"], rows["PAY_AMT1"], "o", markersize=1.2, alpha=0.4)
    ax.set(title=title, xlabel="Bill of August, thousands", xscale="log")
    ax.set_yscale("symlog", linthresh=100)
    ax.axis((100, 1e6, -15, 4e5))
    ax.set_xticks([1e3, 1e4, 1e5, 1e6], ["1", "10", "100", "1,000"])
    ax.set_yticks([0, 1e3, 1e4, 1e5], ["nothing", "1", "10", "100"])
    ax.minorticks_off()


shuffled = train.apply(np.random.default_rng(0).permutation)
panels = {"Held-out clients": test, "Generated": made, "Independent columns": shuffled}
figure, axes = plt.subplots(1, 3, figsize=(9.5, 3.6), sharey=True, layout="constrained")
for ax, (title, clients) in zip(axes, panels.items(), strict=True):
    draw_payments(ax, clients, title)
axes[0].set_ylabel("Paid of it in September, thousands")
figure.savefig(OUTPUT / "credit_generated.png", dpi=120)

# %%
# Rows that are asked for
# -----------------------
# Graduates of 25 to 30 with a limit of 400,000 or more: medians and shares. No row is
# thrown away to get them: latents are drawn given what is asked.


def summary(clients):
    """Return a few facts of some clients."""
    facts = clients[["LIMIT_BAL", "BILL_AMT1", "PAY_AMT1"]].median()
    is_late = clients[STATUSES].astype(int).gt(0).any(axis=1)
    facts["late in any month, %"] = 100 * is_late.mean()
    facts["married, %"] = 100 * (clients["MARRIAGE"] == 1).mean()
    return facts.round().astype(int)


young = {"EDUCATION": 1, "AGE": (25, 30), "LIMIT_BAL": (400_000, 1_000_000)}
asked = model.sample(1_000, given=young, random_state=0)
real = table.query("EDUCATION == 1 and 25 <= AGE <= 30 and 400_000 <= LIMIT_BAL <= 1e6")
groups = {"all": table, f"{len(real):,} real ones": real, "1,000 as asked for": asked}
print(pd.DataFrame({n: summary(g) for n, g in groups.items()}).to_string())

# %%
# Holes
# -----
# A fifth of the cells is hidden. The model that fills holes has seen rows with holes.
# Plain guesses, which know nothing of a row, are the median and the commonest level.

filler = BetaVAE(beta=0.5, lr=5e-3, max_epochs=10, batch_size=256, **settings)
rng = np.random.default_rng(0)
filler.fit(train.mask(rng.random(train.shape) < 0.2))
truth = test[:3_000]
holes = truth.mask(rng.random(truth.shape) < 0.2)
numbers = truth.select_dtypes("number").columns
codes = truth.columns.drop(numbers)
plain = {**train[codes].mode().iloc[0], **train[numbers].median()}


def errors_of(guess):
    """Return the mean error of columns of numbers, and of those of categories."""
    misses = (guess[numbers] - truth[numbers])[holes[numbers].isna()]
    rmse = misses.pow(2).mean().pow(0.5) / truth[numbers].std()
    wrong = guess[codes].astype(int) != truth[codes].astype(int)
    share = wrong.where(holes[codes].isna()).mean()
    return {"numbers, RMSE in sd": rmse.mean(), "levels, share wrong": share.mean()}


guesses = {"model": filler.impute(holes, random_state=0), "plain": holes.fillna(plain)}
errors = pd.DataFrame({name: errors_of(guess) for name, guess in guesses.items()})
print(errors.round(2).to_string())
print(f"All pictures are in {OUTPUT}.")
