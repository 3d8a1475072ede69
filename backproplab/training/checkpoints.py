"""The place of a training on disk, and the way back to it: network, optimizer, random state, epoch and batch, history."""

import hashlib
import json
import math
import os
from typing import NamedTuple

import numpy as np

from ..models.files import read_arrays, unreadable, write_arrays
from .history import NORMS
from .optimizers import Memory

KIND = "a checkpoint of a training"


class Place(NamedTuple):
    """All that a training goes on from, between two batches.

    `running` are a normalised network's statistics, `random` is the generator's state at the start of the epoch, `sums` what the epoch's batches have added up to so far, in the
    columns of `rows`, which are the finished epochs.
    """

    parameters: dict
    running: dict
    memory: Memory
    random: dict
    epoch: int
    batch: int
    sums: np.ndarray
    rows: tuple = ()


def facts_of(net, optimizer, X, Y, validation, settings):
    """What makes two trainings the same one, as text and numbers, besides the weights they start from."""
    facts = {"sizes": net.sizes, **net.settings, "dtype": str(net.dtype), "optimizer": repr(optimizer)}
    facts |= {"shape of X": X.shape, "shape of Y": Y.shape, "content of X and Y": _digest(X, Y)}
    facts |= {"content of validation": _digest(*validation) if validation else None, **settings}
    return json.loads(json.dumps(facts))


def _digest(*arrays):
    """A short text that differs where any number does."""
    found = hashlib.blake2b(digest_size=12)
    for array in arrays:
        found.update(repr(array.shape).encode())
        found.update(np.ascontiguousarray(array).data)
    return found.hexdigest()


def write_checkpoint(path, facts, place):
    """Write a place; a reader meets the one before or this one, whole. OSError: it cannot be written."""
    about = {"run": facts, "steps": place.memory.steps, "random": place.random}
    about |= {"epoch": place.epoch, "batch": place.batch}
    arrays = {f"network/{name}": array for name, array in place.parameters.items()}
    arrays |= {f"running/{name}": array for name, array in place.running.items()}
    for name, kept in place.memory.kept.items():
        arrays |= {f"optimizer/{name}/{key}": array for key, array in kept.items()}
    rows = np.reshape(np.array(place.rows, float), (len(place.rows), len(place.sums)))
    write_arrays("train", path, KIND, about, arrays | {"sums": place.sums, "rows": rows})


def read_checkpoint(path, facts, start, batches):
    """The place in a file for the training with these facts, which begins at the place `start`; `start` where there is no file.

    ValueError: a damaged file, or another training's. OSError: it cannot be read.
    """
    if not os.path.exists(path):
        return start
    about, arrays = read_arrays("train", path, KIND)
    try:
        _check_facts(path, about["run"], facts)
        place = _place(about, arrays, start)
        _check_place(place, start, batches)
    except _OtherTraining as error:
        raise ValueError(str(error)) from None
    except Exception as error:
        raise unreadable("train", path, KIND, error) from None
    return place


class _OtherTraining(ValueError):
    """A checkpoint is whole, but not of this training."""


def _check_facts(path, found, facts):
    for name, value in facts.items():
        if found[name] != value:
            raise _OtherTraining(
                f"train: the checkpoint {path} is of another training: {name} was {_brief(found[name])}, now it is "
                f"{_brief(value)}; give another path, or remove the file to begin anew"
            )


def _brief(value):
    text = str(value)
    return text if len(text) <= 120 else f"{text[:120]}…"


def _place(about, arrays, start):
    """The place that text and arrays describe. Any error: they describe none."""
    parameters = {name: arrays.pop(f"network/{name}") for name in start.parameters}
    running = {name: arrays.pop(f"running/{name}") for name in start.running}
    sums, rows = arrays.pop("sums"), arrays.pop("rows")
    kept = {name: {} for name in parameters} if about["steps"] else {}
    for name, array in arrays.items():
        _, parameter, key = name.split("/", 2)
        kept[parameter][key] = array
    shapes = {name: array.shape for name, array in parameters.items()} if about["steps"] else {}
    memory = Memory(about["steps"], shapes, kept)
    np.random.default_rng(0).bit_generator.state = about["random"]
    rows = tuple(tuple(row) for row in rows.tolist())
    return Place(parameters, running, memory, about["random"], about["epoch"], about["batch"], sums, rows)


def _check_place(place, start, batches):
    """ValueError: what stands in a place does not fit together."""
    for name, array in (start.parameters | start.running).items():
        found = (place.parameters | place.running)[name]
        if (found.shape, found.dtype) != (array.shape, array.dtype) or not np.isfinite(found).all():
            raise ValueError(f"{name} does not fit")
    whole = all(type(value) is int for value in (place.epoch, place.batch, place.memory.steps))
    if not whole or place.epoch != len(place.rows) or not 0 <= place.batch <= batches or place.memory.steps < 0:
        raise ValueError("epoch, batch or step does not fit")
    if place.sums.shape != start.sums.shape or any(len(row) != len(place.sums) for row in place.rows):
        raise ValueError("the history does not fit")
    if not all(math.isfinite(value) for row in place.rows for value in (row[0], *row[NORMS:])):
        raise ValueError("the history is not finite")
