"""Tables and images to learn from: real ones, and simulated ones with known factors."""

from skvae.datasets._adult import fetch_adult
from skvae.datasets._celeba import load_celeba
from skvae.datasets._credit_portfolio import make_credit_portfolio
from skvae.datasets._emnist import fetch_emnist
from skvae.datasets._factor_table import make_factor_table
from skvae.datasets._image_folders import load_images
from skvae.datasets._kmnist import fetch_kmnist
from skvae.datasets._mnist import fetch_fashion_mnist, fetch_mnist
from skvae.datasets._sprites import make_sprites
from skvae.datasets._taiwan_credit import fetch_taiwan_credit

__all__ = [
    "fetch_adult",
    "fetch_emnist",
    "fetch_fashion_mnist",
    "fetch_kmnist",
    "fetch_mnist",
    "fetch_taiwan_credit",
    "load_celeba",
    "load_images",
    "make_credit_portfolio",
    "make_factor_table",
    "make_sprites",
]
