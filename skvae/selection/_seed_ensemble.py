"""One setting under several seeds: what choosing a model without labels takes."""

from inspect import signature
from numbers import Integral

from sklearn import get_config
from sklearn.base import (
    BaseEstimator,
    MetaEstimatorMixin,
    TransformerMixin,
    _fit_context,
)
from sklearn.utils import check_random_state, get_tags, indexable, resample
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    process_routing,
)
from sklearn.utils.metaestimators import available_if
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import _num_samples, check_is_fitted

from skvae.metrics import kl_per_dimension, n_active, udr_score
from skvae.models._diagram import DiagramMixin
from skvae.models._tasks import CallbackSupportMixin, Task
from skvae.models._validation import forget
from skvae.selection._resolve import posteriors_of
from skvae.selection._seeds import seeded_clones

# Training rows on which members are compared; more would cost and tell little.
_MAX_ROWS = 10_000
# Methods to which scikit-learn routes metadata.
_ROUTED = ("fit", "transform", "inverse_transform", "score")


def _best_has(method):
    """Say whether the best member has a method: before `fit`, the estimator."""

    def check(ensemble):
        getattr(getattr(ensemble, "best_estimator_", ensemble.estimator), method)
        return True

    return check


class SeedEnsemble(
    DiagramMixin,
    CallbackSupportMixin,
    MetaEstimatorMixin,
    TransformerMixin,
    BaseEstimator,
):
    """Several fits of one estimator, which differ in their seeds alone.

    Models that found the factors of a table agree on them whatever their seed; models
    that mixed them up disagree, each in its own way [1]_. So how far the members agree
    tells without labels whether a setting is good, and which member is the best:
    `udr_`. In all other respects the ensemble is its best member, and scorers see that
    one, too. Search over the parameters of the estimator as ``estimator__beta``.

    Parameters
    ----------
    estimator : estimator
        A model of skvae, or a Pipeline that ends in one. It is cloned for each member,
        in which every `random_state`, nested ones too, is set to an integer drawn from
        the one below.

    n_seeds : int, default=5
        How many members to fit, at least 2: a single one has nobody to agree with.
        Five are usual in [1]_.

    n_jobs : int, default=None
        How many members to fit at once, as in joblib: None is 1 unless in a
        ``joblib.parallel_config`` context, -1 all processors. The members are the same
        whatever it is, as long as torch has as many threads: see :doc:`/training`.

    random_state : int, RandomState instance or None, default=None
        Where the seeds of the members come from. Give an int, and all settings of a
        search get the same seeds.

    Attributes
    ----------
    estimators_ : list of estimators
        The members, fitted.

    udr_ : UDR
        How far the members agree on the training rows, of which at most 10,000 are
        drawn: ``mean``, ``per_model`` and ``pairwise``.

    best_index_ : int
        Which member agrees the most with the others; among equals, such as collapsed
        ones, that with the most active latents.

    best_estimator_ : estimator
        That member.

    n_features_in_ : int
        Number of features seen in `fit`.

    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features seen in `fit`, where `X` has names.

    See Also
    --------
    skvae.metrics.udr_score : The agreement of arrays of codes.

    Notes
    -----
    Keyword arguments, such as a ``condition``, go on to the estimator: as they are, or,
    where scikit-learn's metadata routing is enabled, to those that requested them.
    Members are compared on codes that take no condition from outside of `X`, as all
    scorers do; models with ``condition_columns`` find it in `X`.

    References
    ----------
    .. [1] Duan, S., Matthey, L., Saraiva, A., Watters, N., Burgess, C. P., Lerchner, A.
       & Higgins, I. (2020). Unsupervised model selection for variational disentangled
       representation learning. ICLR.

    Examples
    --------
    >>> from skvae import BetaTCVAE
    >>> from skvae.datasets import make_factor_table
    >>> from skvae.selection import SeedEnsemble
    >>> X = make_factor_table(300, n_factors=3, random_state=0).data
    >>> model = BetaTCVAE(latent_dim=3, max_epochs=15, lr=0.01)
    >>> ensemble = SeedEnsemble(model, n_seeds=3, random_state=0).fit(X)
    >>> ensemble.udr_.pairwise.shape
    (3, 3)

    Members that hardly trained agree less:

    >>> hasty = SeedEnsemble(model, n_seeds=3, random_state=0)
    >>> hasty = hasty.set_params(estimator__max_epochs=1).fit(X)
    >>> ensemble.udr_.mean > hasty.udr_.mean
    True

    The ensemble transforms with its best member, and has the codes of all:

    >>> ensemble.transform(X).shape
    (300, 3)
    >>> [codes.shape for codes in ensemble.codes(X)]
    [(300, 3), (300, 3), (300, 3)]
    """

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "transform"])],
        "n_seeds": [Interval(Integral, 2, None, closed="left")],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(self, estimator, n_seeds=5, *, n_jobs=None, random_state=None):
        self.estimator = estimator
        self.n_seeds = n_seeds
        self.n_jobs = n_jobs
        self.random_state = random_state

    # The parameters of the members are their own to validate.
    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None, **params):
        """Fit all members, and find the one that agrees the most with the others.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            The training rows, of any columns that the estimator takes.

        y : array-like, default=None
            Passed on to the estimator, of which models of skvae ignore it.

        **params : dict
            Passed on to the estimator's ``fit``, or routed to it.

        Returns
        -------
        self : object
            The fitted ensemble.

        Raises
        ------
        ValueError
            If the estimator has no `random_state`, or holds a frozen model, so that
            members would be the same.

        TypeError
            If there is no model of skvae in the estimator.
        """
        forget(self)
        random_state = check_random_state(self.random_state)
        members = seeded_clones(self.estimator, self.n_seeds, random_state)
        X, y = indexable(X, y)
        params = self._routed("fit", params)
        task = Task.of_fit(self, X, y, self.n_seeds, are_ordered=False)
        tasks = [task.subtask("fit-member", number=n) for n in range(self.n_seeds)]
        members = Parallel(n_jobs=self.n_jobs)(
            delayed(_fitted)(member, X, y, params, own)
            for member, own in zip(members, tasks, strict=True)
        )
        posteriors = _posteriors(members, _some_rows(X, random_state))
        self.udr_ = agreement(posteriors)
        self.best_index_ = _best(self.udr_.per_model, posteriors)
        self.estimators_ = members
        task.end(fitted={})
        return self

    def fit_transform(self, X, y=None, **params):
        """Fit all members and return the latent factors of the best.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            The training rows.

        y : array-like, default=None
            Passed on to the estimator's ``fit``.

        **params : dict
            Passed on to the estimator's ``fit``, and to its ``transform`` what that
            takes.

        Returns
        -------
        Z : ndarray of shape (n_samples, latent_dim)
            Posterior means. Another container after ``set_output``.
        """
        self.fit(X, y, **params)
        if get_config()["enable_metadata_routing"]:
            taken = self.get_metadata_routing().consumes("transform", params)
        else:
            taken = signature(self.best_estimator_.transform).parameters
        params = {name: params[name] for name in params if name in taken}
        return self.transform(X, **params)

    def transform(self, X, **params):
        """Return the latent factors of each row, as the best member sees them.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows with the columns that `fit` saw.

        **params : dict
            Passed on to the member, or routed to it.

        Returns
        -------
        Z : ndarray of shape (n_samples, latent_dim)
            Posterior means. Another container after ``set_output``.
        """
        return self._of_best("transform", X, **self._routed("transform", params))

    @available_if(_best_has("inverse_transform"))
    def inverse_transform(self, Z, **params):
        """Return the rows that latents of the best member stand for.

        Parameters
        ----------
        Z : DataFrame or array-like of shape (n_samples, latent_dim)
            Latents, as `transform` returns them.

        **params : dict
            Passed on to the member, or routed to it.

        Returns
        -------
        X : DataFrame or ndarray of shape (n_samples, n_features)
            The mean row given each row of `Z`.
        """
        params = self._routed("inverse_transform", params)
        return self._of_best("inverse_transform", Z, **params)

    @available_if(_best_has("reconstruct"))
    def reconstruct(self, X, **params):
        """Return each row as the best member sees it: encoded and decoded again.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows with the columns that `fit` saw.

        **params : dict
            Passed on to the member.

        Returns
        -------
        X_reconstructed : DataFrame or ndarray of shape (n_samples, n_features)
            In the container that `fit` saw.
        """
        return self._of_best("reconstruct", X, **params)

    @available_if(_best_has("sample"))
    def sample(self, n_samples=1, **params):
        """Generate rows with the best member.

        Parameters
        ----------
        n_samples : int, default=1
            How many rows.

        **params : dict
            Passed on to the member.

        Returns
        -------
        X : DataFrame or ndarray of shape (n_samples, n_features)
            Rows in the container that `fit` saw.
        """
        return self._of_best("sample", n_samples, **params)

    @available_if(_best_has("score_samples"))
    def score_samples(self, X, **params):
        """Return the best member's bound on the log-likelihood of each row.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows with the columns that `fit` saw.

        **params : dict
            Passed on to the member.

        Returns
        -------
        bound : ndarray of shape (n_samples,)
            In nats; higher means that the model explains the row better.
        """
        return self._of_best("score_samples", X, **params)

    @available_if(_best_has("score"))
    def score(self, X, y=None, **params):
        """Return the mean of `score_samples`.

        It says nothing about disentanglement: to choose a setting, let a search score
        by the agreement of the members instead.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows with the columns that `fit` saw.

        y : array-like, default=None
            Passed on to the member.

        **params : dict
            Passed on to the member, or routed to it.

        Returns
        -------
        score : float
            The mean bound, in nats.
        """
        return self._of_best("score", X, y, **self._routed("score", params))

    def codes(self, X):
        """Return the latent factors of each row as each member sees them.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows with the columns that `fit` saw.

        Returns
        -------
        codes : list of ndarray of shape (n_samples, latent_dim)
            Posterior means, one array a member: what `skvae.metrics.udr_score` takes.
            Of `MSVAE` they are the factors, without residual latents.
        """
        return [means for means, _ in self._posteriors(X)]

    def get_feature_names_out(self, input_features=None):
        """Return the names of the latents of the best member.

        Parameters
        ----------
        input_features : array-like of str, default=None
            The names of the columns that `fit` saw, or None.

        Returns
        -------
        names : ndarray of shape (latent_dim,)
            ``"betatcvae0"``, ``"betatcvae1"``, ...
        """
        return self._of_best("get_feature_names_out", input_features)

    def get_metadata_routing(self):
        """Return how metadata finds its way to the members.

        Returns
        -------
        routing : MetadataRouter
            What each method of the estimator requests.
        """
        mapping = MethodMapping()
        for method in _ROUTED:
            mapping.add(caller=method, callee=method)
        for method in ("fit", "transform"):
            mapping.add(caller="fit_transform", callee=method)
        router = MetadataRouter(owner=type(self).__name__)
        return router.add(estimator=self.estimator, method_mapping=mapping)

    @property
    def best_estimator_(self):
        """The member that agrees the most with the others."""
        return self.estimators_[self.best_index_]

    @property
    def n_features_in_(self):
        """Number of features seen in `fit`."""
        return self.best_estimator_.n_features_in_

    @property
    def feature_names_in_(self):
        """Names of the features seen in `fit`."""
        return self.best_estimator_.feature_names_in_

    def _fit_line(self):
        return f"best of {len(self.estimators_)} members · UDR {self.udr_.mean:.2f}"

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.estimator).input_tags
        return tags

    def _routed(self, method, params):
        """Return what of the keyword arguments of a method goes to a member's."""
        if get_config()["enable_metadata_routing"]:
            return process_routing(self, method, **params)["estimator"][method]
        return params

    def _of_best(self, method, *args, **params):
        """Return what a method of the best member returns."""
        check_is_fitted(self)
        return getattr(self.best_estimator_, method)(*args, **params)

    def _posteriors(self, X):
        """Return posterior means and log variances of rows, one pair a member."""
        check_is_fitted(self)
        return _posteriors(self.estimators_, X)


def _fitted(member, X, y, params, task):
    with task.fitting(member):
        return member.fit(X, y, **params)


def _some_rows(X, random_state):
    if _num_samples(X) <= _MAX_ROWS:
        return X
    return resample(X, replace=False, n_samples=_MAX_ROWS, random_state=random_state)


def _posteriors(members, X):
    """Return posterior means and log variances of the factors, one pair a member."""
    return [posteriors_of(member, X) for member in members]


def agreement(posteriors):
    """Return how far models agree, from pairs of means and log variances.

    Parameters
    ----------
    posteriors : list of tuple of ndarray of shape (n_samples, n_latents)
        One pair a model.

    Returns
    -------
    udr : UDR
        Of the latents that carry information.
    """
    means = [mean for mean, _ in posteriors]
    return udr_score(means, kl=[kl_per_dimension(*each) for each in posteriors])


def _best(scores, posteriors):
    """Return which member scores best, and of equals has the most active latents."""
    # Two members have the same score, but for the order in which sums were taken.
    ranks = [
        (round(score, 9), n_active(*each))
        for score, each in zip(scores, posteriors, strict=True)
    ]
    return ranks.index(max(ranks))
