"""What scikit-learn's callbacks see of a fit: its tasks, and the tasks within.

scikit-learn 1.9 has callbacks of its own, set by ``set_callbacks``: its ProgressBar,
for one, nests searches, folds and whatever iterates inside of an estimator. They are
not the parameter `callbacks`, which takes skorch's. Nothing else knows whether the
installed scikit-learn has them: to an older one tasks mean nothing.
"""

from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

from skorch.callbacks import Callback

try:
    from sklearn.callback import CallbackSupportMixin
except ImportError:  # scikit-learn before 1.9

    class _Unwatched:
        """The context of every task where no callback can be set."""

        def subcontext(self, **settings):
            return self

        def call_on_fit_task_begin(self, **arguments):
            return self

        def call_on_fit_task_end(self, **arguments):
            return False

        def propagate_callback_context(self, sub_estimator):
            return nullcontext()

    class CallbackSupportMixin:
        """An estimator without ``set_callbacks``."""

        def _init_callback_context(self, **settings):
            return _Unwatched()


@dataclass(frozen=True)
class Task:
    """A task of a fit: the fit itself, a stage, an epoch, the fit of a part.

    A task that fails is not ended.

    Parameters
    ----------
    estimator : estimator
        Whose fit it is.

    X, y : objects
        What it was given to fit, for callbacks to look at.

    context : sklearn.callback.CallbackContext
        Its place among the tasks.
    """

    estimator: CallbackSupportMixin
    X: Any
    y: Any
    context: Any

    @classmethod
    def of_fit(cls, estimator, X, y, n_subtasks, are_ordered=True):
        """Begin the task that is the fit of an estimator, of at most so many subtasks.

        Those that run side by side are not ordered, and have numbers.
        """
        context = estimator._init_callback_context(
            max_subtasks=n_subtasks, sequential_subtasks=are_ordered
        )
        return cls(estimator, X, y, context).begin()

    def subtask(self, name, n_subtasks=0, number=None):
        """Return a task within this one, which has not begun."""
        context = self.context.subcontext(
            task_name=name, task_id=number, max_subtasks=n_subtasks
        )
        return Task(self.estimator, self.X, self.y, context)

    def begin(self):
        """Tell callbacks that the task begins, and return it."""
        self.context.call_on_fit_task_begin(
            estimator=self.estimator, X=self.X, y=self.y
        )
        return self

    def end(self, fitted=None):
        """Tell callbacks that the task has ended, and return whether one says stop.

        `fitted` are attributes that make the estimator a fitted one, or returns them,
        which is then asked for no more often than callbacks need it.
        """
        return self.context.call_on_fit_task_end(
            estimator=self.estimator,
            X=self.X,
            y=self.y,
            reconstruction_attributes=fitted,
        )

    @contextmanager
    def fitting(self, part):
        """Run the task while another estimator is fitted: its fit is the task."""
        with self.context.propagate_callback_context(part):
            self.begin()
            yield
            self.end()


class EpochTasks(Callback):
    """Make a task of each epoch, after which callbacks of scikit-learn may stop.

    Parameters
    ----------
    task : Task
        The training, whose subtasks epochs are.

    fitted_after : callable, default=None
        Given the net, returns attributes that make the estimator one whose training
        ended with the epoch. None where epochs do not make a whole model.
    """

    def __init__(self, task, fitted_after=None):
        self.task = task
        self.fitted_after = fitted_after

    def on_epoch_begin(self, net, **kwargs):
        self.epoch_ = self.task.subtask("epoch").begin()

    def on_epoch_end(self, net, **kwargs):
        fitted = self.fitted_after and partial(self.fitted_after, net)
        if self.epoch_.end(fitted):
            net.stops = True

    def on_train_end(self, net, **kwargs):
        # The net keeps its callbacks, and should not keep the table and the estimator.
        self.task = self.fitted_after = self.epoch_ = None
