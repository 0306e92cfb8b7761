import pytest
from model_cases import MODELS, make_numbers, make_table, small


@pytest.fixture(params=MODELS, ids=lambda model: model.__name__)
def model_class(request):
    return request.param


@pytest.fixture
def model(model_class):
    """Not fitted, and fast to fit."""
    return small(model_class)


@pytest.fixture
def table():
    return make_table()


@pytest.fixture
def numbers():
    return make_numbers()


@pytest.fixture
def fitted(model, table):
    return model.fit(table)
