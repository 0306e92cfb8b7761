"""The private skorch net that trains every model."""

import copy
import dis

import numpy as np
import torch
from skorch import NeuralNet
from skorch.callbacks import EpochTimer
from torch import nn

from skvae._core.random import UseGenerator
from skvae.training._step import compiled_step, eager_step

# What training changes in a net, and scoring needs of it.
_LEARNED = ("module_", "criterion_", "history_")


class StopTraining(Exception):
    """Raised at the end of an epoch to end training there, as a normal end."""


def _is_raised_by_code(error):
    """Tell an exception of a ``raise`` statement from one that a signal brought in."""
    last = error.__traceback__
    while last.tb_next is not None:
        last = last.tb_next
    code = last.tb_frame.f_code.co_code
    return code[last.tb_lasti] == dis.opmap["RAISE_VARARGS"]


def _stateful(callback):
    """Return what of a callback has a state: of skorch's schedules that of torch."""
    return getattr(callback, "lr_scheduler_", callback)


def _state_of(callback):
    part = _stateful(callback)
    return part.state_dict() if hasattr(part, "state_dict") else None


def _plain(epoch):
    """Return a line of the history without batches, and numpy's numbers as Python's."""
    return {
        name: value.item() if isinstance(value, np.generic) else value
        for name, value in epoch.items()
        if name != "batches"
    }


