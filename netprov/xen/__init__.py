"""domUs: their bootloader in dom0, their configurations for xl and libvirt, making them."""
