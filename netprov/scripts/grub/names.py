# ruff: noqa: E501 - tables: a row a line
"""GRUB's commands that a domU's boot has nothing to do for, or can do nothing about, by name.

Source: command.lst of GRUB 2.06 (efi, pc, emu), and of the RHEL family's.
"""

from __future__ import annotations

from collections.abc import Mapping

SUCCEED = frozenset(
    {
        "acpi", "authenticate", "background_color", "background_image", "backtrace", "badram", "blocklist", "blscfg", "blsuki",
        "cat", "cbmemc", "clear", "connectefi", "coreboot_boottime", "cpuid", "crc", "cutmem", "date", "devicetree", "distrust",
        "dump", "echo", "efitextmode", "fakebios", "fix_video", "gettext", "gptsync", "hdparm", "hello", "help",
        "hexdump", "hexdump_random", "insmod", "keymap", "list_env", "list_trusted", "loadfont", "ls", "lsacpi",
        "lscoreboot", "lsefi", "lsefimmap", "lsefisystab", "lsfonts", "lsmmap", "lsmod", "lspci", "lssal", "macppcbless",
        "mactelbless", "nativedisk", "net_add_addr", "net_add_dns", "net_add_route", "net_bootp", "net_bootp6", "net_del_addr",
        "net_del_dns", "net_del_route", "net_dhcp", "net_ipv6_autoconf", "net_ls_addr", "net_ls_cards", "net_ls_dns",
        "net_ls_routes", "net_set_vlan", "outb", "outl", "outw", "parttool", "password", "password_pbkdf2", "pcidump", "play",
        "rmmod", "save_env", "serial", "setpci", "shim_lock", "sleep", "spkmodem", "terminal_input",
        "terminal_output", "terminfo", "test_blockarg", "testload", "testspeed", "time", "true", "trust", "tpm", "usb",
        "verify_detached", "version", "versioncheck", "videoinfo", "videotest", "vbeinfo", "vbetest", "wrmsr", "write_byte",
        "write_dword", "write_word", "xnu_splash", "zfs-bootfs", "zfsinfo", "zfskey",
    }
)  # fmt: skip
"""What concerns the screen, the keyboard, the hardware or GRUB's own network: none changes what is booted."""

FAIL = frozenset({"false", "keystatus", "probe", "cmp", "hashsum", "md5sum", "sha1sum", "sha256sum", "sha512sum"})
"""Questions with "no" for an answer: no key is held, and what is asked for is not known here."""

SEARCHES = frozenset({"search", "search.file", "search.fs_label", "search.fs_uuid"})
"""They look at the machine's own disks; the network is never among what they find."""

UNKNOWN: Mapping[str, str] = {
    "cryptomount": "opens an encrypted disk",
    "legacy_configfile": "reads a configuration of GRUB 0.97",
    "legacy_kernel": "boots as GRUB 0.97 does",
    "legacy_source": "reads a configuration of GRUB 0.97",
    "normal_exit": "leaves GRUB's menu for its rescue shell",
    "read": "waits for what a person types",
    "rdmsr": "asks the processor",
    "read_byte": "asks the hardware",
    "read_dword": "asks the hardware",
    "read_word": "asks the hardware",
    "syslinux_configfile": "reads a configuration of SYSLINUX: name that to the domU itself",
    "syslinux_source": "reads a configuration of SYSLINUX: name that to the domU itself",
    "inb": "asks the hardware",
    "inl": "asks the hardware",
    "inw": "asks the hardware",
}
"""What only a running GRUB can do."""

STARTS_OTHERS = frozenset(
    {
        "appleloader", "freedos", "kfreebsd", "knetbsd", "kopenbsd", "loadbios", "ntldr", "plan9", "truecrypt", "xnu_kernel",
        "xnu_kernel64", "xnu_resume",
    }
)  # fmt: skip
"""Other systems' loaders and kernels."""

ENDS = frozenset({"halt", "poweroff", "reboot", "fwsetup"})
"""The machine stops, or restarts."""
