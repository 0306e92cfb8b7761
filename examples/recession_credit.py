"""
This portfolio in a recession
=============================

Two tables: clients in usual times, and other clients in a recession. Which factors of a
client moved, and did they for all clients alike? How would clients that the model never
saw look there? A simulator made both tables. It knows the same clients in either world,
so that the answers can be held against the truth, which no real portfolio offers.
"""

# %%
# Two worlds
# ----------
# In the recession clients use more of their limits: the simulator's factor
# ``utilisation``, from -1 to 1, is higher by 0.5. Nobody tells the model. Of the new
# clients row i is one client in both worlds, since the seed is the same.

from pathlib import Path

import pandas as pd

from skvae.datasets import make_credit_portfolio

OUTPUT = Path("output")
OUTPUT.mkdir(exist_ok=True)
HIT = {"utilisation": 0.5}

usual = make_credit_portfolio(4000, random_state=1).data
recession = make_credit_portfolio(4000, factor_shift=HIT, random_state=2).data
clients = make_credit_portfolio(2000, random_state=3).data
truth = make_credit_portfolio(2000, factor_shift=HIT, random_state=3).data
medians = pd.DataFrame({"usual": usual.median(), "recession": recession.median()})
print(medians.T[["LIMIT_BAL", "BILL_AMT1", "PAY_AMT1", "AGE"]].to_string())

# %%
# The factors
# -----------
# One model of both tables, which is not told who is in which. An ``MSVAE`` keeps a few
# factors apart from all else that it knows of a client. Here is what they do to the
# columns:

from skvae import MSVAE
from skvae.inspection import FactorEffectDisplay

both = pd.concat([usual, recession], ignore_index=True)
model = MSVAE(random_state=0, verbose=1).fit(both)
display = FactorEffectDisplay.from_estimator(model, both)
display.figure_.savefig(OUTPUT / "recession_factors.png", dpi=120)

# %%
# What moved
# ----------
# ``latent_shift`` compares the means of the factors, in standard deviations of the
# prior. Its intervals hold together with probability .95. Factors that tell nothing of
# a client are left out.

import matplotlib.pyplot as plt

active = display.shown_.index
shifts = model.latent_shift(usual, recession).shifts
shifts = shifts[shifts.index.isin(active)]
print(shifts.round(2).to_string())

figure, ax = plt.subplots(figsize=(5.2, 1.8), layout="constrained")
ax.axvline(0, color="#DDDDDD", zorder=0)
ax.hlines(shifts.index, shifts["lower"], shifts["upper"], color="#0072B2")
ax.plot(shifts["shift"], shifts.index, "o", color="#0072B2", markersize=5)
ax.invert_yaxis()
ax.margins(y=0.2)
ax.set_xlabel("Shift in the recession, in standard deviations of the prior")
ax.spines[["left", "right", "top"]].set_visible(False)
ax.tick_params(axis="y", length=0)
figure.savefig(OUTPUT / "recession_shifts.png", dpi=120)

# %%
# One factor went far. Where it goes, these columns go:

from skvae.inspection import describe_factor

factor, shift = shifts.index[0], shifts["shift"].iloc[0]
print(f"{factor} went {'up' if shift > 0 else 'down'}. Were it to rise:")
print(describe_factor(model, both, factor).head(8).round(2).to_string())

# %%
# Did clients of every education move alike? The cosine of two shifts is 1 if they
# point the same way. Of "others", level 4, there are too few to have a direction.

groups = (table[table["EDUCATION"] < 4] for table in (usual, recession))
print(model.latent_shift(*groups, by="EDUCATION").cosines.round(2).to_string())

# %%
# These clients in the recession
# ------------------------------
# ``counterfactual`` moves the factors that differ and leaves the rest of a client as
# it is. ``hold`` names what no recession changes. A support below 0.05 says that the
# model has seen next to none like that client; of its own rows 5 % are there.

HOLD = ["SEX", "EDUCATION", "MARRIAGE", "AGE"]
there = model.counterfactual(
    clients, recession, reference=usual, hold=HOLD, unexplained="keep"
)
print(f"Support below 0.05: {(there.support < 0.05).mean():.0%} of the clients.")

# %%
# The same clients as they are, moved by the model, and in the true recession. KS says
# how close a column comes to the truth, 1 is best. Bills and payments come close.
# Limits do not: the simulator leaves them as they are, and the factor that the model
# found takes them along.

from skvae.inspection import DistributionDisplay

display = DistributionDisplay.from_predictions(
    {"true recession": truth, "as they are": clients, "counterfactual": there.data},
    columns=["BILL_AMT1", "BILL_AMT6", "PAY_0", "PAY_AMT1", "PAY_AMT6", "LIMIT_BAL"],
)
display.figure_.savefig(OUTPUT / "recession_columns.png", dpi=120)
print(display.scores.round(2).to_string())
# sphinx_gallery_thumbnail_number = 3

# %%
# Client by client
# ----------------
# Columns may agree while clients do not. The error of a client is the distance to their
# own truth, as a mean over the columns. It is in ranks, from 0 to 1, since a dollar
# means more on a small bill than on a large one. What needs no model is to shift and
# scale every column as the two tables differ.

from sklearn.preprocessing import QuantileTransformer

scaled = (clients - usual.mean()) * (recession.std() / usual.std()) + recession.mean()
ways = {
    "as they are": clients,
    "columns rescaled": scaled,
    "counterfactual": there.data,
}
columns = both.columns.drop(HOLD)
ranks = QuantileTransformer().set_output(transform="pandas").fit(both[columns])
errors = pd.DataFrame()
for name, rows in ways.items():
    distances = ranks.transform(rows[columns]) - ranks.transform(truth[columns])
    errors[name] = distances.abs().mean(axis=1)
summary = errors.describe(percentiles=[0.5, 0.9]).loc[["mean", "50%", "90%"]]
print(summary.round(3).to_string())
closer = (errors["counterfactual"] < errors["as they are"]).mean()
print(f"{closer:.0%} of the clients come closer to their truth than as they are.")

figure, ax = plt.subplots(figsize=(5.2, 3), layout="constrained")
colors = ["#0072B2", "#A0A0A0", "#D55E00"]
for (name, values), color in zip(errors.items(), colors, strict=True):
    ax.ecdf(values, color=color, label=name)
ax.set(xlim=(0, 0.3), xlabel="Distance from the truth, in ranks")
ax.set_ylabel("Share of clients within it")
ax.yaxis.set_major_formatter("{x:.0%}")
ax.spines[["right", "top"]].set_visible(False)
ax.legend(frameon=False, loc="lower right")
figure.savefig(OUTPUT / "recession_errors.png", dpi=120)
print(f"All pictures are in {OUTPUT}.")
