"""What happens between epochs: warm-up, the divergence check, stopping, progress."""

import math

from skorch.callbacks import Callback
from tqdm.auto import tqdm

from skvae._core.errors import TrainingDivergedError


class Warmup(Callback):
    """Raise the weight of every term but the reconstruction over the first epochs.

    The weight is e / (n_epochs + 1) in epoch e = 1, 2, ... and 1 afterwards. Without
    it the KL switches latents off before the decoder has learned to use them
    (Bowman et al. 2016; Sonderby et al. 2016).

    Parameters
    ----------
    n_epochs : int
        How many epochs train below the final weight.
    """

    def __init__(self, n_epochs: int):
        self.n_epochs = n_epochs

    def on_epoch_begin(self, net, **kwargs):
        net.warmup = min(1.0, len(net.history) / (self.n_epochs + 1))
        net.history.record("warmup", net.warmup)


class DivergenceCheck(Callback):
    """Stop with an error once a term of the loss is not finite."""

    def on_epoch_end(self, net, **kwargs):
        epoch = net.history[-1]
        # All of them: the loss alone would not say which of its terms went first.
        diverged = [
            f"{name} is {value}"
            for name, value in epoch.items()
            if name.startswith(("train_", "valid_")) and not math.isfinite(value)
        ]
        if diverged:
            raise TrainingDivergedError(
                f"Training diverged in epoch {epoch['epoch']}: {', '.join(diverged)}. "
                "Use a smaller lr, or an encoding that bounds the columns "
                '(encoding="quantile").'
            )


class EarlyStopping(Callback):
    """Stop when the held-out objective stops falling, and keep its best weights.

    It watches the terms that the objective names, on rows held out from training, at
    fixed noise: as a rule ``valid_loss``, the objective at its final weights; with an
    adversary, whose loss is a moving target, reconstruction and KL. The annealed
    training loss would not do: it rises with the warm-up, and stopping on it ends
    training within a dozen epochs. Epochs below the final weights do not count. Losses
    may be negative, so `tol` is in nats.

    Parameters
    ----------
    n_iter_no_change : int
        How many epochs in a row may bring no improvement of more than `tol`.

    tol : float
        The least improvement that counts, in nats per row.
    """

    _STATE = ("lowest_", "reference_", "n_waited_", "best_weights_")

    def __init__(self, n_iter_no_change: int, tol: float):
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol

    def on_train_begin(self, net, **kwargs):
        self.lowest_ = math.inf
        self.reference_ = math.inf
        self.n_waited_ = 0
        self.best_weights_ = None

    def on_epoch_end(self, net, **kwargs):
        if net.warmup < 1:
            return
        watched = net.criterion_.watched
        loss = sum(net.history[-1, f"valid_{name}"] for name in watched)
        if loss < self.lowest_:
            self.lowest_ = loss
            self.best_weights_ = net.copy_weights()
            net.best_epoch_ = net.history[-1, "epoch"]
        if loss < self.reference_ - self.tol:
            self.reference_ = loss
            self.n_waited_ = 0
        else:
            self.n_waited_ += 1
        net.stops = self.n_waited_ >= self.n_iter_no_change

    def state_dict(self):
        """Return what has been seen so far, for a checkpoint."""
        return {name: getattr(self, name) for name in self._STATE}

    def load_state_dict(self, state):
        """Go on from what had been seen."""
        for name in self._STATE:
            setattr(self, name, state[name])

    def on_train_end(self, net, **kwargs):
        if self.best_weights_ is not None:
            net.load_weights(self.best_weights_)
        self.best_weights_ = None


class Progress(Callback):
    """Show one bar over the epochs, with the terms of the loss beside it.

    Parameters
    ----------
    title : str
        What stands before the bar.
    """

    def __init__(self, title: str):
        self.title = title

    def on_train_begin(self, net, **kwargs):
        self.bar_ = tqdm(total=net.max_epochs, desc=self.title, unit="epoch")

    def on_epoch_end(self, net, **kwargs):
        terms = {
            name.removeprefix("train_").replace("_", " "): f"{value:.3f}"
            for name, value in net.history[-1].items()
            if name.startswith("train_") and isinstance(value, float)
        }
        self.bar_.set_postfix(terms, refresh=False)
        self.bar_.update(len(net.history) - self.bar_.n)  # more where taken up again

    def on_train_end(self, net, **kwargs):
        self.bar_.close()
        del self.bar_
