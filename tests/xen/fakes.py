"""xl, LVM's and libvirt's commands as far as `netprov domu create` uses them, answering as recorded from the real ones.

What they were called with is in `log`; the domains that run, a line each, in `domains`, and libvirt's in `defined`.
"""

from __future__ import annotations

from pathlib import Path

XL = r"""#!/bin/sh
# as xl of Xen 4.17 in Debian 12
cd "@HERE@" || exit 1
echo "xl $*" >>log
case $1 in
list)
    [ ! -e no-xen ] || { echo "ERROR:  Can't find hypervisor information in sysfs!" >&2; exit 1; }
    echo 'Name                                        ID   Mem VCPUs      State   Time(s)'
    echo 'Domain-0                                     0  1023     2     r-----      31.5'
    sed 's/$/                          1   512     1     -b----       0.3/' domains
    ;;
create)
    name=$(sed -n 's/^name = "\(.*\)"$/\1/p' "$2")
    echo "Parsing config from $2"
    [ ! -e slow ] || { touch creating; exec sleep 30; }
    if [ -e refuses ]; then
        cat refuses >&2
        exit 3
    fi
    echo "$name" >>domains
    ;;
domid)
    if grep -qx "$2" domains; then echo 1; exit 0; fi
    echo "Can't get domid of domain name '$2', maybe this domain does not exist." >&2
    exit 1
    ;;
destroy) sed -i "/^$2\$/d" domains ;;
esac
"""

VIRSH = r"""#!/bin/sh
cd "@HERE@" || exit 1
shift 3  # --quiet --connect URI
echo "virsh $*" >>log
case $1 in
list)
    if [ "$2" = --all ]; then cat defined; else cat domains; fi
    echo
    ;;
define)
    virt-xml-validate "$3" domain >/dev/null || exit 1
    name=$(sed -n 's|.*<name>\(.*\)</name>.*|\1|p' "$3")
    grep -qx "$name" defined || echo "$name" >>defined
    ;;
start)
    [ ! -e refuses ] || { echo "error: Failed to start domain '$2'" >&2; exit 1; }
    echo "$2" >>domains
    ;;
destroy) sed -i "/^$2\$/d" domains ;;
undefine) sed -i "/^$2\$/d" defined ;;
esac
"""

LOGGED = """#!/bin/sh
echo "@NAME@ $*" >>"@HERE@/log"
"""


def make(folder: Path) -> Path:
    """The folder to put in front of $PATH; the state of what they do is in it."""
    folder.mkdir(parents=True)
    programs = {"xl": XL, "virsh": VIRSH, "lvcreate": LOGGED, "lvremove": LOGGED}
    for name, text in programs.items():
        (folder / name).write_text(text.replace("@HERE@", str(folder)).replace("@NAME@", name))
        (folder / name).chmod(0o755)
    for name in ("domains", "defined", "log"):
        (folder / name).touch()
    return folder
