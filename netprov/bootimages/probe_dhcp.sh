#!/bin/busybox sh
# udhcpc's hook: sets the interface up as the lease says, and leaves what init reports in files.
case $1 in
    bound | renew)
        ip addr flush dev "$interface"
        ip addr add "$ip/${mask:-24}" dev "$interface"
        for gateway in $router; do ip route add default via "$gateway" && break; done
        : >/etc/resolv.conf
        for server in $dns; do echo "nameserver $server" >>/etc/resolv.conf; done
        echo "$ip" >/tmp/ip
        echo "$serverid" >/tmp/server
        echo "NETPROV-PROBE dhcp ip=$ip mask=$mask router=$router dns=$dns hostname=$hostname domain=$domain lease=$lease" >/dev/console
        ;;
esac
