"""The settings that xl knows, and what became of those that only xm knew."""

from __future__ import annotations

from collections.abc import Mapping

_OF_4_17 = frozenset(
    {
        "acpi", "acpi_firmware", "acpi_laptop_slate", "acpi_s3", "acpi_s4", "altp2m", "altp2mhvm", "apic",
        "bios", "bios_path_override", "boot", "bootloader", "bootloader_args", "builder", "cap", "channel",
        "cmdline", "cpu_weight", "cpuid", "cpus", "cpus_soft", "device_model_args", "device_model_args_hvm",
        "device_model_args_pv", "device_model_override", "device_model_stubdomain_override",
        "device_model_stubdomain_seclabel", "device_model_user", "device_model_version", "device_tree", "disk",
        "display", "dm_restrict", "driver_domain", "dtdev", "e820_host", "extra", "extratime", "firmware",
        "firmware_override", "gfx_passthru", "gic_version", "hap", "hdtype", "hpet", "init_seclabel", "iomem",
        "ioports", "irqs", "kernel", "keymap", "latency", "localtime", "max_event_channels", "max_grant_frames",
        "max_grant_version", "max_maptrack_frames", "maxmem", "maxvcpus", "mca_caps", "memory", "mmio_hole",
        "ms_vm_genid", "msr_relaxed", "name", "nestedhvm", "nographic", "nomigrate", "nx", "on_crash",
        "on_poweroff", "on_reboot", "on_soft_reset", "on_watchdog", "oos", "opengl", "p9", "pae", "passthrough",
        "pci", "pci_msitranslate", "pci_permissive", "pci_power_mgmt", "pci_seize", "period", "pool", "pvcalls",
        "pvshim", "pvshim_cmdline", "pvshim_extra", "pvshim_path", "ramdisk", "rdm", "rdm_mem_boundary", "root",
        "rtc_timeoffset", "sdl", "seclabel", "serial", "shadow_memory", "slice", "smbios_firmware", "soundhw",
        "spice", "spice_clipboard_sharing", "spice_image_compression", "spice_streaming_video",
        "spiceagent_mouse", "spicedisable_ticketing", "spicehost", "spicepasswd", "spiceport", "spicetls_port",
        "spiceusbredirection", "spicevdagent", "stdvga", "stubdomain_cmdline", "stubdomain_kernel",
        "stubdomain_memory", "stubdomain_ramdisk", "tee", "timer_mode", "tsc_mode", "type", "usb", "usbctrl",
        "usbdev", "usbdevice", "usbversion", "uuid", "vcpus", "vdispl", "vendor_device", "vfb", "vga",
        "videoram", "vif", "viridian", "vkb", "vkb_device", "vmtrace_buf_kb", "vnc", "vncdisplay", "vnclisten",
        "vncpasswd", "vncunused", "vnuma", "vpmu", "vpt_align", "vsnd", "vtpm", "vuart", "xauthority",
        "xen_platform_pci", "xend_suspend_evtchn_compat",
    }
)  # fmt: skip
"""What tools/xl/xl_parse.c of Xen 4.17 reads. xl ignores every other name without a word."""

SINCE: Mapping[str, tuple[int, int]] = {
    "bootloader_restrict": (4, 18), "bootloader_user": (4, 18), "smbios": (4, 18), "sve": (4, 18), "virtio": (4, 18),
    "hvm_pirq": (4, 19), "nr_spis": (4, 19),
    "llc_colors": (4, 20),
    "altp2m_count": (4, 21), "arm_sci": (4, 21), "trap_unmapped_accesses": (4, 21), "xen_platform_pci_bar_uc": (4, 21),
    "xenstore_feature_mask": (4, 21),
    "xenstore_quota": (4, 22),
}  # fmt: skip
"""Settings that a later Xen's xl reads: the first version (xl_parse.c of the branches stable-4.18 to stable-4.22)."""

VIF_SINCE: Mapping[str, tuple[int, int]] = {"vlan": (4, 19)}
"""The same for the pairs of a vif (parse_nic_config)."""

XL_KEYS = _OF_4_17 | SINCE.keys()
"""What any xl from 4.17 on reads."""

RENAMED: Mapping[str, str] = {"cpu_cap": "cap", "on_shutdown": "on_poweroff"}
"""xm's names for settings that xl has under another."""

XM_ONLY: Mapping[str, str] = {
    "device_model": "xl chooses the device model itself",
    "dhcp": "write ip=dhcp into extra, or leave it: the installer asks DHCP by itself",
    "ip": "write ip=… into extra: xm put it onto the kernel's command line",
    "netmask": "write ip=… into extra: xm put it onto the kernel's command line",
    "gateway": "write ip=… into extra: xm put it onto the kernel's command line",
    "hostname": "write ip=… into extra: xm put it onto the kernel's command line",
    "nfs_server": "write nfsroot=… into extra: xm put it onto the kernel's command line",
    "nfs_root": "write nfsroot=… into extra: xm put it onto the kernel's command line",
    "nics": "xl counts the entries of vif",
    "on_xend_start": "there is no xend: put a link to the file into /etc/xen/auto",
    "on_xend_stop": "there is no xend: the service xendomains stops domains",
    "restart": "write on_reboot and on_crash",
    "features": "xl takes the features from the kernel",
    "bootentry": "pass the entry in bootloader_args",
    "vncconsole": "start a viewer with xl vncviewer",
    "vncviewer": "start a viewer with xl vncviewer",
    "extid": "xl knows no such setting",
    "loader": "xl chooses the firmware itself: see firmware=",
    "vncpasswd_file": "xl knows no such setting",
    "vif2": "netchannel2 no longer exists",
    "blkif": "driver domains are written with driver_domain=1",
    "netif": "driver domains are written with driver_domain=1",
    "tpmif": "driver domains are written with driver_domain=1",
    "address": "xm's own; xl knows no such setting",
    "xm_file": "xm's own; xl knows no such setting",
    "defconfig": "xm's own; xl knows no such setting",
}
"""Settings of xm that xl has not, and what to do."""
