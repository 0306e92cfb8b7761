"""
A study that survives
=====================

A search over night should not begin anew because the machine did. This example chooses
beta, the number of latents and the learning rate by two aims at once, writes each trial
down when it ends, gives up early what will not do, and goes on after a stop where it
was.
"""

# %%
# The table
# ---------
# Clients of a simulated bank. Trials train on some, and are scored on others.

from pathlib import Path

import numpy as np
import optuna

from skvae import BetaTCVAE
from skvae.datasets import make_credit_portfolio
from skvae.selection import neg_total_correlation_scorer, reconstruction_scorer

OUTPUT = Path("output")
OUTPUT.mkdir(exist_ok=True)
optuna.logging.set_verbosity(optuna.logging.ERROR)

table = make_credit_portfolio(3_000, random_state=0).data
train, valid = table[:2_000], table[2_000:]

# %%
# A trial
# -------
# ``partial_fit`` is one epoch, after which the model can be scored as any other: by how
# much of a row it keeps (fidelity), and by how independent its latents are (-TC). Every
# fourth epoch its scores are written down and held against those that earlier trials
# had at that epoch. Where most of them were better in both, the trial ends there.

N_EPOCHS = 12


def objective(trial):
    model = BetaTCVAE(
        beta=trial.suggest_float("beta", 0.5, 8, log=True),
        latent_dim=trial.suggest_int("latent_dim", 3, 8),
        lr=trial.suggest_float("lr", 1e-3, 1e-2, log=True),
        max_epochs=N_EPOCHS,
        kl_warmup=3,
        random_state=0,
    )
    for epoch in range(1, N_EPOCHS + 1):
        model.partial_fit(train)
        if epoch % 4 == 0:
            fidelity = reconstruction_scorer(model, valid)
            scores = fidelity, neg_total_correlation_scorer(model, valid)
            trial.set_user_attr(f"epoch {epoch}", scores)
            if is_hopeless(trial, epoch):
                raise optuna.TrialPruned
    return scores


def is_hopeless(trial, epoch):
    """Whether most trials that went through were better in both scores by then."""
    ended = trial.study.get_trials(states=[optuna.trial.TrialState.COMPLETE])
    if len(ended) < 4:
        return False
    own, *others = (t.user_attrs[f"epoch {epoch}"] for t in (trial, *ended))
    return np.mean([np.greater(other, own).all() for other in others]) > 0.5


# %%
# The study
# ---------
# It lives in a file, to which every trial is written when it ends. A kill costs the
# trial that is at work, and no more. Other processes on this machine that open the same
# file share the work.


def open_study():
    return optuna.create_study(
        storage=f"sqlite:///{FILE}",
        study_name="credit",
        directions=["maximize", "maximize"],
        sampler=optuna.samplers.TPESampler(seed=0),
        load_if_exists=True,
    )


FILE = OUTPUT / "study.sqlite"
FILE.unlink(missing_ok=True)  # this page begins at the beginning
open_study().optimize(objective, n_trials=8)

# %%
# Say that the machine was switched off here. The same two lines go on:

study = open_study()
print(f"{len(study.trials)} trials are in the file.")
study.optimize(objective, n_trials=12)
states = study.trials_dataframe()["state"].value_counts()
print(states.to_string())

# %%
# The choice that is left
# -----------------------
# No other trial beats those on the line in both scores.

from skvae.inspection import ParetoDisplay

ended = [trial for trial in study.trials if trial.values]
results = {
    "params": [trial.params for trial in ended],
    "split0_test_fidelity": np.array([trial.values[0] for trial in ended]),
    "split0_test_-TC": np.array([trial.values[1] for trial in ended]),
}
display = ParetoDisplay.from_cv_results(results, "fidelity", "-TC", hue="latent_dim")
display.figure_.savefig(OUTPUT / "study_front.png", dpi=120)
front = study.trials_dataframe(attrs=("number", "params", "values"))
front = front.loc[[trial.number for trial in study.best_trials]]
print(front.sort_values("values_0").round(3).to_string(index=False))
