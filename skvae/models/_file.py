"""Models that travel: fitted estimators to files, and files to fitted estimators."""

from pathlib import Path

from sklearn.utils.validation import check_is_fitted

from skvae._core.atomic_write import write_whole
from skvae._core.errors import ModelFileError
from skvae._core.model_file import read, to_bytes
from skvae._core.stored_trees import put_together, take_apart
from skvae._core.storing import short
from skvae.models._model_card import FIRST_LINE, model_card


class FileMixin:
    """A fitted estimator that can be saved."""

    def save(self, path):
        """Write the fitted model to one file, and a model card beside it.

        The file is one of safetensors: arrays, and a text that describes them. There
        is no code in it and none runs when it is read, so that it may come from
        anybody. `skvae.load` gives the model back, which then does what this one does,
        to the last bit.

        Parameters
        ----------
        path : str or path-like
            Where to, ``"credit.skvae"``, say. The model card is ``"credit.md"`` beside
            it: in Markdown, what the model is, what it was fitted to, and for what it
            is fit. A card that you have made your own, without its first line, stays
            as it is.

        Raises
        ------
        ModelFileError
            If the model holds something that is code, such as a transformer of your own
            as `encoding`. Networks of your own (`encoder`, `decoder`) are no such case:
            whoever loads the model passes them again.

        OSError
            If the file cannot be written. What was there before then stays.

        Notes
        -----
        Left out are `callbacks` and requests for metadata, which matter while a model
        is fitted. The file tells of the training rows what the model knows of them:
        the categories, the quantiles of numbers, which may be single values, and the
        posteriors of up to 30,000 rows; that of a detector holds up to 2,000 of them,
        encoded.
        """
        check_is_fitted(self)
        path = Path(path)
        card = path.with_suffix(".md")
        if card == path:
            raise ValueError(
                f"Got path={str(path)!r}, where the model card goes; expected another "
                'suffix, such as ".skvae".'
            )
        contents = {path: to_bytes(*take_apart(self))}
        if _is_ours(card):
            contents[card] = model_card(self, path.name).encode()
        write_whole(contents)


def _is_ours(card):
    """Whether a model card may be written: there is none yet, or one of ours."""
    if not card.exists():
        return True
    return card.read_bytes().startswith(FIRST_LINE.encode())


def load(path, *, encoder=None, decoder=None):
    """Read a model from a file that `save` wrote.

    The file is checked, all of it, before a model is made of it: its size, its
    checksum, and the name, type and shape of everything in it. It holds no code, and
    none runs. It may have been written by an older version of skvae, and on another
    machine: a model that was trained on a GPU loads on a CPU.

    Parameters
    ----------
    path : str or path-like
        The file.

    encoder, decoder : torch Module or callable, default=None
        The networks that the model was given as parameters of these names, if it was:
        they are code, and so not in the file. Their weights are.

    Returns
    -------
    model : estimator
        Fitted.

    Raises
    ------
    ModelFileError
        If the file is damaged, holds no model, one of a later version, or one that
        asks for other networks than are passed.

    OSError
        If there is no such file, or it may not be read.

    See Also
    --------
    VAE.save : Writes the file; every other model and detector has it, too.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> import skvae
    >>> from skvae.datasets import make_factor_table
    >>> X = make_factor_table(500, n_factors=3, random_state=0).data
    >>> model = skvae.VAE(latent_dim=3, max_epochs=10, random_state=0).fit(X)
    >>> path = Path(mkdtemp()) / "factors.skvae"
    >>> model.save(path)
    >>> again = skvae.load(path)
    >>> bool((again.transform(X) == model.transform(X)).all())
    True
    """
    path = Path(path)
    document, arrays = read(path)
    try:
        model = put_together(
            document["model"], arrays, encoder=encoder, decoder=decoder
        )
        if not isinstance(model, FileMixin) or not _is_fitted(model):
            raise ModelFileError("It holds no fitted model.")
    except ModelFileError as error:
        raise ModelFileError(
            f"{path}: {error} (Written with {short(document['written_with'], 200)}.)"
        ) from error
    return model


def _is_fitted(model):
    return model.__sklearn_is_fitted__()
