# ruff: noqa: E501 - a row of a table is a line
"""Each mistake an operator can make: its own words, its own line, and the nearest valid name."""

from pathlib import Path

import pytest
from inventory_world import Loads, Refuses

from netprov.errors import ConfigError, Origin
from netprov.inventory.load import attempt, load
from netprov.inventory.model import Scope, Token, User

OBJECTS = """\
distros: {d: {kernel: k, initrd: initrd.img}}
profiles: {web: {distro: d}}
"""
FULL = "dhcp: {mode: full, subnets: [{subnet: 10.0.0.0/24, router: 10.0.0.1, range: 10.0.0.100-10.0.0.200}]}\n"

ERRORS: list[tuple[str, str, int, str]] = [
    # (rule, text after OBJECTS on lines 1-2, the line, what it says)
    ("duplicate MAC", """\
systems:
  a: {profile: web, interfaces: {eth0: {mac: 52:54:00:00:00:01}}}
  b:
    profile: web
    interfaces:
      eth0: {mac: 5254.0000.0001}
""", 8, "system b, field interfaces.eth0.mac: the MAC 52:54:00:00:00:01 is that of system a too (FILE:4)"),
    ("duplicate MAC within a system", """\
systems: {a: {profile: web, interfaces: {eth0: {mac: 52:54:00:00:00:01}, eth1: {mac: 52:54:00:00:00:01}}}}
""", 3, "is that of this system too"),
    ("duplicate IP", """\
systems:
  a: {profile: web, interfaces: {eth0: {ip: 10.0.0.5/24}}}
  b: {profile: web, interfaces: {eth0: {ip: 10.0.0.5/24}}}
""", 5, "the address 10.0.0.5 is that of system a too"),
    ("duplicate UUID", """\
systems:
  a: {profile: web, uuid: 4c4c4544-0043-3010-8052-b4c04f4a4d31}
  b: {profile: web, uuid: 4C4C4544-0043-3010-8052-B4C04F4A4D31}
""", 5, "system b, field uuid: the UUID"),
    ("duplicate hostname", """\
systems:
  a: {profile: web, hostname: Lady.example.org}
  b: {profile: web, hostname: lady.EXAMPLE.org}
""", 5, "the hostname lady.example.org is that of system a too"),
    ("duplicate client-id", """\
systems: {a: {profile: web, client_id: 01:52:54}, b: {profile: web, client_id: hex:015254}}
""", 3, "the client-id 01:52:54 is that of system a too"),
    ("duplicate serial", "systems: {a: {profile: web, serial: 7}, b: {profile: web, serial: 7}}\n", 3, "the serial number 7"),
    ("duplicate circuit-id", "systems: {a: {profile: web, circuit_id: p1}, b: {profile: web, circuit_id: p1}}\n", 3, "the circuit-id"),
    ("duplicate remote-id", "systems: {a: {profile: web, remote_id: p1}, b: {profile: web, remote_id: p1}}\n", 3, "the remote-id"),
    ("password in the clear", "server: {users: {al: {password: Secret7}}}\n", 3, "server, field users.al.password: this is not the hash of a password; `netprov token --user NAME`"),
    ("token in the clear", "server: {tokens: {ci: {hash: Secret7}}}\n", 3, "server, field tokens.ci.hash: this is not the hash of a token"),
    ("user without a password", "server: {users: {al: {scopes: [read]}}}\n", 3, "server, field users.al: has no password"),
    ("unknown scope", "server: {users: {al: {password: 'scrypt:1:1:1$s$00112233445566778899aabbccddeeff', scopes: [raed]}}}\n", 3, "'raed' is not one of read, operate, edit; did you mean read?"),
    ("unknown profile", "systems: {a: {profile: wbe}}\n", 3, "system a, field profile: no such profile: wbe; did you mean web?"),
    ("unknown image", "systems: {a: {image: x}}\n", 3, "no such image: x"),
    ("unknown menu", "inventory: {profiles: {i: {parent: web, menu: mian}}, menus: {main: }}\n", 3, "no such menu: mian; did you mean main?"),
    ("unknown parent menu", "menus: {a: {parent: b}}\n", 3, "menu a, field parent: no such menu: b"),
    ("menu cycle", "menus:\n  a: {parent: b}\n  b: {parent: a}\n", 4, "contains itself: a → b → a"),
    ("repos: no installer is told of them", "repos: {site: {mirror: http://x}}\n", 3, "repos: netprov does not tell installers about repositories yet: name them in the autoinstall template"),
    ("repos of a system", "systems: {a: {profile: web, repos: [site]}}\n", 3, "system a, field repos: netprov does not tell installers about repositories yet"),
    ("repos of the defaults", "defaults: {repos: [site]}\n", 3, "defaults, field repos: netprov does not tell installers about repositories yet"),
    ("an image's file", "images: {i: {file: x.iso}}\n", 3, "image i, field file: netprov does not use an image's file yet: an image boots the kernel: and initrd:"),
    ("an image's type", "images: {i: {image_type: iso}}\n", 3, "image i, field image_type: netprov does not use an image's file yet"),
    ("an image's menu", "images: {i: {menu: main}}\nmenus: {main: }\n", 3, "image i, field menu: boot menus list profiles, but no images yet"),
    ("an image listed", "images: {i: {enable_menu: true}}\n", 3, "image i, field enable_menu: boot menus list profiles, but no images yet"),
    ("a database elsewhere", "server: {state: 'postgresql://np:hunter2@db/netprov'}\n", 3, "server, field state: postgresql://… is a database elsewhere, for which netprov has no driver yet; write a folder"),
    ("neither", "systems: {a: {hostname: x}}\n", 3, "has neither profile: nor image:"),
    ("both", "images: {i: }\nsystems: {a: {profile: web, image: i}}\n", 4, "has both profile: and image:"),
    ("unknown key", "systems: {a: {profile: web, hostnam: x}}\n", 3, "system a, field hostnam: no such field; did you mean hostname?"),
    ("unknown key deep", "systems: {a: {profile: web, interfaces: {eth0: {macc: x}}}}\n", 3, "field interfaces.eth0.macc: no such field; did you mean mac?"),
    ("key of an interface", "systems: {a: {profile: web, mac: 52:54:00:00:00:01}}\n", 3, "interfaces: {eth0: {mac: …}}"),
    ("unknown section", "system: {a: {profile: web}}\n", 3, "system: no such section; did you mean systems?"),
    ("bad enum", "systems: {a: {profile: web, install: instal-once}}\n", 3, "'instal-once' is not one of local, install-once, always; did you mean install-once?"),
    ("wrong type", "systems: {a: {profile: web, hostname: [x]}}\n", 3, "must be host name, not a list"),
    ("wrong type of section", "systems: [a]\n", 3, "must be a mapping: the name of each system"),
    ("wrong type of object", "systems: {a: web}\n", 3, "system a: must be a mapping of fields"),
    ("wrong type of interfaces", "systems: {a: {profile: web, interfaces: eth0}}\n", 3, "field interfaces: must be a mapping"),
    ("bad name", "systems: {a b: {profile: web}}\n", 3, "'a b' is not a name"),
    ("two spellings", "systems: {a: {profile: web, kickstart: web.ks, autoinstall: web.ks}}\n", 3, "appears here twice, under two names"),
    ("two spellings of virt", "systems: {a: {profile: web, virt_ram: 512, virt: {ram: 1G}}}\n", 3, "virt appears here twice"),
    ("netmask against prefix", "systems: {a: {profile: web, interfaces: {e: {ip: 10.0.0.5/24, netmask: 255.0.0.0}}}}\n", 3, "another prefix"),
    ("missing template", "systems: {a: {profile: web, autoinstall: wbe.ks}}\n", 3, "field autoinstall: no template wbe.ks in "),
    ("template elsewhere", "systems: {a: {profile: web, autoinstall: ../x}}\n", 3, "must be a name in the autoinstall folder"),
    ("bad subnet profile", "subnets: [{subnet: 10.0.0.0/8, profile: wbe}]\n", 3, "subnet 10.0.0.0/8, field profile: no such profile: wbe; did you mean web?"),
    ("subnet without network", "subnets: [{router: 10.0.0.1}]\n", 3, "lacks subnet:"),
    ("option and field", "subnets: [{subnet: 10.0.0.0/24, ntp: 10.0.0.1, options: {42: 10.0.0.1}}]\n", 3, "option 42 and ntp: say the same"),
    ("bad default", "defaults: {autoinstall: nope.ks}\n", 3, "defaults, field autoinstall: no template nope.ks"),
    ("range outside", "subnets: [{subnet: 10.0.0.0/24, range: 10.0.1.1-10.0.1.9}]\n", 3, "10.0.1.1-10.0.1.9 is not within 10.0.0.0/24"),
    ("range with broadcast", "subnets: [{subnet: 10.0.0.0/24, range: 10.0.0.9-10.0.0.255}]\n", 3, "holds the broadcast address"),
    ("overlapping ranges", "subnets: [{subnet: 10.0.0.0/24, range: [10.0.0.5-10.0.0.9, 10.0.0.1-10.0.0.5]}]\n", 3, "10.0.0.5-10.0.0.9 overlaps 10.0.0.1-10.0.0.5"),
    ("overlapping subnets", "subnets:\n- subnet: 10.0.0.0/8\n- subnet: 11.0.0.0/8\n- subnet: 10.9.0.0/16\n", 6, "subnet 10.9.0.0/16: overlaps subnet 10.0.0.0/8 (FILE:4)"),
    ("IP outside every subnet", FULL + "systems: {a: {profile: web, interfaces: {eth0: {ip: 10.0.1.5/24}}}}\n", 4, "10.0.1.5 is not in any of dhcp.subnets (10.0.0.0/24)"),
    ("IP is the router", FULL + "systems: {a: {profile: web, interfaces: {eth0: {ip: 10.0.0.1/24}}}}\n", 4, "is the router of 10.0.0.0/24"),
    ("IP is the network", FULL + "systems: {a: {profile: web, interfaces: {eth0: {ip: 10.0.0.0/24}}}}\n", 4, "is the network address of"),
    ("IP is the broadcast", FULL + "systems: {a: {profile: web, interfaces: {eth0: {ip: 10.0.0.255/24}}}}\n", 4, "is the broadcast address of"),
    ("IP is the server", "server: {address: 10.0.0.2}\nsystems: {a: {profile: web, interfaces: {eth0: {ip: 10.0.0.2/24}}}}\n", 4, "is this server's address"),
    ("bad device", "server: {interfaces: [eth0/1]}\n", 3, "server, field interfaces: 'eth0/1' is not a network interface's name"),
    ("missing inventory", "inventory: nowhere/\n", 3, "inventory: no such file or folder: "),
    ("missing folder", "templates: nowhere/\n", 3, "templates: no such folder: "),
    ("a tag", "systems: {a: {profile: web, kernel_options: {!quiet : }}}\n", 3, "quote it"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "text", "line", "says"), ERRORS, ids=[row[0].replace(" ", "-") for row in ERRORS])
