"""The manifest of loaders: the one we ship, and every way to write a wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest

from netprov.bootimages.manifest import MANIFEST, SecureBoot, load
from netprov.errors import ConfigError

GOOD = """
- package: grub
  arch: amd64
  machines: [uefi-x64]
  secure_boot: shim
  files: {grubx64.efi: usr/lib/g}
  aliases: {grubnetx64.efi: grubx64.efi}
"""


@pytest.mark.parametrize(
    ("name", "machines", "secure_boot"),
    [
        ("pxelinux.0", "bios", SecureBoot.NONE),
        ("ldlinux.c32", "bios", SecureBoot.NONE),
        ("undionly.kpxe", "bios", SecureBoot.NONE),
        ("ipxe.efi", "uefi-x64", SecureBoot.NONE),
        ("shimx64.efi", "uefi-x64", SecureBoot.FIRMWARE),
        ("grubx64.efi", "uefi-x64", SecureBoot.SHIM),
        ("grubaa64.efi", "uefi-arm64", SecureBoot.SHIM),
        ("grubia32.efi", "uefi-ia32", SecureBoot.SHIM),
    ],
)
def test_shipped_manifest_has(name: str, machines: str, secure_boot: SecureBoot) -> None:
    files = {file.name: file for file in load()}
    assert machines in files[name].machines
    assert files[name].secure_boot is secure_boot


def test_manifest_in_boot_images_is_the_packaged_one() -> None:
    assert (Path(__file__).parents[2] / "boot-images" / "loaders.yaml").resolve() == MANIFEST.resolve()


def test_alias_is_the_file_under_another_name(tmp_path: Path) -> None:
    path = tmp_path / "loaders.yaml"
    path.write_text(GOOD)
    file, alias = load(path)
    assert (alias.name, alias.alias_of, alias.paths) == ("grubnetx64.efi", "grubx64.efi", file.paths)


BAD = {
    "not YAML": ("a: [", "is not YAML"),
    "not text": ("\udc80", "is not YAML"),
    "not a list": ("package: x", "must be a list"),
    "entry not a mapping": ("- x", "entry 1: must be a mapping"),
    "no package": (GOOD.replace("package: grub", "package:"), "package must be a name"),
    "unknown key": (GOOD + "  sighned: yes\n", "'sighned' is not one of"),
    "unknown machines": (GOOD.replace("[uefi-x64]", "[vax]"), "'vax' is not one of bios"),
    "machines not a list": (GOOD.replace("[uefi-x64]", "bios"), "machines must be a list"),
    "unknown secure_boot": (GOOD.replace("shim\n", "maybe\n"), "'maybe' is not one of"),
    "optional not a bool": (GOOD + "  optional: 3\n", "optional must be"),
    "no files": (GOOD.replace("{grubx64.efi: usr/lib/g}", "[]"), "files must be a mapping"),
    "name with a folder": (GOOD.replace("grubnetx64.efi:", "EFI/x:"), "'EFI/x' is not a plain file name"),
    "name leading out": (GOOD.replace("grubnetx64.efi:", '"..":'), "'..' is not a plain file name"),
    "absolute path": (GOOD.replace("usr/lib/g", "/etc/shadow"), "'/etc/shadow' is not a path in a package"),
    "path leading out": (GOOD.replace("usr/lib/g", "../../etc/shadow"), "is not a path in a package"),
    "path not text": (GOOD.replace("usr/lib/g", "[1]"), "1 is not a path in a package"),
    "no path": (GOOD.replace("usr/lib/g", "[]"), "must have a path"),
    "alias of nothing": (GOOD.replace(": grubx64.efi}", ": grubx46.efi}"), "'grubx46.efi' is not one of"),
    "name twice": (GOOD + GOOD, "grubx64.efi appears twice"),
}


@pytest.mark.parametrize(("text", "says"), BAD.values(), ids=BAD)
def test_bad_manifest_is_a_config_error(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "loaders.yaml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ConfigError, match=r"loaders\.yaml") as caught:
        load(path)
    assert says in str(caught.value)


def test_every_problem_is_told(tmp_path: Path) -> None:
    path = tmp_path / "loaders.yaml"
    path.write_text("- 1\n- 2\n")
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert len(caught.value.problems) == 2


def test_missing_manifest(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        load(tmp_path / "none.yaml")
