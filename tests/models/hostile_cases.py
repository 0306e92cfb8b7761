"""Files that somebody tampered with: read, changed, and signed anew."""

import copy
import json

import numpy as np
from safetensors.numpy import load, save

from skvae._core.model_file import signed


def take_file_apart(content):
    """Return the text and the arrays of a model file."""
    n_header = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + n_header])
    return json.loads(header["__metadata__"]["skvae"]), load(content)


def put_file_together(document, arrays):
    """Return a model file whose checksum is right, whatever is in it."""
    arrays = {name: np.array(array, order="C") for name, array in arrays.items()}
    document = {name: part for name, part in document.items() if name != "sha256"}
    return save(arrays, {"skvae": signed(document, arrays)})


def with_header(content, change):
    """Return a file whose header of safetensors, parsed, went through a function."""
    n_header = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + n_header])
    text = json.dumps(change(header) or header).encode()
    return len(text).to_bytes(8, "little") + text + content[8 + n_header :]


def places(tree, found=None):
    """Return every container in a tree with every key or index into it."""
    found = [] if found is None else found
    items = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for key, item in list(items):
        found.append((tree, key))
        if isinstance(item, dict | list):
            places(item, found)
    return found


class Mutations:
    """Random changes of a model file, as a disk, a network or an enemy makes them.

    Parameters
    ----------
    content : bytes
        A model file that can be read.

    seed : int
        Determines the changes.
    """

    def __init__(self, content, seed):
        self.content = content
        self.rng = np.random.default_rng(seed)
        self.parts = [item[key] for item, key in places(take_file_apart(content)[0])]

    def choose(self, items):
        return items[self.rng.integers(len(items))]

    def flipped(self):
        """Some bytes are others."""
        content = bytearray(self.content)
        for _ in range(self.rng.integers(1, 9)):
            content[self.rng.integers(len(content))] ^= int(self.rng.integers(1, 256))
        return bytes(content)

    def flipped_in_header(self):
        """A byte of the first kilobytes is another."""
        content = bytearray(self.content)
        content[self.rng.integers(4000)] ^= 1 << int(self.rng.integers(8))
        return bytes(content)

    def cut(self):
        """The end, the beginning or some of the middle is lost, or there twice."""
        start, stop = sorted(self.rng.integers(len(self.content), size=2))
        part = self.content[start:stop]
        return self.choose(
            [
                self.content[:start],
                self.content[start:],
                part,
                self.content[:start] + self.content[stop:],
                self.content[:stop] + part + self.content[stop:],
            ]
        )

    def with_other_outlines(self):
        """The header tells of other types, shapes or places of a tensor."""

        def change(header):
            before = copy.deepcopy(header)
            while header == before:
                change_once(header)

        def change_once(header):
            name = self.choose([name for name in header if name != "__metadata__"])
            tensor = header[name]
            field = self.choose(["dtype", "shape", "data_offsets", "name"])
            if field == "name":
                header[self.choose(list(header)) + "'"] = header.pop(name)
            elif field == "dtype":
                tensor["dtype"] = self.choose(["F32", "I64", "BF16", "U8", "BOOL", "X"])
            else:
                numbers = tensor[field] or [0]
                place = self.rng.integers(len(numbers))
                numbers[place] = self.choose([0, 1, -1, 2**40, 2**63, 1.5, "2", None])
                tensor[field] = numbers

        return with_header(self.content, change)

    def with_other_tree(self):
        """The text says something else, and the checksum is right."""
        document, arrays = take_file_apart(self.content)
        for _ in range(self.choose([1, 1, 1, 2, 5])):
            container, key = self.choose(places(document["model"]))
            self.choose([self._replace, self._replace, self._drop, self._add])(
                container, key
            )
        return put_file_together(document, arrays)

    def with_other_arrays(self):
        """Arrays hold other numbers or have other shapes, and the checksum is right."""
        document, arrays = take_file_apart(self.content)
        name = self.choose(list(arrays))
        array = arrays[name]
        arrays[name] = self.choose(
            [
                np.full_like(array, self.choose([0, 1, 127])),
                array.astype(self.choose([np.float32, np.int64, np.uint8, np.float16])),
                array.ravel(),
                array[..., None],
                array[:0],
                array[:1].repeat(3, axis=0) if array.ndim else array[None],
                np.full(array.shape, np.nan),
                np.full(array.shape, np.inf),
                arrays[self.choose(list(arrays))],
            ]
        )
        return put_file_together(document, arrays)

    def _replace(self, container, key):
        strange = [None, True, 0, -1, 1, 0.5, 10**9, 10**30, -1e308, "", "VAE", [], {}]
        names = ["tuple", "Net", "ColumnGroup", "dtype", "Levels", "same", "given"]
        tags = [{"type": name, "value": container[key]} for name in names]
        container[key] = self.choose([*strange, *tags, *[self._part()] * 9])

    def _drop(self, container, key):
        del container[key]

    def _add(self, container, key):
        if isinstance(container, dict):
            container[f"{key}_"] = self._part()
        else:
            container.insert(key, self._part())

    def _part(self):
        """Return a part of the file itself, which fits better than most."""
        return copy.deepcopy(self.choose(self.parts))
