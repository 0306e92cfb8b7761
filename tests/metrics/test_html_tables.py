"""Results in a notebook: tables that need nothing from outside, with text escaped."""

import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from skvae._core.html_table import html_table
from skvae.metrics import (
    DCI,
    ColumnScores,
    KLDecomposition,
    KLTerms,
    LatentConsistency,
    ModelCentrality,
    UtilityScore,
    kl_decomposition,
    latent_shift,
    recovered_factors,
    shape_score,
    trend_score,
    udr_score,
)
from skvae.selection import DisentanglementReport

HOSTILE = "<script>alert('x' & \"y\")</script>"
MINUS, DASH = "\N{MINUS SIGN}", "\N{EN DASH}"
rng = np.random.default_rng(0)
CODES = rng.normal(size=(60, 2))


class Table(HTMLParser):
    """Reads HTML, and fails where an element is not closed or out of place."""

    def __init__(self, html):
        super().__init__()
        self.open, self.rows, self.notes, self.attributes = [], [], [], []
        self.tags, self.caption = set(), None
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.open.append(tag)
        self.tags.add(tag)
        self.attributes += [(tag, *attribute) for attribute in attributes]
        if tag == "tr":
            self.rows.append([])
        elif tag in ("th", "td"):
            assert self.open[-2] == "tr"
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        element = self.open[-1]
        if element == "caption":
            self.caption = data
        elif element in ("th", "td"):
            self.rows[-1][-1] += data
        elif element == "li":
            self.notes.append(data)


def hostile_table(n_rows=60):
    values = rng.normal(size=(n_rows, 2)) @ [[1.0, 0.9], [0.0, 0.1]]
    return pd.DataFrame(values, columns=[HOSTILE, "b"])


def report(name="MIG", findings=()):
    scores = pd.DataFrame(
        {
            "value": [3.0, 12.3456, 0.1234],
            "chance": [np.nan, np.nan, 0.0123],
            "meaning": ["how many", "in all", "whether one latent knows a factor"],
        },
        index=["active latents", "KL", name],
    )
    return DisentanglementReport(scores, list(findings))


def kl():
    return kl_decomposition(CODES, np.full_like(CODES, -1.0), random_state=0)


def shift(**segments):
    return latent_shift(CODES, CODES[::-1] + [0.0, 3.0], n_bootstrap=20, **segments)


RESULTS = {
    "DCI": lambda: DCI(0.5, 0.25, 1.0),
    "KLDecomposition": kl,
    "LatentConsistency": lambda: LatentConsistency(0.75, 0.5),
    "LatentShift": shift,
    "ModelCentrality": lambda: ModelCentrality(
        0.5, np.array([0.5, 0.5]), np.array([[np.nan, 0.4], [0.6, np.nan]])
    ),
    "PairScores": lambda: trend_score(hostile_table(), hostile_table()),
    "RecoveredFactors": lambda: recovered_factors(hostile_table(), CODES),
    "ColumnScores": lambda: shape_score(hostile_table(), hostile_table()),
    "UDR": lambda: udr_score([CODES, CODES[:, ::-1], CODES**3]),
    "UtilityScore": lambda: UtilityScore(0.75, None),
    "DisentanglementReport": lambda: report(HOSTILE, [HOSTILE]),
}


@pytest.mark.parametrize("make", RESULTS.values(), ids=RESULTS)
class TestEveryResult:
    def test_is_a_table_with_a_caption_and_names_of_rows_and_columns(self, make):
        table = Table(make()._repr_html_())
        assert table.caption
        assert {"table", "thead", "tbody"} <= table.tags
        scopes = [value for _, name, value in table.attributes if name == "scope"]
        n_columns = len(table.rows[0])
        assert scopes == ["col"] * n_columns + ["row"] * (len(table.rows) - 1)
        assert {len(row) for row in table.rows} == {n_columns}

    def test_needs_nothing_from_outside_and_runs_nothing(self, make):
        table = Table(make()._repr_html_())
        assert table.tags.isdisjoint({"script", "link", "img", "iframe"})
        assert {name for _, name, _ in table.attributes} <= {"class", "scope"}

    def test_has_no_colour_of_its_own_but_a_grey(self, make):
        (style,) = re.findall("<style>(.*?)</style>", make()._repr_html_(), re.DOTALL)
        assert set(re.findall(r"color: (\w+)", style)) == {"inherit"}
        assert set(re.findall(r"rgb\((.*?) /", style)) == {"128 128 128"}
        assert "#" not in style
        assert "background" not in style


