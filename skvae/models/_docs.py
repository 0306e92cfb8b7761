"""The parameters and attributes that all models share, written once.

Every model lists the parameters of its own; those of training, networks and encoding
have one default and one text for all of them.
"""

import inspect

_LATENT_DIM = """
latent_dim : int, default=10
    Number of latent dimensions. More than the table needs do no harm: the spare ones
    switch off (see `n_active_`).
"""

_CONDITION_COLUMNS = """
condition_columns : list, default=None
    The columns of `X` that are conditions: names of a DataFrame's columns, positions in
    an array. The model explains the other columns given these. Strings, categories,
    booleans and integers of at most 20 values are taken as categories, other numbers as
    continuous. None takes the condition from the argument `condition` of `fit`, if any.
"""

_PRIOR = """
Where latents come from before a row is seen.

    - ``"standard"``: N(0, 1), whatever the condition.
    - ``"learned"``: r(z_d|c), normal with mean and variance that depend on the
      condition. Latents are returned, and taken, in units of that prior, so that they
      tell what is a row's own under its condition.
"""

_UNKNOWN_CONDITIONS = """
A condition that is not known, because it was left out, is missing, or is a category
that training never saw, is averaged over: each condition of the training rows counts
for its share there and for how well it explains the row. Where there are more than 64
different ones, 64 training rows stand for all.
"""

_TRAINING = """
hidden_layer_sizes : tuple of int, default=(256, 128)
    Widths of the encoder's hidden layers; the decoder has them in reverse. A layer as
    wide as the one before adds to it instead of replacing it (a residual layer).

activation : {"silu", "relu", "leaky_relu", "gelu", "elu", "tanh"}, default="silu"
    Activation of the hidden layers.

lr : float, default=2e-3
    Learning rate of Adam. With ``encoding="quantile"`` the default suits most tables;
    a smaller rate needs more epochs.

lr_schedule : {"constant", "one_cycle"}, default="constant"
    How the learning rate goes. ``"one_cycle"`` rises to `lr` in the first tenth of the
    steps and falls to next to nothing by the end of `max_epochs`, with gradients
    clipped: it allows for rates up to 1e-2 and for few epochs, and ends in weights that
    fit better. Generated rows gain most by it.

max_epochs : int, default={default max_epochs}
    The most passes over the training rows.

batch_size : int or "auto", default="auto"
    Rows per step. ``"auto"`` takes a twentieth of the rows, between 32 and 128: small
    tables need the steps, and the total correlation is estimated from a batch, the
    better the larger it is. A batch larger than the table holds all of it.

kl_warmup : int, default=10
    Epochs over which the weight of all terms but the reconstruction rises to its
    final value, at most half of `max_epochs`. Without it latents tend to collapse.

trimmed_fraction : float, default={default trimmed_fraction}
    Share of the rows of each batch that the loss leaves out, in [0, 1): those that the
    model explains worst at that step. Outliers among the training rows then do not
    bend the model to themselves, if there are no more of them than that. 0 trusts all.

early_stopping : bool, default=True
    Whether to hold out rows and to stop when the objective on them no longer falls.
    What is watched is the objective at its *final* weights at fixed noise; epochs of
    the warm-up do not count; the best weights are restored. If False, all rows train
    for `max_epochs` epochs.

validation_fraction : float, default=0.1
    Share of rows held out, in (0, 1). Used if `early_stopping`.

n_iter_no_change : int, default=20
    Epochs without improvement before training stops. The loss on a table may sit
    still for some epochs and then fall again, so patience pays. Used if
    `early_stopping`.

tol : float, default=0.01
    The least improvement that counts, in nats per row: absolute, since a loss may be
    negative. Used if `early_stopping`.

callbacks : list of skorch callbacks, default=None
    Called during training, after a deep copy. They see ``train_loss``, ``valid_loss``
    and every named term in the net's history after each epoch.

checkpoint : str or path-like, default=None
    Folder in which training is written down after each epoch, in a file for each fit:
    the fits of a search may share it. Files stay until you delete them.

resume : bool, default=False
    Whether a fit goes on with what `checkpoint` holds of the same fit: the same rows,
    parameters and `random_state`, which has to be an integer. A fit that was killed
    then ends as if it had not been, and one that ended is there at once. Where there
    is nothing of it, or if False, it starts anew. `callbacks` are taken up again where
    they have a ``state_dict`` or are schedules of the learning rate.

device : str, default="auto"
    Where to train and score: ``"cpu"``, ``"cuda"``, ``"mps"`` or any other name that
    torch knows. ``"auto"`` takes a GPU where there is one.

compile : bool, default=False
    Whether ``torch.compile`` makes fewer and larger kernels of a step of training,
    forward and backward. To make them takes a quarter of a minute or more, once in a
    process for fits of the same networks and columns, and changes results by rounding
    alone. It pays for fits of a minute and longer. Needs torch 2.6 and a C++ compiler.
    Networks of your own that draw, as dropout does, train as if False.

random_state : int, RandomState instance or None, default=None
    Determines the initial weights, the held-out rows, the order of batches and the
    noise. Pass an int for reproducible results: the same bits on the same kind of
    device with the same number of torch threads.

verbose : int, default=0
    1 shows a progress bar with the terms of the loss.
"""

