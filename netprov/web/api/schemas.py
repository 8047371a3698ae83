"""The objects of the API, as JSON Schema (draft 2020-12, as OpenAPI 3.1 has it)."""

from __future__ import annotations

from collections.abc import Mapping

Schema = dict[str, object]

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
WHOLE: Schema = {"type": "integer"}
FLAG: Schema = {"type": "boolean"}


def maybe(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def listed(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def record(**properties: Schema) -> Schema:
    """An object that has all of these keys; more may come with later versions."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def paged(key: str, item: str) -> Schema:
    return record(**{key: listed(ref(item))}, total=WHOLE, page=WHOLE, pages=WHOLE)


_STATE: Schema = {"enum": ["local", "armed", "booting", "installing", "installed", "failed"]}
_STAGE_STATE: Schema = {"enum": ["done", "started", "failed"]}

SCHEMAS: Mapping[str, Schema] = {
    "Error": record(error=TEXT),
    "System": record(
        name=TEXT,
        profile=TEXT,
        image=TEXT,
        distro=TEXT,
        hostname=TEXT,
        uuid=TEXT,
        serial=TEXT,
        arch=TEXT,
        breed=TEXT,
        os_version=TEXT,
        kernel=TEXT,
        initrd=listed(TEXT),
        kernel_options={"type": "object", "additionalProperties": maybe(listed(TEXT))},
        autoinstall=TEXT,
        install={"enum": ["local", "install-once", "always"]},
        interfaces=listed(record(name=TEXT, mac=maybe(TEXT), ip=maybe(TEXT), bridge=TEXT)),
        virt=ref("Virt"),
        comment=TEXT,
        declared=TEXT,
    ),
    "Virt": record(
        type=TEXT,
        ram=WHOLE,
        cpus=WHOLE,
        disks=listed(record(size=WHOLE, path=TEXT, driver=TEXT)),
        bridge=TEXT,
        path=TEXT,
        auto_boot=FLAG,
    ),
    "Systems": paged("systems", "System"),
    "Install": record(system=TEXT, state=_STATE, meaning=TEXT),
    "Verdict": record(
        id=TEXT, name=TEXT, severity={"enum": ["error", "warning"]}, sentence=TEXT, advice=TEXT, at=NUMBER
    ),
    "Status": record(
        machine=TEXT,
        system=TEXT,
        macs=listed(TEXT),
        hostname=TEXT,
        profile=TEXT,
        install=maybe(_STATE),
        says=TEXT,
        boot=maybe(WHOLE),
        started=maybe(NUMBER),
        at=maybe(NUMBER),
        stage=TEXT,
        state={"enum": ["", "done", "started", "failed"]},
        reached={"type": "object", "additionalProperties": _STAGE_STATE},
        text=TEXT,
        progress=maybe(ref("Progress")),
        verdicts=listed(ref("Verdict")),
    ),
    "Progress": record(
        name=TEXT,
        stage=TEXT,
        at=NUMBER,
        size=WHOLE,
        sent=WHOLE,
        seconds=NUMBER,
        rate=NUMBER,
        percent=WHOLE,
        text=TEXT,
    ),
    "NewSystem": {
        "type": "object",
        "properties": {"name": {**TEXT, "minLength": 1, "maxLength": 128}, "profile": TEXT},
        "required": ["name"],
        "description": "Besides its name every field that a system has in netprov.yaml, written as it is there.",
        "examples": [{"name": "lady", "profile": "web", "interfaces": {"eth0": {"mac": "00:16:3e:11:11:11"}}}],
    },
    "Added": record(system=TEXT, declared=TEXT),
    "Removed": record(system=TEXT, declared=TEXT),
    "Statuses": paged("machines", "Status"),
    "Event": record(
        at=NUMBER,
        after=NUMBER,
        kind=TEXT,
        reason=TEXT,
        text=TEXT,
        stage=TEXT,
        mac=TEXT,
        ip=TEXT,
        system=TEXT,
        name=TEXT,
        size=WHOLE,
        seconds=NUMBER,
        retransmits=WHOLE,
        trace=listed(TEXT),
        detail={"type": "object", "additionalProperties": TEXT},
    ),
    "Boot": record(
        machine=TEXT,
        system=TEXT,
        boot=WHOLE,
        started=NUMBER,
        seconds=NUMBER,
        stages=listed(record(stage=TEXT, state=_STAGE_STATE, at=NUMBER, after=NUMBER, size=WHOLE, seconds=NUMBER)),
        events=listed(ref("Event")),
        verdicts=listed(ref("Verdict")),
    ),
    "Boots": record(boots=listed(ref("Boot"))),
    "Reply": record(
        type=TEXT,
        to=TEXT,
        note=TEXT,
        yiaddr=TEXT,
        siaddr=TEXT,
        giaddr=TEXT,
        sname=TEXT,
        file=TEXT,
        options=listed(record(code=WHOLE, name=TEXT, value=TEXT, origin=TEXT)),
    ),
    "Explained": record(
        machine=TEXT,
        system=TEXT,
        arch=TEXT,
        stages=listed(
            record(
                stage=TEXT,
                asks=TEXT,
                gets=TEXT,
                why=listed(record(reason=TEXT, text=TEXT, origin=TEXT)),
                text=TEXT,
                problem=TEXT,
                advice=TEXT,
                replies=listed(ref("Reply")),
                facts=listed(record(name=TEXT, value=TEXT)),
            )
        ),
    ),
    "Rendered": record(kind=TEXT, name=TEXT, text=TEXT),
    "Lease": record(
        ip=TEXT,
        mac=TEXT,
        state={"enum": ["leased", "expired", "released", "declined"]},
        expires=maybe(NUMBER),
        system=TEXT,
        hostname=TEXT,
        subnet=TEXT,
        uuid=TEXT,
        arch=maybe(WHOLE),
        client_id=TEXT,
        circuit_id=TEXT,
        remote_id=TEXT,
    ),
    "Leases": paged("leases", "Lease"),
}
