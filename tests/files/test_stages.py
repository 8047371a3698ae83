import pytest

from netprov.files.stages import Stages
from netprov.inventory.model import Inventory, Target

INVENTORY = Inventory.of(
    Target("system", "lady", kernel="d/vmlinuz", initrd=("d/initrd", "d/m.efi"), filename="odd.bin"),
    Target("profile", "web", kernel="w/linux"),
)


@pytest.mark.parametrize(
    ("name", "stage"),
    [
        ("pxelinux.0", "loader"),
        ("/shimx64.efi", "loader"),
        ("odd.bin", "loader"),
        ("ldlinux.c32", "loader-file"),
        ("grubx64.efi", "loader-file"),
        ("\\EFI\\BOOT\\GRUBX64.EFI", "loader-file"),
        ("/grub/x86_64-efi/command.lst", "loader-file"),
        ("d/vmlinuz", "kernel"),
        ("//d/vmlinuz", "kernel"),
        ("w/linux", "kernel"),
        ("d/initrd", "initrd"),
        ("d/m.efi", "initrd"),
        ("readme.txt", "file"),
        ("", "file"),
    ],
)
def test_stage_of(name, stage):
    assert Stages(INVENTORY).stage_of(name) == stage
