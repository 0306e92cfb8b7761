"""To callbacks of scikit-learn a fit is a tree of tasks: stages, parts and epochs."""

import pickle
import threading

import numpy as np
import pytest
from model_cases import DETECTORS, ONE_STAGE, n_latents, small
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted
from skorch.callbacks import Callback

from skvae import MSVAE, VAE, BetaTCVAE, VAEAnomalyDetector
from skvae.selection import mig_scorer

callback = pytest.importorskip(
    "sklearn.callback", reason="scikit-learn has callbacks from 1.9 on"
)

pytestmark = pytest.mark.filterwarnings("ignore::skvae.PosteriorCollapseWarning")


class Tree:
    """Remember the tasks of a fit, and of the fits inside of it, as they end."""

    max_propagation_depth = None

    def __init__(self):
        self.begun, self.ended, self.n_torn_down = [], [], 0

    def setup(self, estimator, context):
        self.root = context

    def teardown(self, estimator, context):
        self.n_torn_down += 1

    def on_fit_task_begin(self, estimator, context):
        self.begun.append(context)

    def on_fit_task_end(self, estimator, context):
        self.ended.append(context)

    def lines(self, task=None):
        """Return what a progress bar shows: names and the most subtasks, indented."""
        task = self.root if task is None else task
        yield f"{task.estimator_name} {task.task_name} {task.max_subtasks}"
        for child in task._children_map.values():
            yield from (f"  {line}" for line in self.lines(child))


class Models:
    """Keep the model that a fit would have returned after each of its tasks."""

    def __init__(self):
        self.after = []

    def setup(self, estimator, context):
        pass

    teardown = on_fit_task_begin = setup

    def on_fit_task_end(self, estimator, context, *, X, y, fitted_estimator):
        self.after.append((context.task_name, X, y, fitted_estimator))

    def after_epochs(self):
        return [model for name, _, _, model in self.after if name == "epoch"]


class StopAfter(Tree):
    """Say after so many epochs that they are enough."""

    def __init__(self, n_epochs):
        super().__init__()
        self.n_epochs = n_epochs

    def on_fit_task_end(self, estimator, context):
        super().on_fit_task_end(estimator, context)
        return sum(task.task_name == "epoch" for task in self.ended) == self.n_epochs


class Interrupt(Callback):
    """Ctrl-C in the middle of an epoch."""

    def on_batch_end(self, net, **kwargs):
        raise KeyboardInterrupt


class StopEpochs(Callback):
    """A callback of skorch that ends training after an epoch."""

    def on_epoch_end(self, net, **kwargs):
        raise KeyboardInterrupt


@pytest.fixture(params=ONE_STAGE, ids=lambda model: model.__name__)
def one_stage(request):
    return small(request.param)


class TestTasks:
    def test_epochs(self, one_stage, numbers):
        tree = Tree()
        one_stage.set_callbacks(tree).fit(numbers)
        name = type(one_stage).__name__
        assert list(tree.lines()) == [f"{name} fit 3"] + 3 * [f"  {name} epoch 0"]
        # The fit ends last; each epoch before the next begins.
        assert [task.task_name for task in tree.begun] == ["fit"] + 3 * ["epoch"]
        assert tree.ended == tree.begun[1:] + tree.begun[:1]

    @pytest.mark.parametrize(
        "stops",
        [{"n_iter_no_change": 1, "tol": 1e6}, {"callbacks": [StopEpochs()]}],
        ids=["early-stopping", "callback-of-skorch"],
    )
    def test_training_that_stops_early_ends_all_tasks(self, numbers, stops):
        tree = Tree()
        model = small(VAE, max_epochs=50, kl_warmup=0, **stops)
        model.set_callbacks(tree).fit(numbers)
        assert model.n_iter_ < 50
        assert len(tree.ended) == len(tree.begun) == model.n_iter_ + 1
        assert tree.root.max_subtasks == 50

    def test_stages(self, numbers):
        tree = Tree()
        small(MSVAE, max_epochs=1).set_callbacks(tree).fit(numbers)
        assert list(tree.lines()) == [
            "MSVAE fit 3",
            "  BetaTCVAE fit 1",
            "    BetaTCVAE epoch 0",
            "  MSVAE fit-residual-encoder 1",
            "    MSVAE epoch 0",
            "  MSVAE fit-second-stage 1",
            "    MSVAE epoch 0",
        ]
        assert len(tree.ended) == 7

    def test_stages_that_are_left_out(self, numbers):
        tree = Tree()
        first = FrozenEstimator(small(BetaTCVAE).fit(numbers))
        model = MSVAE(first, max_epochs=1, residual_training="joint")
        model.set_callbacks(tree).fit(numbers)
        assert list(tree.lines()) == [
            "MSVAE fit 1",
            "  MSVAE fit-second-stage 1",
            "    MSVAE epoch 0",
        ]

    @pytest.mark.parametrize("detector", DETECTORS, ids=lambda d: d.__name__)
    def test_the_model_in_a_detector(self, detector, numbers):
        tree = Tree()
        detector = small(detector).set_callbacks(tree).fit(numbers)
        name = type(detector.model_).__name__
        assert list(tree.lines())[:3] == [
            f"{type(detector).__name__} fit 1",
            f"  {name} fit 3",
            f"    {name} epoch 0",
        ]
        assert tree.ended[-1] is tree.root
        # It is handed back without them.
        assert not hasattr(detector.model_, "_skl_callbacks")

    def test_a_frozen_model_in_a_detector(self, numbers):
        tree = Tree()
        model = FrozenEstimator(small(VAE).fit(numbers))
        VAEAnomalyDetector(model).set_callbacks(tree).fit(numbers)
        assert tree.ended == tree.begun == [tree.root]

    def test_search_pipeline_and_epochs(self, numbers):
        tree = Tree()
        pipeline = make_pipeline(StandardScaler(), small(VAE, max_epochs=1))
        search = GridSearchCV(pipeline, {"vae__lr": [1e-3, 1e-2]}, cv=2)
        search.set_callbacks(tree).fit(numbers)
        fit = [
            "Pipeline fit 2",
            "  StandardScaler fit 0",
            "  VAE fit 1",
            "    VAE epoch 0",
        ]
        assert list(tree.lines()) == [
            "GridSearchCV fit 2",
            "  GridSearchCV search 4",
            *4 * [f"    {line}" for line in fit],
            *[f"  {line}" for line in fit],
        ]


