"""What the paths of pictures tell: their order, their classes, their split."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import takewhile

import numpy as np

from gaussiandiffusion.ground.attributes import ConditionColumns
from gaussiandiffusion.ground.errors import InputError

Describe = Callable[[list[str]], ConditionColumns | None]

SPLIT_FOLDERS = ("train", "test")
OTHER_SPLITS = ("val", "valid", "validation")  # beside these two: passed over
SHOWN = 12  # class names in an error, at most


def natural_key(path: str) -> tuple[tuple[str, str], ...]:
    """A sort key that puts `2.png` before `10.png`, folder by folder."""
    return tuple(_natural_part(part) for part in path.split("/"))


def _natural_part(part: str) -> tuple[str, str]:
    # Text and numbers alternate, and each text ends with a zero character: so equal places always compare, and the
    # shorter text comes first. A number is compared by its length, then its digits. All in one string, as a million
    # names are sorted in memory.
    pieces = re.split(r"([0-9]+)", part)
    key = pieces[0] + "\0"
    for number, text in zip(pieces[1::2], pieces[2::2], strict=True):
        digits = number.lstrip("0")
        key += f"{chr(len(digits) + 1)}{digits}{text}\0"
    return key, part


def folder_classes(paths: list[str]) -> ConditionColumns | None:
    """Classes from folder names.

    If every picture's own folder is called by a whole number, that is its class, wherever the folder lies. Otherwise,
    if (below what all paths share) the pictures lie in one level of class folders, at least two, it is that folder.
    Otherwise there are none. Classes are counted in natural order of the folders' names, which are theirs.

    Args:
        paths: with `/` between folders.
    """
    parents = [path.rpartition("/")[0] for path in paths]
    folders = {parent: parent.split("/") if parent else [] for parent in parents}
    if all(parts and _is_number(parts[-1]) for parts in folders.values()):
        own = {parent: str(int(parts[-1])) for parent, parts in folders.items()}
    else:
        shared = len(_shared(list(folders.values())))
        if any(len(parts) != shared + 1 for parts in folders.values()):
            return None
        own = {parent: _whole(parts[-1]) for parent, parts in folders.items()}
    names = sorted(set(own.values()), key=natural_key)
    place = {name: index for index, name in enumerate(names)}
    return ConditionColumns.of_labels(np.array([place[own[parent]] for parent in parents]), names)


def _is_number(folder: str) -> bool:
    return re.fullmatch(r"[0-9]{1,18}", folder) is not None


def _whole(folder: str) -> str:
    """The name as a user types it: some systems take names apart, letters from accents."""
    return unicodedata.normalize("NFC", folder)


def _shared(folders: Sequence[Sequence[str]]) -> list[str]:
    """The folders that all paths begin with."""
    return [level[0] for level in takewhile(lambda level: len(set(level)) == 1, zip(*folders, strict=False))]


@dataclass(frozen=True)
class Split:
    """One split of pictures that lie in sub-folders `train` and `test`.

    Attributes:
        prefix: what the paths of its pictures begin with.
        describe: paths of its pictures -> their classes, named and numbered alike in both splits.
    """

    prefix: str
    describe: Describe


def find_split(paths: list[str], split: str, where: str) -> Split | None:
    """The split that was asked for; None where the pictures lie in no sub-folders of splits.

    They do if (below what all paths share) there are both `train/` and `test/`, or one of them and nothing else but
    folders for validation. What else there is in such a folder is passed over.

    Raises:
        InputError: there is only the other split; pictures lie beside the sub-folders; or `test/` has classes that
            `train/` lacks.
    """
    folders = [path.split("/")[:-1] for path in paths]
    above = list(takewhile(lambda folder: folder not in SPLIT_FOLDERS, _shared(folders)))
    tops = {parts[len(above)] if len(parts) > len(above) else "" for parts in folders}
    there = tops.intersection(SPLIT_FOLDERS)
    if not there or (len(there) < 2 and tops.difference(SPLIT_FOLDERS, OTHER_SPLITS)):
        return None
    root = "/".join([where, *above])
    if split not in there:
        raise InputError(
            f"{root}: holds {there.pop()}/ but no {split}/; add that, or ask for the other split (--split)"
        )
    if "" in tops:
        beside = next(path for path, parts in zip(paths, folders, strict=True) if len(parts) == len(above))
        raise InputError(
            f"{where}/{beside}: lies beside the sub-folders train/ and test/; move it into one of them, or out of there"
        )
    prefixes = {name: "/".join([*above, name, ""]) for name in there}
    below = {
        name: [path.removeprefix(prefix) for path in paths if path.startswith(prefix)]
        for name, prefix in prefixes.items()
    }
    describe: Describe = folder_classes
    if len(there) == 2:
        names = _class_names(below["train"])
        _classes_like(names, root, below["test"])
        describe = partial(_classes_like, names, root) if split == "test" else folder_classes
    prefix = prefixes[split]
    return Split(prefix, lambda own: describe([path.removeprefix(prefix) for path in own]))


def _class_names(paths: list[str]) -> Sequence[str]:
    classes = folder_classes(paths)
    (names,) = ((),) if classes is None else classes.spec.attributes.values()
    return names


def _classes_like(names: Sequence[str], root: str, paths: list[str]) -> ConditionColumns | None:
    """Classes of test pictures by the names of those of training; None where no picture lies in a folder."""
    if not names:
        if extra := _class_names(paths):
            raise InputError(
                f"{root}/test: has classes ({', '.join(extra[:SHOWN])}), but {root}/train has none; "
                "sort both into folders of the same names, or neither"
            )
        return None
    folders = [path.split("/")[:-1] for path in paths]
    if not any(folders):
        return None
    place = {name: index for index, name in enumerate(names)}
    labels = np.empty(len(paths), np.int64)
    for row, (path, parts) in enumerate(zip(paths, folders, strict=True)):
        own = _whole(parts[-1]) if parts else ""
        own = str(int(own)) if own not in place and _is_number(own) else own
        if own not in place:
            raise InputError(
                f"{root}/test/{path}: its folder is none of the classes in {root}/train "
                f"({', '.join(names[:SHOWN])}{', ...' if len(names) > SHOWN else ''}); name classes alike in both"
            )
        labels[row] = place[own]
    return ConditionColumns.of_labels(labels, names)
