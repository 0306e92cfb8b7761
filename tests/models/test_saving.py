"""Where models are saved to, and what stands beside them."""

import os
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from detector_cases import VALUES, make_clients
from mixed_cases import make_mixed
from model_cases import ESTIMATORS, small
from sklearn.datasets import load_digits

import skvae
from skvae import DCVAE, MSVAE, VAE, DCVAEAnomalyDetector, VAEAnomalyDetector

pytestmark = pytest.mark.filterwarnings("ignore::skvae.PosteriorCollapseWarning")


@pytest.fixture
def model(numbers):
    return small(VAE).fit(numbers)


class TestPlaces:
    def test_a_file_and_a_card(self, model, tmp_path):
        model.save(tmp_path / "credit.skvae")
        assert {path.name for path in tmp_path.iterdir()} == {
            "credit.skvae",
            "credit.md",
        }

    def test_of_any_name(self, model, tmp_path, monkeypatch, numbers):
        monkeypatch.chdir(tmp_path)
        for name in (
            "plain",
            "v1.2.skvae",
            "Gr\N{LATIN SMALL LETTER O WITH DIAERESIS}n",
        ):
            model.save(name)
            np.testing.assert_array_equal(
                skvae.load(name).transform(numbers), model.transform(numbers)
            )
        assert (tmp_path / "v1.2.md").exists()

    def test_replaces_an_older_model(self, model, numbers, tmp_path):
        path = tmp_path / "model.skvae"
        model.save(path)
        other = small(VAE, latent_dim=3).fit(numbers)
        other.save(path)
        assert skvae.load(path).latent_dim == 3
        assert "`vae2`" in path.with_suffix(".md").read_text()

    def test_missing_folder(self, model, tmp_path):
        with pytest.raises(FileNotFoundError, match="expected a folder that exists"):
            model.save(tmp_path / "nowhere" / "model.skvae")

    def test_what_is_a_folder(self, model, tmp_path):
        (tmp_path / "model.skvae").mkdir()
        with pytest.raises(IsADirectoryError, match="Cannot write the file"):
            model.save(tmp_path / "model.skvae")
        assert not list((tmp_path / "model.skvae").iterdir())

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
    def test_folder_that_may_not_be_written_to(self, model, tmp_path):
        tmp_path.chmod(0o500)
        with pytest.raises(PermissionError, match="may be written to"):
            model.save(tmp_path / "model.skvae")
        assert not list(tmp_path.iterdir())

    def test_killed_in_the_middle(self, tmp_path):
        """Whenever that is, there is a model, the one before or the one after."""
        program = (
            "import numpy as np, skvae\n"
            "X = np.random.default_rng(0).normal(size=(3000, 5))\n"
            "settings = {'max_epochs': 1, 'hidden_layer_sizes': (256, 256)}\n"
            "models = [skvae.VAE(n, **settings).fit(X) for n in (2, 3)]\n"
            "while True:\n"
            "    for model in models:\n"
            "        model.save('model.skvae')\n"
            "        print('saved', flush=True)\n"
        )
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", program],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdout=subprocess.PIPE,
        )
        for _ in range(4):
            assert process.stdout.readline() == b"saved\n"
        time.sleep(random.Random(os.getpid()).uniform(0, 0.1))
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        assert skvae.load(tmp_path / "model.skvae").latent_dim in (2, 3)


class TestModelCard:
    def card(self, model, folder):
        model.save(folder / "credit.skvae")
        return (folder / "credit.md").read_text()

    @pytest.mark.parametrize("estimator_class", ESTIMATORS, ids=lambda e: e.__name__)
    def test_says_what_it_is(self, estimator_class, table, tmp_path):
        model = small(estimator_class).fit(table)
        card = self.card(model, tmp_path)
        inner = getattr(model, "model_", model)
        assert f"`{estimator_class.__name__}`" in card
        assert f"{inner.n_active_} of {len(inner.kl_per_dimension_)} latents" in card
        assert "bound" in card
        assert f"epoch {inner.best_epoch_}" in card
        for name, kl in zip(
            inner.get_feature_names_out(), inner.kl_per_dimension_, strict=True
        ):
            assert f"| `{name}` | {kl:.3f} |" in card
        for title in ("Fit", "Parameters", "Data", "Intended use", "Limits"):
            assert f"\n## {title}\n" in card

    def test_columns_kinds_and_missing_shares(self, tmp_path):
        table = make_mixed()
        card = self.card(small(VAE).fit(table), tmp_path)
        share = table["region"].isna().mean()
        dtype = table["region"].dtype
        assert f"| `region` | categorical | `{dtype}` | {share:.1%} |" in card
        assert "| `grade` | ordinal | `category` |" in card
        assert "| `since` | datetime |" in card
        assert "10 columns of a DataFrame" in card

    def test_tells_no_values(self, tmp_path):
        table = make_mixed()
        card = self.card(small(VAE).fit(table), tmp_path)
        for value in ("north", "middle", "basic", "2020", f"{table['rate'].max():.6f}"):
            assert value not in card

    def test_conditions(self, tmp_path):
        clients = make_clients()
        inside = small(DCVAE, condition_columns=["group"]).fit(clients)
        assert "| `group` | condition |" in self.card(inside, tmp_path)
        beside = small(DCVAE).fit(clients[VALUES], condition=clients[["group"]])
        assert "Beside it stands a condition: `group`." in self.card(beside, tmp_path)

    def test_threshold_of_a_detector(self, table, tmp_path):
        detector = VAEAnomalyDetector(small(MSVAE), contamination=0.05).fit(table)
        card = self.card(detector, tmp_path)
        assert f"below {detector.offset_:.4g}, as 0.05 of the training rows" in card
        assert "| `contamination` | `0.05` |" in card

    def test_images(self, tmp_path):
        digits = load_digits(return_X_y=True)[0][:60]
        detector = small(DCVAEAnomalyDetector, image_shape=(1, 8, 8)).fit(digits)
        assert "Images of shape (1, 8, 8)" in self.card(detector, tmp_path)

    def test_names_cannot_break_out_of_the_table(self, numbers, tmp_path):
        table = pd.DataFrame(numbers[:, :2], columns=["a | b `c`\n# Title", "d"])
        card = self.card(small(VAE).fit(table), tmp_path)
        assert "| `a \\| b 'c' # Title` | continuous |" in card

    def test_defaults_are_not_listed(self, numbers, tmp_path):
        card = self.card(small(VAE).fit(numbers), tmp_path)
        assert "| `latent_dim` | `2` |" in card
        assert "kl_warmup" not in card

    def test_one_that_was_edited_stays(self, model, tmp_path):
        path = tmp_path / "credit.md"
        card = self.card(model, tmp_path)
        path.write_text(card + "Not for credit decisions.\n")
        assert self.card(model, tmp_path) == card  # the first line is there
        own = card.split("\n", 1)[1] + "Not for credit decisions.\n"
        path.write_text(own)
        assert self.card(model, tmp_path) == own
