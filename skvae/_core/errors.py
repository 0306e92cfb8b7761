"""Errors and warnings that skvae raises beside the built-in ones."""


class TrainingDivergedError(RuntimeError):
    """A term of the loss became NaN or infinite during training."""


class PosteriorCollapseWarning(UserWarning):
    """No latent dimension of a fitted model carries information."""


class DataUnavailableError(OSError):
    """A data set is neither on disk nor to be had from the network."""


class CheckpointError(OSError):
    """Training cannot be written down, or what was written cannot be read."""


class UnseenConditionWarning(UserWarning):
    """A condition holds a level that training never saw."""


class UnsupportedRegimeWarning(UserWarning):
    """Most rows of a counterfactual lie outside of the training data."""


class ModelFileError(ValueError):
    """A file holds no model that can be read, or a model does not go into one."""


class StreamError(ValueError):
    """Rows that come in pieces cannot be read, or are not those of one table."""
