"""
Generate credit clients under a condition
=========================================

What is known already goes in as a condition, here a client's education and age. Then
clients are generated under each education, beside real ones that training never saw,
and clients of one education are decoded under another: who would they be as graduates?
"""

# %%
# The table
# ---------
# Taiwan credit where it is at hand (in the folder that ``SKVAE_DATA_HOME`` names, in
# the cache, or on OpenML), else a simulated portfolio. Half of the clients train.

from pathlib import Path

import pandas as pd
from sklearn.model_selection import train_test_split

import skvae
from skvae.datasets import fetch_taiwan_credit, make_credit_portfolio

OUTPUT = Path("output")
OUTPUT.mkdir(exist_ok=True)
CONDITIONS = ["EDUCATION", "AGE"]
STATUSES = ["PAY_0", "PAY_2", "PAY_3", "PAY_4", "PAY_5", "PAY_6"]
DEGREES = {1: "graduate school", 2: "university", 3: "high school"}

try:
    table = fetch_taiwan_credit().data
    print(f"Taiwan credit: {len(table):,} clients, real data.")
except skvae.DataUnavailableError:
    table = make_credit_portfolio(30_000, random_state=0).data
    table = table.astype(dict.fromkeys(["SEX", "MARRIAGE", *STATUSES], "category"))
    print(f"Simulated portfolio of {len(table):,} clients (no real table at hand).")
table = table[table["EDUCATION"].isin(DEGREES)]
table = table.assign(EDUCATION=table["EDUCATION"].map(DEGREES).astype(str))
sizes = {"train_size": 8_000, "test_size": 8_000, "stratify": table["EDUCATION"]}
train, test = train_test_split(table, **sizes, random_state=0)
print(test["EDUCATION"].value_counts().to_string())

# %%
# The model
# ---------
# ``DCVAE`` learns factors of what the condition leaves open.

from skvae import DCVAE

settings = {"latent_dim": 8, "beta": 2, "max_epochs": 40, "random_state": 0}
model = DCVAE(condition_columns=CONDITIONS, **settings).fit(train)
print(f"{model.n_active_} of {model.latent_dim} factors are active.")
print("\nA client of 30 with a graduate degree, three times:")
thirty = {"EDUCATION": DEGREES[1], "AGE": 30}
print(model.sample(3, condition=thirty, random_state=0).iloc[:, :8].to_string())

# %%
# Clients under a condition
# -------------------------
# Generated rows get the conditions of held-out clients, one each, so that the two
# tables should not differ in anything. Beside them stand training rows, which no model
# can beat, and rows generated without regard to the condition. A classifier
# (``detection``) tells most generated rows: columns that follow one another to the
# dollar, as bills do, are drawn one by one given the factors.

from skvae.metrics import detection_score, shape_score

made = model.sample(len(test), condition=test[CONDITIONS], random_state=0)
blind = model.sample(len(test), random_state=0)
values = test.columns.drop(CONDITIONS)


def scores_of(degree):
    """Return how close each table comes to held-out clients of an education."""
    real, own, drawn = (t[t["EDUCATION"] == degree] for t in (test, train, made))
    others = {"training rows": own, "generated": drawn, "without the condition": blind}
    scores = {}
    for name, rows in others.items():
        n_rows = min(len(real), len(rows))
        pair = [t[values].sample(n_rows, random_state=0) for t in (real, rows)]
        scores["shape", name] = shape_score(*pair).mean
        scores["detection", name] = detection_score(*pair, random_state=0)
    return scores


scores = pd.DataFrame({degree: scores_of(degree) for degree in DEGREES.values()}).T
print("Against held-out clients of each education, 1 is best:")
print(scores.round(3).T.to_string())

# %%
# The credit limit under each education, of as many clients as there are of the rarest:

from skvae.inspection import DistributionDisplay

n_clients = test["EDUCATION"].value_counts().min()


def limits(table):
    """Return the limits of some clients, a column for each education."""
    groups = dict(list(table.groupby("EDUCATION")["LIMIT_BAL"]))
    return pd.DataFrame({d: groups[d][:n_clients].array for d in DEGREES.values()})


display = DistributionDisplay.from_predictions(
    {"held-out clients": limits(test), "generated under it": limits(made)}
)
display.figure_.savefig(OUTPUT / "credit_limits.png", dpi=120)

# %%
# A client as someone else
# ------------------------
# Both rows of a pair are decoded from the same latents, so that they differ by the
# condition alone. One client of high school, by mean rows:

clients = test[test["EDUCATION"] == DEGREES[3]]
graduate = {"EDUCATION": DEGREES[1]}
pair = [model.reconstruct(clients[:1], condition=c) for c in (None, graduate)]
pair = pd.concat(pair).set_axis(["as is", "as graduate"])
print(pair.T[pair.nunique() > 1].to_string())

# %%
# All of them, on average, by drawn rows, in which what is rare stays as rare. Grey is
# the difference of the two groups, who differ in age too; blue is that of the same
# clients decoded under two educations. This is what the model associates with a degree.
# It is no causal effect: whatever else graduates have in common comes along.

import matplotlib.pyplot as plt


def as_numbers(table):
    """Return a table with an indicator in place of each column of codes."""
    late = {f"{name} late": table[name].astype(int) > 0 for name in STATUSES}
    others = {"woman": table["SEX"] == 2, "married": table["MARRIAGE"] == 1}
    return table[values].select_dtypes("number").assign(**others, **late).astype(float)


drawn = model.reconstruct(clients, kind="draw", random_state=0)
graduates = model.reconstruct(clients, condition=graduate, kind="draw", random_state=0)
means = as_numbers(test).groupby(test["EDUCATION"]).mean()
shifts = pd.DataFrame(
    {
        "as graduates": (as_numbers(graduates) - as_numbers(drawn)).mean(),
        "graduates less high school": means.loc[DEGREES[1]] - means.loc[DEGREES[3]],
        "standard deviation": as_numbers(test).std(),
    }
)
print(shifts.to_string(float_format="{:,.2f}".format))

scaled = shifts.iloc[:, :2].div(shifts["standard deviation"], axis=0)[::-1]
figure, ax = plt.subplots(figsize=(6.4, 5), layout="constrained")
ax.axvline(0, color="#DDDDDD", zorder=0)
ax.hlines(scaled.index, *scaled.T.to_numpy(), color="#DDDDDD", zorder=0)
for (label, values), color in zip(scaled.items(), ["#0072B2", "#707070"], strict=True):
    ax.plot(values, values.index, "o", color=color, markersize=5, label=label)
ax.set_xlabel("Change, in standard deviations of the column")
ax.spines[["left", "right", "top"]].set_visible(False)
ax.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
figure.savefig(OUTPUT / "credit_conditions.png", dpi=120)
print(f"All pictures are in {OUTPUT}.")
