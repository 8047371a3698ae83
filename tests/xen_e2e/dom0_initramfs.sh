#!/bin/busybox sh
# dom0's initramfs: loads every module there is a use for (the root has none), and goes on to the disk.
export PATH=/bin
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
while read -r module; do insmod "/modules/$module" || echo "DOM0-NO-MODULE $module"; done </modules/order
tries=0
while ! [ -b /dev/vda ] || ! [ -b /dev/vdb ]; do
    tries=$((tries + 1))
    [ $tries -lt 100 ] || break
    sleep 0.1
done
if ! { mount -t ext4 -o noatime /dev/vda /newroot && mount -t ext4 -o ro /dev/vdb /newroot/opt/netprov; }; then
    echo DOM0-NO-ROOT
    poweroff -f
fi
umount /sys /proc
exec switch_root /newroot /usr/sbin/dom0-init
