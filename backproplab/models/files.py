"""A file of arrays with a page of text about them: .npz, never pickled, replaced as a whole or not at all."""

import json
import os
import signal
import threading

import numpy as np

from ..given import shown

ABOUT, VERSION = "about", 1  # the member that holds the text, as JSON; the format's version
NETWORK = "a network"
_ONE_AT_A_TIME = threading.Lock()


def file_path(caller, path):
    """A path as text. TypeError: something else, such as a number, which Python would take for an open file."""
    try:
        return os.fsdecode(path)
    except TypeError:
        raise TypeError(f"{caller}: expected the path of a file, found {shown(path)}") from None


def _undisturbed(work, *about):
    """What work returns; an interrupt waits for its end, since zipfile would answer KeyboardInterrupt with an error of its own."""
    waiting, usual = [], signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or usual is None:
        return work(*about)  # an interrupt comes to the main thread alone, and by Python's own way
    signal.signal(signal.SIGINT, lambda *_: waiting.append(True))
    try:
        return work(*about)
    finally:
        signal.signal(signal.SIGINT, usual)
        if waiting:
            signal.raise_signal(signal.SIGINT)


def write_arrays(caller, path, kind, about, arrays):
    """Write arrays by name with what is said `about` them; whoever reads the file meets the old one or the new one, whole.

    Written beside it, forced to disk, then put in its place. OSError: it cannot be written.
    """
    text = json.dumps({"backproplab": kind, "version": VERSION} | about)
    path = os.path.realpath(file_path(caller, path))
    _undisturbed(_replace, path, {ABOUT: np.array(text)} | arrays)


def _replace(path, arrays):
    unfinished = f"{path}.part"
    with _ONE_AT_A_TIME:
        try:
            with open(unfinished, "wb") as file:
                np.savez(file, allow_pickle=False, **arrays)
                file.flush()
                os.fsync(file.fileno())
            os.replace(unfinished, path)
        except BaseException:
            if os.path.exists(unfinished):
                os.remove(unfinished)
            raise
        _force_folder(os.path.dirname(path))


def _force_folder(folder):
    """The new name of a file reaches the disk too, where the system lets a folder be opened (not on Windows)."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def read_arrays(caller, path, kind):
    """(about, arrays) of a file that `write_arrays` wrote. ValueError: damaged, or of another kind. OSError: not readable."""
    path = file_path(caller, path)
    with open(path, "rb") as file:
        try:
            about, arrays = _undisturbed(_members, file)
            found = about.pop("backproplab"), about.pop("version")
        except Exception as error:  # of a damaged file anything can come, MemoryError too
            raise unreadable(caller, path, kind, error) from None
    if found != (kind, VERSION):
        raise ValueError(
            f"{caller}: {path} holds {found[0]!s:.40} (version {found[1]!s:.10}), expected {kind} (version {VERSION})"
        )
    return about, arrays


def _members(file):
    with np.load(file, allow_pickle=False) as members:
        arrays = {name: members[name] for name in members.files}
    return json.loads(str(arrays.pop(ABOUT))), arrays


def unreadable(caller, path, kind, error):
    """The error for a file that is not what it should be."""
    reason = f"{type(error).__name__}: {error!s:.100}"
    return ValueError(
        f"{caller}: {path} is damaged, or not {kind} that backproplab wrote (pickled data is never read): {reason}"
    )


def write_network(network, path):
    """Write a network's parameters and settings."""
    running = {f"running/{name}": array for name, array in network.running.items()}
    write_arrays("Network.save", path, NETWORK, network.settings, network.parameters | running)


def read_network(make, path):
    """The network of a file, by `make.from_parameters`."""
    about, arrays = read_arrays("Network.load", path, NETWORK)
    running = {name.removeprefix("running/"): arrays.pop(name) for name in list(arrays) if name.startswith("running/")}
    try:
        return make.from_parameters(arrays, running=running, **about)
    except (KeyError, TypeError, ValueError) as error:
        raise unreadable("Network.load", path, NETWORK, error) from None
