#!/bin/bash
# dom0's first process: what Xen's tools and netprov need of a system, then the agent. No udev, no systemd.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=vt100 LANG=C.UTF-8
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev 2>/dev/null
# udev would make these: /etc/xen/scripts/locking.sh looks at /dev/stdin and spins for ever without it
ln -sf /proc/self/fd /dev/fd
ln -sf fd/0 /dev/stdin
ln -sf fd/1 /dev/stdout
ln -sf fd/2 /dev/stderr
mkdir -p /dev/pts /dev/shm
mount -t devpts -o gid=5,mode=620 devpts /dev/pts
for folder in /run /tmp /dev/shm; do mount -t tmpfs tmpfs $folder; done
mkdir -p /run/lock /run/xen /run/xenstored
echo dom0 >/proc/sys/kernel/hostname
ip link set lo up
mount -t xenfs xenfs /proc/xen
/etc/init.d/xen start
echo "DOM0-XEN rc=$? uptime=$(cut -d' ' -f1 /proc/uptime)"

# xenbr0 has the machine's card in it: servers are outside. xenbr1 has none: a server can be in dom0.
# Without a forwarding delay: a guest asks for its address as soon as it is a port.
for bridge in xenbr0 xenbr1; do
    ip link add $bridge type bridge forward_delay 0
    ip link set $bridge up
done
ip link set eth0 master xenbr0
ip link set eth0 up
python3 -I /usr/sbin/dom0-agent || echo "DOM0-AGENT rc=$?"
sync
echo o >/proc/sysrq-trigger
sleep 30
