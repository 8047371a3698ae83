"""Secrets are not recorded: those the inventory has, and what is called a secret wherever it stands."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.inventory.model import Inventory, ServerSettings, Settings, Target, Token, User
from netprov.recorder.blank import Blanker, forms
from netprov.recorder.entry import Entry, What
from netprov.recorder.secrets import secrets_of

TOKEN = "Zm9vYmFyYmF6cXV4MTIzNDU2"
DHCP = Entry(1.0, What.DHCP_SENT, bytes(4), 68, bytes(4), 67, b"", 0)
HTTP = Entry(1.0, What.HTTP_REQUEST, bytes(4), 4000, bytes(4), 80, b"", 0)

SPOKEN = (
    ("an install's token", f"GET /autoinstall/lady?token={TOKEN} HTTP/1.1\r\n", TOKEN),
    ("… among other values", f"GET /x?a=1&token={TOKEN}&b=2 HTTP/1.1\r\n", TOKEN),
    ("… as a folder, for cloud-init", f"GET /autoinstall/lady/{TOKEN}/user-data HTTP/1.1\r\n", TOKEN),
    ("… of a profile", f"GET /autoinstall/profile/web/{TOKEN}/meta-data HTTP/1.1\r\n", TOKEN),
    ("… at the end", f"ds=nocloud;s=http://h/autoinstall/lady/{TOKEN}/ ip=dhcp\n", TOKEN),
    ("a callback's token", f"POST /api/v1/callback/{TOKEN}?status=done HTTP/1.1\r\n", TOKEN),
    ("a password in a URL", "kernel http://user:s3cr3t@host/vmlinuz\n", "s3cr3t"),
    ("… without a user", "kernel http://:s3cr3t@host/vmlinuz\n", "s3cr3t"),
    ("… with an @ in it", "kernel ftp://user:s3@cr3t@host/vmlinuz\n", "s3@cr3t"),
    ("Basic", "GET / HTTP/1.1\r\nAuthorization: Basic dXNlcjpwYXNz\r\n\r\n", "dXNlcjpwYXNz"),
    ("Bearer", "GET / HTTP/1.1\r\nauthorization:Bearer np_abcdefg\r\n\r\n", "np_abcdefg"),
    ("a proxy's", "GET / HTTP/1.1\r\nProxy-Authorization: Basic eDp5eg==\r\n\r\n", "eDp5eg=="),
    ("a cookie", "GET / HTTP/1.1\r\nCookie: session=abcdef; other=ghijkl\r\n\r\n", "ghijkl"),
    ("a cookie that is set", "HTTP/1.1 200 OK\r\nSet-Cookie: session=abcdef; HttpOnly\r\n\r\n", "abcdef"),
    ("another header's token", "GET / HTTP/1.1\r\nX-CSRF-Token: abcdef\r\n\r\n", "abcdef"),
    ("the Referer", f"GET / HTTP/1.1\r\nReferer: http://h/autoinstall/lady?token={TOKEN}\r\n\r\n", TOKEN),
    ("a kernel option", "append inst.vnc.password=geheim quiet\n", "geheim"),
    ("… with blanks", 'append rootpw="ge heim" quiet\n', "ge heim"),
    ("… for GRUB", "linux /vmlinuz 'rootpw=ge heim' quiet\n", "heim"),
    ("… for GRUB, with a quote", "linux /vmlinuz rootpw='ge'\\''heim' quiet\n", "heim"),
    ("a preseed's", "append passwd/user-password=geheim priority=critical\n", "geheim"),
    ("… encrypted", "append passwd/root-password-crypted=$6$salt$hash quiet\n", "$6$salt$hash"),
    ("WPA", "append wpa_psk=geheim123\n", "geheim123"),
    ("in JSON", '{"args": "root_password=geheim", "password": "gehe\\"im2"}', "im2"),
    ("spelled with percents", "GET /x?%74oken=abcdefgh HTTP/1.1\r\n", "abcdefgh"),
    ("a callback spelled with percents", f"GET /api/v1/%63allback/{TOKEN}?status=done HTTP/1.1\r\n", TOKEN),
)  # fmt: skip
STAYS = (
    "GET /autoinstall/lady HTTP/1.1\r\nHost: 192.168.77.1\r\nUser-Agent: Anaconda/34\r\n\r\n",
    "GET /autoinstall/lady/user-data HTTP/1.1\r\n",
    "GET /files/fedora/vmlinuz HTTP/1.1\r\nRange: bytes=0-1\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 12\r\nWWW-Authenticate: Basic realm=x\r\nServer: netprov\r\n\r\n",
    "#!ipxe\nkernel http://192.168.77.1/files/vmlinuz console=ttyS0,115200 inst.ks=http://192.168.77.1/autoinstall/lady\n",
    "\0\1pxelinux.cfg/01-52-54-00-00-00-01\0octet\0blksize\0001408\0",
)  # fmt: skip


@pytest.mark.parametrize(("text", "secret"), [row[1:] for row in SPOKEN], ids=[row[0] for row in SPOKEN])
def test_what_is_called_a_secret_is_blanked(text, secret):
    blanked = Blanker().text(text.encode())
    assert secret.encode() not in blanked
    assert len(blanked) == len(text.encode())
    assert blanked[:4] == text.encode()[:4]
    assert blanked.count(b"\n") == text.count("\n")


@pytest.mark.parametrize("text", STAYS)
def test_what_is_no_secret_stays(text):
    assert Blanker(["not there"]).text(text.encode()) == text.encode()


def test_a_request_keeps_its_mode_and_its_options_behind_a_blanked_name():
    packet = f"\0\1ks?token={TOKEN}\0octet\0tsize\0000\0".encode()
    assert Blanker().text(packet) == packet.replace(TOKEN.encode(), b"*" * len(TOKEN))


@pytest.mark.parametrize("written", ["p\"w 'x", "päßwörd", "a b&c%d", "back\\slash", "$6$rounds=1$x/y"])
def test_a_known_secret_is_found_however_it_is_written(written):
    blanker = Blanker([written])
    for form in forms(written):
        text = b"before " + form + b" after"
        assert blanker.text(text) == b"before " + b"*" * len(form) + b" after", form


def test_a_known_secret_is_found_in_dhcp_and_its_neighbours_stay():
    data = bytes(240) + b"\x43\x0dhunter2hunter\x00\xff"
    blanked = Blanker(["hunter2hunter"]).entry(replace(DHCP, data=data))
    assert blanked == bytes(240) + b"\x43\x0d" + b"*" * 13 + b"\x00\xff"


def test_a_url_in_dhcp_loses_its_password_and_nothing_else():
    data = bytes(240) + b"\x43\x1bhttp://u:secret@h/x?token=a1\x00\x35\x01\x02\xff"
    blanked = Blanker().entry(replace(DHCP, data=data))
    assert blanked == data.replace(b"secret", b"******").replace(b"a1", b"**")


def test_the_octets_of_a_header_are_left_alone():
    entry = replace(DHCP, what=What.TFTP_SENT, data=b"\0\3ab")
    assert Blanker(["\0\3ab"]).entry(entry) == b"\0\3ab"


def test_the_token_that_came_with_an_entry_is_blanked_wherever_it_stands():
    entry = replace(HTTP, data=b"GET /odd/abc123 HTTP/1.1\r\n", secret="abc123")
    assert b"abc123" not in Blanker().entry(entry)
    percents = replace(HTTP, data=b"GET /odd/%61bc123 HTTP/1.1\r\n", secret="abc123")
    assert Blanker().entry(percents) == b"GET ************* HTTP/1.1\r\n"


@given(st.binary(max_size=400))
def test_the_length_never_changes(data):
    assert len(Blanker(["abcd", "\u00e4\u00f6\u00fc"]).text(data, "token")) == len(data)


HOSTILE = (
    b"a" * 16_000, b"pass" * 4_000, b"://" * 5_000, b'="' * 8_000, b"token=" * 2_700, b"/autoinstall/" * 1_200,
    b"%" * 16_000, b"%25" * 5_000, b"\\" * 16_000, b"'" * 16_000, b"password='" * 1_600, b"x-" * 8_000,
    b"://a:" * 3_200, b"password" + b"/" * 16_000, bytes(range(256)) * 60,
)  # fmt: skip


@pytest.mark.timeout(60)
@pytest.mark.parametrize("data", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_text_takes_no_more_than_its_time(data):
    blanker = Blanker(["abcd", "aaab", "%25x"])
    for _ in range(20):  # in the square of its length one of them would take a second, or many
        assert len(blanker.text(data)) == len(data)


def test_the_secrets_of_an_inventory_are_all_found():
    meta = {"rootpw": "$6$root", "net": {"wifi_psk": "wpawpa", "ssid": "home"}, "users": ({"password": 1234567},)}
    options = {"inst.vnc.password": ("vncvnc",), "console": ("tty0",), "quiet": None, "proxy": ("http://u:optopt@p",)}
    lady = Target("system", "lady", autoinstall_meta=meta, kernel_options=options, tree="http://me:tr%40tree@host/t")
    server = ServerSettings(
        state="postgresql://np:dbpass@host/db",
        users=(User("anna", "scrypt:1$salt$hash"),),
        tokens=(Token("ci", "sha256:" + "ab" * 32),),
    )
    found = secrets_of(Inventory.of(lady, settings=Settings(server=server)))
    assert {
        "$6$root", "wpawpa", "1234567", "vncvnc", "optopt", "tr%40tree", "tr@tree", "dbpass", "scrypt:1$salt$hash",
        "ab" * 32,
    } <= found  # fmt: skip
    assert not found & {"home", "tty0", "lady", "anna", "ci", "read", "operate"}