class TestWhatCallbacksSee:
    def test_rows_and_labels(self, numbers):
        models, labels = Models(), np.arange(len(numbers))
        small(VAE).set_callbacks(models).fit(numbers, labels)
        assert len(models.after) == 4
        for _, X, y, _ in models.after:
            np.testing.assert_array_equal(X, numbers)
            assert y is labels

    @pytest.mark.parametrize("n_epochs", [1, 2, 3])
    def test_the_model_after_an_epoch_is_that_of_a_shorter_fit(
        self, model, numbers, n_epochs
    ):
        model.set_params(early_stopping=False, kl_warmup=0)
        if isinstance(model, MSVAE):  # whose encoder would train shorter, too
            model.set_params(residual_training="joint")
        models = Models()
        clone(model).set_callbacks(models).fit(numbers)
        shown = models.after_epochs()[n_epochs - 1]
        expected = model.set_params(max_epochs=n_epochs).fit(numbers)
        for method in ("transform", "score_samples", "reconstruct"):
            np.testing.assert_array_equal(
                getattr(shown, method)(numbers), getattr(expected, method)(numbers)
            )
        assert shown.n_iter_ == shown.best_epoch_ == n_epochs
        assert shown.n_active_ == expected.n_active_
        np.testing.assert_array_equal(
            shown.sample(5, random_state=0), expected.sample(5, random_state=0)
        )

    def test_looking_does_not_change_the_numbers(self, model, numbers):
        expected = clone(model).fit(numbers)
        model.set_callbacks(Models(), Tree()).fit(numbers)
        np.testing.assert_array_equal(
            model.score_samples(numbers), expected.score_samples(numbers)
        )

    def test_an_encoder_of_residuals_alone_is_no_model(self, numbers):
        models = Models()
        small(MSVAE).set_callbacks(models).fit(numbers)
        is_model = [model is not None for model in models.after_epochs()]
        assert is_model == 3 * [False] + 3 * [True]

    def test_a_detector_once_fitted(self, numbers):
        models = Models()
        detector = small(VAEAnomalyDetector).set_callbacks(models).fit(numbers)
        name, *_, shown = models.after[-1]
        assert name == "fit"
        np.testing.assert_array_equal(shown.predict(numbers), detector.predict(numbers))

    @pytest.mark.parametrize("n_jobs", [1, 2])
    def test_scores_of_all_epochs_of_a_search(self, numbers, n_jobs):
        monitor = callback.ScoringMonitor(scoring={"MIG": mig_scorer})
        factors = (numbers[:, :2] > 0).astype(int)
        model = small(VAE).set_callbacks(monitor)
        search = GridSearchCV(model, {"lr": [1e-3, 1e-2]}, cv=2, n_jobs=n_jobs)
        search.fit(numbers, factors)
        log = monitor.get_logs().data_as_pandas
        assert (log["task_name"] == "epoch").sum() == 3 * (2 * 2 + 1)
        assert log["MIG"].between(0, 1).all()
        refit = log[log["task_id_path"] == (0, 1)]["MIG"]
        score = mig_scorer(search.best_estimator_, numbers, factors)
        assert refit.tolist() == [score]


