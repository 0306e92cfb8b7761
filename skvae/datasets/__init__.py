"""Tables to learn from: real ones with a cache, simulated ones with known factors."""

from skvae.datasets._credit_portfolio import make_credit_portfolio
from skvae.datasets._factor_table import make_factor_table
from skvae.datasets._taiwan_credit import fetch_taiwan_credit

__all__ = ["fetch_taiwan_credit", "make_credit_portfolio", "make_factor_table"]
