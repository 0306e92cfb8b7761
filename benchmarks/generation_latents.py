"""What a setting gives as a generator and as a finder of factors, side by side.

The settings of ``generation.py`` beside the defaults for factors, on the simulated
portfolio, whose factors are known: MIG against them, and on rows held out the number of
active latents, their total correlation, latent consistency, shape, trend and detection.
"""

import warnings

import pandas as pd
from _common import write
from generation import FAST, QUALITY
from sklearn.model_selection import train_test_split

from skvae import BetaTCVAE, BetaVAE, PosteriorCollapseWarning
from skvae.datasets import make_credit_portfolio
from skvae.metrics import detection_score, mig_score, shape_score, trend_score
from skvae.selection import latent_consistency_scorer, neg_total_correlation_scorer

SEEDS = range(5)
SETTINGS = {
    "for factors: BetaTCVAE(latent_dim=6, beta=4)": BetaTCVAE(latent_dim=6, beta=4),
    "for rows, quality": BetaVAE(**QUALITY),
    "for rows, fast": BetaVAE(**FAST),
}


def run(model, seed):
    """Return all scores of one setting under one seed."""
    portfolio = make_credit_portfolio(20_000, random_state=seed)
    train, test, _, factors = train_test_split(
        portfolio.data, portfolio.factors, test_size=0.5, random_state=seed
    )
    model.set_params(random_state=seed).fit(train)
    rows = model.sample(len(test), random_state=seed)
    return {
        "MIG": mig_score(factors, model.transform(test)),
        "active": model.n_active_,
        "TC": -neg_total_correlation_scorer(model, test),
        "consistency": latent_consistency_scorer(model, test),
        "shape": shape_score(test, rows).mean,
        "trend": trend_score(test, rows).mean,
        "detection": detection_score(test, rows, random_state=0),
    }


def main():
    warnings.simplefilter("ignore", PosteriorCollapseWarning)
    runs = []
    for seed in SEEDS:
        for name, model in SETTINGS.items():
            runs.append({"setting": name, "seed": seed} | run(model, seed))
            print(runs[-1], flush=True)
    grouped = pd.DataFrame(runs).drop(columns="seed").groupby("setting", sort=False)
    mean, spread = grouped.mean(), grouped.std()
    table = mean.map("{:.3f}".format) + " (" + spread.map("{:.3f}".format) + ")"
    write(
        "generation_latents",
        table.reset_index(),
        "python benchmarks/generation_latents.py",
    )


if __name__ == "__main__":
    main()