def test_error(rule: str, text: str, line: int, says: str, refuses: Refuses, base: Path) -> None:
    problems = refuses(OBJECTS + text)
    file = str(base / "netprov.yaml")
    assert [(p.origin, says.replace("FILE", file) in str(p)) for p in problems] == [(Origin(file, line), True)], (
        problems
    )


DISTROS = [
    ("{kernel: kk}", "distro d, field kernel: no such file: BASE/boot-images/kk; did you mean k?"),
    ("{kernel: /etc/passwd}", "distro d, field kernel: /etc/passwd is outside tftp.root"),
    ("{kernel: ../netprov.yaml}", "is outside tftp.root (BASE/boot-images)"),
    ("{kernel: .}", "is outside tftp.root"),
    (
        "{kernel: k, initrd: [initrd.img, initrd.gz]}",
        "distro d, field initrd: no such file: BASE/boot-images/initrd.gz",
    ),
    ("{breed: rehdat}", "'rehdat' is not one of redhat, fedora, "),
    ('{kernel: "a\\nb"}', "must be one line"),
    ("{kernel: k, netboot_enabled: perhaps}", "neither true nor false"),
    ("{virt_file_size: 5x}", "not a size"),
    ("{virt: {disks: [4G]}}", "distro d, field virt.disks: must be a mapping of fields"),
    ("{virt: {disks: [{size: 4}]}}", "field virt.disks[0].size: '4' is not a size"),
    ("{virt: {cpus: -1}}", "field virt.cpus: -1 is not between"),
]


