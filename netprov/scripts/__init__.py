"""Readers of PXELINUX's, GRUB's and iPXE's scripts: what the loader would boot."""
