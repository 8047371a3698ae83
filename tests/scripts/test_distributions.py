# ruff: noqa: E501 - a script's line is a line
"""The files that distributions and provisioning servers write, in their shape and our words: each gives its default."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address

import pytest

from netprov.mac import parse_mac
from netprov.scripts.facts import MachineFacts
from netprov.scripts.grub import config as grub
from netprov.scripts.ipxe import script as ipxe
from netprov.scripts.plan import Boot, BootPlan, Local
from netprov.scripts.pxelinux import boot as pxelinux
from netprov.scripts.straight import NotStraight

FACTS = MachineFacts(parse_mac("00:16:3e:11:11:11"), IPv4Address("10.0.0.5"), IPv4Address("10.0.0.1"), platform="efi")

RHEL_ISO = """\
set default="1"

function load_video {
  if [ x$feature_all_video_module = xy ]; then
    insmod all_video
  else
    insmod efi_gop
    insmod efi_uga
  fi
}

load_video
set gfxpayload=keep
insmod gzio
insmod part_gpt
set timeout=60
### BEGIN /etc/grub.d/00_header ###
search --no-floppy --set=root -l 'OS-9-x86_64-dvd'

menuentry 'Install OS 9' --class fedora --class gnu-linux --class gnu --class os {
\tlinuxefi /images/pxeboot/vmlinuz inst.stage2=hd:LABEL=OS-9-x86_64-dvd quiet
\tinitrdefi /images/pxeboot/initrd.img
}
menuentry 'Test this media & install OS 9' --class fedora --class gnu-linux --class gnu --class os {
\tlinuxefi /images/pxeboot/vmlinuz inst.stage2=hd:LABEL=OS-9-x86_64-dvd rd.live.check quiet
\tinitrdefi /images/pxeboot/initrd.img
}
submenu 'Troubleshooting -->' {
\tmenuentry 'Rescue a system' --class fedora {
\t\tlinuxefi /images/pxeboot/vmlinuz inst.rescue quiet
\t\tinitrdefi /images/pxeboot/initrd.img
\t}
}
"""

FEDORA_PXE = """\
set timeout=60
menuentry 'Fedora 41'  --class fedora --class gnu-linux --class gnu --class os {
  linux fedora/vmlinuz inst.repo=http://10.0.0.1/fedora ip=dhcp
  initrd fedora/initrd.img
}
"""

DEBIAN_NETBOOT = """\
if [ x$feature_default_font_path = xy ] ; then
   font=unicode
else
   font=$prefix/font.pf2
fi
if loadfont $font ; then
  set gfxmode=800x600
  set gfxpayload=keep
  insmod efi_gop
  insmod gfxterm
  terminal_output gfxterm
fi
if background_image /isolinux/splash.png; then
  set color_normal=light-gray/black
elif background_image /splash.png; then
  set color_normal=light-gray/black
else
  set menu_color_normal=cyan/blue
fi
insmod play
play 960 440 1 0 4 440 1
if [ ${iso_path} ] ; then
  set isofile="iso-scan/filename=${iso_path}"
  export isofile
fi
set theme=/debian-installer/amd64/grub/theme/1
menuentry --hotkey=g 'Graphical install' {
    set background_color=black
    linux    /debian-installer/amd64/linux vga=788 --- quiet $isofile
    initrd   /debian-installer/amd64/initrd.gz
}
submenu --hotkey=a 'Advanced options ...' {
    menuentry '... Rescue mode' {
        linux    /debian-installer/amd64/linux vga=788 rescue/enable=true --- quiet
        initrd   /debian-installer/amd64/initrd.gz
    }
}
"""

UBUNTU_LIVE_SERVER = """\
set timeout=30

loadfont unicode

set menu_color_normal=white/black
set menu_color_highlight=black/light-gray

menuentry "Try or Install Server" {
\tset gfxpayload=keep
\tlinux\t/casper/vmlinuz iso-url=http://10.0.0.1/server.iso ip=dhcp ---
\tinitrd\t/casper/initrd
}
grub_platform
if [ "$grub_platform" = "efi" ]; then
menuentry 'Boot from next volume' {
\texit 1
}
menuentry 'UEFI Firmware Settings' {
\tfwsetup
}
else
menuentry 'Test memory' {
\tlinux16 /boot/memtest86+x64.bin
}
fi
"""

SUSE = """\
with_fips=0
set theme=$prefix/themes/x/theme.txt
set gfxpayload=keep
set default=install
set timeout=-1
if [ "$grub_cpu" == "x86_64" ]; then
  set arch=x86_64
else
  set arch=$grub_cpu