_PARAMETERS = """
encoding : {"auto", "quantile", "standard", "minmax"}, None or transformer, \
default="auto"
    How numbers are scaled before the network sees them.

    - ``"auto"``: ``"quantile"`` for tables (`DCVAEAnomalyDetector` takes
      ``"standard"``), ``"minmax"`` for images.
    - ``"quantile"``: to the normal scores of their ranks, with linear tails beyond
      the training range. Skewed columns, such as amounts of money, need it.
    - ``"standard"``: to mean 0 and standard deviation 1.
    - ``"minmax"``: to [0, 1], as ``likelihood="bernoulli"`` requires.
    - None: not at all, for tables that were scaled before.
    - a transformer with ``inverse_transform`` that keeps the number of columns,
      e.g. ``PowerTransformer()``. It is cloned.

    The pixels of images share one scale: ``"minmax"``, ``"standard"`` or None.

likelihood : {"auto", "gaussian", "bernoulli"}, default="auto"
    Distribution of the scaled numbers given the latents.

    - ``"auto"``: of numbers a mixture of three normals whose means, scales and weights
      depend on the latents, beside the probabilities of atoms, values that at least
      2 % of the rows have and several times more than have the next, such as 0 among
      amounts. Numbers of at most 20 different values have nothing but atoms. Of pixels
      a Bernoulli distribution. `DCVAEAnomalyDetector` takes ``"gaussian"`` for tables.
    - ``"gaussian"``: normal, with one learned scale a column, and without atoms; the
      pixels of images share one scale.
    - ``"bernoulli"``: the cross-entropy used for pixels; needs values in [0, 1].

    Categories, ordered or not, booleans and missing cells have probabilities of their
    own under all of them.

categorical_features : "from_dtype" or array-like, default="from_dtype"
    Which columns are categorical beside strings and those of dtype ``category``: names,
    positions in an array, or a boolean mask. Codes of integers that stand for
    categories have to be named, or to be of dtype ``category``.

image_shape : tuple of three ints, default=None
    Channels, height and width, if each row of `X` is an image whose pixels lie in this
    order. Encoder and decoder are then convolutional, with dense layers of
    `hidden_layer_sizes` between the convolutions and the latents.

encoder : torch Module or callable, default=None
    A network of your own that takes the encoded rows, of shape (n, width) or, for
    images, (n, channels, height, width), to (n, 2 * latent_dim): the means and the
    log variances of the latents. A module is copied and starts from its own weights. A
    callable makes one, as ``encoder(n_inputs, n_outputs)``, and with weights that
    `random_state` determines. With a condition, it gets ``n_conditions=`` as well, and
    its module gets the condition as second argument.

decoder : torch Module or callable, default=None
    Likewise from (n, latent_dim) to what the distributions of the columns need, in the
    order of `table_encoder_.groups_`: under ``likelihood="gaussian"`` the means of
    numbers, under ``"bernoulli"`` and of categories the log odds.

anchors : dict of column to int, default=None
    Ties columns to latents: ``{"AGE": 0}`` makes the posterior mean of latent 0 the
    column AGE, in units of its standard deviation once encoded. The other latents
    stay unsupervised.
"""

_ATTRIBUTES = """
net_ : skorch.NeuralNet
    The trained net.

module_ : torch.nn.Module
    The trained networks, in float64 and evaluation mode.

history_ : DataFrame of shape (`n_iter_`, n_terms)
    One row an epoch: every term of the loss as a mean over training rows
    (``train_...``) and over held-out rows at final weights (``valid_...``), the
    warm-up, and the seconds taken (``dur``).

n_iter_ : int
    Epochs trained.

best_epoch_ : int
    The epoch whose weights were kept.

kl_per_dimension_ : ndarray of shape (latent_dim,)
    Mean KL of the posterior to the prior of each latent dimension over the training
    rows (at most 10,000 of them), in nats.

n_active_ : int
    Latent dimensions with a KL above 0.01 nats; the others carry nothing.

table_encoder_ : skvae.tables.TableEncoder
    The fitted encoding of the table.

n_features_in_ : int
    Columns seen in `fit`.

feature_names_in_ : ndarray of shape (`n_features_in_`,)
    Their names, if all of them are strings.
"""

_DETECTOR_PARAMETERS = """
score : {"combined", "reconstruction", "elbo", "importance", "latent"}, \
default="combined"
    What makes a row anomalous.

    - ``"combined"``: how far it lies out, as a whole and from its neighbours (see
      Notes).
    - ``"reconstruction"``: the length of what the reconstruction misses of the encoded
      row (A of [1]_, eq. 19).
    - ``"elbo"``: the negated evidence lower bound (E of [1]_).
    - ``"importance"``: the negated importance-weighted bound of 128 points.
    - ``"latent"``: the Mahalanobis distance of its latents to those of training.

contamination : float, default=0.1
    Share of the training rows that count as outliers, in (0, 0.5]: it sets `offset_`,
    the threshold of `predict`, and nothing else (see `set_contamination`).
"""

