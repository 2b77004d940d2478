"""
Which fields can be hidden: those of the list, and every field of the fact document.

A test holds the sections against ``docs/facts.md``.
"""

from __future__ import annotations

from salt_ext.words.fields import FIELDS
from salt_ext.words.nearest import unknown

TYPE_CHECKING = False  # see nearest.py
if TYPE_CHECKING:
    from collections.abc import Collection

OWN = "list."
"""How the fields begin that people's lists have and no machine can fill."""

COLUMNS = (
    *("sn", "hostname", "site", "room", "rack", "unit", "manufacturer", "product_name", "os"),
    *("kernel_release", "processor_model", "processor_threads", "memory_bytes", "disk_count"),
    *("disk_bytes", "address"),
)
"""The fields of the list that are made from facts; by the others people find a machine at all."""

OTHER_WORDS = {"address": "addresses", "serial": "serial_number", "sn": "serial_number"}
"""Words that people use for fields of a section that has them not, and ours."""

SECTIONS = {
    name: frozenset(fields.split())
    for name, fields in (
        (
            "operating_system",
            "architecture boot_id hostname id kernel_release machine_id name pretty_name "
            "uptime_seconds version_id",
        ),
        ("virtual", "cloud container evidence hypervisor instance_id instance_type provider role"),
        (
            "system",
            "bays bays_filled compatible enclosure family kind manufacturer model name "
            "product_name rack_name serial_number server_bay sku_number uuid version "
            "wake_up_type",
        ),
        (
            "baseboards",
            "asset_tag chassis_handle location_in_chassis manufacturer product_name "
            "serial_number type version",
        ),
        (
            "chassis",
            "asset_tag handle height_u manufacturer number_of_power_cords serial_number "
            "sku_number type version",
        ),
        (
            "firmware",
            "embedded_controller_revision mode raw release_date revision rom_size_bytes "
            "secure_boot smbios_problems smbios_version vendor version",
        ),
        (
            "processors",
            "asset_tag base_mhz caches core_count core_enabled cores cpus current_speed_mhz "
            "distance external_clock_mhz family flags id instances isa level manufacturer "
            "max_mhz max_speed_mhz memory_bytes microcode model model_number numa_nodes "
            "online packages part_number populated serial_number shared_by size_bytes "
            "socket_designation sockets status stepping thread_count threads type upgrade "
            "vendor version vulnerabilities",
        ),
        (
            "memory",
            "arrays asset_tag bank_locator cache_bytes ce_count configured_speed_mts "
            "controller cxl data_width_bits devices edac error_correction firmware_version "
            "form_factor health installed_bytes location locator manufacturer "
            "maximum_capacity_bytes name numa_node number_of_devices part_number pci_slot "
            "persistent_bytes present rank raw serial_number size_bytes speed_mts technology "
            "total_bytes total_width_bits type type_detail ue_count uncorrected_errors use "
            "voltage_mv",
        ),
        (
            "disks",
            "address enclosure eui64 firmware_version hctl health logical_block_size model "
            "name nguid paths pci_slot physical_block_size removable rotation_rate_rpm "
            "rotational serial_number size_bytes slot state subsystem_serial_number transport "
            "uuid vendor wwn",
        ),
        (
            "network",
            "addresses bus carrier default_address driver duplex firmware_version kind mac "
            "master mtu name num pci_slot permanent_mac slaves speed_mbps sriov total vlan_id",
        ),
        (
            "pci",
            "class_id class_name device_id device_name driver numa_node revision slot "
            "subsystem_device_id subsystem_vendor_id vendor_id vendor_name",
        ),
        (
            "gpus",
            "class_id class_name device_id device_name driver memory_bytes model numa_node "
            "revision serial_number slot subsystem_device_id subsystem_vendor_id uuid vbios "
            "vendor_id vendor_name",
        ),
        (
            "power_supplies",
            "asset_tag hot_replaceable location manufacturer max_power_watts name part_number "
            "plugged revision serial_number status",
        ),
        (
            "batteries",
            "charge_percent cycle_count design_capacity_mwh design_voltage_mv "
            "full_capacity_mwh location manufacture_date manufacturer model name present "
            "serial_number status technology",
        ),
        ("slots", "bus_address designation length type usage"),
        ("onboard_devices", "bus_address designation enabled type"),
        (
            "tpm",
            "description driver firmware_version specification_version vendor_id version_major",
        ),
        (
            "usb",
            "class_id location manufacturer model name product_id revision serial_number "
            "speed_mbps vendor_id",
        ),
        (
            "md",
            "action array_state degraded health level members metadata_version mismatch_count "
            "name progress raid_disks size_bytes slot state uuid",
        ),
        ("multipath", "name paths size_bytes wwid wwn"),
        ("lvm", "devices name size_bytes uuid volume_group volume_group_uuid"),
        (
            "smart",
            "available_spare_percentage bytes_read bytes_written device_id enclosure "
            "failed_before failing health interface_crc_errors media_errors name passed "
            "pci_slot pending percentage_used power_cycles power_on_hours protocol raid "
            "reallocated reallocation_events reported_uncorrectable serial_number "
            "skipped_reason slot temperature_celsius uncorrectable uncorrected_reads "
            "uncorrected_verifies uncorrected_writes unsafe_shutdowns",
        ),
        (
            "raid",
            "array battery cache_state check_percent chunk_size_bytes consistency_policy "
            "container controller controllers created_at device_id drive_type driver "
            "enclosure events failed_devices firmware_package firmware_version health id "
            "layout level media_error_count media_type member_size_bytes members "
            "memory_correctable_errors memory_uncorrectable_errors metadata_version model "
            "name other_error_count pci_slot power_on_hours power_state "
            "predictive_failure_count progress_percent raid_device raid_devices "
            "reallocated_sectors rebuild_percent resync_percent serial_number size_bytes "
            "skipped_reason slot smart_warning_count spare_devices state subsystem_device_id "
            "subsystem_vendor_id temperature_celsius timeout_count transport uuid vendor "
            "vendor_id volume volumes wwn",
        ),
        (
            "bmc",
            "address_source addresses channel device_id firmware_version gateway guid "
            "hostname interface_type ipmi_version mac manufacturer_id other_channels port "
            "present product_id redfish vlan_id",
        ),
        (
            "lldp",
            "age chassis_id chassis_id_type id management_addresses name port_description "
            "port_id port_id_type protocol system_description system_name vlan_id vlans",
        ),
        (
            "cloud",
            "account_id image_id instance_id instance_type name provider region "
            "resource_group zone",
        ),
        (
            "instance",
            "addresses cloud created_at flavor host id image name project project_name region "
            "state zone",
        ),
        ("location", "rack room site unit"),
    )
}
"""The words in the paths of each section's fields."""


def hidable(name: str, others: Collection[str] = ()) -> str:
    """
    Return the name of a field of the list, of a section, or the path of a field in a section.

    ``others`` are the sections of the site's own collectors, whose fields nobody knows here.
    Raises ValueError for another name, with the nearest.
    """
    if name in COLUMNS or (name.startswith(OWN) and name != OWN):
        return name
    section, *words = name.split(".")
    if section in SECTIONS:
        known = SECTIONS[section]
        words = [word if word in known else OTHER_WORDS.get(word, word) for word in words]
        for word in words:
            if word not in known:
                raise ValueError(unknown(f"field of {section}", word, sorted(known), OTHER_WORDS))
        return ".".join([section, *words])
    if section in others and all(words):
        return name
    sections = dict.fromkeys((*SECTIONS, *others))
    if words:
        raise ValueError(unknown("section", section, sections))
    raise ValueError(unknown("field to hide", name, [*COLUMNS, *sections], FIELDS))
