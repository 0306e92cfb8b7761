"""Does a generator give away its training rows? Half of the table trains, half judges.

The share of generated rows that are nearer to a training row than to a row of the other
half, which no model saw: 0.5 if rows are as new as other real rows are, 1 for copies.
Halves are as large as each other, so that every training row is looked at.
"""

import pandas as pd
from _common import write
from generation import DATA, FAST, QUALITY, as_real
from sklearn.model_selection import train_test_split

from skvae import BetaVAE
from skvae.metrics import privacy_distance_share

SEEDS = range(3)
SETTINGS = {"skvae, quality": QUALITY, "skvae, fast": FAST}


def share(train, rows, other):
    return privacy_distance_share(train, rows, other, max_rows=None, random_state=0)


def main():
    runs = []
    for seed in SEEDS:
        for name, load in DATA.items():
            frame, _ = load()
            train, other = train_test_split(frame, test_size=0.5, random_state=seed)
            key = {"table": name, "seed": seed}
            for method, settings in SETTINGS.items():
                model = BetaVAE(random_state=seed, **settings).fit(train)
                rows = as_real(model.sample(len(train), random_state=seed), train)
                runs.append(
                    key | {"method": method, "share": share(train, rows, other)}
                )
                print(runs[-1], flush=True)
            some = train.sample(5_000, random_state=seed)
            copies = {"method": "training rows", "share": share(train, some, other)}
            runs.append(key | copies)
    grouped = pd.DataFrame(runs).groupby(["table", "method"], sort=False)["share"]
    table = pd.DataFrame({"share": grouped.mean(), "sd": grouped.std()}).round(4)
    write(
        "generation_privacy",
        table.reset_index(),
        "python benchmarks/generation_privacy.py",
    )


if __name__ == "__main__":
    main()
