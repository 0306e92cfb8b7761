"""What an estimator shows in a notebook: scikit-learn's diagram, and a line."""

from inspect import isclass

from sklearn.utils.metaestimators import available_if


def _has_line(estimator):
    # Before `fit` this raises, which `available_if` takes for a no.
    return estimator._fit_line()


class DiagramMixin:
    """scikit-learn's diagram of an estimator, after `fit` with what came of it.

    The line is a caption in the box of the estimator, be it a step of a Pipeline.
    Before `fit` there is no method here, so that scikit-learn draws by itself.
    """

    @available_if(_has_line)
    def _sk_visual_block_(self):
        # Imported here, being private: were a version to move it, scikit-learn would
        # take the error for a diagram like any other, and `import skvae` still work.
        make_block = _block_class()
        box = make_block(
            "single",
            self,
            names=type(self).__name__,
            name_details=str(self),
            name_caption=self._fit_line(),
        )
        parts = _fitted_parts(self)
        if not parts:
            return box
        # What holds boxes has no caption; the line takes a box of its own after them.
        inside = make_block(
            "parallel",
            list(parts.values()),
            names=[f"{name}: {type(part).__name__}" for name, part in parts.items()],
            name_details=[str(part) for part in parts.values()],
            dash_wrapped=False,
        )
        return make_block("serial", [inside, box], dash_wrapped=False)

    def _fit_line(self):
        """Return what came of `fit`, as `fit` left it: nothing is worked out here."""
        n_latents = len(self.kl_per_dimension_)
        return (
            f"{self.n_active_} of {n_latents} latents active · "
            f"{bound_line(self.net_)} · {epochs_line(self.net_)}"
        )


def _block_class():
    try:
        from sklearn.utils._repr_html.estimator import _VisualBlock
    except ImportError:  # scikit-learn 1.6
        from sklearn.utils._estimator_html_repr import _VisualBlock
    return _VisualBlock


def _fitted_parts(estimator):
    """Return the estimators among the parameters: the fitted ones, if there are."""
    return {
        name: _fitted_part(estimator, name, value)
        for name, value in estimator.get_params(deep=False).items()
        if hasattr(value, "fit") and hasattr(value, "get_params") and not isclass(value)
    }


def _fitted_part(estimator, name, template):
    for fitted in (f"best_{name}_", f"{name}_"):
        if hasattr(estimator, fitted):
            return getattr(estimator, fitted)
    return template


def bound_line(net):
    """Return the bound at the weights that were kept: log-likelihood less KL."""
    epoch = net.history[net.best_epoch_ - 1]
    rows, prefix = "held-out", "valid"
    if "valid_kl" not in epoch:
        rows, prefix = "training", "train"
    trimmed = "trimmed " if net.trimmed_fraction else ""
    bound = -(epoch[f"{prefix}_reconstruction"] + epoch[f"{prefix}_kl"])
    number = f"{bound:.1f}".replace("-", "\N{MINUS SIGN}")
    return f"{trimmed}{rows} bound {number} nats a row"


def epochs_line(net):
    n_epochs = len(net.history)
    stopped = ", stopped early" if n_epochs < net.max_epochs else ""
    return f"{n_epochs} epoch{'s' * (n_epochs != 1)}{stopped}"
