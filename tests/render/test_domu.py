"""The answer for a domU."""

from __future__ import annotations

import json
from dataclasses import replace

from netprov.boot.domu import answer_name
from netprov.boot.install import InstallRecord, InstallState
from netprov.boot.names import parse_name
from netprov.boot.request import BootRequest, Loader, Via
from netprov.files.sums import Sum
from netprov.inventory.model import HttpSettings, ServerSettings, Settings, UnknownPolicy
from netprov.render.scripts import Scripts
from netprov.scripts.plan import Boot, Local, Refusal
from netprov.scripts.served import plan

from .site import DASHED, LADY, MAC, SERVER, STRANGER, WEB, Site, inventory


def asked(site: Site, mac: str = MAC, arch: int | None = None, **sums: Sum) -> tuple[dict[str, object], object]:
    state = site.state
    scripts = Scripts(state.installs, state.sightings.at, sum_of=lambda root, name: sums.get(name))
    name = parse_name(answer_name(mac))
    assert name is not None
    made = scripts.script(site.generation, BootRequest(Via.HTTP, Loader.XEN, arch=arch), name)
    assert made is not None
    assert made.content_type == "application/json"
    return json.loads(made.body), plan(made.body.decode(), "x")


def test_kernel() -> None:
    target = replace(LADY, initrd=("i", "http://mirror/j"))
    said, read = asked(Site(inventory(target)), i=Sum(7, "0" * 64))
    assert said["system"] == "lady"
    assert said["kernel"] == {"url": "http://10.0.0.1/files/scotland/vmlinuz"}
    i = {"url": "http://10.0.0.1/files/i", "size": 7, "sha256": "0" * 64}
    assert said["initrds"] == [i, {"url": "http://mirror/j"}]
    words = str(said["args"]).split()
    assert words[0] == "inst.ks=http://10.0.0.1/autoinstall/lady?token=t1"
    assert f"BOOTIF=01-{DASHED}" in words
    assert words[-3:] == ["console=tty0", "console=ttyS0,115200", "quiet"]
    assert isinstance(read, Boot)


def test_names_that_pxelinux_cannot_say() -> None:
    said, _ = asked(Site(inventory(replace(LADY, kernel="a b,c/v"))))
    assert said["kernel"] == {"url": "http://10.0.0.1/files/a%20b%2Cc/v"}


def test_the_kernels_arch_is_dom0s_matter() -> None:
    assert isinstance(asked(Site(inventory(replace(LADY, arch="aarch64"))), arch=0)[1], Boot)


def test_the_install_advances() -> None:
    site = Site(inventory())
    asked(site)
    assert site.state.installs.records["lady"].state is InstallState.BOOTING


def test_local() -> None:
    site = Site(inventory())
    site.state.installs.records["lady"] = InstallRecord(InstallState.INSTALLED)
    assert asked(site)[1] == Local("install state = installed → local boot")


def test_unknown_machines() -> None:
    kinds = {UnknownPolicy.IGNORE: Refusal, UnknownPolicy.MENU: Refusal, UnknownPolicy.DISCOVER: Local}
    for policy, kind in kinds.items():
        settings = Settings(server=ServerSettings(address=SERVER, unknown=policy))
        web = replace(WEB, enable_menu=True)
        said, read = asked(Site(inventory(LADY, web, settings=settings)), mac=STRANGER)
        assert isinstance(read, kind), said
        if policy is UnknownPolicy.MENU:
            assert "(web)" in str(said["why"])
            chosen = plan(json.dumps(said), "x", "web")
            assert isinstance(chosen, Boot)
            assert chosen.kernel == f"http://10.0.0.1/files/{web.kernel}"
            assert "token" not in chosen.args  # of a machine that is not declared, nothing is armed


def test_without_http_the_files_come_by_tftp() -> None:
    settings = Settings(server=ServerSettings(address=SERVER), http=HttpSettings(enabled=False))
    said, _ = asked(Site(inventory(settings=settings)))
    assert said["kernel"] == {"url": "tftp://10.0.0.1/scotland/vmlinuz"}
