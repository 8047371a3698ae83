#!/bin/busybox sh
# netprov-probe: what an installer does on the network, and nothing else. It says each step on the console.
#
# Kernel arguments: netprov.autoinstall=URL (also inst.ks= ks= preseed/url= url= autoyast=), netprov.callback=URL,
# netprov.probe=poweroff|reboot|stay, BOOTIF=01-MAC, ip=ADDRESS:SERVER:GATEWAY:MASK:HOST:IF:none
export PATH=/bin
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev 2>/dev/null
# what the kernel logs from here on would cut our lines in two; panics still show
echo 1 >/proc/sys/kernel/printk

say() { echo "NETPROV-PROBE $*"; }

finish() {
    say done
    sync
    case $mode in
        reboot) reboot -f ;;
        stay) while :; do sleep 3600; done ;;
        *) poweroff -f ;;
    esac
    # a machine that cannot do either must not panic when init ends
    while :; do sleep 3600; done
}

autoinstall= callback= mode=poweroff bootif= static=
for word in $(cat /proc/cmdline); do
    value=${word#*=}
    value=${value#\"} value=${value%\"}
    case $word in
        netprov.autoinstall=*) autoinstall=$value ;;
        inst.ks=*|ks=*|preseed/url=*|url=*|autoyast=*) autoinstall=${autoinstall:-$value} ;;
        netprov.callback=*) callback=$value ;;
        netprov.probe=*) mode=$value ;;
        BOOTIF=*) bootif=$(echo "${value#??-}" | tr 'A-F-' 'a-f:') ;;
        ip=*:*:*:*) static=$value ;;
    esac
done

say up
say "cmdline $(cat /proc/cmdline)"
say "kernel $(uname -r) $(uname -m)"
while read -r module; do insmod "/lib/modules/$module" 2>/dev/null; done </lib/modules/order
if [ -d /sys/firmware/efi ]; then
    say firmware uefi
    variables=/sys/firmware/efi/efivars
    mount -t efivarfs efivarfs $variables 2>/dev/null
    # four bytes of attributes, then the value; firmware that has other variables, but not this one, has no Secure Boot
    secureboot=$variables/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c
    case $(od -An -tu1 $secureboot 2>/dev/null),$(ls $variables) in
        *" 1,"*) say secureboot on ;;
        *" 0,"*) say secureboot off ;;
        ,?*) say secureboot off ;;
        *) say secureboot unknown ;;
    esac
else
    say firmware bios
fi
uuid=$(cat /sys/class/dmi/id/product_uuid 2>/dev/null) && say "uuid $uuid"

interfaces() { # those with Ethernet addresses, the one that booted first or alone
    for path in /sys/class/net/*; do
        [ "$(cat "$path/type")" = 1 ] || continue
        [ -z "$bootif" ] || [ "$(cat "$path/address")" = "$bootif" ] || continue
        basename "$path"
    done
}

tries=0
while [ -z "$(interfaces)" ] && [ $tries -lt 50 ]; do sleep 0.2; tries=$((tries + 1)); done
ip link set lo up
network=
for interface in $(interfaces); do
    mac=$(cat "/sys/class/net/$interface/address")
    ip link set "$interface" up
    if [ -n "$static" ]; then
        IFS=: read -r address _ gateway mask _ _ _ <<ARGUMENT
$static
ARGUMENT
        ip addr add "$address/${mask:-24}" dev "$interface"
        [ -z "$gateway" ] || ip route add default via "$gateway"
        say "network $interface mac=$mac ip=$address from=cmdline"
        network=$interface
        break
    fi
    if udhcpc -i "$interface" -n -q -t 8 -T 3 -V netprov-probe -s /bin/probe_dhcp >/tmp/udhcpc 2>&1; then
        say "network $interface mac=$mac ip=$(cat /tmp/ip) from=$(cat /tmp/server)"
        network=$interface
        break
    fi
    say "dhcp failed on $interface mac=$mac"
done
if [ -z "$network" ]; then
    say network failed
    finish
fi

fetch() { # URL FILE: a link that has just come up may lose the first packets
    for wait in 0 1 2 4; do
        sleep $wait
        # not wget -T: in Debian 12's static busybox that ends in a segmentation fault
        timeout 60 wget -q -O "$2" "$1" && return 0
    done
    return 1
}

if [ -n "$autoinstall" ]; then
    if fetch "$autoinstall" /tmp/autoinstall; then
        say "ks sha256=$(sha256sum /tmp/autoinstall | cut -d' ' -f1) url=$autoinstall"
        [ -n "$callback" ] || callback=$(sed -n 's/^[[:space:]]*#[[:space:]]*netprov-callback:[[:space:]]*//p' /tmp/autoinstall | head -n 1 | tr -d '\r')
    else
        say "ks failed url=$autoinstall"
    fi
else
    say ks none
fi

if [ -n "$callback" ]; then
    # a server may take the report as a POST, or only a GET as an installer's curl sends it
    if timeout 60 wget -q -O /tmp/answer --post-data "probe=done" "$callback" || fetch "$callback" /tmp/answer; then
        say "callback ok url=$callback"
    else
        say "callback failed url=$callback"
    fi
else
    say callback none
fi
finish