@pytest.mark.parametrize(("distro", "says"), DISTROS)
def test_error_in_a_distro(distro: str, says: str, refuses: Refuses, base: Path) -> None:
    (problem,) = refuses(f"distros:\n  d: {distro}\n")
    assert problem.origin == Origin(str(base / "netprov.yaml"), 2)
    assert says.replace("BASE", str(base)) in str(problem)


def test_absolute_path_under_the_root_becomes_a_name(loads: Loads, base: Path) -> None:
    inventory = loads(f"distros: {{d: {{kernel: {base}/boot-images/./k}}}}\nprofiles: {{p: {{distro: d}}}}")
    assert inventory.profile("p").kernel == "k"


def test_urls_and_loaders_names_are_not_looked_for_under_the_root(loads: Loads, base: Path) -> None:
    (base / "boot-images" / "loaders").mkdir()
    (base / "boot-images" / "loaders" / "memdisk").touch()
    inventory = loads("distros: {d: {kernel: memdisk, initrd: http://x/y}}\nprofiles: {p: {distro: d}}")
    assert inventory.profile("p").kernel == "memdisk"
    assert inventory.profile("p").initrd == ("http://x/y",)


@pytest.mark.parametrize(
    ("profiles", "says"),
    [
        ("{a: {distro: dd}}", "profile a, field distro: no such distro: dd; did you mean d?"),
        ("{a: {parent: bb}, b: {distro: d}}", "profile a, field parent: no such profile: bb; did you mean b?"),
        ("{a: {}}", "profile a: has neither distro: nor parent:"),
        ("{a: {distro: d, parent: b}, b: {distro: d}}", "profile a: has both distro: and parent:"),
        ("{a: {parent: b}, b: {parent: c}, c: {parent: b}}", "inherits from itself: b → c → b"),
        ("{a: {parent: a}}", "inherits from itself: a → a"),
    ],
)
def test_error_in_a_chain(profiles: str, says: str, refuses: Refuses) -> None:
    (problem,) = refuses(f"distros: {{d: {{kernel: k}}}}\nprofiles: {profiles}\nsystems: {{s: {{profile: a}}}}")
    assert says in str(problem)


