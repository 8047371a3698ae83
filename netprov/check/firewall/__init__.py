"""Whether this host's firewall lets machines' packets in: nftables' and iptables' rules, read and walked through."""
