"""Networks whose condition has an effect, which at first it has not."""

import torch

from skvae._core.random import make_generator
from skvae.networks import FiLM


def awaken(network, seed=0):
    """Set what conditions do in `network` to something; FiLM starts as the identity."""
    generator = make_generator(seed)
    with torch.no_grad():
        for film in network.modules():
            if isinstance(film, FiLM):
                for parameter in film.parameters():
                    parameter.normal_(0, 0.5, generator=generator)
    return network
