"""How fast a table becomes a matrix and comes back: 1,000,000 x 23, beside sklearn.

Rows are drawn from the Taiwan table (or the simulated portfolio) with replacement.
Beside `TableEncoder` stands what one would write with scikit-learn: in a
ColumnTransformer a QuantileTransformer for numbers and a OneHotEncoder for categories,
which know neither atoms, nor rounding, nor dtypes. Medians of three rounds, in turn;
memory is that of the matrix, as a multiple of the table's.
"""

import pandas as pd
from _common import interleaved, median, write
from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import OneHotEncoder, QuantileTransformer

import skvae
from skvae.datasets import fetch_taiwan_credit, make_credit_portfolio
from skvae.tables import TableEncoder

N_ROWS = 1_000_000
N_ROUNDS = 3


def load():
    try:
        table = fetch_taiwan_credit().data
    except skvae.DataUnavailableError:
        table = make_credit_portfolio(30_000, random_state=0).data
    return table.sample(N_ROWS, replace=True, random_state=0, ignore_index=True)


def main():
    table = load()
    encoder = TableEncoder(min_atom_share=0.02)
    coded = list(table.select_dtypes("category"))
    peer = ColumnTransformer(
        [
            (
                "numbers",
                QuantileTransformer(output_distribution="normal"),
                [name for name in table if name not in coded],
            ),
            ("codes", OneHotEncoder(sparse_output=False), coded),
        ]
    )
    found = {}
    seconds = interleaved(
        {
            "fit": lambda: encoder.fit(table),
            "fit, scikit-learn": lambda: peer.fit(table),
            "encode": lambda: found.update(matrix=encoder.transform(table)),
            "encode, scikit-learn": lambda: found.update(wide=peer.transform(table)),
            "decode": lambda: encoder.inverse_transform(found["matrix"]),
        },
        N_ROUNDS,
    )
    back = encoder.inverse_transform(found["matrix"])
    few = [name for name in table if table[name].nunique() <= 10_000]
    pd.testing.assert_frame_equal(back[few], table[few])
    size = table.memory_usage(index=False).sum()
    result = pd.DataFrame(
        [{"step": name, "seconds": median(times)} for name, times in seconds.items()]
    ).round(2)
    write(
        "table_speed",
        result,
        "python benchmarks/table_speed.py",
        f"{N_ROWS:,} x {table.shape[1]}; the matrix has {found['matrix'].shape[1]} "
        f"columns and {found['matrix'].nbytes / size:.1f} times the memory of the "
        f"table. {len(few)} columns come back cell by cell, the others, of more than "
        "10,000 different values, to within a ten-thousandth of the ranks.",
    )


if __name__ == "__main__":
    main()
