"""Whether RFVAE finds how many factors a table has, and which latents hold them.

Tables of 20 columns are driven by 5 factors of unequal strength; the model is offered
10 latents. A factor counts as found if a forest predicts it from the latents kept by
`get_support`, on held-out rows, with an R2 of 0.8 or more. Everything is at its
defaults. FactorVAE's active latents stand beside.
"""

import argparse

import pandas as pd
from _common import write
from joblib import Parallel, delayed
from sklearn.ensemble import ExtraTreesRegressor

from skvae import RFVAE, FactorVAE
from skvae.datasets import make_factor_table


def predicted(codes, factors, seed):
    """Return the R2 of each factor, predicted from codes; half of the rows train."""
    half = len(codes) // 2
    forest = ExtraTreesRegressor(100, min_samples_leaf=3, random_state=seed)
    return [
        forest.fit(codes[:half], factor[:half]).score(codes[half:], factor[half:])
        for factor in factors.to_numpy().T
    ]


def measure(seed, n_rows):
    table = make_factor_table(n_rows + 4000, n_factors=5, random_state=seed)
    train, test = table.data[:n_rows], table.data[n_rows:]
    settings = {"latent_dim": 10, "random_state": seed, "device": "cpu"}
    relevance = RFVAE(**settings).fit(train)
    support = relevance.get_support()
    r2 = predicted(relevance.transform(test)[:, support], table.factors[n_rows:], seed)
    return {
        "seed": seed,
        "kept by get_support": int(support.sum()),
        "RFVAE n_active": relevance.n_active_,
        "FactorVAE n_active": FactorVAE(**settings).fit(train).n_active_,
        "smallest relevance kept": relevance.relevance_[support].min(),
        "largest dropped": relevance.relevance_[~support].max(),
        "smallest R2": min(r2),
        "factors with R2 >= .8": sum(value >= 0.8 for value in r2),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--rows", type=int, default=4000)
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    tasks = [(seed, arguments.rows) for seed in range(arguments.seeds)]
    runs = Parallel(n_jobs=arguments.jobs)(delayed(measure)(*task) for task in tasks)
    table = pd.DataFrame(runs).round(3)
    write(
        "relevance",
        table,
        f"python benchmarks/relevance.py --seeds {arguments.seeds} "
        f"--rows {arguments.rows}",
        f"5 true factors, 10 latents, {arguments.rows:,} training rows, 4,000 others.",
    )


if __name__ == "__main__":
    main()
