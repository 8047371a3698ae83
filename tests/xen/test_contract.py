# ruff: noqa: E501 - tables: a row a line
"""xl's contract with a bootloader: its arguments, and the answer it wants."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.errors import ConfigError
from netprov.mac import parse_mac
from netprov.xen.bootloader.answer import Answer, encode_answer, handover, write_answer
from netprov.xen.bootloader.contract import OPTIONS, Call, Format, parse_call
from netprov.xen.xlconfig.vif import Vif

MAC = parse_mac("00:16:3E:11:11:11")
XL = [
    "--kernel=/boot/u/vmlinuz", "--ramdisk=/boot/u/initrd.img", "--args=console=hvc0 x=1", "--output=/var/lib/xen/bootloader.1.out",
    "--output-format=simple0", "--output-directory=/var/lib/xen/bootloader.1.d", "mac=00:16:3E:11:11:11", "/tmp/dummy.img",
]  # fmt: skip


def test_xl_4_17() -> None:
    assert parse_call(XL) == Call(
        kernel="/boot/u/vmlinuz",
        ramdisk="/boot/u/initrd.img",
        args="console=hvc0 x=1",
        output="/var/lib/xen/bootloader.1.out",
        format=Format.SIMPLE0,
        directory="/var/lib/xen/bootloader.1.d",
        vif=Vif(mac=MAC),
        disk="/tmp/dummy.img",
    )


def test_bootloader_restrict() -> None:
    call = parse_call(["--runas=20000", "--quiet", *XL])
    assert (call.runas, call.quiet, call.notes) == (20000, True, ())


ONE_WORD = {
    "--udhcpc=/sbin/udhcpc --interface=br0 mac=00:16:3E:11:11:11 --label=install": ("br0", "install"),
    "mac=00:16:3E:11:11:11 --label='two words'": ("", "two words"),
    "mac=00:16:3E:11:11:11,bridge=xenbr0 --quiet": ("xenbr0", None),
    "--label=x  vifname=lady,mac=00:16:3E:11:11:11,bridge=br1": ("br1", "x"),
}


@pytest.mark.parametrize("word", ONE_WORD)
def test_libvirts_one_word(word: str) -> None:
    """Its libxl driver passes all of <bootloader_args> as one."""
    call = parse_call(["--args=console=hvc0 --quiet mac=x", "--output=/o --quiet", word, "/dev/x"])
    assert (call.mac, call.bridge, call.label) == (MAC, *ONE_WORD[word])
    assert (call.args, call.disk) == ("console=hvc0 --quiet mac=x", "/dev/x")


@pytest.mark.parametrize("word", ["--label=install the server", "--label=it's", "--config=/a b/c.cfg"])
def test_xls_words_stay_whole(word: str) -> None:
    call = parse_call([word, "mac=00:16:3E:11:11:11", "/dev/x y"])
    assert (call.label or call.config, call.disk) == (word.partition("=")[2], "/dev/x y")


def test_unknown_option_of_a_newer_xl() -> None:
    call = parse_call(["--domid=7", "--new", "-x", *XL])
    assert call.mac == MAC
    assert call.disk == "/tmp/dummy.img"
    assert [note.split()[0] for note in call.notes] == ["--domid", "--new", "-x"]


LADY = Vif(mac=MAC, bridge="xenbr0", vifname="lady")
VIFS = {
    "one word": (["vifname=lady,mac=00:16:3E:11:11:11,bridge=xenbr0"], LADY),
    "blanks": (["vifname=lady , mac=00:16:3E:11:11:11 , bridge=xenbr0"], LADY),
    "another order and case": (["BRIDGE=xenbr0, Mac=00:16:3e:11:11:11,VIFNAME=lady"], LADY),
    "split at its blanks": (["vifname=lady", ",", "mac=00:16:3E:11:11:11", ",bridge=xenbr0"], LADY),
    "split behind the commas": (["vifname=lady,", "mac=00:16:3E:11:11:11,", "bridge=xenbr0"], LADY),
    "as pypxeboot's mac=M,": (["mac=00:16:3E:11:11:11,"], Vif(mac=MAC)),
    "all of it": (["type=ioemu,model=e1000,script=vif-bridge,ip=10.0.0.1,mac=00:16:3E:11:11:11"],
                  Vif(mac=MAC, type="ioemu", model="e1000", script="vif-bridge", ip="10.0.0.1")),
    "--mac=": (["--mac=00:16:3E:11:11:11"], Vif(mac=MAC)),
    "--mac and a word": (["--mac", "00-16-3E-11-11-11"], Vif(mac=MAC)),
    "none": ([], Vif()),
}  # fmt: skip


@pytest.mark.parametrize("name", VIFS)
def test_vif_words(name: str) -> None:
    words, vif = VIFS[name]
    for argv in ([*words, "/dev/vg/lady"], ["--output=-", *words, "-q", "/dev/vg/lady"]):
        call = parse_call(argv)
        assert call.vif == vif
        assert call.disk == "/dev/vg/lady"
        assert not call.notes


def test_pypxeboots_options() -> None:
    call = parse_call(
        ["--udhcpc=/usr/local/pkg/udhcp/sbin/udhcpc", "--interface=br0", "mac=00:16:3E:11:11:11", "--label=install-aethernet",
         "--pygrub-image=/x.img", "--config-dir=cfg", "--isconfig", "-v", "-q", "--output=-", "/dev/x"]
    )  # fmt: skip
    assert (call.label, call.interface, call.bridge, call.pygrub_image) == ("install-aethernet", "br0", "br0", "/x.img")
    assert (call.config_dir, call.verbose, call.quiet, call.output, call.disk) == ("cfg", True, True, "-", "/dev/x")
    assert len(call.notes) == 2


def test_modern_options() -> None:
    call = parse_call(
        ["--config", "/etc/xen/lady.cfg", "--vif", "1", "--timeout", "90", "--retries=3", "--server", "10.0.0.1", "--dry-run", "--json",
         "--bridge", "xenbr1"]
    )  # fmt: skip
    assert (call.config, call.vif_number, call.timeout, call.retries) == ("/etc/xen/lady.cfg", 1, 90.0, 3)
    assert (call.server, call.dry_run, call.json, call.bridge) == ("10.0.0.1", True, True, "xenbr1")


@pytest.mark.parametrize(
    "argv",
    [
        ["mac=00:16"],
        ["--mac=x"],
        ["--timeout=soon"],
        ["--runas=nobody"],
        ["--runas=-1"],
        ["--retries=-1"],
        ["--timeout=nan"],
        ["--output-format=xml"],
        ["--output"],
        ["--label", "--quiet"],
    ],
)
def test_bad_values(argv: list[str]) -> None:
    with pytest.raises(ConfigError):
        parse_call(argv)


@given(
    st.lists(
        st.sampled_from([*(f"--{option.name}" for option in OPTIONS), "mac=", "=", ",", "--", "-"])
        | st.text(max_size=12),
        max_size=8,
    )
)
def test_any_arguments(argv: list[str]) -> None:
    with contextlib.suppress(ConfigError):
        assert isinstance(parse_call(argv), Call)


def test_every_option_is_a_field() -> None:
    fields = set(Call.__dataclass_fields__) | {"mac", ""}
    assert {option.field for option in OPTIONS} <= fields
    assert all(option.help or option.note for option in OPTIONS)


ANSWER = Answer("/d/kernel", "/d/ramdisk", "root=/dev/ram a='b c'")


def test_answer_formats() -> None:
    assert (
        encode_answer(ANSWER, Format.SIMPLE0) == b"kernel /d/kernel\0ramdisk /d/ramdisk\0args root=/dev/ram a='b c'\0"
    )
    assert (
        encode_answer(ANSWER, Format.SIMPLE) == b"kernel /d/kernel\nramdisk /d/ramdisk\nargs root=/dev/ram a='b c'\n\n"
    )
    assert (
        encode_answer(ANSWER, Format.SXP)
        == b"linux (kernel /d/kernel)(ramdisk /d/ramdisk)(args \"root=/dev/ram a='b c'\")"
    )
    assert encode_answer(Answer("/k"), Format.SIMPLE0) == b"kernel /k\0"
    assert encode_answer(Answer("/k", "", 'a "b" \\'), Format.SXP) == b'linux (kernel /k)(args "a \\"b\\" \\\\")'


@pytest.mark.parametrize("args", ["x" * 8188, "a\nkernel /etc/shadow", "a\0kernel /etc/shadow"])
@pytest.mark.parametrize("form", Format)
def test_answer_refuses(args: str, form: Format) -> None:
    with pytest.raises(ConfigError):
        encode_answer(Answer("/k", "", args), form)


def test_answer_longest() -> None:
    assert len(encode_answer(Answer("/k", "", "x" * 8186), Format.SIMPLE0)) == len("kernel /k\0args \0") + 8186


def test_files_are_new_and_gone_after_a_failure(tmp_path: Path) -> None:
    def failing() -> None:
        with handover(str(tmp_path)) as made:
            kernel, other = made.file("kernel"), made.file("kernel")
            assert kernel != other
            assert kernel.stat().st_mode & 0o777 == 0o600
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        failing()
    assert list(tmp_path.iterdir()) == []


def test_files_stay_when_handed_over(tmp_path: Path) -> None:
    with handover(str(tmp_path)) as made:
        kernel = made.file("kernel")
        made.keep(kernel)
    assert list(tmp_path.iterdir()) == [kernel]


def test_files_do_not_follow_links(tmp_path: Path) -> None:
    target = tmp_path / "target"
    (tmp_path / f"netprov-kernel.{os.getpid()}.0").symlink_to(target)
    with handover(str(tmp_path)) as made:
        assert made.file("kernel").name.endswith(".1")
    assert not target.exists()


def test_no_folder() -> None:
    with pytest.raises(ConfigError, match="/no/such"), handover("/no/such") as made:
        made.file("kernel")


def test_write_answer(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "bootloader.1.out"
    out.touch(0o600)
    write_answer(str(out), b"kernel /k\0")
    assert out.read_bytes() == b"kernel /k\0"
    write_answer("-", b"kernel /k\n")
    assert capfd.readouterr().out == "kernel /k\n"
    with pytest.raises(ConfigError, match="cannot be written"):
        write_answer("/no/such/file", b"")
