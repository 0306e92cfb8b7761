"""The thesis' setting for tables, as far as it is written down."""

from unittest.mock import patch

from torch.nn import functional

from skvae.networks import BernoulliHead, _make_heads

# It names no optimiser, batch size, number of epochs or estimator of the total
# correlation for tables: batches of 64 are a guess, and so are the library's defaults.
SETTING = {
    "hidden_layer_sizes": (512, 256, 128, 64),
    "activation": "leaky_relu",
    "encoding": "minmax",
    "likelihood": "bernoulli",
    "batch_size": 64,
    "kl_warmup": 0,
    "early_stopping": False,
    "device": "cpu",
}


class LeakyBernoulliHead(BernoulliHead):
    """Listing C.2: the outputs pass a LeakyReLU before they are log odds."""

    def logits(self, outputs):
        return functional.leaky_relu(outputs)


def leaky_heads():
    """Return a context in which models are built as in listing C.2."""
    heads = {("continuous", "bernoulli"): LeakyBernoulliHead}
    return patch.dict(_make_heads.NUMERIC_HEADS, heads)
