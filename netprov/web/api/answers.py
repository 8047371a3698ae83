"""What each route of the API answers. Raises PeerError, ConfigError and StateError, which the application answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from flask import Request

from netprov.boot.install import Arm, GoLocal
from netprov.boot.request import BootRequest, Loader
from netprov.boot.who import UnknownName, who
from netprov.errors import PeerError
from netprov.explain.rows import stage_row
from netprov.inventory.model import Inventory, Target, Value
from netprov.journal.boots import Boot
from netprov.journal.export import boot_object
from netprov.journal.timeline import Timeline
from netprov.journal.verdicts import Context, Verdict, judge
from netprov.render.preview import Preview, Records
from netprov.web import leases, machines
from netprov.web.declare import declare, remove
from netprov.web.explained import Question, Tokenless, explain, origin_text, server_address
from netprov.web.glance import Glance
from netprov.web.operate import operate
from netprov.web.rows import status_object, verdict_object
from netprov.web.services import Services

Json = dict[str, object]
PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class Asked:
    """A request whose parameters the table has checked: those that were given, by name. `by`: who asks."""

    services: Services
    request: Request
    values: Mapping[str, str | int | bool]
    by: str = ""
    body: Mapping[str, Value] = field(default_factory=dict)

    @property
    def inventory(self) -> Inventory:
        return self.services.inventory()

    def text(self, name: str, default: str = "") -> str:
        return str(self.values.get(name, default))

    def number(self, name: str, default: int) -> int:
        return int(self.values.get(name, default))

    @property
    def armed(self) -> bool:
        return bool(self.values.get("armed", False))

    @property
    def local(self) -> str:
        """Our address that the request arrived at."""
        return str(self.request.environ.get("SERVER_NAME", ""))

    @property
    def page(self) -> machines.Page:
        per_page = self.number("per_page", PER_PAGE)
        return machines.search(self.inventory, self.text("q"), self.number("page", 1), per_page)


def systems(asked: Asked) -> Json:
    page = asked.page
    rows = [_system(machine.target, asked.inventory) for machine in page.machines if machine.target is not None]
    return {"systems": rows, "total": page.total, "page": page.number, "pages": page.pages}


def system(asked: Asked) -> Json:
    return _system(_declared(asked), asked.inventory)


def profile(asked: Asked) -> Json:
    target = asked.inventory.profile(asked.text("name"))
    if target is None:
        raise PeerError(f"no profile is called {asked.text('name')!r}", 404)
    return _system(target, asked.inventory)


def add(asked: Asked) -> Json:
    name = str(asked.body["name"])
    fields = {key: value for key, value in asked.body.items() if key != "name"}
    return {"system": name, "declared": declare(asked.services, name, fields, asked.by)}


def delete(asked: Asked) -> Json:
    name = asked.text("name")
    return {"system": name, "declared": remove(asked.services, name, asked.by)}


def arm(asked: Asked) -> Json:
    return _operate(asked, Arm())


def disarm(asked: Asked) -> Json:
    return _operate(asked, GoLocal())


def status(asked: Asked) -> Json:
    page = asked.page
    with Glance(asked.services) as glance:
        rows = [status_object(glance.standing(machine)) for machine in page.machines]
    return {"machines": rows, "total": page.total, "page": page.number, "pages": page.pages}


def status_of(asked: Asked) -> Json:
    machine = machines.find(asked.inventory, asked.text("machine"))
    with Glance(asked.services) as glance:
        found = glance.standing(machine)
    if found.boot is None and machine.target is None:
        raise PeerError(f"neither the inventory nor the journal knows {machine.name!r}", 404)
    return status_object(found)


def explained(asked: Asked) -> Json:
    name, inventory = asked.text("machine"), asked.inventory
    with Timeline(asked.services.journal) as journal:
        boots = journal.boots(machines.find(inventory, name).names, 1)
    question = Question(
        name, asked.text("arch"), asked.text("loader", "none"), asked.armed, asked.local, asked.text("via"),
        asked.text("relay"),
    )  # fmt: skip
    state = asked.services.state
    found = explain(question, asked.services.generation(), state.installs, boots[-1] if boots else None, state.leases)
    return {
        "machine": name,
        "system": found.target.name if found.target is not None else "",
        "arch": found.arch.name,
        "stages": [stage_row(stage, lambda origin: origin_text(origin, inventory.files)) for stage in found.stages],
    }


def recent(asked: Asked) -> Json:
    with Timeline(asked.services.journal) as journal:
        boots = journal.recent(asked.number("last", 20))
    return {"boots": [_boot(boot, found) for boot, found in judge(boots, _context(asked))]}


def timeline(asked: Asked) -> Json:
    machine = machines.find(asked.inventory, asked.text("machine"))
    with Timeline(asked.services.journal) as journal:
        boots = journal.boots(machine.names, asked.number("last", 1))
    if not boots and machine.target is None:
        raise PeerError(f"neither the inventory nor the journal knows {machine.name!r}", 404)
    return {"boots": [_boot(boot, found) for boot, found in judge(boots, _context(asked))]}


def rendered(asked: Asked) -> Json:
    kind, name, inventory = asked.text("kind"), asked.text("name"), asked.inventory
    target = inventory.system(name) or inventory.profile(name)
    local = server_address(inventory, target, asked.local)
    preview = Preview(
        asked.services.generation(), Records(Tokenless(asked.services.state.installs), asked.armed), local
    )
    if kind in ("autoinstall", "args"):
        if target is None:
            raise PeerError(f"no system or profile is called {name!r}", 404)
        if kind == "args":
            text = preview.arguments(target, None)
        else:
            text = preview.answers(target, None).body.decode(errors="replace")  # a plain file need not be UTF-8
    else:
        script = preview.script(Loader(kind), _asking(name, inventory))
        if script is None:
            raise PeerError(f"{name} gets no {kind} script; explain it to see why", 404)
        text = script.body.decode()
    return {"kind": kind, "name": name, "text": text}


def lease_list(asked: Asked) -> Json:
    page = leases.search(
        asked.services.state.leases.all(),
        asked.text("q"),
        asked.number("page", 1),
        asked.number("per_page", PER_PAGE),
        asked.services.clock(),
    )
    return {"leases": list(page.leases), "total": page.total, "page": page.number, "pages": page.pages}


def _declared(asked: Asked) -> Target:
    target = asked.inventory.system(asked.text("name"))
    if target is None:
        raise PeerError(f"no system is called {asked.text('name')!r}", 404)
    return target


def _asking(name: str, inventory: Inventory) -> BootRequest:
    try:
        return who(name, inventory)
    except UnknownName as error:
        raise PeerError(str(error), 404) from None


def _operate(asked: Asked, event: Arm | GoLocal) -> Json:
    name = asked.text("name")
    after, does = operate(asked.services, asked.request, name, event, asked.by)
    return {"system": name, "state": after.state.value, "meaning": f"{name} {does}"}


def _context(asked: Asked) -> Context:
    return Context.of(asked.inventory, asked.services.clock())


def _boot(boot: Boot, verdicts: tuple[Verdict, ...]) -> Json:
    return {**boot_object(boot), "verdicts": [verdict_object(verdict) for verdict in verdicts]}


def _system(target: Target, inventory: Inventory) -> Json:
    return {
        "name": target.name,
        "profile": target.profile,
        "image": target.image,
        "distro": target.distro,
        "hostname": target.hostname,
        "uuid": target.uuid,
        "serial": target.serial,
        "arch": target.arch,
        "breed": target.breed,
        "os_version": target.os_version,
        "kernel": target.kernel,
        "initrd": list(target.initrd),
        "kernel_options": {k: None if v is None else list(v) for k, v in target.kernel_options.items()},
        "autoinstall": target.autoinstall,
        "install": target.install.value,
        "interfaces": [
            {"name": i.name, "mac": i.mac, "ip": str(i.ip) if i.ip is not None else None, "bridge": i.bridge}
            for i in target.interfaces
        ],
        "virt": asdict(target.virt),
        "comment": target.comment,
        "declared": origin_text(target.origin, inventory.files),
    }
