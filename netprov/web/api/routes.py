"""The table of the API's routes. The views, their checks and the OpenAPI document are made from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from netprov.boot.arch import ARCHS
from netprov.explain.walked import STARTS, VIAS
from netprov.inventory.model import Scope
from netprov.web.api import answers
from netprov.web.api.answers import Asked, Json
from netprov.web.api.schemas import FLAG, TEXT, WHOLE, Schema

PREFIX = "/api/v1"


@dataclass(frozen=True, slots=True)
class Parameter:
    """`where` is "path" or "query"."""

    name: str
    where: str
    schema: Schema
    help: str


@dataclass(frozen=True, slots=True)
class Route:
    """`errors`: statuses beside 200, 400, 401, 403 and 503 that it may answer with."""

    method: str
    path: str
    answer: Callable[[Asked], Json]
    scope: Scope
    schema: str
    summary: str
    parameters: tuple[Parameter, ...] = ()
    errors: tuple[int, ...] = ()
    body: str = ""  # the schema of what is sent

    @property
    def name(self) -> str:
        return self.answer.__name__


_PAGING = (
    Parameter("q", "query", {**TEXT, "maxLength": 200}, "Words that must all appear in it."),
    Parameter(
        "page", "query", {**WHOLE, "minimum": 1, "maximum": 1_000_000}, "From 1; any beyond the last is the last."
    ),
    Parameter("per_page", "query", {**WHOLE, "minimum": 1, "maximum": 500}, "How many per page; 50 by default."),
)
_NAME = Parameter("name", "path", {**TEXT, "minLength": 1}, "The system's name.")
_PROFILE = Parameter("name", "path", {**TEXT, "minLength": 1}, "The profile's name.")
_MACHINE = Parameter("machine", "path", {**TEXT, "minLength": 1}, "A system's name, a MAC, a UUID or an address.")
_LAST = Parameter("last", "query", {**WHOLE, "minimum": 1, "maximum": 100}, "How many boots.")
_ARCH: Schema = {"type": "string", "enum": [row.name for row in ARCHS.values()]}

ROUTES: tuple[Route, ...] = (
    Route("GET", "/systems", answers.systems, Scope.READ, "Systems", "The declared systems.", _PAGING),
    Route("GET", "/systems/{name}", answers.system, Scope.READ, "System", "A declared system.", (_NAME,), (404,)),
    Route(
        "POST",
        "/systems",
        answers.add,
        Scope.EDIT,
        "Added",
        "Declare a system: it is written into the inventory's files.",
        errors=(409, 415),
        body="NewSystem",
    ),
    Route(
        "DELETE",
        "/systems/{name}",
        answers.delete,
        Scope.EDIT,
        "Removed",
        "Remove a system: its entry is removed from the inventory's files.",
        (_NAME,),
        (404, 409),
    ),
    Route(
        "GET",
        "/profiles/{name}",
        answers.profile,
        Scope.READ,
        "System",
        "A declared profile, as a system without fields of its own has it.",
        (_PROFILE,),
        (404,),
    ),
    Route(
        "POST",
        "/systems/{name}/arm",
        answers.arm,
        Scope.OPERATE,
        "Install",
        "Install it at its next network boot.",
        (_NAME,),
        (404, 409),
    ),
    Route(
        "POST",
        "/systems/{name}/disarm",
        answers.disarm,
        Scope.OPERATE,
        "Install",
        "Let it boot its own disk.",
        (_NAME,),
        (404,),
    ),
    Route("GET", "/status", answers.status, Scope.READ, "Statuses", "Where every system stands, and why.", _PAGING),
    Route(
        "GET",
        "/status/{machine}",
        answers.status_of,
        Scope.READ,
        "Status",
        "Where a machine stands, declared or not.",
        (_MACHINE,),
        (404,),
    ),
    Route(
        "GET",
        "/explain/{machine}",
        answers.explained,
        Scope.READ,
        "Explained",
        "What a machine would get now at every stage of its boot, and why.",
        (
            _MACHINE,
            Parameter("arch", "query", _ARCH, "Its firmware; by default that of its latest boot."),
            Parameter("loader", "query", {"type": "string", "enum": list(STARTS)}, "What runs on it already."),
            Parameter("via", "query", {"type": "string", "enum": list(VIAS)}, "What its files come over."),
            Parameter("relay", "query", {**TEXT, "format": "ipv4"}, "The relay agent's address."),
            Parameter("armed", "query", FLAG, "As if an install of it were armed."),
        ),
        (404, 500),
    ),
    Route("GET", "/timeline", answers.recent, Scope.READ, "Boots", "The latest boots of all machines.", (_LAST,)),
    Route(
        "GET",
        "/timeline/{machine}",
        answers.timeline,
        Scope.READ,
        "Boots",
        "The latest boots of a machine, oldest first.",
        (_MACHINE, _LAST),
        (404,),
    ),
    Route(
        "GET",
        "/render/{kind}/{name}",
        answers.rendered,
        Scope.READ,
        "Rendered",
        "A loader's script, the installer's answers, or the kernel's arguments, as a machine would get them.",
        (
            Parameter(
                "kind",
                "path",
                {"type": "string", "enum": ["autoinstall", "pxelinux", "grub", "ipxe", "xen", "args"]},
                "What to render.",
            ),
            Parameter("name", "path", {**TEXT, "minLength": 1}, "A system or a profile; for a script also a MAC."),
            Parameter("armed", "query", FLAG, "As if an install of it were armed."),
        ),
        (404, 500),
    ),
    Route("GET", "/leases", answers.lease_list, Scope.READ, "Leases", "The addresses given.", _PAGING),
)

BY_PATH: Mapping[str, tuple[Route, ...]] = {
    path: tuple(route for route in ROUTES if route.path == path) for path in dict.fromkeys(r.path for r in ROUTES)
}
