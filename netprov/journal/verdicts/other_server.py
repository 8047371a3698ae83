"""The lines that make another DHCP server send a machine here: options 66 and 67, as each server spells them."""

from __future__ import annotations

from netprov.boot.arch import Arch


def boot_lines(server: str, file: str, arch: Arch | None) -> str:
    """Lines for dnsmasq, ISC dhcpd and Kea that give clients of `arch` (None: all) the boot file `file` of `server`.

    `file` is a name for TFTP or a URL. Firmware that boots by HTTP counts an offer only if it says HTTPClient back.
    """
    return "\n".join(
        [
            f"option 66 (next-server): {server}    option 67 (boot file): {file}",
            *_dnsmasq(server, file, arch),
            *_isc(server, file, arch),
            *_kea(server, file, arch),
        ]
    )


def ipxe_lines(script: str) -> str:
    """Lines that give iPXE, and nobody else, the URL of its script."""
    return "\n".join(
        [
            f"option 67 for clients with user class iPXE: {script}",
            "dnsmasq:",
            "  dhcp-userclass=set:ipxe,iPXE",
            f"  dhcp-boot=tag:ipxe,{script}",
            "ISC dhcpd:",
            f'  if exists user-class and option user-class = "iPXE" {{ filename "{script}"; }}',
            "Kea, in client-classes:",
            f'  {{"name": "ipxe", "test": "substring(option[77].hex,0,4) == \'iPXE\'", "boot-file-name": "{script}"}}',
        ]
    )


def _dnsmasq(server: str, file: str, arch: Arch | None) -> list[str]:
    boot = file if "://" in file else f"{file},,{server}"
    if arch is None:
        return ["dnsmasq:", f"  dhcp-boot={boot}"]
    match = f"  dhcp-match=set:{arch.name},option:client-arch,{arch.code}"
    http = [f"  dhcp-option-force=tag:{arch.name},60,HTTPClient"] if arch.http else []
    return ["dnsmasq:", match, *http, f"  dhcp-boot=tag:{arch.name},{boot}"]


def _isc(server: str, file: str, arch: Arch | None) -> list[str]:
    http = 'option vendor-class-identifier "HTTPClient"; ' if arch is not None and arch.http else ""
    boot = f'{http}next-server {server}; filename "{file}";'
    if arch is None:
        return ["ISC dhcpd:", f"  {boot}"]
    code = f"{arch.code >> 8:02x}:{arch.code & 255:02x}"
    return [
        "ISC dhcpd:",
        "  option arch code 93 = unsigned integer 16;",
        f"  if option arch = {code} {{ {boot} }}",
    ]


def _kea(server: str, file: str, arch: Arch | None) -> list[str]:
    boot = f'"next-server": "{server}", "boot-file-name": "{file}"'
    if arch is None:
        return ["Kea, in subnet4:", f"  {boot}"]
    http = ', "option-data": [{"name": "vendor-class-identifier", "data": "HTTPClient"}]' if arch.http else ""
    return [
        "Kea, in client-classes:",
        f'  {{"name": "{arch.name}", "test": "option[93].hex == 0x{arch.code:04x}", {boot}{http}}}',
    ]