fi
insmod tftp
menuentry 'Boot from Hard Disk' --class opensuse {
  if search --no-floppy --file /efi/boot/fallback.efi --set ; then
    for os in opensuse sles caasp ; do
      if [ -f /efi/$os/grub.efi ] ; then
        chainloader /efi/$os/grub.efi
        boot
      fi
    done
  fi
  exit
}
menuentry 'Installation' --class opensuse --id install {
  set gfxpayload=keep
  echo 'Loading kernel ...'
  linux /boot/$arch/loader/linux splash=silent install=http://10.0.0.1/suse
  echo 'Loading initial ramdisk ...'
  initrd /boot/$arch/loader/initrd
}
"""

MKCONFIG = """\
if [ -s $prefix/grubenv ]; then
  set have_grubenv=true
  load_env
fi
if [ "${next_entry}" ] ; then
   set default="${next_entry}"
   set next_entry=
   save_env next_entry
   set boot_once=true
else
   set default="${saved_entry}"
fi

if [ x"${feature_menuentry_id}" = xy ]; then
  menuentry_id_option="--id"
else
  menuentry_id_option=""
fi

export menuentry_id_option

if [ "${prev_saved_entry}" ]; then
  set saved_entry="${prev_saved_entry}"
  save_env saved_entry
fi

function savedefault {
  if [ -z "${boot_once}" ]; then
    saved_entry="${chosen}"
    save_env saved_entry
  fi
}
function recordfail {
  set recordfail=1
  if [ -n "${have_grubenv}" ]; then if [ -z "${boot_once}" ]; then save_env recordfail; fi; fi
}
function load_video {
  if [ x$feature_all_video_module = xy ]; then insmod all_video; else insmod vga; fi
}
if [ x$feature_default_font_path = xy ] ; then
   font=unicode
else
insmod part_gpt
    font="/usr/share/grub/unicode.pf2"
fi
if loadfont $font ; then
  set gfxmode=auto
  load_video
  insmod gfxterm
fi
terminal_output gfxterm
if [ "${recordfail}" = 1 ] ; then
  set timeout=30
else
  if [ x$feature_timeout_style = xy ] ; then
    set timeout_style=hidden
    set timeout=0
  elif sleep --interruptible 0 ; then
    set timeout=0
  fi
fi
menuentry 'OS' --class os $menuentry_id_option 'os-simple' {
\trecordfail
\tsavedefault
\tload_video
\tlinux\t/vmlinuz-6.1.0 root=UUID=1 ro quiet $vt_handoff
\tinitrd\t/initrd.img-6.1.0
}
submenu 'Advanced options for OS' $menuentry_id_option 'os-advanced' {
\tmenuentry 'OS, with Linux 5.10.0' --class os $menuentry_id_option 'os-5.10.0' {
\t\tlinux\t/vmlinuz-5.10.0 root=UUID=1 ro
\t}
\tmenuentry 'OS, with Linux 5.10.0 (recovery mode)' $menuentry_id_option 'os-5.10.0-recovery' {
\t\tlinux\t/vmlinuz-5.10.0 root=UUID=1 ro single
\t}
}
"""
SAVED = "# GRUB Environment Block\nsaved_entry=os-advanced>os-5.10.0-recovery\n###"

FOREMAN = """\
regexp --set=1:m1 --set=2:m2 --set=3:m3 --set=4:m4 --set=5:m5 --set=6:m6 '^([0-9a-f]{1,2})\\:([0-9a-f]{1,2})\\:([0-9a-f]{1,2})\\:([0-9a-f]{1,2})\\:([0-9a-f]{1,2})\\:([0-9a-f]{1,2})' "$net_default_mac"
mac=${m1}-${m2}-${m3}-${m4}-${m5}-${m6}
configfile=$prefix/grub.cfg-01-$mac
source "$configfile"