class TestStopping:
    def test_a_callback_stops_training_after_an_epoch(self, one_stage, numbers):
        stop = StopAfter(2)
        one_stage.set_callbacks(stop).fit(numbers)
        assert one_stage.n_iter_ == 2
        assert len(stop.ended) == len(stop.begun) == 3
        assert np.isfinite(one_stage.score(numbers))

    def test_an_interrupted_fit_takes_all_down(self, model, numbers):
        tree = Tree()
        model.set_params(callbacks=[Interrupt()]).set_callbacks(tree)
        with pytest.raises(KeyboardInterrupt):
            model.fit(numbers)
        assert tree.n_torn_down == 1
        with pytest.raises(NotFittedError):
            check_is_fitted(model)
        left = [name for name in vars(model) if "callback" in name]
        assert left == ["callbacks", "_skl_callbacks"]


class TestCopies:
    def test_clones_share_callbacks_until_they_are_taken_back(self, model):
        tree = Tree()
        assert model.set_callbacks(tree) is model
        assert clone(model)._skl_callbacks == [tree]
        assert not hasattr(clone(model.set_callbacks()), "_skl_callbacks")

    def test_they_are_no_parameters(self, model):
        params = model.get_params()
        assert model.set_callbacks(Tree()).get_params() == params

    def test_nothing_of_them_stays_in_a_fitted_model(self, model, numbers):
        expected = clone(model).fit(numbers)
        model.set_callbacks(Tree()).fit(numbers).set_callbacks()
        assert vars(model).keys() == vars(expected).keys()
        # The nets keep their callbacks, and with them no table, task or estimator.
        sizes = [len(pickle.dumps(each)) for each in (model, expected)]
        assert sizes[0] == pytest.approx(sizes[1], abs=100)

    def test_a_pickled_model_brings_its_callbacks(self, numbers):
        model = small(VAE).set_callbacks(Tree()).fit(numbers)
        copied = pickle.loads(pickle.dumps(model))
        copied._skl_callbacks[0].__init__()
        assert len(list(copied.fit(numbers)._skl_callbacks[0].lines())) == 4


class TestWrongKind:
    def test_of_skorch(self, model):
        with pytest.raises(TypeError, match="FitCallback"):
            model.set_callbacks(StopEpochs())

    def test_of_scikit_learn(self, numbers):
        model = small(VAE, callbacks=[Tree()])
        with pytest.raises(ValueError, match=r"own are set by set_callbacks\)"):
            model.fit(numbers)


class TestProgressBar:
    @pytest.fixture(autouse=True)
    def _wide_lines(self, monkeypatch):
        pytest.importorskip("rich")
        monkeypatch.setenv("COLUMNS", "120")

    def shown(self, capsys):
        """Return the lines that were printed, as names and how much is done."""
        lines = capsys.readouterr().out.splitlines()
        return [tuple(part.strip() for part in line.split("━", 1)) for line in lines]

    @pytest.mark.parametrize("n_jobs", [1, 2])
    def test_search_of_a_pipeline(self, numbers, n_jobs, capsys):
        bar = callback.ProgressBar(max_propagation_depth=None)
        pipeline = make_pipeline(StandardScaler(), small(VAE))
        search = GridSearchCV(
            pipeline, {"vae__lr": [1e-3, 1e-2]}, cv=2, n_jobs=n_jobs
        ).set_callbacks(bar)
        search.fit(numbers)
        names, done = zip(*self.shown(capsys), strict=True)
        fit = "GridSearchCV - candidate-split-evaluation | Pipeline - fit #"
        # In whatever order they began.
        assert sorted(name for name in names if name.startswith(fit)) == [
            f"{fit}{number}" for number in range(4)
        ]
        assert names.count("Pipeline - fit-final-estimator | VAE - fit #1") == 5
        assert all("100%" in each for each in done)

    def test_of_training_that_stops_early_gets_to_its_end(self, numbers, capsys):
        model = small(VAE, max_epochs=50, kl_warmup=0, n_iter_no_change=1, tol=1e6)
        model.set_callbacks(callback.ProgressBar()).fit(numbers)
        ((name, done),) = self.shown(capsys)
        assert name == "VAE - fit"
        assert "100%" in done

    def test_of_an_interrupted_fit_is_taken_down(self, numbers, capsys):
        model = small(VAE, callbacks=[Interrupt()])
        model.set_callbacks(callback.ProgressBar())
        with pytest.raises(KeyboardInterrupt):
            model.fit(numbers)
        kinds = {type(thread).__name__ for thread in threading.enumerate()}
        assert "RichProgressMonitor" not in kinds
        assert capsys.readouterr().out.startswith("VAE - fit")
        model.set_params(callbacks=None).fit(numbers)
        assert model.transform(numbers).shape[1] == n_latents(model)
