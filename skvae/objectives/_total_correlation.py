"""Total correlation of the aggregate posterior, estimated from one batch.

TC(z) = E[log q(z) - sum_d log q(z_d)] (Chen et al. 2018, eq. 2). The aggregate
posterior q(z) is a mixture over all training rows, of which a batch holds a few; the
estimators differ in the weight that each row of the batch gets. Below, B is the
number of rows in the batch, N that of the training set, and

    component[i, d, k] = log N(latents[i, d]; mean[k, d], variance[k, d]).

The mixture's rows k come last, since that is what most of the time is spent summing
over. With the dimensions first, compiled code would take twice as long.
"""

import math

import torch
from torch import Tensor


def component_log_densities(
    mean: Tensor, log_variance: Tensor, latents: Tensor
) -> Tensor:
    """Return ``component`` up to a constant per dimension, of shape (B, D, B).

    The constant -log(2 pi) / 2 is left out: it cancels between log q(z) and the sum
    of log q(z_d).
    """
    # (D, B), and laid out so: results inherit the layout, and sums over rows need it.
    mean, log_variance = mean.T.contiguous(), log_variance.T.contiguous()
    # With this factor the square needs no other.
    scale = (-0.5 * log_variance).exp() * math.sqrt(0.5)
    distance = (latents.unsqueeze(2) - mean) * scale
    return -(distance.square() + 0.5 * log_variance)


# exp of less than this is nothing beside the largest term of a sum, 1. Where torch's
# exp underflows it takes up to thirty times as long, and most of a mixture's rows do.
_SMALLEST_EXPONENT = -80.0


def log_sum_exp(values: Tensor, dim: int) -> Tensor:
    """Return log sum exp along a dimension, and skip what is negligible."""
    largest = values.detach().amax(dim, keepdim=True)
    terms = (values - largest).clamp_min(_SMALLEST_EXPONENT).exp()
    return largest.squeeze(dim) + terms.sum(dim).log()


def minibatch_total_correlation(component: Tensor, n_rows: int) -> Tensor:
    """Weigh every row of the batch by 1/B.

    The gradient is that of minibatch weighted sampling; the value has no offset, and
    is exact where the batch holds all rows.
    """
    n_batch, latent_dim, _ = component.shape
    log_joint = log_sum_exp(component.sum(dim=1), dim=1)
    log_marginals = log_sum_exp(component, dim=2).sum(dim=1)
    offset = (latent_dim - 1) * _log_of_count(n_batch)
    return (log_joint - log_marginals).mean() + offset.to(component.dtype)


def _log_of_count(count: int) -> Tensor:
    """Return the log of a number of rows: by `math`, compiled code had one for each."""
    return torch.full((), count, dtype=torch.float64).log()


def weighted_total_correlation(component: Tensor, n_rows: int) -> Tensor:
    """Minibatch weighted sampling: every row by 1/(N B).

    Chen et al. 2018, section C.1. Its value lies (D - 1) log N above that of 1/B
    weights; the offset is constant and taken out here.
    """
    n_batch, latent_dim, _ = component.shape
    log_weight = -math.log(n_rows * n_batch)
    log_joint = log_sum_exp(component.sum(dim=1), dim=1) + log_weight
    log_marginals = (log_sum_exp(component, dim=2) + log_weight).sum(dim=1)
    offset = (latent_dim - 1) * math.log(n_rows)
    return (log_joint - log_marginals).mean() - offset


def stratified_total_correlation(component: Tensor, n_rows: int) -> Tensor:
    """Minibatch stratified sampling: the row itself counts 1/N, the others the rest.

    Chen et al. 2018, section C.2. The log weight is added once to the joint, and once
    to each marginal.
    """
    n_batch, device = len(component), component.device
    weights = stratified_weights(n_batch, n_rows, device)
    return total_correlation_of_mixture(component, weights)


def total_correlation_of_mixture(component: Tensor, weights: Tensor) -> Tensor:
    """Return the estimate for any weights (B, B) whose rows sum to 1."""
    log_weights = weights.log()
    log_joint = log_sum_exp(component.sum(dim=1) + log_weights, dim=1)
    weighted = component + log_weights.unsqueeze(1)
    log_marginals = log_sum_exp(weighted, dim=2).sum(dim=1)
    return (log_joint - log_marginals).mean()


def conditional_total_correlation(
    component: Tensor, condition: Tensor | None
) -> Tensor:
    """Weigh every row of the same condition alike: total correlation of z given c.

    TC(z|c) = E[log q(z|c) - sum_d log q(z_d|c)], the last term of eq. 12 of the dCVAE
    paper. Row i has weight 1/n_i on the n_i rows whose condition (B, width) is its own.
    Where these are fewer than `FEWEST_ROWS`, as with a continuous condition, it has 1/B
    on all rows, and so have all without a condition.
    """
    if condition is None:
        return minibatch_total_correlation(component, n_rows=len(component))
    mixed = rows_of_the_mixture(condition).to(component.dtype)
    return total_correlation_of_mixture(
        component, mixed / mixed.sum(dim=1, keepdim=True)
    )


# A mixture of n posteriors that lie apart gives (D - 1) log(n), whether the latents
# depend on each other or not; for a single row that is 0. With few rows the estimate
# tells how many there are, and little of the encoder.
FEWEST_ROWS = 8


def rows_of_the_mixture(condition: Tensor) -> Tensor:
    """Return for each row which rows its mixture runs over, a (B, B) mask."""
    same = torch.cdist(condition, condition, p=math.inf) == 0
    enough = same.sum(dim=1) >= FEWEST_ROWS
    return same | ~enough.unsqueeze(1)


def stratified_weights(
    n_batch: int, n_rows: int, device: torch.device | str = "cpu"
) -> Tensor:
    """Return the weights of stratified sampling, of shape (B, B); rows sum to 1.

    Row i has 1/N on the diagonal, (N - M)/(N M) on the next column and 1/M on the
    others, where M = B - 1. Where the batch holds all N rows these are 1/N and
    1/(N - 1) with 1/(N (N - 1)) on the next column.
    """
    if n_batch == 1:
        return torch.ones(1, 1, device=device)
    # Held-out rows may come in batches larger than the training set.
    n_rows = max(n_rows, n_batch)
    others = n_batch - 1
    weights = torch.full((n_batch, n_batch), 1 / others, device=device)
    rows = torch.arange(n_batch, device=device)
    weights[rows, rows] = 1 / n_rows
    weights[rows, (rows + 1) % n_batch] = (n_rows - others) / (n_rows * others)
    return weights


TOTAL_CORRELATION_ESTIMATORS = {
    "minibatch": minibatch_total_correlation,
    "weighted": weighted_total_correlation,
    "stratified": stratified_total_correlation,
}