class Net(NeuralNet):
    """A skorch net whose loss is a dictionary of named terms.

    Losses are summed on the device and read once an epoch, so that nothing waits for
    a GPU between batches. Batches are pairs of rows and noise; see `WholeBatches`.

    Parameters
    ----------
    module : callable
        Makes the autoencoder. It is a factory and never a module: skorch would
        pickle the module with the net's parameters, past the step that lets a model
        trained on a GPU load without one.

    latent_dim : int
        Width of the noise that latents are drawn with.

    generator : torch.Generator
        Where that noise comes from, on the device that trains.

    adversary_generator : torch.Generator
        Where the adversary's noise comes from: another, so that the networks see the
        same noise with an adversary as without.

    trimmed_fraction : float, default=0
        Share of the rows of each batch that the objective does not see: those that are
        explained worst.

    compiles : bool, default=False
        Whether steps of training run compiled; see `compiled_step`. The first does
        not, nor does any of networks that draw.

    **kwargs : dict
        Parameters of `skorch.NeuralNet`; `criterion` makes the objective.
    """

    def __init__(
        self,
        module,
        *,
        latent_dim,
        generator,
        adversary_generator,
        trimmed_fraction=0.0,
        compiles=False,
        **kwargs,
    ):
        super().__init__(module, **kwargs)
        self.latent_dim = latent_dim
        self.generator = generator
        self.adversary_generator = adversary_generator
        self.trimmed_fraction = trimmed_fraction
        self.compiles = compiles
        self.first = None  # the net of a first stage, if it has trained before
        self.warmup = 1.0
        self.stops = False
        self._draws = True  # until the first step shows that it does not

    def get_default_callbacks(self):
        return [("epoch_timer", EpochTimer())]

    def notify(self, method_name, **kwargs):
        """Pass an event on to the callbacks, and stop after an epoch if one said so.

        Ours set `stops`, so that all callbacks see the last epoch. Those of skorch
        ``raise KeyboardInterrupt`` at the end of an epoch. That, and only that, means
        a stop; any other is the user's Ctrl-C, which strikes there as well, and goes
        up.
        """
        try:
            super().notify(method_name, **kwargs)
        except KeyboardInterrupt as interrupt:
            if method_name != "on_epoch_end" or not _is_raised_by_code(interrupt):
                raise
            self.stops = True
        if method_name == "on_epoch_end" and self.stops:
            raise StopTraining

    def train(self, rows, state=None):
        """Train the initialised net on the datasets that `train_split` makes of `rows`.

        It goes on from `state`, if there is one, up to `max_epochs`. skorch's own
        ``fit`` would swallow a Ctrl-C and return a half-trained net.
        """
        self.notify("on_train_begin", X=rows)
        if state is not None:
            self.load_training_state(state)
        try:
            if not self.stops:  # as a run may that is taken up again
                self.fit_loop(rows, epochs=self.max_epochs - len(self.history))
        except StopTraining:
            pass
        finally:
            self.notify("on_train_end", X=rows)
        return self

    def initialize_optimizer(self, *args, **kwargs):
        """Make the optimizer, and that of the adversary where there is one."""
        super().initialize_optimizer(*args, **kwargs)
        if self.criterion_.adversary is not None:
            self.adversary_optimizer_ = torch.optim.Adam(
                self.criterion_.adversary.parameters(),
                **self.criterion_.adversary_optimizer,
                **self.get_params_for("optimizer"),
            )
        return self

    def get_all_learnable_params(self):
        """Yield what the objective's own loss trains: not the adversary."""
        adversary = self.criterion_.adversary
        others = set() if adversary is None else set(adversary.parameters())
        for name, parameter in super().get_all_learnable_params():
            if parameter not in others:
                yield name, parameter

    def run_single_epoch(self, iterator, training, prefix, step_fn, **fit_params):
        """Run over all batches and record the mean of every term over rows."""
        if iterator is None:
            return
        totals, n_rows = 0, 0
        self._set_training(training)
        for batch in iterator:
            self.notify("on_batch_begin", batch=batch, training=training)
            terms = step_fn(batch)
            values = torch.stack([value.detach() for value in terms.values()])
            totals = totals + values * len(batch[0])
            n_rows += len(batch[0])
            self.notify("on_batch_end", batch=batch, training=training, **terms)
        means = (totals / n_rows).tolist()
        for name, value in zip(terms, means, strict=True):
            self.history.record(f"{prefix}_{name}", value)
        self._record_best(f"{prefix}_loss")

    def _record_best(self, name):
        """Record whether a loss is the lowest so far; skorch's Checkpoint asks."""
        losses = self.history[:, name]
        self.history.record(f"{name}_best", losses[-1] == min(losses))

    def _step_optimizer(self, step_fn):
        """Take one step with each optimizer, all of them on the same gradients."""
        step_fn()
        super()._step_optimizer(None)

    def train_step_single(self, batch, **fit_params):
        """Return the terms of one batch at the current warm-up, with gradients."""
        if not self._draws:
            return self._terms_with_gradients(batch)
        # Dropout draws from the fit's generator here. That costs a little at every
        # operation, so networks that draw nothing in their first step do without.
        with UseGenerator(self.generator) as drawing:
            terms = self._terms_with_gradients(batch)
        self._draws = drawing.has_drawn
        return terms

    def _terms_with_gradients(self, batch):
        rows, _ = batch
        step = compiled_step if self.compiles and not self._draws else eager_step
        passed, terms = step(
            self.module_,
            self.criterion_,
            self.trimmed_fraction,
            self.warmup,
            rows,
            self._noise(len(rows)),
        )
        terms["loss"].backward()
        if self.criterion_.adversary is not None:
            loss = self.criterion_.adversary_loss(passed, self.adversary_generator)
            loss.backward()
            terms["adversary"] = loss
        return terms

    @torch.no_grad()
    def validation_step(self, batch, **fit_params):
        """Return the terms of one batch at their final weights."""
        return eager_step(
            self.module_, self.criterion_, self.trimmed_fraction, 1.0, *batch
        )[1]

    def _noise(self, n_rows):
        noise = torch.empty(n_rows, self.latent_dim, device=self.device)
        return noise.normal_(generator=self.generator)

    @property
    def _trained(self):
        """The networks, and the objective where it learns something itself."""
        parts = {"module": self.module_, "objective": getattr(self, "criterion_", None)}
        return nn.ModuleDict({n: part for n, part in parts.items() if part is not None})

    def copy_weights(self):
        """Return a copy of the weights of everything that trains."""
        state = self._trained.state_dict()
        return {name: value.clone() for name, value in state.items()}

    def load_weights(self, weights):
        """Set the weights of everything that trains to a copy made before."""
        self._trained.load_state_dict(weights)

    def training_state(self):
        """Return all that epochs change, in tensors, numbers and texts.

        Callbacks are part of it that have a ``state_dict``, as torch calls it, and
        schedules of the learning rate.
        """
        callbacks = getattr(self, "callbacks_", [])  # a net of a file has none
        states = {name: _state_of(callback) for name, callback in callbacks}
        return {
            "weights": self._trained.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self._steppers],
            "generators": [generator.get_state() for generator in self._drawers],
            "history": [_plain(epoch) for epoch in self.history],
            "callbacks": {name: s for name, s in states.items() if s is not None},
            "best_epoch": getattr(self, "best_epoch_", None),
            "stops": self.stops,
            "draws": self._draws,
        }

    def load_training_state(self, state):
        """Set the initialised net to where `training_state` was called.

        The state of a finished net has neither optimizers nor generators any more, and
        that of one out of a file no weights of the objective.
        """
        self.load_weights(self.copy_weights() | state["weights"])
        for optimizer, its in zip(self._steppers, state["optimizers"], strict=False):
            optimizer.load_state_dict(its)
        for generator, its in zip(self._drawers, state["generators"], strict=False):
            generator.set_state(its)
        self.history.extend(state["history"])
        for name, callback in self.callbacks_:
            if name in state["callbacks"]:
                _stateful(callback).load_state_dict(state["callbacks"][name])
        if state["best_epoch"] is not None:
            self.best_epoch_ = state["best_epoch"]
        self.stops, self._draws = state["stops"], state["draws"]

    @property
    def _steppers(self):
        names = "optimizer_", "adversary_optimizer_"
        both = [getattr(self, name, None) for name in names]
        return [optimizer for optimizer in both if optimizer is not None]

    @property
    def _drawers(self):
        both = [self.generator, self.adversary_generator]
        return [generator for generator in both if generator is not None]

    def final_copy(self):
        """Return a copy that is fit for scoring, and go on training."""
        copied = type(self).__new__(type(self))
        own = {name: copy.deepcopy(getattr(self, name)) for name in _LEARNED}
        # Not by copy.copy, which for skorch means to pickle weights and gradients.
        vars(copied).update(vars(self), **own, callbacks=None, callbacks_=[])
        vars(copied).pop("best_epoch_", None)
        return copied.finalise()

    def finalise(self):
        """Make the net fit for scoring: float64, evaluation mode, nothing to train.

        In float32 the score of a row would depend on the rows it is scored with,
        beyond scikit-learn's tolerance. A device without float64 hands over to the
        CPU.
        """
        if torch.device(self.device).type == "mps":
            self.device = "cpu"
        for part in (self.module_, self.criterion_):
            part.to(self.device).double().eval().requires_grad_(False)
        self.criterion = None  # the factory; it may hold the estimator
        self.optimizer_ = None
        self.adversary_optimizer_ = None
        self.generator = self.adversary_generator = None
        self.iterator_train__generator = None
        self.train_split = None
        if not hasattr(self, "best_epoch_"):
            self.best_epoch_ = len(self.history)
        for epoch in self.history:
            epoch.pop("batches", None)
        return self
