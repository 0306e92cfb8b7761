"""Whatever a file is, it is read as a model or refused by name, and no more."""

import json
import pickle
import resource

import numpy as np
import pytest
from detector_cases import make_clients
from hostile_cases import Mutations, put_file_together, take_file_apart, with_header
from model_cases import small
from saved_cases import assert_same_state
from sklearn.decomposition import PCA

import skvae
from skvae import MSVAE, VAE, DCVAEAnomalyDetector, ModelFileError

pytestmark = [
    pytest.mark.filterwarnings("ignore::skvae.PosteriorCollapseWarning"),
]
N_MUTATIONS = {
    "flipped": 2800,
    "flipped_in_header": 2700,
    "cut": 1700,
    "with_other_outlines": 1000,
    "with_other_tree": 1500,
    "with_other_arrays": 300,
}


def saved(model, path):
    model.save(path)
    return path.read_bytes()


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """The file of a model as small as models get."""
    numbers = np.random.default_rng(0).normal(size=(12, 2))
    settings = {"hidden_layer_sizes": (2,), "likelihood": "gaussian", "max_epochs": 1}
    model = small(VAE, latent_dim=1, encoding="standard", **settings).fit(numbers)
    return saved(model, tmp_path_factory.mktemp("tiny") / "model.skvae")


@pytest.fixture(scope="module")
def detector_file(tmp_path_factory):
    """The file of a model in which there is much."""
    detector = small(DCVAEAnomalyDetector, condition_columns=["group"])
    detector.fit(make_clients(60))
    return saved(detector, tmp_path_factory.mktemp("detector") / "model.skvae")


@pytest.fixture
def refused(tmp_path):
    """Say so where a file is not refused, and return what is said of it."""

    def refused(content):
        path = tmp_path / "hostile.skvae"
        path.write_bytes(content)
        with pytest.raises(ModelFileError) as raised:
            skvae.load(path)
        assert str(path) in str(raised.value)
        return str(raised.value)

    return refused


