"""skvae inside of SDV, against the real SDV and SDMetrics."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from skvae import CVAE, MSVAE, BetaVAE
from skvae.metrics import ks_score
from skvae.tables import TableSchema

with warnings.catch_warnings():
    # Its dependencies' warnings are not ours.
    warnings.simplefilter("ignore")
    sdv = pytest.importorskip("sdv", minversion="2.0")
    from sdmetrics.single_column import KSComplement
    from sdv.cag import Inequality
    from sdv.errors import InvalidDataError
    from sdv.evaluation.evaluation import evaluate_quality, run_diagnostic
    from sdv.metadata import Metadata
    from sdv.sampling import Condition, DataFrameCondition
    from sdv.utils import load_synthesizer

    from skvae.integrations.sdv import (
        SkvaeSynthesizer,
        ks_complement,
        metadata_from_schema,
        schema_from_metadata,
    )

pytestmark = pytest.mark.filterwarnings("ignore::skvae.PosteriorCollapseWarning")

N_ROWS = 200
COLUMNS = {
    "client": {"sdtype": "id", "regex_format": "C[0-9]{5}"},
    "email": {"sdtype": "email", "pii": True},
    "age": {"sdtype": "numerical"},
    "income": {"sdtype": "numerical"},
    "count": {"sdtype": "numerical"},
    "number": {"sdtype": "numerical"},
    "grade": {"sdtype": "categorical"},
    "town": {"sdtype": "categorical"},
    "rank": {"sdtype": "ordinal", "range_values": ["low", "mid", "top"]},
    "member": {"sdtype": "boolean"},
    "opened": {"sdtype": "datetime", "datetime_format": "%d.%m.%Y"},
    "day": {"sdtype": "datetime", "datetime_format": "%Y%m%d"},
    "seen": {"sdtype": "datetime"},
}


def some_days(rng):
    days = pd.to_timedelta(rng.randint(0, 1000, size=N_ROWS), "D")
    return pd.Series(pd.Timestamp("2020-01-01") + days)


@pytest.fixture(scope="module")
def table():
    """Rows of every sdtype, with holes in two columns."""
    rng = np.random.RandomState(0)
    hidden = rng.normal(size=N_ROWS)
    is_hole = rng.uniform(size=N_ROWS) < 0.3
    towns = pd.Series(rng.choice(["Ulm", "Bonn"], size=N_ROWS))
    return pd.DataFrame(
        {
            "client": [f"C{90_000 + n}" for n in rng.permutation(N_ROWS)],
            "email": [f"client{n}@bank.test" for n in range(N_ROWS)],
            "age": (40 + 10 * hidden).round().astype(int),
            "income": np.where(is_hole, 0.0, np.exp(hidden)).round(2),
            "count": pd.array(np.where(is_hole, None, rng.poisson(3, N_ROWS)), "Int64"),
            "number": rng.permutation(N_ROWS),
            "grade": rng.randint(1, 4, size=N_ROWS),
            "town": towns.where(rng.uniform(size=N_ROWS) > 0.2),
            "rank": rng.choice(["low", "mid", "top"], size=N_ROWS),
            "member": hidden > 0,
            "opened": some_days(rng).dt.strftime("%d.%m.%Y"),
            "day": some_days(rng).dt.strftime("%Y%m%d").astype(int),
            "seen": some_days(rng),
        }
    )


def metadata_of(columns, **facts):
    return Metadata.load_from_dict(
        {"tables": {"clients": {"columns": columns} | facts}}
    )


@pytest.fixture(scope="module")
def metadata():
    return metadata_of(COLUMNS, primary_key="client")


def small_model():
    return BetaVAE(latent_dim=2, beta=0.2, max_epochs=2, random_state=0)


def fitted(metadata, table, model=None):
    synthesizer = SkvaeSynthesizer(metadata, model=model or small_model())
    synthesizer.fit({"clients": table})
    return synthesizer


@pytest.fixture(scope="module")
def synthesizer(metadata, table):
    return fitted(metadata, table)


@pytest.fixture(scope="module")
def drawn(synthesizer):
    return synthesizer.sample(300)["clients"]


def drawn_under(synthesizer, *conditions, **options):
    return synthesizer.sample_from_conditions(list(conditions), **options)["clients"]


def test_rows_come_back_with_columns_and_dtypes_of_the_table(drawn, table):
    assert len(drawn) == 300
    pd.testing.assert_series_equal(drawn.dtypes, table.dtypes)


def test_the_model_sees_each_column_as_the_metadata_says(synthesizer):
    schema = synthesizer.model_.table_encoder_.schema_
    assert schema.describe()["kind"].to_dict() == {
        "age": "integer",
        "income": "continuous",
        "count": "integer",
        "number": "integer",
        "grade": "categorical",
        "town": "categorical",
        "rank": "ordinal",
        "member": "boolean",
        "opened": "datetime",
        "day": "datetime",
        "seen": "datetime",
    }


@pytest.mark.parametrize("column", ["grade", "rank", "town"])
def test_levels_are_those_of_the_table(drawn, table, column):
    assert set(drawn[column].dropna()) == set(table[column].dropna())


@pytest.mark.parametrize("column", ["age", "income", "number", "count", "seen"])
def test_values_are_within_the_range_of_the_table(drawn, table, column):
    assert drawn[column].min() >= table[column].min()
    assert drawn[column].max() <= table[column].max()


@pytest.mark.parametrize(
    ("column", "datetime_format"), [("opened", "%d.%m.%Y"), ("day", "%Y%m%d")]
)
def test_dates_come_back_in_their_format(drawn, table, column, datetime_format):
    dates, of_table = (
        pd.to_datetime(cells, format=datetime_format)
        for cells in (drawn[column], table[column])
    )
    assert dates.between(of_table.min(), of_table.max()).all()


def test_keys_are_fresh_and_different(synthesizer, table):
    first, second = (synthesizer.sample(50)["clients"]["client"] for _ in range(2))
    keys = pd.concat([first, second])
    assert keys.is_unique
    assert keys.str.fullmatch("C[0-9]{5}").all()


def test_personal_data_are_made_up(drawn, table):
    assert drawn["email"].str.contains("@").all()
    assert not drawn["email"].isin(table["email"]).any()


def test_cells_are_missing_where_they_are_in_the_table(drawn):
    assert set(drawn.columns[drawn.isna().any()]) == {"count", "town"}


def test_atoms_come_back(drawn, table):
    share = (table["income"] == 0).mean()
    assert (drawn["income"] == 0).mean() == pytest.approx(share, abs=0.15)


def test_rows_differ_until_sampling_is_reset(synthesizer):
    synthesizer.reset_sampling()
    first, second = (synthesizer.sample(20)["clients"] for _ in range(2))
    synthesizer.reset_sampling()
    assert not first["income"].equals(second["income"])
    pd.testing.assert_frame_equal(synthesizer.sample(20)["clients"], first)


@pytest.mark.parametrize(
    "cells",
    [
        {"grade": 2, "member": True},
        {"age": 45},
        {"income": 0.0},
        {"rank": "top", "town": "Ulm"},
        {"opened": "01.02.2021"},
        {"seen": pd.Timestamp("2021-02-01")},
        {"email": "somebody@bank.test", "grade": 1},
    ],
    ids=lambda cells: "-".join(cells),
)
def test_conditions_hold(synthesizer, cells):
    drawn = drawn_under(synthesizer, Condition(cells, num_rows=6))
    assert len(drawn) == 6
    for name, cell in cells.items():
        assert (drawn[name] == cell).all()


def test_missing_cells_can_be_asked_for(synthesizer):
    asked = Condition({"town": None, "count": np.nan}, num_rows=5)
    drawn = drawn_under(synthesizer, asked)
    assert len(drawn) == 5
    assert drawn[["town", "count"]].isna().all(axis=None)


def test_rare_conditions_need_a_single_try(synthesizer, table):
    oldest = int(table["age"].max())
    asked = Condition({"age": oldest, "grade": 3, "member": False}, num_rows=40)
    drawn = drawn_under(synthesizer, asked, max_tries_per_batch=1)
    assert len(drawn) == 40
    assert (drawn["age"] == oldest).all()


def test_conditions_move_the_other_columns(table, metadata):
    model = BetaVAE(latent_dim=2, beta=0.1, max_epochs=40, random_state=0)
    synthesizer = fitted(metadata, table, model)
    ages = [
        drawn_under(synthesizer, Condition({"member": is_member}, num_rows=200))["age"]
        for is_member in (False, True)
    ]
    assert ages[1].mean() > ages[0].mean() + 5


def test_each_row_of_a_table_can_be_a_condition(synthesizer):
    known = pd.DataFrame({"grade": [1, 2, 3], "age": [30, 40, 50]})
    drawn = synthesizer.sample_remaining_columns(known)["clients"]
    pd.testing.assert_frame_equal(drawn[["grade", "age"]], known)


def test_conditions_may_be_categories(synthesizer):
    towns = pd.Categorical(["Ulm"] * 3, categories=["Bonn", "Ulm"])
    asked = DataFrameCondition(pd.DataFrame({"town": towns}))
    assert drawn_under(synthesizer, asked)["town"].tolist() == ["Ulm"] * 3


def test_condition_that_no_row_can_meet_is_named(synthesizer):
    with pytest.raises(ValueError, match=r"given\['grade'\]=9, but its levels are 1"):
        drawn_under(synthesizer, Condition({"grade": 9}))


def test_conditional_model_takes_its_own_conditions(table):
    names = ["age", "grade", "town"]
    metadata = metadata_of({name: COLUMNS[name] for name in names})
    model = CVAE(
        condition_columns=["grade"], latent_dim=2, max_epochs=2, random_state=0
    )
    synthesizer = fitted(metadata, table[names], model)
    drawn = drawn_under(synthesizer, Condition({"grade": 3, "age": 40}, num_rows=4))
    assert (drawn[["grade", "age"]] == [3, 40]).all(axis=None)


def test_two_stages_take_codes_as_categories(table):
    names = ["age", "grade", "income"]
    metadata = metadata_of({name: COLUMNS[name] for name in names})
    model = MSVAE(small_model(), residual_dim=2, max_epochs=2, random_state=0)
    synthesizer = fitted(metadata, table[names], model)
    schema = synthesizer.model_.first_stage_.table_encoder_.schema_
    assert schema.describe().loc["grade", "kind"] == "categorical"


def test_constraints_hold(table):
    two = pd.DataFrame({"low": table["age"], "high": table["age"] + table["grade"]})
    metadata = metadata_of(dict.fromkeys(two, COLUMNS["age"]))
    synthesizer = SkvaeSynthesizer(metadata, model=small_model())
    synthesizer.add_constraints([Inequality("low", "high")])
    synthesizer.fit({"clients": two})
    drawn = synthesizer.sample(50)["clients"]
    assert (drawn["low"] <= drawn["high"]).all()


def test_levels_may_be_different_in_every_row(table):
    columns = {"code": {"sdtype": "categorical"}, "age": COLUMNS["age"]}
    codes = table[["age"]].assign(code=table["number"] * 7)[["code", "age"]]
    metadata = metadata_of(columns)
    drawn = fitted(metadata, codes).sample(50)["clients"]
    assert drawn["code"].isin(codes["code"]).all()
    kinds = schema_from_metadata(metadata, codes).describe()["kind"]
    assert kinds["code"] == "categorical"


def test_places_that_are_not_personal_are_levels(table):
    city = {"sdtype": "city", "pii": False}
    metadata = metadata_of({"age": COLUMNS["age"], "town": city})
    two = table[["age", "town"]]
    drawn = fitted(metadata, two).sample(50)["clients"]
    assert set(drawn["town"].dropna()) == {"Bonn", "Ulm"}
    kinds = schema_from_metadata(metadata, two).describe()["kind"]
    assert kinds["town"] == "categorical"


def test_columns_may_be_called_by_numbers(table):
    metadata = metadata_of({"0": COLUMNS["age"], "1": COLUMNS["income"]})
    numbered = table[["age", "income"]].set_axis([0, 1], axis=1)
    assert fitted(metadata, numbered).sample(5)["clients"].columns.tolist() == [0, 1]


def test_reports_of_sdv_take_the_rows(table, drawn, metadata):
    tables = {"clients": table}, {"clients": drawn}, metadata
    assert 0 < evaluate_quality(*tables, verbose=False).get_score() <= 1
    assert run_diagnostic(*tables, verbose=False).get_score() == 1


def test_saved_synthesizer_draws_the_same_rows(synthesizer, tmp_path):
    path = tmp_path / "synthesizer.pkl"
    synthesizer.save(path)
    loaded = load_synthesizer(path)
    for each in (synthesizer, loaded):
        each.reset_sampling()
    expected = synthesizer.sample(10)["clients"]
    pd.testing.assert_frame_equal(loaded.sample(10)["clients"], expected)


def test_model_is_cloned(metadata, table):
    model = small_model()
    synthesizer = fitted(metadata, table, model)
    assert synthesizer.get_parameters()["model"] is model
    assert not hasattr(model, "net_")
    assert synthesizer.model_.get_params()["random_state"] == 0


def test_without_a_model_it_takes_one_that_generates_well(table):
    names = ["age", "income"]
    metadata = metadata_of({name: COLUMNS[name] for name in names})
    synthesizer = SkvaeSynthesizer(metadata)
    synthesizer.fit({"clients": table[names]})
    assert isinstance(synthesizer.model_, BetaVAE)
    assert synthesizer.model_.n_iter_ == 80
    assert synthesizer.sample(5)["clients"].shape == (5, 2)


@pytest.mark.parametrize("model", [BetaVAE, "BetaVAE"])
def test_model_that_generates_nothing_is_refused(metadata, model):
    with pytest.raises(ValueError, match=r"Got model=.* expected None or an estimator"):
        SkvaeSynthesizer(metadata, model=model)


def test_no_model_before_fit(metadata):
    with pytest.raises(NotFittedError, match="no model_ before fit"):
        SkvaeSynthesizer(metadata).model_  # noqa: B018


def test_ks_complement_is_the_mean_of_sdmetrics_own(table, drawn, metadata):
    names = ["age", "income", "count", "number", "seen"]
    own = [KSComplement.compute(table[name], drawn[name]) for name in names]
    columns = {name: COLUMNS[name] for name in names}
    score = ks_complement(table[names], drawn[names], metadata_of(columns))
    assert score == pytest.approx(np.mean(own), abs=1e-12)
    assert score == pytest.approx(ks_complement(table[names], drawn[names]), abs=1e-12)
    assert score == pytest.approx(ks_score(table[names], drawn[names]).mean, abs=1e-12)


def test_ks_complement_leaves_out_what_the_metadata_calls_codes(table, drawn):
    names = ["age", "grade"]
    columns = {name: COLUMNS[name] for name in names}
    score = ks_complement(table[names], drawn[names], metadata_of(columns))
    assert score == pytest.approx(KSComplement.compute(table["age"], drawn["age"]))


@pytest.fixture(scope="module")
def typed(table):
    """The table with the dtypes that tell skvae what the metadata tells SDV."""
    levels = pd.CategoricalDtype(["low", "mid", "top"], ordered=True)
    return table.assign(
        grade=table["grade"].astype("category"),
        rank=table["rank"].astype(levels),
        opened=pd.to_datetime(table["opened"], format="%d.%m.%Y"),
        bank="B1",
        branch=12,
    )


@pytest.fixture(scope="module")
def schema(typed):
    with pytest.warns(UserWarning, match="looks like an identifier"):
        return TableSchema.of(typed)


def test_schema_becomes_metadata(schema):
    columns = metadata_from_schema(schema, "clients").tables["clients"].columns
    assert {name: facts["sdtype"] for name, facts in columns.items()} == {
        "client": "id",
        "email": "id",
        "age": "numerical",
        "income": "numerical",
        "count": "numerical",
        "number": "id",
        "grade": "categorical",
        "town": "categorical",
        "rank": "ordinal",
        "member": "boolean",
        "opened": "datetime",
        "day": "numerical",
        "seen": "datetime",
        "bank": "categorical",
        "branch": "numerical",
    }
    assert columns["rank"]["range_values"] == ["low", "mid", "top"]


@pytest.mark.filterwarnings("ignore:We strongly recommend saving the metadata")
def test_metadata_of_a_schema_suits_its_table(schema, typed):
    metadata = metadata_from_schema(schema, "clients")
    metadata.set_primary_key("client")
    drawn = fitted(metadata, typed).sample(20)["clients"]
    pd.testing.assert_series_equal(drawn.dtypes, typed.dtypes)
    for name in ("client", "email", "number"):
        assert drawn[name].is_unique
        assert not drawn[name].isin(typed[name]).any()


def test_schema_comes_back_from_its_metadata(schema, typed):
    back = schema_from_metadata(metadata_from_schema(schema), typed)
    pd.testing.assert_series_equal(back.describe()["kind"], schema.describe()["kind"])
    assert back.names == schema.names


def test_metadata_tell_what_dtypes_do_not(metadata, table, synthesizer):
    kinds = schema_from_metadata(metadata, table).describe()["kind"]
    assert (kinds[["client", "email"]] == "identifier").all()
    seen = synthesizer.model_.table_encoder_.schema_.describe()["kind"]
    pd.testing.assert_series_equal(kinds.drop(["client", "email"]), seen)


def test_table_of_other_columns_is_refused(metadata, table):
    with pytest.raises(InvalidDataError, match="age"):
        schema_from_metadata(metadata, table.drop(columns="age"))


def test_names_of_identifiers_may_hold_any_sign():
    table = pd.DataFrame({"no. (+)": [f"K{n}" for n in range(N_ROWS)], "age": 40})
    table["age"] += np.arange(N_ROWS) % 7
    with pytest.warns(UserWarning, match="looks like an identifier"):
        metadata = metadata_from_schema(TableSchema.of(table), "clients")
    drawn = fitted(metadata, table).sample(5)["clients"]
    assert drawn["no. (+)"].str.startswith("no. (+)-").all()


@pytest.mark.parametrize(
    "cells",
    [pd.to_timedelta([1, 2, 3], "D"), pd.period_range("2020-01", periods=3, freq="M")],
    ids=["durations", "periods"],
)
def test_columns_without_sdtype_are_named(cells):
    schema = TableSchema.of(pd.DataFrame({"age": [1, 2, 3], "since": cells}))
    with pytest.raises(ValueError, match="Column 'since' is of dtype"):
        metadata_from_schema(schema)
