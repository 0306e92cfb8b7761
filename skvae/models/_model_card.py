"""The model card: what stands beside a model file, for people.

After Mitchell, M. et al. (2019). Model cards for model reporting. FAT*.
https://arxiv.org/abs/1810.03993
"""

import inspect

from skvae._core.activity import ACTIVE_KL
from skvae._core.model_file import written_with
from skvae.models._diagram import bound_line, epochs_line

FIRST_LINE = (
    "<!-- Written by skvae; without this line, saving again keeps the file. -->"
)

_USE_OF_MODELS = """\
To find and compare the latent factors of rows with the columns above, to generate rows
like the training rows, to fill missing cells, and to look at rows in another world.
"""
_USE_OF_DETECTORS = """\
To point out rows with the columns above that do not fit the training rows, for somebody
to look at.
"""
_DECISIONS = """\
Which decisions it may enter into, and which not, its author has to say here.
"""
_LIMITS = [
    "It knows the population and the time of its training rows, and no others. "
    "`support_score` and `latent_shift` tell how far new rows are from these.",
    "What it finds is association, and no cause.",
    "Generated rows are made of what training rows have in common. That is no proof of "
    "privacy: `privacy_distance_share` tells how near they come.",
    "The file itself tells of the training rows: the levels of categories, quantiles "
    "of numbers, which may be single values, and the posteriors of up to 30,000 rows.",
]
_LIMITS_OF_DETECTORS = [
    "An unusual row is no error, and no fraud, for being unusual; a usual one is not "
    "right for being usual.",
    "The file holds up to 2,000 training rows, encoded, to compare others with.",
]


def model_card(estimator, file_name) -> str:
    """Return the model card of a fitted estimator, in Markdown.

    Parameters
    ----------
    estimator : BaseVAE or AnomalyDetector
        Fitted.

    file_name : str
        What the file is called.

    Returns
    -------
    card : str
        Of the training rows it tells their columns, and no values.
    """
    is_detector = hasattr(estimator, "model_")
    model = estimator.model_ if is_detector else estimator
    parts = {
        "Fit": _fit(model) + (_threshold(estimator) if is_detector else ""),
        "Parameters": _parameters(estimator),
        "Data": _data(model),
        "Intended use": _use(is_detector),
        "Limits": _listed(_LIMITS + _LIMITS_OF_DETECTORS * is_detector),
        "Written with": _listed(f"{n} {v}" for n, v in written_with().items()),
    }
    sections = (f"## {title}\n\n{text}" for title, text in parts.items())
    return "\n".join([FIRST_LINE, "", _title(estimator, file_name), *sections])


def _title(estimator, file_name):
    what = (inspect.getdoc(estimator) or "").split("\n")[0]  # none under python -OO
    return (
        f"# {file_name}\n\n`{type(estimator).__name__}`: {what}\n\n```python\n"
        f"import skvae\n\nmodel = skvae.load({file_name!r})\n```\n"
    )


def _fit(model):
    kl = model.kl_per_dimension_
    bound = bound_line(model.net_)
    rows = [
        (_code(name), f"{nats:.3f}", "yes" if nats > ACTIVE_KL else "no")
        for name, nats in zip(model.get_feature_names_out(), kl, strict=True)
    ]
    table = _table(["latent", "KL to the prior, nats", "active"], rows)
    facts = [
        f"{model.n_active_} of {len(kl)} latents active",
        f"{bound[0].upper()}{bound[1:]}",
        f"{epochs_line(model.net_)}; weights of epoch {model.best_epoch_}",
    ]
    return f"{_listed(facts)}\n{table}"


def _threshold(detector):
    share, offset = detector.contamination, detector.offset_
    return (
        f"\nOutliers are rows of a score below {offset:.4g}, as {share:.3g} of the "
        "training rows are.\n"
    )


def _parameters(estimator):
    """Return the parameters that are not the defaults."""
    signature = inspect.signature(type(estimator)).parameters
    rows = [
        (_code(name), _code(repr(value)))
        for name, value in estimator.get_params(deep=False).items()
        if name != "callbacks" and repr(value) != repr(signature[name].default)
    ]
    return _table(["parameter", "value"], rows) if rows else "The defaults.\n"


def _data(model):
    """Return the schema of the table."""
    schema = model.table_encoder_.schema_
    shape = model.table_encoder_.image_shape
    if shape is not None:
        return f"Images of shape {tuple(shape)}: channels, height and width.\n"
    aside = dict.fromkeys(schema.left_out, "condition")
    rows = [
        (_code(c.name), aside.get(n, c.kind), _code(c.dtype), f"{c.missing_share:.1%}")
        for n, c in enumerate(schema.columns)
    ]
    container = "DataFrame" if schema.is_dataframe else "array"
    table = _table(["column", "kind", "dtype", "missing"], rows)
    return f"{len(rows)} columns of a {container}.\n\n{table}{_conditions(model)}"


def _conditions(model):
    """Return what rows are explained given, where that stands beside the table."""
    encoder = getattr(model, "condition_encoder_", None)
    if encoder is None or not encoder.columns_ or model.condition_columns is not None:
        return ""
    names = ", ".join(map(_code, encoder.columns_))
    return f"\nBeside it stands a condition: {names}.\n"


def _use(is_detector):
    return (_USE_OF_DETECTORS if is_detector else _USE_OF_MODELS) + _DECISIONS


def _listed(facts):
    return "".join(f"- {fact}\n" for fact in facts)


def _table(header, rows):
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _code(value):
    """Return a name as code in a cell of a table, whatever it is made of."""
    text = " ".join(str(value).split()).replace("|", "\\|").replace("`", "'")
    return f"`{text}`"
