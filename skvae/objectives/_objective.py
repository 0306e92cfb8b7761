"""What training knows of an objective."""

from torch import Generator, Tensor, nn

from skvae._core.passes import ForwardPass


class Objective(nn.Module):
    """What training minimises: a forward pass in, named terms out.

    An objective may learn parameters of its own, which train with the networks. It
    may declare an adversary as well: a module that trains beside them, on a loss and
    with an optimizer of its own.

    Weights of terms are floats, whatever was given: what is compiled serves all floats,
    and of integers each one alone.

    Attributes
    ----------
    watched : tuple of str
        The terms whose sum on held-out rows early stopping watches.

    adversary : Module or None
        Trained on `adversary_loss` alone; the objective's own loss never moves it.

    adversary_optimizer : dict
        Parameters of the Adam that trains the adversary.
    """

    watched: tuple[str, ...] = ("loss",)
    adversary: nn.Module | None
    adversary_optimizer: dict = {}

    def __init__(self):
        super().__init__()
        # Not a class attribute: that would hide a module assigned to the same name.
        self.adversary = None

    def forward(self, batch: ForwardPass, warmup: float) -> dict[str, Tensor]:
        """Return the named terms of the loss and the loss.

        Parameters
        ----------
        batch : ForwardPass
            Rows that went through the networks.

        warmup : float
            Share of their final weight that all terms but the reconstruction have,
            in [0, 1]. `CapacityObjective` anneals its capacity instead.

        Returns
        -------
        terms : dict of str to scalar Tensor
            Each term unweighted, in nats where it is a mean over rows, and
            ``"loss"``.
        """
        raise NotImplementedError

    def adversary_loss(self, batch: ForwardPass, generator: Generator) -> Tensor:
        """Return what the adversary minimises, without a gradient to the networks."""
        raise NotImplementedError


def bound_terms(batch: ForwardPass) -> tuple[Tensor, Tensor]:
    """Return the reconstruction and the KL of the evidence lower bound.

    Means over rows of sums over columns or latent dimensions, in nats.
    """
    return -batch.log_likelihood.mean(), batch.kl.sum(dim=1).mean()