def test_every_problem_is_reported_at_once_in_order(refuses: Refuses) -> None:
    problems = refuses("""\
        server: {adress: 10.0.0.1}
        dhcp: {mode: fulll}
        distros: {d: {kernel: nope}}
        profiles: {web: {distro: d}}
        systems:
          a: {profile: web, hostname: "a b", uuid: 7}
          b: {profile: wbe, interfaces: {eth0: {mac: 1, ip: 2}}}
        """)
    assert [(p.origin.line, p.where) for p in problems if p.origin] == [
        (1, "server, field adress"),
        (2, "dhcp, field mode"),
        (3, "distro d, field kernel"),
        (6, "system a, field hostname"),
        (6, "system a, field uuid"),
        (7, "system b, field interfaces.eth0.mac"),
        (7, "system b, field interfaces.eth0.ip"),
        (7, "system b, field profile"),
    ]


def test_the_same_object_in_two_files_names_both(base: Path) -> None:
    folder = base / "inventory"
    folder.mkdir()
    (folder / "a.yaml").write_text("menus:\n  main: {display_name: A}\n")
    (folder / "b.yaml").write_text("\n\nmenus:\n  main: {display_name: B}\n")
    (base / "netprov.yaml").write_text("")
    with pytest.raises(ConfigError) as caught:
        load(base / "netprov.yaml")
    assert str(caught.value) == f"{folder}/b.yaml:4: menu main: is declared twice: first in {folder}/a.yaml:2"


