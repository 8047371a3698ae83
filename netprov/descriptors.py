"""How much a worker can take on at once with the file descriptors that it may have."""

from __future__ import annotations

import resource

SPARE = 64  # for the state database, the journal's socket, the loop itself


def room_for(clients: int, spare: int = SPARE) -> int:
    """How many clients at once the process' descriptors suffice for, `clients` at most; the soft limit is raised for
    it where it may be. `spare`: what is not for clients.

    Each may need two, for its socket and its file. Without the room nobody is answered any more: 1,000 idle clients
    would do under the usual limit of 1,024.
    """
    wanted = 2 * clients + spare
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == resource.RLIM_INFINITY:
        return clients
    return max(1, min(clients, (soft - spare) // 2))
