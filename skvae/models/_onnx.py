"""Networks as ONNX graphs, for programs without Python or torch."""

import copy
import logging
import os
import warnings
from contextlib import contextmanager
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import torch
from sklearn.utils._param_validation import StrOptions, validate_params
from sklearn.utils.validation import check_is_fitted
from torch import nn

from skvae._core.atomic_write import write_whole

# A number of rows to trace with, other than any width of a network.
_N_TRACED = 7


class _Encoder(nn.Module):
    """Encoded rows to latents."""

    def __init__(self, module, nodes):
        super().__init__()
        self.module = module

    def forward(self, rows):
        return self.module.encode(rows)[0]


class _Decoder(nn.Module):
    """Latents, and a condition where there is one, to encoded rows."""

    def __init__(self, module, nodes):
        super().__init__()
        self.module = module

    def forward(self, latents, condition=None):
        return self.module.mean(latents, condition)


class _Score(nn.Module):
    """Encoded rows to their bounds."""

    def __init__(self, module, nodes):
        super().__init__()
        self.module = module
        self.register_buffer("nodes", nodes[:, None])

    def forward(self, rows):
        posterior, latents = self.module.posterior_at(rows, self.nodes)
        log_likelihood = self.module.log_likelihood(latents, rows).mean(dim=0)
        kl = posterior.kl_to_standard().sum(dim=-1)
        # Of two stages it is one for each node, since the second depends on the first.
        return log_likelihood - (kl if kl.ndim == 1 else kl.mean(dim=0))


_PARTS = {"encoder": _Encoder, "decoder": _Decoder, "score": _Score}
_OUTPUTS = {"encoder": "latents", "decoder": "rows", "score": "bound"}


class OnnxMixin:
    """`to_onnx` of a model."""

    @validate_params(
        {"path": [str, os.PathLike], "part": [StrOptions(set(_PARTS))]},
        prefer_skip_nested_validation=True,
    )
    def to_onnx(self, path, part="encoder"):
        """Write a part of the networks as an ONNX graph.

        The graph takes and returns arrays of any number of rows, float64 of tables and
        float32 of images, and needs neither Python nor torch. The table's encoding
        stays here: what goes in is what ``table_encoder_.transform`` gives, followed by
        the encoded condition of a model that has one, and what comes out of the decoder
        is for ``table_encoder_.inverse_transform``. Needs the extra ``skvae[onnx]``.

        Parameters
        ----------
        path : path-like
            The file to write.

        part : {"encoder", "decoder", "score"}, default="encoder"
            - ``"encoder"``: ``rows`` of shape (n, width) to ``latents`` of shape (n,
              n_latents), as `transform` gives them;
            - ``"decoder"``: ``latents`` to ``rows``, the mean ones; a second input
              is the ``condition``, of shape (n, n_conditions), where there is one;
            - ``"score"``: ``rows`` to ``bound``, of shape (n,), in nats, as
              `score_samples` gives it. Conditions have to be known.

        Raises
        ------
        ImportError
            If onnx or onnxscript is not installed.

        OSError
            If the file cannot be written.

        Examples
        --------
        >>> from skvae import BetaTCVAE
        >>> from skvae.datasets import make_credit_portfolio
        >>> X = make_credit_portfolio(500, random_state=0).data
        >>> model = BetaTCVAE(max_epochs=2, random_state=0).fit(X)
        >>> model.to_onnx("encoder.onnx")  # doctest: +SKIP
        """
        check_is_fitted(self)
        _check_installed()
        module = copy.deepcopy(self.module_).cpu()
        graph = _PARTS[part](module, torch.as_tensor(self._nodes))
        graph = graph.to(self._onnx_dtype).eval()
        inputs = self._traced_inputs(part)
        rows = torch.export.Dim("n")
        with _silent_exporter():
            program = torch.onnx.export(
                graph,
                tuple(inputs.values()),
                input_names=list(inputs),
                output_names=[_OUTPUTS[part]],
                dynamic_shapes=tuple({0: rows} for _ in inputs),
                dynamo=True,
                verbose=False,
            )
        proto = program.model_proto
        for key, value in self._onnx_facts(part).items():
            proto.metadata_props.add(key=key, value=value)
        write_whole({Path(path): proto.SerializeToString()})

    @property
    def _onnx_dtype(self):
        # onnxruntime has no convolutions in float64.
        is_image = self.table_encoder_.image_shape is not None
        return torch.float32 if is_image else torch.float64

    def _traced_inputs(self, part):
        """Return inputs of a few rows, by name."""
        n_conditions = self._training_conditions.shape[1]
        widths = {"rows": self._width + n_conditions}
        if part == "decoder":
            widths = {"latents": self._n_features_out}
            widths |= {"condition": n_conditions} if n_conditions else {}
        return {
            name: torch.zeros((_N_TRACED, width), dtype=self._onnx_dtype)
            for name, width in widths.items()
        }

    def _onnx_facts(self, part):
        """Return what a reader of the file may want to know of the model."""
        return {
            "skvae.class": type(self).__name__,
            "skvae.part": part,
            "skvae.version": version("skvae"),
        }


def _check_installed():
    missing = [name for name in ("onnx", "onnxscript") if find_spec(name) is None]
    if missing:
        raise ImportError(
            f"to_onnx needs {' and '.join(missing)}, which cannot be found. Install "
            'them with pip install "skvae[onnx]".'
        )


@contextmanager
def _silent_exporter():
    """Keep torch's exporter from warning of what it does itself."""
    logger = logging.getLogger("torch.onnx._internal.exporter._registration")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
