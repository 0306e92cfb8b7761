"""How long our generators take to fit and to draw, beside CTGAN's TVAE.

All have one table, the same number of threads and one process, and take turns, so that
what else the machine does hits them alike. TVAE has its defaults.
"""

import argparse

import pandas as pd
from _common import median, write
from generation import DATA, METHODS
from sklearn.model_selection import train_test_split

TIMED = ("TVAE", "skvae, quality", "skvae, fast")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    lines = []
    for name, load in DATA.items():
        train, _ = train_test_split(load()[0], test_size=0.1, random_state=0)
        times = {method: [] for method in TIMED}
        for seed in range(arguments.rounds):
            for method in TIMED:
                _, fit, sample, _ = METHODS[method](train, seed)
                times[method].append((fit, sample))
                print(name, method, fit, sample, flush=True)
        medians = {m: [median(t) for t in zip(*times[m], strict=True)] for m in TIMED}
        for method, (fit, sample) in medians.items():
            ratio = f"{sum(medians['TVAE']) / (fit + sample):.1f}x"
            lines.append((name, method, round(fit, 1), round(sample, 1), ratio))
    columns = ["table", "method", "fit s", "sample s", "both, as fast as TVAE"]
    write(
        "generation_speed",
        pd.DataFrame(lines, columns=columns),
        "python benchmarks/generation_speed.py",
        f"Medians of {arguments.rounds} rounds. The first draw of a model fits the "
        "density of its latents, which is part of its sample s.",
    )


if __name__ == "__main__":
    main()