def test_settings_in_an_inventory_file_are_sent_home(base: Path) -> None:
    (base / "more.yaml").write_text("server: {address: 10.0.0.1}\n")
    (base / "netprov.yaml").write_text("inventory: more.yaml\n")
    with pytest.raises(ConfigError, match=r"more\.yaml:1: server: belongs in netprov\.yaml"):
        load(base / "netprov.yaml")


WARNINGS = [
    ("a range holds the router", "dhcp: {subnets: [{subnet: 10.0.0.0/24, router: 10.0.0.1, range: 10.0.0.1-10.0.0.9}]}", "holds 10.0.0.1"),
    ("no prefix", OBJECTS + "systems: {a: {profile: web, interfaces: {eth0: {ip: 10.0.0.5}}}}", "no prefix"),
    ("full without subnets", "dhcp: {mode: full}", "no subnets"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "text", "says"), WARNINGS)
def test_warning(rule: str, text: str, says: str, loads: Loads) -> None:
    (warning,) = loads(text).warnings
    assert says in str(warning)


def test_proxy_mode_asks_no_subnet_of_an_address(loads: Loads) -> None:
    inventory = loads(OBJECTS + "systems: {a: {profile: web, interfaces: {eth0: {ip: 10.0.0.5/24}}}}")
    assert inventory.warnings == ()


def test_vlans_and_aliases_share_their_interfaces_mac(loads: Loads) -> None:
    mac = "{mac: 52:54:00:00:00:01}"
    inventory = loads(
        OBJECTS + f"systems: {{a: {{profile: web, interfaces: {{eth0: {mac}, eth0.5: {mac}, 'eth0:1': {mac}}}}}}}"
    )
    assert [mac for mac, _ in inventory.macs()] == ["52:54:00:00:00:01"]


def test_an_attempt_that_fails_says_which_files_it_read(base: Path) -> None:
    (base / "other").mkdir()
    (base / "other" / "x.yaml").write_text("systems: [")
    (base / "netprov.yaml").write_text("inventory: other\n")
    loaded = attempt(base / "netprov.yaml")
    assert loaded.inventory is None
    assert loaded.files == (str(base / "netprov.yaml"), str(base / "other"), str(base / "other" / "x.yaml"))


def test_a_password_is_not_repeated(refuses: Refuses) -> None:
    problems = refuses("server: {users: {al: {password: Secret7}}, tokens: {ci: {hash: [Secret7]}}}")
    assert len(problems) == 2
    assert "Secret7" not in " ".join(map(str, problems))


def test_users_and_tokens(loads: Loads) -> None:
    hashed = f"scrypt:32768:8:1$salt${'0' * 128}"
    server = loads(f"""
        server:
          users: {{al: {{password: "{hashed}"}}, bo: {{password: "{hashed}", scopes: read}}}}
          tokens: {{ci: {{hash: "sha256:{"AB" * 32}"}}}}
    """).settings.server
    assert server.users == (User("al", hashed), User("bo", hashed, (Scope.READ,)))
    assert server.tokens == (Token("ci", f"sha256:{'ab' * 32}", (Scope.READ,)),)


def test_ten_thousand_orphans_are_reported_without_long_thought(refuses: Refuses) -> None:
    systems = "".join(f"  s{i}: {{profile: p{i}}}\n" for i in range(10_000))
    assert len(refuses(OBJECTS + "systems:\n" + systems)) == 10_000