insmod part_gpt
set default=local
set timeout=20
menuentry 'Default local boot' --id local {
  exit 1
}
menuentry 'Discovery' --id discovery {
  linux boot/fdi/vmlinuz rootflags=loop
  initrd boot/fdi/initrd.img
}
"""
FOREMAN_HOST = "set default=0\nset timeout=10\nmenuentry 'Installer' {\n  linux boot/k ks=http://10.0.0.1/unattended\n  initrd boot/i\n}\n"

COBBLER = """\
set timeout=10
set default=0
echo "Grub CPU and platform: $grub_cpu, $grub_platform"
insmod http
insmod net
configfile "/grub/system/$net_default_mac"
configfile "/grub/system_link/none"
source "/grub/${grub_cpu}_menu_items.cfg"
menuentry 'local' {
    exit
}
"""

MAAS_LOCAL = """\
set default="0"
set timeout=0
menuentry 'Local' {
    echo 'Booting local disk...'
    # the loader's default place
    search --set=root --file /efi/boot/bootx64.efi
    if [ $? -eq 0 ]; then
        chainloader /efi/boot/bootx64.efi
        boot
    fi
    search --set=root --file /efi/debian/grubx64.efi
    if [ $? -eq 0 ]; then
        chainloader /efi/debian/grubx64.efi
        boot
    fi
    exit
}
"""

XEN = """\
menuentry 'Xen' {
  multiboot2 /xen.gz placeholder dom0_mem=512M ${xen_rm_opts}
  module2 /vmlinuz placeholder root=/dev/ram console=hvc0
  module2 --nounzip /initrd
}
"""

GRUB = {
    "RHEL family's ISO": (RHEL_ISO, {}, Boot("/images/pxeboot/vmlinuz", ("/images/pxeboot/initrd.img",), "inst.stage2=hd:LABEL=OS-9-x86_64-dvd rd.live.check quiet")),
    "Fedora by PXE": (FEDORA_PXE, {}, Boot("fedora/vmlinuz", ("fedora/initrd.img",), "inst.repo=http://10.0.0.1/fedora ip=dhcp")),
    # "[ ]" is true to GRUB (grub-emu 2.06)
    "Debian's netboot": (DEBIAN_NETBOOT, {}, Boot("/debian-installer/amd64/linux", ("/debian-installer/amd64/initrd.gz",), "vga=788 --- quiet iso-scan/filename=")),
    "Ubuntu's live server": (UBUNTU_LIVE_SERVER, {}, Boot("/casper/vmlinuz", ("/casper/initrd",), "iso-url=http://10.0.0.1/server.iso ip=dhcp ---")),
    "SUSE": (SUSE, {}, Boot("/boot/x86_64/loader/linux", ("/boot/x86_64/loader/initrd",), "splash=silent install=http://10.0.0.1/suse")),
    "grub-mkconfig": (MKCONFIG, {}, Boot("/vmlinuz-6.1.0", ("/initrd.img-6.1.0",), "root=UUID=1 ro quiet")),
    "grub-mkconfig's saved entry": (MKCONFIG, {"/grub/grubenv": SAVED}, Boot("/vmlinuz-5.10.0", (), "root=UUID=1 ro single")),
    "Foreman": (FOREMAN, {}, Local("grub.cfg:10: exit 1")),
    "Foreman's host": (FOREMAN, {"/grub/grub.cfg-01-00-16-3e-11-11-11": FOREMAN_HOST.replace("default=0", "default=local")}, Local("grub.cfg:10: exit 1")),
    "Cobbler": (COBBLER, {}, Local("grub.cfg:10: exit")),
    "Cobbler's menu": (COBBLER, {"/grub/x86_64_menu_items.cfg": "menuentry 'os' {\n  linux /images/os/vmlinuz ks=x\n  initrd /images/os/initrd\n}\n"},
                       Boot("/images/os/vmlinuz", ("/images/os/initrd",), "ks=x")),
    "Cobbler's system": (COBBLER, {"/grub/system/00:16:3e:11:11:11": "set default=0\nmenuentry 's' {\n  linux /s/vmlinuz\n}\n"}, Boot("/s/vmlinuz")),
    "MAAS's local boot": (MAAS_LOCAL, {}, Local("grub.cfg:16: exit")),
    "Xen": (XEN, {}, Boot("/vmlinuz", ("/initrd",), "placeholder root=/dev/ram console=hvc0")),
}  # fmt: skip


@pytest.mark.parametrize("name", GRUB)
def test_grub_of_a_distribution(name: str) -> None:
    text, files, wanted = GRUB[name]
    assert grub.read(text, FACTS, files=files.get).plan == wanted


def test_grub_of_a_distribution_on_the_disk() -> None:
    """SUSE's first entry asks the disk, and boots it whatever the answer."""
    assert isinstance(grub.read(SUSE.replace("default=install", "default=0"), FACTS, files={}.get).plan, Local)
    searched = RHEL_ISO.replace("search --no-floppy", "if search --no-floppy").replace(
        "x86_64-dvd'\n\n", "x86_64-dvd'; then set default=0; fi\n\n"
    )
    with pytest.raises(NotStraight, match="own disk"):
        grub.read(searched, FACTS, files={}.get)


DEBIAN_PXE = {
    "default": "# D-I config version 2.0\npath d-i/boot-screens/\ninclude d-i/menu.cfg\ndefault d-i/vesamenu.c32\nprompt 0\ntimeout 0\n",
    "d-i/menu.cfg": "menu hshift 7\nmenu title Installer menu\ninclude d-i/stdmenu.cfg\ninclude d-i/txt.cfg\nmenu begin advanced\n\tmenu title Advanced\n"
                    "\tlabel mainmenu\n\t\tmenu label ^Back..\n\t\tmenu exit\n\tinclude d-i/adv.cfg\nmenu end\nlabel help\n\tmenu label ^Help\n\ttext help\n   Help\n\tendtext\n\tconfig d-i/prompt.cfg\n",
    "d-i/stdmenu.cfg": "menu background splash.png\nmenu color title\t* #FFFFFFFF *\n",
    "d-i/txt.cfg": "label install\n\tmenu label ^Install\n\tkernel d-i/linux\n\tappend vga=788 initrd=d-i/initrd.gz --- quiet\n",
    "d-i/adv.cfg": "label rescue\n\tmenu default\n\tmenu label ^Rescue\n\tkernel d-i/linux\n\tappend vga=788 initrd=d-i/initrd.gz rescue/enable=true --- quiet\n",
}  # fmt: skip

