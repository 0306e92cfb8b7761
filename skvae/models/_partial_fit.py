"""Training one epoch at a time, on rows that may be others each time."""

from sklearn.base import _fit_context

from skvae._core.reservoir import Reservoir
from skvae.models._fitting import fit_epoch
from skvae.models._validation import check_image_shape, check_table, forget
from skvae.training import packed


class PartialFitMixin:
    """`partial_fit` of the models of one pair of networks.

    Between calls ``_training_state_`` holds where training is, and ``_seen_`` a sample
    of the encoded rows.
    """

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None, *, schema_rows=None):
        """Train for one epoch, on rows that may be others each time.

        With the same table each time, a call is an epoch of `fit`. It may also be one
        part after the other of a table that is too large for memory or, after `fit`,
        the rows of a new month. What columns hold and how they are scaled is learned in
        the first call and stays. No rows are held out, and nobody stops but you.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            The rows of this epoch.

        y : None
            Ignored, present for API consistency.

        schema_rows : DataFrame or array-like of shape (n_rows, n_features), \
default=None
            Rows that the first call learns levels and scales from, such as a sample of
            the whole table. None takes `X`. Later calls ignore it.

        Returns
        -------
        self : object
            The model, which can do all that a fitted one can. Latents are drawn, and
            counted as active, by a sample of the rows that this method was given.

        Raises
        ------
        ValueError
            If a column is not as in the first call, or if the learning rate has a
            schedule that has to know how many epochs follow.

        TrainingDivergedError
            If a term of the loss becomes NaN or infinite. The model stays as it was
            before the call.

        Warns
        -----
        PosteriorCollapseWarning
            If no latent carries information once the warm-up is over.

        UserWarning
            If a column has levels that the first call did not see.
        """
        return self._partial_fit(X, None, schema_rows)

    def _partial_fit(self, X, condition, schema_rows):
        self._check_settings()
        check_image_shape(self.image_shape)
        if self.lr_schedule != "constant":
            raise ValueError(
                f"Got lr_schedule={self.lr_schedule!r}; partial_fit expected "
                '"constant", since it cannot know how many epochs follow.'
            )
        if self.__sklearn_is_fitted__():
            X = check_table(self, X, reset=False)
            matrix = self._training_matrix(X, condition, self._seed)
            self._train_epoch(matrix, self._seed)
        else:
            self._begin(X, condition, schema_rows)
        if self.net_.warmup == 1:
            self._warn_of_collapse()
        return self

    def _begin(self, X, condition, schema_rows):
        forget(self)
        X = check_table(self, X, reset=True)
        seed = self._draw_seed()
        try:
            if schema_rows is None:
                matrix = self._fit_encoders(X, condition, seed)
            else:
                rows = check_table(self, schema_rows, reset=False)
                self._fit_encoders(rows, None, seed)
                matrix = self._training_matrix(X, condition, seed)
            self._train_epoch(matrix, seed)
        except BaseException:
            forget(self)
            raise

    def _train_epoch(self, matrix, seed):
        """Train for an epoch on encoded rows, from where training was."""
        state = getattr(self, "_training_state_", None)
        if state is None and hasattr(self, "net_"):
            state = packed(self.net_.training_state())
        self.net_, self._training_state_ = fit_epoch(self, matrix, seed, state)
        if not hasattr(self, "_seen_"):
            self._seen_ = Reservoir(self._MAX_POSTERIORS, seed)
        self._seen_.add(matrix)
        self._summarise(self._seen_.rows, seed)
