"""
Generate credit clients one can trust
=====================================

A bank wants rows to hand on, and the table itself has to stay. So

1. rows are generated, and held against real clients that training never saw, with two
   tables beside them to read the scores by: independent columns, which any model should
   beat, and real rows, which none can;
2. rows are asked for: young graduates with a high limit, of whom there are few;
3. holes are filled: cells of new clients are hidden, guessed, and compared.

The table is the Taiwan credit table where it is at hand (in the folder that
``SKVAE_DATA_HOME`` names, in the cache, or on OpenML), else a simulated portfolio.
The picture goes to ``examples/output``.
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.model_selection import train_test_split

import skvae
from skvae import BetaVAE
from skvae.datasets import fetch_taiwan_credit, make_credit_portfolio
from skvae.metrics import fidelity_report

OUTPUT = Path(__file__).parent / "output"
STATUSES = ["PAY_0", "PAY_2", "PAY_3", "PAY_4", "PAY_5", "PAY_6"]
CODES = ["SEX", "EDUCATION", "MARRIAGE", *STATUSES]
RULES = ["BILL_AMT1 <= 1.5 * LIMIT_BAL", "PAY_AMT1 <= 0 | BILL_AMT2 > 0"]
YOUNG = {"EDUCATION": 1, "AGE": (25, 30), "LIMIT_BAL": (400_000, 1_000_000)}
HIDDEN_SHARE = 0.2
MADE, INK, QUIET, SHADE = "#0072B2", "#262626", "#707070", "#DDDDDD"

# Settings for rows, not for factors: more latents, and a KL that weighs less.
QUALITY = BetaVAE(
    latent_dim=20,
    beta=0.6,
    hidden_layer_sizes=(256, 256, 256),
    lr=1e-2,
    lr_schedule="one_cycle",
    max_epochs=60,
    batch_size=512,
    kl_warmup=0,
    early_stopping=False,
    random_state=0,
    verbose=1,
)
FAST = clone(QUALITY).set_params(beta=0.5, lr=5e-3, max_epochs=10, batch_size=256)

# %%
# The table
# ---------
# Half of the clients train, half are held out: whether rows are copies shows only
# against as many rows that could not be copied.


def load_table():
    """Return clients to learn from, held-out ones, and what a lender would predict."""
    try:
        credit = fetch_taiwan_credit()
        (target,) = credit.target_names
        table = credit.frame.astype({target: "category"})
        print(f"Taiwan credit table: {len(table):,} clients, real data.")
    except skvae.DataUnavailableError:
        target = "PAY_0"
        table = make_credit_portfolio(30_000, random_state=0).data
        table = table.astype(dict.fromkeys(CODES, "category"))
        print(f"Simulated portfolio of {len(table):,} clients (no real table at hand).")
    return *train_test_split(table, test_size=0.5, random_state=0), target


# %%
# How good are they?
# ------------------


def print_report(report):
    """Print the scores of the generated table beside those to read them by."""
    print("\nGenerated rows against training rows, 1 is best. Independent columns are")
    print("the training rows, each column shuffled; real rows are held out:\n")
    print(report.T.to_string())
    print("\nA shape near 1 is no merit: look at the independent columns. Privacy is")
    print("the share of rows nearer to a training row than to a held-out one; where")
    print("nothing was copied it is about a half.")


# %%
# Rows that are asked for
# -----------------------
# No row is thrown away to get them: latents are drawn given what is asked.


def print_young(model, table):
    """Compare clients that were asked for with the real ones of their kind."""
    made = model.sample(1000, given=YOUNG, random_state=0)
    (young, old), (low, high) = YOUNG["AGE"], YOUNG["LIMIT_BAL"]
    own = table[
        (table["EDUCATION"] == YOUNG["EDUCATION"])
        & table["AGE"].between(young, old)
        & table["LIMIT_BAL"].between(low, high)
    ]
    rows = {
        "all clients": table,
        f"their {len(own):,} real ones": own,
        "1,000 as asked for": made,
    }
    facts = pd.DataFrame({name: summary(clients) for name, clients in rows.items()})
    print(f"\nGraduates of {young} to {old} with a limit of {low:,} or more:")
    print(facts.to_string())


def summary(clients):
    """Return a few facts of some clients, as text."""
    is_late = clients[STATUSES].apply(lambda status: status.astype(int) > 0)
    return pd.Series(
        {
            "limit, median": f"{clients['LIMIT_BAL'].median():,.0f}",
            "last bill, median": f"{clients['BILL_AMT1'].median():,.0f}",
            "last payment, median": f"{clients['PAY_AMT1'].median():,.0f}",
            "late in any month": f"{is_late.any(axis=1).mean():.0%}",
            "married": f"{(clients['MARRIAGE'] == 1).mean():.0%}",
        }
    )


# %%
# Holes
# -----
# The model that fills holes has seen rows with holes. Its guesses are held against the
# hidden truth, beside those that know nothing of the row: median and commonest level.


def with_holes(table, seed):
    """Hide some of the cells of a table."""
    is_hidden = np.random.default_rng(seed).random(table.shape) < HIDDEN_SHARE
    return table.mask(is_hidden), is_hidden


def print_imputation(train, test):
    """Fill hidden cells of new clients, and print how far off the guesses are."""
    test = test[:3000]
    holes, is_hidden = with_holes(test, seed=1)
    model = clone(FAST).fit(with_holes(train, seed=0)[0])
    guesses = {
        "the model": model.impute(holes, random_state=0),
        "median, mode": holes.fillna(train.mode().iloc[0]).assign(
            **{
                name: holes[name].fillna(train[name].median())
                for name in train.select_dtypes("number")
            }
        ),
    }
    errors = pd.DataFrame(
        {name: errors_of(test, guess, is_hidden) for name, guess in guesses.items()}
    )
    print(f"\n{HIDDEN_SHARE:.0%} of the cells of {len(test):,} new clients, guessed:")
    print(errors.round(2).to_string())


def errors_of(table, guess, is_hidden):
    """Return the mean error of columns of numbers, and of those of categories."""
    errors = {"numbers, RMSE in standard deviations": [], "levels, share wrong": []}
    for position, name in enumerate(table):
        rows = is_hidden[:, position]
        true, guessed = table[name][rows], guess[name][rows]
        if isinstance(table[name].dtype, pd.CategoricalDtype):
            wrong = true.astype(int) != guessed.astype(int)
            errors["levels, share wrong"].append(wrong.mean())
        else:
            error = np.sqrt(((true - guessed) ** 2).mean()) / table[name].std()
            errors["numbers, RMSE in standard deviations"].append(error)
    return pd.Series({name: np.mean(parts) for name, parts in errors.items()})


# %%
# The picture
# -----------
# What was owed in August, and what was paid of it in September. Real clients pay all of
# it (the diagonal), about the least that is due (the line beneath), a round sum (the
# horizontal lines), or nothing (the strip at the bottom). Nobody tells the model.


def draw_payments(ax, clients, title, scores, color):
    """Draw what clients owed against what they paid, those who paid nothing below."""
    owed, paid = clients["BILL_AMT2"], clients["PAY_AMT1"]
    nothing = 60 * np.exp(np.random.default_rng(0).uniform(-0.35, 0.35, len(clients)))
    paid = paid.where(paid > 0, nothing)
    ax.plot(owed, paid, "o", color=color, markersize=1.6, alpha=0.35, markeredgewidth=0)
    ax.axhline(100, color=SHADE, linewidth=0.8)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlim(100, 1_000_000)
    ax.set_ylim(38, 400_000)
    ax.set_xticks([1e3, 1e4, 1e5, 1e6], ["1", "10", "100", "1,000"])
    ax.set_yticks([60, 1e3, 1e4, 1e5], ["nothing", "1", "10", "100"])
    ax.minorticks_off()
    ax.spines[["left", "right", "top"]].set_visible(False)
    ax.spines["bottom"].set_color(QUIET)
    ax.tick_params(colors=INK, labelsize=8)
    ax.tick_params(axis="y", length=0)
    ax.set_title(title, loc="left", fontsize=10.5, color=INK, pad=22)
    text = "   ".join(f"{name} {score:.2f}" for name, score in scores.items())
    ax.text(0, 1.025, text, transform=ax.transAxes, fontsize=8.5, color=color)
    ax.set_xlabel("bill of August, thousands", fontsize=8.5, color=INK)


def draw(train, test, made, report):
    """Draw payments of real and of generated clients, and of shuffled columns."""
    shuffled = train.apply(np.random.default_rng(0).permutation)
    panels = {
        "real rows": ("Held-out clients", test, QUIET),
        "synthetic": ("Generated", made, MADE),
        "independent columns": ("Independent columns", shuffled, QUIET),
    }
    figure, axes = plt.subplots(
        1, 3, figsize=(12, 4.3), sharey=True, layout="constrained"
    )
    for ax, (row, (title, clients, color)) in zip(axes, panels.items(), strict=True):
        scores = report.loc[row, ["shape", "trend", "detection"]]
        draw_payments(ax, clients[:6000], title, scores, color)
    axes[0].set_ylabel("paid of it in September, thousands", fontsize=8.5, color=INK)
    OUTPUT.mkdir(exist_ok=True)
    path = OUTPUT / "credit_generated.png"
    figure.savefig(path, dpi=150)
    print(f"\nPicture: {path}")


def main():
    train, test, target = load_table()
    model = clone(QUALITY).fit(train)
    made = model.sample(len(train), random_state=0)
    print("\nThree clients that nobody is:")
    print(made[:3].T.to_string(header=False))

    report = fidelity_report(
        train, made, holdout=test, target=target, rules=RULES, random_state=0
    )
    print_report(report)
    print_young(model, pd.concat([train, test]))
    print_imputation(train, test)
    draw(train, test, made, report)


if __name__ == "__main__":
    main()