_DETECTOR_ATTRIBUTES = """
model_ : estimator
    The fitted model, with all that it can do.

offset_ : float
    The score below which a row is an outlier.

history_ : DataFrame
    Every term of the model's loss, one row an epoch.

n_features_in_ : int
    Columns seen in `fit`.

feature_names_in_ : ndarray of shape (`n_features_in_`,)
    Their names, if all of them are strings.
"""

_DETECTOR_NOTES = """
``score="combined"`` looks at what the model explains of a row and what it does not, the
reconstruction and the residual, side by side. The anomaly is log K + log(M) / 2: K is
the mean squared distance to the 5 nearest of at most 2,000 training rows, each
coordinate in units of its spread (pixels have one), M the squared Mahalanobis distance
to the mean of the training rows, under a shrunk covariance. Rows are compared with
training rows of their own condition where there are 100 of it. The constants were
chosen on tables of ADBench and images of MNIST, Fashion-MNIST and KMNIST, and are the
same for all data.

`trimmed_fraction` of the model makes the detector robust against anomalies among the
training rows: so many of them are left out of the loss, and of what ``"combined"``
compares with.

A condition that is left out altogether is unknown. The score is then
log sum_c pi(c) exp(s(c)) over the conditions of the training rows, of shares pi(c),
where s(c) is the score under c: the bounds remain bounds, on log p(x). The combined
score is that of the likeliest condition, s(c) + 4 log p(c|x) with p(c|x) proportional
to pi(c) exp(s(c)): anomalies seem to belong to several conditions. Where the condition
is given, a missing or unseen value of it must not make a row look normal: it counts as
that training condition (of at most 64) under which the row scores lowest.

Scores are finite for finite rows, up to the largest values that the encoding can scale
(see `encoding`). Columns that are constant in training take no part, so a new value
there goes unseen.
"""

_DCVAE_PAPER = """
.. [1] Disentangled conditional variational autoencoder for unsupervised anomaly
   detection (2022). Submitted to ICLR 2023.
"""

_TEXTS = {
    "dcvae_paper": _DCVAE_PAPER,
    "detector_parameters": _DETECTOR_PARAMETERS,
    "detector_attributes": _DETECTOR_ATTRIBUTES,
    "detector_notes": _DETECTOR_NOTES,
    "latent_dim": _LATENT_DIM,
    "condition_columns": _CONDITION_COLUMNS,
    "prior": _PRIOR,
    "unknown_conditions": _UNKNOWN_CONDITIONS,
    "parameters": f"{_PARAMETERS.strip()}\n\n{_TRAINING.strip()}",
    "training_parameters": _TRAINING,
    "attributes": _ATTRIBUTES,
}


def with_parameters_of(method):
    """Give a method the docstring of another, with more parameters at their end.

    Parameters
    ----------
    method : callable
        The method that has no condition.

    Returns
    -------
    decorate : callable
        Takes the one that has, whose docstring describes the parameters it has more.
    """

    def decorate(conditional):
        if conditional.__doc__ is not None:  # None under python -OO
            before, after = inspect.cleandoc(method.__doc__).split("\nReturns\n---", 1)
            more = inspect.cleandoc(conditional.__doc__)
            conditional.__doc__ = f"{before}\n{more}\n\nReturns\n---{after}\n"
        return conditional

    return decorate


def shared_parameters(cls):
    """Give an estimator the parameters that all share, in signature and docstring.

    The signature replaces ``**shared`` of ``__init__``; the texts replace what stands
    in braces in the docstring, such as ``{parameters}``.

    Parameters
    ----------
    cls : type
        Its parameters are shared with the class above it, or with the one that it
        names as ``_shares_parameters_of``, whose signature is complete. A default that
        is another stands in its ``_other_defaults``.

    Returns
    -------
    cls : type
        The same class.
    """
    if "shared" in inspect.signature(cls.__init__).parameters:
        cls.__init__.__signature__ = _full_signature(cls)
    if cls.__doc__ is not None:  # None under python -OO
        doc = inspect.cleandoc(cls.__doc__)
        for name, text in _TEXTS.items():
            doc = doc.replace(f"{{{name}}}", text.strip())
        for name, parameter in inspect.signature(cls.__init__).parameters.items():
            doc = doc.replace(f"{{default {name}}}", repr(parameter.default))
        cls.__doc__ = doc + "\n"
    return cls


def _full_signature(cls):
    own = list(inspect.signature(cls.__init__).parameters.values())[:-1]
    names = {parameter.name for parameter in own}
    above = next(other for other in cls.__mro__[1:] if "__init__" in vars(other))
    other = getattr(cls, "_shares_parameters_of", above)
    defaults = getattr(cls, "_other_defaults", {})
    shared = [
        parameter.replace(default=defaults.get(parameter.name, parameter.default))
        for parameter in inspect.signature(other.__init__).parameters.values()
        if parameter.name not in names
    ]
    return inspect.Signature(own + shared)