RHEL_PXE = """\
default vesamenu.c32
prompt 0
timeout 600

display boot.msg

menu title Welcome!
label linux
  menu label ^Install system
  menu default
  kernel images/vmlinuz
  append initrd=images/initrd.img ip=dhcp inst.repo=http://10.0.0.1/os
label rescue
  menu label ^Rescue installed system
  kernel images/vmlinuz
  append initrd=images/initrd.img inst.rescue
label local
  menu label Boot from ^local drive
  localboot 0xffff
"""

COBBLER_PXE = """\
DEFAULT menu
PROMPT 0
MENU TITLE Cobbler
TIMEOUT 200
TOTALTIMEOUT 6000
ONTIMEOUT local

LABEL local
        MENU LABEL (local)
        MENU DEFAULT
        LOCALBOOT -1
LABEL os
        MENU LABEL os
        kernel /images/os/vmlinuz
        append initrd=/images/os/initrd ks=x
        ipappend 2
MENU end
"""

PXELINUX = {
    "Debian's netboot": (DEBIAN_PXE["default"], DEBIAN_PXE, Boot("d-i/linux", ("d-i/initrd.gz",), "vga=788 --- quiet")),
    "RHEL family": (
        RHEL_PXE,
        {},
        Boot("images/vmlinuz", ("images/initrd.img",), "ip=dhcp inst.repo=http://10.0.0.1/os"),
    ),
    "Cobbler": (COBBLER_PXE, {}, Local("pxelinux.cfg/default:8: label local: LOCALBOOT -1")),
}


@pytest.mark.parametrize("name", PXELINUX)
def test_pxelinux_of_a_distribution(name: str) -> None:
    text, files, wanted = PXELINUX[name]
    assert pxelinux.read(text, FACTS, files.get).plan == wanted


IRONIC = """\
#!ipxe

# Loop over all network devices and boot from the first one that can
set netid:int32 -1
:loop
inc netid
isset ${net${netid}/mac} || goto loop_done
echo Attempting to boot from MAC ${net${netid}/mac:hexhyp}
chain pxelinux.cfg/${net${netid}/mac:hexhyp} || goto loop

:loop_done
echo PXE boot failed!
prompt --timeout 180
reboot
"""

MIRROR_MENU = """\
#!ipxe
:start
isset ${arch} && goto skip_arch_detect ||
cpuid --ext 29 && set arch x86_64 || set arch i386
iseq ${buildarch} arm64 && set arch arm64 ||
:skip_arch_detect
isset ${menu} && goto ${menu} ||
isset ${ip} || dhcp
set space:hex 20:20
set space ${space:string}
menu Boot
item --gap Default:
item local ${space} Boot from local hdd
item --gap Distributions:
item linux ${space} Linux (64-bit)
isset ${menu} && set timeout 0 || set timeout 300000
choose --timeout ${timeout} --default ${menu} menu || goto local
echo ${cls}
goto ${menu} ||
chain ${menu}.ipxe || goto error
goto start
:error
echo Error occured, press any key to return to menu ...
prompt
goto start
:local
echo Booting from local disks ...
exit 0
"""

IPXE: Mapping[str, tuple[str, Mapping[str, str], BootPlan]] = {
    "Ironic": (IRONIC, {"pxelinux.cfg/00-16-3e-11-11-11": "#!ipxe\nkernel --timeout 60000 http://10.0.0.1/k selinux=0 || goto retry\ninitrd --timeout 60000 http://10.0.0.1/i || goto retry\nboot\n:retry\nexit\n"},
               Boot("http://10.0.0.1/k", ("http://10.0.0.1/i",), "selinux=0")),
    "Ironic without the machine": (IRONIC, {}, Local("script.ipxe:13: the script ends here, as 'prompt --timeout 180' fails")),
    "a menu of mirrors": (MIRROR_MENU, {}, Local("script.ipxe:28: exit 0")),
}  # fmt: skip


@pytest.mark.parametrize("name", IPXE)
def test_ipxe_of_a_server(name: str) -> None:
    text, files, wanted = IPXE[name]
    assert ipxe.read(text, FACTS, files=files.get).plan == wanted
