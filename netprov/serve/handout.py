"""Handing each new inventory generation to the workers: whole, or not at all.

The supervisor pickles an inventory once into anonymous memory and passes its descriptor to every worker. A worker that
has read the whole makes of it what it serves from (current.py), and swaps that by one assignment: each packet and each
request is answered from one generation, to its end.
"""

from __future__ import annotations

import os
import pickle
import socket

from netprov.inventory.model import Inventory

NEW_GENERATION = b"g"
READY = b"r"


def packed(inventory: Inventory) -> int:
    """A descriptor of memory that holds the pickled inventory. Whoever gets it closes it."""
    fd = os.memfd_create("netprov-inventory")
    with os.fdopen(os.dup(fd), "wb") as file:
        pickle.dump(inventory, file, protocol=pickle.HIGHEST_PROTOCOL)
    return fd


def hand(control: socket.socket, memory: int) -> None:
    """Pass a packed inventory to the worker at the other end. Raises OSError where it is gone."""
    socket.send_fds(control, [NEW_GENERATION], [memory])


def receive(control: socket.socket) -> Inventory | None:
    """Wait for the next generation. None: the supervisor is gone."""
    try:
        message, descriptors, _flags, _address = socket.recv_fds(control, 16, 1)
    except OSError:
        return None
    if message != NEW_GENERATION or not descriptors:
        return None
    # the descriptor is shared with the other workers, and so would be its position: read by offset
    fd = descriptors[0]
    try:
        return _unpickled(os.pread(fd, os.fstat(fd).st_size, 0))
    finally:
        os.close(fd)


def _unpickled(data: bytes) -> Inventory:
    inventory = pickle.loads(data)  # ours alone: the memory was made by the supervisor and has no name
    assert isinstance(inventory, Inventory)
    return inventory
