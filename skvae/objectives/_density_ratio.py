"""Total correlation by the density-ratio trick, for any number of latents.

A discriminator tells rows of latents, drawn from q(z) ("joint"), from rows whose
latents were permuted one by one, drawn from prod_d q(z_d). Its logit is then
log q(z) - sum_d log q(z_d), whose mean is the total correlation. Kim & Mnih 2018,
eq. 3 and algorithm 2.
"""

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import softplus

from skvae._core.passes import ForwardPass


def permute_dimensions(latents: Tensor, generator: Generator) -> Tensor:
    """Return the latents, each dimension permuted over rows on its own."""
    noise = torch.empty_like(latents).uniform_(generator=generator)
    return latents.gather(0, noise.argsort(dim=0))


def total_correlation_by_density_ratio(
    discriminator: nn.Module, latents: Tensor
) -> Tensor:
    """Return the mean logit, with gradients to the latents alone."""
    frozen = {
        name: parameter.detach() for name, parameter in discriminator.named_parameters()
    }
    return torch.func.functional_call(discriminator, frozen, (latents,)).mean()


def discriminator_loss(
    discriminator: nn.Module,
    batch: ForwardPass,
    generator: Generator,
    relevance: Tensor | float = 1.0,
) -> Tensor:
    """Return the cross-entropy of "joint" and "permuted", with no gradient to others.

    The permuted rows are a fresh draw from the posteriors of the batch, so that they
    share no noise with the rows they are compared to.
    """
    with torch.no_grad():
        noise = torch.empty_like(batch.latents).normal_(generator=generator)
        joint = relevance * batch.latents
        permuted = permute_dimensions(relevance * batch.posterior.at(noise), generator)
    logits = discriminator(torch.cat([joint, permuted]))
    logit_joint, logit_permuted = logits.chunk(2)
    return 0.5 * (softplus(-logit_joint).mean() + softplus(logit_permuted).mean())
