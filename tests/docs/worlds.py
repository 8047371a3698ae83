"""The networks that the how-tos begin with, as shell commands: what a page says under "In what follows"."""

from __future__ import annotations

_SERVER = """
ip link add br0 type bridge forward_delay 0
ip address add 10.77.0.1/24 dev br0
ip link set br0 up
"""

_OTHER = """
ip netns add other
ip link add to-other type veth peer name eth0 netns other
ip link set to-other master br0 up
ip -n other address add 10.77.0.2/24 dev eth0
ip -n other link set eth0 up
ip -n other link set lo up
ip netns exec other dnsmasq --conf-file=/dev/null --pid-file= --user=root --port=0 --dhcp-leasefile=/dev/null \
    --dhcp-range=10.77.0.60,10.77.0.90
"""

_CONTAINER = """
for place in machine container; do
    ip netns add $place
    ip link add to-$place type veth peer name eth0 netns $place
    ip link set to-$place up
    ip -n $place link set eth0 up
    ip -n $place link set lo up
done
ip link set to-machine master br0
ip -n machine address add 10.77.0.20/24 dev eth0
ip address add 10.88.0.1/24 dev to-container
ip -n container address add 10.88.0.2/24 dev eth0
ip -n container route add default via 10.88.0.1
echo 1 >/proc/sys/net/ipv4/ip_forward
"""

_NETWORKS = """
set +x
ip netns add switch
ip netns add vlan20
ip netns add router
ip link add eth0 type veth peer name server netns switch
ip address add 10.77.0.1/24 dev eth0
ip link set eth0 up
ip -n switch link set server up
if ! ip -n switch link add link server name server.20 type vlan id 20; then
    echo 'this kernel has no VLANs: a wire of its own takes the place of the page'\\''s'
    ip link add eth0.20 type veth peer name server.20 netns switch
    ip() { case "$*" in *" type vlan "*) ;; *) command ip "$@" ;; esac; }
fi
for place in vlan20 router; do
    ip -n switch link add $place type veth peer name eth0 netns $place
    ip -n switch link add to-$place type bridge forward_delay 0
    ip -n switch link set $place master to-$place up
    ip -n switch link set to-$place up
done
ip -n switch link set server master to-router
ip -n switch link set server.20 master to-vlan20 up
ip -n vlan20 link add br20 type bridge forward_delay 0
ip -n vlan20 link set br20 up
ip -n vlan20 link set eth0 master br20 up
ip -n router link set lo up
ip -n router address add 10.77.0.254/24 dev eth0
ip -n router link set eth0 up
ip -n router link add br30 type bridge forward_delay 0
ip -n router address add 10.30.0.1/24 dev br30
ip -n router link set br30 up
ip netns exec router bash -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
set -x
"""

WORLDS = {
    "being-told": _SERVER,
    "beside-a-dhcp-server": _SERVER + _OTHER,
    "debugging-a-machine": _SERVER,
    "firewalls-and-containers": _SERVER + _CONTAINER,
    "uefi-http-secure-boot": _SERVER,
    "vlans-and-relays": _NETWORKS,
}