def most_memory():
    """Return the most memory that this process ever had, in kilobytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def changed_tree(content, change):
    """Return a file whose tree of fields went through a function, signed anew."""
    document, arrays = take_file_apart(content)
    change(document["model"]["value"])
    return put_file_together(document, arrays)


class TestNoModel:
    def test_no_file(self, tmp_path):
        with pytest.raises(FileNotFoundError, match=r"nowhere\.skvae"):
            skvae.load(tmp_path / "nowhere.skvae")

    def test_folder(self, tmp_path):
        with pytest.raises(OSError, match=str(tmp_path)):
            skvae.load(tmp_path)

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"\0",
            b"{}",
            b"PK\3\4" * 9,
            b"\xff" * 300,
            b"\x08" + 7 * b"\0" + b"[" * 8,
        ],
        ids=repr,
    )
    def test_anything_else(self, content, refused):
        assert "no model file of skvae, or a damaged one" in refused(content)

    def test_pickle_is_not_run(self, refused, tmp_path):
        class Bomb:
            def __reduce__(self):
                return (tmp_path / "bang").touch, ()

        refused(pickle.dumps(Bomb()))
        assert not (tmp_path / "bang").exists()

    def test_tensors_of_others(self, refused):
        from safetensors.numpy import save

        assert "not one of skvae" in refused(save({"weight": np.zeros(3)}))

    def test_text_nested_without_end(self, tiny, refused):
        def change(header):
            header["__metadata__"]["skvae"] = "[" * 100_000

        refused(with_header(tiny, change))

    @pytest.mark.parametrize("text", ["null", "[]", "{}", "1", '{"format": NaN}', "{"])
    def test_text_of_something_else(self, tiny, refused, text):
        def change(header):
            header["__metadata__"]["skvae"] = text

        refused(with_header(tiny, change))


class TestDamage:
    def test_every_bit_counts(self, tiny, refused):
        """Of a sample of bits, each of which is one that a disk may lose."""
        rng = np.random.default_rng(0)
        for place in rng.integers(len(tiny), size=300):
            content = bytearray(tiny)
            content[place] ^= 1 << rng.integers(8)
            refused(bytes(content))

    @pytest.mark.parametrize("share", [0.01, 0.3, 0.9, 0.999])
    def test_truncated(self, tiny, refused, share):
        refused(tiny[: int(share * len(tiny))])

    def test_appended(self, tiny, refused):
        refused(tiny + b"\0")

    def test_checksum(self, tiny, refused):
        document, arrays = take_file_apart(tiny)
        arrays["_nodes"] = arrays["_nodes"] + 1e-9
        other = put_file_together(document, arrays)
        with_old = json.loads(json.dumps(document))
        assert take_file_apart(other)[0]["sha256"] != with_old["sha256"]

        def change(header):
            header["__metadata__"]["skvae"] = json.dumps(with_old)

        assert "checksum" in refused(with_header(other, change))

    @pytest.mark.parametrize("n_header", [0, 2**40, 2**63, 2**64 - 1])
    def test_size_of_the_header(self, tiny, refused, n_header):
        refused(n_header.to_bytes(8, "little") + tiny[8:])

    def test_size_of_a_tensor(self, tiny, refused):
        def change(header):
            header["_nodes"]["shape"] = [2**31, 2**31]

        refused(with_header(tiny, change))


class TestTamperedWith:
    """The checksum is right in all of these: whoever changes a file can see to that."""

    def test_signed_anew_it_is_read(self, tiny, tmp_path):
        # Or else nothing here would be tested.
        (tmp_path / "model.skvae").write_bytes(changed_tree(tiny, lambda fields: None))
        skvae.load(tmp_path / "model.skvae")

    @pytest.mark.parametrize("name", ["os.system", "Pipeline", "BaseVAE", "", None, 3])
    def test_unknown_class(self, tiny, refused, name):
        document, arrays = take_file_apart(tiny)
        document["model"]["type"] = name
        assert "expected a type that this version of skvae knows" in refused(
            put_file_together(document, arrays)
        )

    def test_class_that_is_no_model(self, tiny, refused):
        document, _ = take_file_apart(tiny)
        document["model"] = {"type": "StandardScaler", "value": {}}
        assert "no fitted model" in refused(put_file_together(document, {}))

    def test_model_that_is_not_fitted(self, refused):
        document = {"format": "skvae model", "version": 1, "written_with": {}}
        tree = {"type": "VAE", "value": {}}
        assert "no fitted model" in refused(
            put_file_together({**document, "model": tree}, {})
        )

    def test_unknown_field(self, tiny, refused):
        content = changed_tree(tiny, lambda fields: fields.update(__class__="VAE"))
        assert "VAE has no field '__class__'" in refused(content)

    @pytest.mark.parametrize("name", ["net_", "_seed", "table_encoder_", "n_active_"])
    def test_missing_field(self, tiny, refused, name):
        content = changed_tree(tiny, lambda fields: fields.pop(name))
        assert f"VAE lacks {name}" in refused(content)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("_seed", 0.5),
            ("_seed", True),
            ("n_active_", "1"),
            ("net_", None),
            ("_nodes", {"type": "array", "value": "kl_per_dimension_"}),
            ("kl_per_dimension_", {"type": "array", "value": "net_.module.scales"}),
            ("table_encoder_", {"type": "VAE", "value": {}}),
        ],
    )
    def test_field_of_another_type(self, tiny, refused, name, value):
        content = changed_tree(tiny, lambda fields: fields.update({name: value}))
        assert f"{name} is" in refused(content)

    def test_tensor_that_nobody_asks_for(self, tiny, refused):
        document, arrays = take_file_apart(tiny)
        content = put_file_together(document, {**arrays, "payload": np.zeros(3)})
        assert "Got payload" in refused(content)

    def test_tensor_that_is_not_there(self, tiny, refused):
        document, arrays = take_file_apart(tiny)
        del arrays["_nodes"]
        refused(put_file_together(document, arrays))

    @pytest.mark.parametrize("change", [np.transpose, np.float32, lambda w: w[:-1]])
    def test_weights_of_another_outline(self, tiny, refused, change):
        document, arrays = take_file_apart(tiny)
        name = "net_.weights.encoder.hidden.0.linear.weight"
        arrays[name] = np.zeros((2, 3)) if change is np.transpose else arrays[name]
        arrays[name] = change(arrays[name])
        message = refused(put_file_together(document, arrays))
        assert "Weights 'encoder.hidden.0.linear.weight' are" in message

    def test_parts_of_different_models(self, tiny, refused):
        document, arrays = take_file_apart(tiny)
        arrays["kl_per_dimension_"] = np.zeros(5)
        assert "do not belong together" in refused(put_file_together(document, arrays))

    def test_groups_of_another_table(self, tiny, refused):
        def change(fields):
            encoder = fields["table_encoder_"]["value"]
            columns = encoder["groups_"][0]["value"]["columns"]
            columns["value"] = [0, 10**9]

        assert "is not that of the table's columns" in refused(
            changed_tree(tiny, change)
        )

    def test_object_that_is_part_of_itself(self, tiny, refused):
        for path in ("", "net_", "net_.module"):
            same = {"type": "same", "value": path}
            refused(changed_tree(tiny, lambda f, same=same: f.update(net_=same)))

    def test_encoder_that_is_asked_for_in_a_strange_place(self, tiny, tmp_path):
        given = {"type": "given", "value": "encoder"}
        path = tmp_path / "hostile.skvae"
        for name in ("lr", "decoder", "net_"):
            path.write_bytes(changed_tree(tiny, lambda f, n=name: f.update({n: given})))
            with pytest.raises(ModelFileError):
                skvae.load(path, encoder=PCA)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("hidden_layer_sizes", {"type": "tuple", "value": [10**9]}),
            ("hidden_layer_sizes", {"type": "tuple", "value": [2, 10**9, 10**9, 2]}),
            ("hidden_layer_sizes", {"type": "tuple", "value": [10**30]}),
            ("hidden_layer_sizes", {"type": "tuple", "value": [-1]}),
            ("latent_dim", 10**9),
            ("n_conditions", 10**9),
            ("prior", "learned"),
            ("activation", "os.system"),
            ("likelihood", "auto"),
            ("image_shape", {"type": "tuple", "value": [1, 10**9, 10**9]}),
        ],
    )
    def test_huge_networks_take_no_memory(self, tiny, refused, name, value):
        def change(fields):
            fields["net_"]["value"]["module"]["value"][name] = value

        content = changed_tree(tiny, change)
        before = most_memory()
        refused(content)
        assert most_memory() - before < 100_000

    def test_huge_columns_take_no_memory(self, detector_file, refused):
        def change(fields):
            fields = fields["model_"]["value"]["table_encoder_"]["value"]
            widths = fields["groups_"][0]["value"]["widths"]
            widths["value"] = [10**9] * len(widths["value"])

        refused(changed_tree(detector_file, change))

    @pytest.mark.parametrize("version", [0, -1, 2, 10**30, "1", 1.0, True, None])
    def test_other_versions(self, tiny, refused, version):
        document, arrays = take_file_apart(tiny)
        message = refused(put_file_together({**document, "version": version}, arrays))
        assert "version" in message or "header" in message


def test_later_versions_say_what_to_do(tiny, refused):
    document, arrays = take_file_apart(tiny)
    document |= {"version": 7, "written_with": {"skvae": "9.1"}}
    message = refused(put_file_together(document, arrays))
    assert "has version 7 of the format; expected 1 to" in message
    assert "9.1" in message
    assert "Upgrade skvae" in message


@pytest.mark.filterwarnings("ignore")
def test_ten_thousand_files(tiny, tmp_path):
    """Every one is refused by name, or is a model: nothing else comes up."""
    mutations = Mutations(tiny, seed=0)
    path = tmp_path / "fuzzed.skvae"
    read = dict.fromkeys(N_MUTATIONS, 0)
    for name, n_files in N_MUTATIONS.items():
        for _ in range(n_files):
            path.write_bytes(getattr(mutations, name)())
            try:
                skvae.load(path)
                read[name] += 1
            except ModelFileError:
                pass
    assert sum(N_MUTATIONS.values()) == 10_000
    # Some changes with a right checksum make another model; damage never does.
    assert 0 < read.pop("with_other_tree") < N_MUTATIONS["with_other_tree"] / 3
    assert 0 < read.pop("with_other_arrays") < N_MUTATIONS["with_other_arrays"]
    assert not any(read.values())


@pytest.mark.filterwarnings("ignore")
def test_files_of_larger_models(detector_file, tmp_path):
    table = make_clients(60)
    model = small(MSVAE).fit(table)
    path = tmp_path / "fuzzed.skvae"
    for content in (detector_file, saved(model, path)):
        mutations = Mutations(content, seed=1)
        for _ in range(150):
            path.write_bytes(mutations.with_other_tree())
            try:
                again = skvae.load(path)
            except ModelFileError:
                continue
            assert_same_state(again, again)