class TestCells:
    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (0.12345, "0.123"),
            (-0.5, f"{MINUS}0.500"),
            (-1e-9, "0.000"),
            (np.float32(2), "2.000"),
            (12345.6, "12,346"),
            (np.int64(-3), f"{MINUS}3"),
            (2024, "2024"),
            (np.inf, "inf"),
            (np.nan, DASH),
            (None, DASH),
        ],
    )
    def test_numbers_have_sensible_digits_and_stand_at_the_right(self, value, text):
        table = Table(html_table("c", ["name", "value"], [("a", value)]))
        assert table.rows[1] == ["a", text]
        assert ("td", "class", "skvae-number") in table.attributes
        assert ("th", "class", "skvae-number") in table.attributes

    @pytest.mark.parametrize(
        ("value", "text"), [(True, "yes"), (False, "no"), ("a-b", "a-b")]
    )
    def test_words_stand_at_the_left(self, value, text):
        table = Table(html_table("c", ["name", "value"], [("a", value)]))
        assert table.rows[1] == ["a", text]
        assert ("td", "class", "skvae-number") not in table.attributes

    def test_all_text_is_escaped(self):
        html = html_table(HOSTILE, [HOSTILE] * 2, [(HOSTILE,) * 2], notes=[HOSTILE])
        table = Table(html)
        assert "<script" not in html
        assert table.caption == HOSTILE
        assert table.rows == [[HOSTILE] * 2] * 2
        assert table.notes == [HOSTILE]

    def test_names_that_are_no_strings(self):
        table = Table(html_table("c", [0], [(3,), (("a", 1),), (np.nan,)]))
        assert table.rows == [["0"], ["3"], ["('a', 1)"], [DASH]]


class TestRows:
    def test_a_table_without_any(self):
        assert Table(html_table("c", ["a", "b"], [])).rows == [["a", "b"]]

    def test_a_footer_is_filled_up(self):
        html = html_table("c", ["a", "b", "c"], [("x", 1, 2)], footer=("sum", 1))
        assert Table(html).rows[-1] == ["sum", "1", ""]

    def test_of_many_some_are_shown_and_the_others_counted(self):
        rows = [(f"row {i}", i) for i in range(100)]
        table = Table(html_table("c", ["a", "b"], rows, footer=("sum", 4950)))
        assert len(table.rows) == 1 + 60 + 1
        assert table.rows[-1] == ["sum", "4950"]
        assert table.notes == ["40 more rows."]


class TestTheReport:
    def test_has_chance_beside_the_value_and_the_unit(self):
        table = Table(report()._repr_html_())
        assert table.rows[0][:4] == ["score", "value", "chance", "unit or range"]
        assert table.rows[1][:4] == ["active latents", "3", DASH, "latents"]
        assert table.rows[2][:4] == ["KL", "12.346", DASH, "nats"]
        assert table.rows[3][:4] == ["MIG", "0.123", "0.012", "0 to 1"]

    def test_has_its_findings_below(self):
        assert Table(report(findings=["Few."])._repr_html_()).notes == ["Few."]
        assert Table(report()._repr_html_()).notes == []

    def test_is_a_plain_table_once_its_columns_changed(self):
        changed = report()
        changed["more"] = HOSTILE
        html = changed._repr_html_()
        assert "<script" not in html
        assert "more" in html
        assert "skvae-table" not in html


class TestOneByOne:
    def test_scores_of_columns_with_their_mean(self):
        scores = ColumnScores(0.75, pd.Series({HOSTILE: 0.5, "b": 1.0}))
        rows = Table(scores._repr_html_()).rows
        assert rows[1:] == [[HOSTILE, "0.500"], ["b", "1.000"], ["mean", "0.750"]]

    def test_scores_of_pairs(self):
        rows = Table(RESULTS["PairScores"]()._repr_html_()).rows
        assert rows[1][:2] == [HOSTILE, "b"]
        assert rows[2][0] == "mean"

    def test_terms_with_their_errors(self):
        terms = KLTerms(1.0, 0.5, 0.25, 1.75)
        rows = Table(
            KLDecomposition(*terms, KLTerms(*[0.01] * 4), 9)._repr_html_()
        ).rows
        assert rows[2] == ["total correlation", "0.500", "0.010"]
        assert rows[-1] == ["KL", "1.750", "0.010"]

    @pytest.mark.parametrize("similarity", ["spearman", "lasso"])
    def test_a_models_score_is_the_median_of_its_row(self, similarity):
        models = [CODES, CODES @ [[1, 0.5], [0, 1]], CODES**3, CODES[:, :1]]
        table = Table(udr_score(models, similarity=similarity)._repr_html_())
        for _, score, *row in table.rows[1:-1]:
            others = [float(cell) for cell in row if cell != DASH]
            assert len(others) == 3
            assert float(score) == pytest.approx(np.median(others), abs=1e-3)

    def test_models_that_read_one_another_both_ways(self):
        rows = Table(RESULTS["ModelCentrality"]()._repr_html_()).rows
        assert rows[1] == ["0", "0.500", DASH, "0.500"]

    def test_factors_without_a_code(self):
        rows = Table(recovered_factors(CODES, CODES[:, :1])._repr_html_()).rows
        assert rows[1] == ["0", "0", "1.000", "yes"]
        assert rows[2] == ["1", DASH, "0.000", "no"]

    def test_nothing_learnt_from_real_rows(self):
        rows = Table(UtilityScore(0.75, None)._repr_html_()).rows
        assert rows[1:] == [["generated rows", "0.750"], ["real rows", DASH]]

    def test_shifts_of_segments_have_their_cosines(self):
        segments = np.repeat([HOSTILE, "b"], 30)
        html = shift(segments=segments, other_segments=segments)._repr_html_()
        table = Table(html)
        assert html.count("<table>") == 2
        assert table.rows[0] == [
            "segment",
            "factor",
            "shift",
            "lower",
            "upper",
            "moved",
        ]
        assert table.rows[1][0] == HOSTILE
        assert table.rows[1][-1] == "yes"
        assert table.rows[5] == ["segment", HOSTILE, "b"]
        assert table.rows[6][:2] == [HOSTILE, "1.000"]
