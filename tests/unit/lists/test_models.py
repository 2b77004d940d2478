"""Makers, products, processors and operating systems by other names."""

import pytest

from salt_ext.lists.models import processors_said, same_maker, same_processor, same_product
from salt_ext.lists.systems import same_system

GOLD = "Intel(R) Xeon(R) Gold 6330 CPU @ 2.00GHz"
BROADWELL = "Intel(R) Xeon(R) CPU E5-2680 v4 @ 2.40GHz"
EPYC = "AMD EPYC 7543 32-Core Processor"


@pytest.mark.parametrize(
    ("said", "reported"),
    [
        ("戴尔", "Dell Inc."),
        ("Dell EMC", "Dell Inc."),
        ("HP", "HPE"),
        ("hp", "Hewlett-Packard"),
        ("惠普", "Hewlett Packard Enterprise"),
        ("IBM", "Lenovo"),
        ("联想", "LENOVO"),
        ("华为", "Huawei Technologies Co., Ltd."),
        ("华为", "xFusion"),
        ("超聚变", "Huawei"),
        ("浪潮", "Inspur"),
        ("浪潮信息", "IEIT SYSTEMS"),
        ("新华三", "New H3C Technologies Co., Ltd."),
        ("中科曙光", "Sugon"),
        ("超微", "Supermicro"),
        ("Super Micro Computer, Inc.", "Supermicro"),
        ("思科", "Cisco Systems Inc"),
        ("华硕", "ASUSTeK COMPUTER INC."),
        ("ＤＥＬＬ", "Dell Inc."),  # noqa: RUF001
        ("戴尔(Dell)", "Dell Inc."),
    ],
)
def test_a_maker_has_many_names(said, reported):
    assert same_maker(said, reported) is True


@pytest.mark.parametrize(
    ("said", "reported", "same"),
    [("戴尔", "HPE", False), ("Lenovo", "Dell Inc.", False), ("Acme", "Dell Inc.", None)],
)
def test_other_makers_are_others(said, reported, same):
    assert same_maker(said, reported) is same


@pytest.mark.parametrize(
    ("said", "reported", "same"),
    [
        ("R740", "PowerEdge R740", True),
        ("戴尔R740", "PowerEdge R740", True),
        ("Dell PowerEdge R740服务器", "PowerEdge R740", True),
        ("R740", "PowerEdge R740xd", False),
        ("R740xd", "PowerEdge R740", False),
        ("R640", "PowerEdge R740", False),
        ("PowerEdge", "PowerEdge R740", True),
        ("服务器", "PowerEdge R740", True),
        ("DL380 G10", "ProLiant DL380 Gen10", True),
        ("DL380Gen10", "ProLiant DL380 Gen10", True),
        ("DL380 Gen9", "ProLiant DL380 Gen10", False),
        ("SR650", "ThinkSystem SR650 -[7X06CTO1WW]-", True),
        ("X3650M5", "System x3650 M5: -[5462AC1]-", True),
        ("2288HV5", "2288H V5", True),
        ("浪潮英信NF5280M5", "NF5280M5", True),
        ("R4900G3", "H3C UniServer R4900 G3", True),
        ("6029P-TRT", "SYS-6029P-TRT", True),
    ],
)
def test_a_product_is_known_by_its_model(said, reported, same):
    assert same_product(said, reported) is same


@pytest.mark.parametrize(
    ("said", "reported", "same", "count"),
    [
        ("2*Xeon 6330", GOLD, True, 2),
        ("Intel(R) Xeon(R) Gold 6330 x2", GOLD, True, 2),
        ("6330*2", GOLD, True, 2),
        ("2颗6330", GOLD, True, 2),
        ("2路 至强金牌6330", GOLD, True, 2),
        ("Intel Xeon Gold 6330 28C 2.0GHz*2", GOLD, True, 2),
        ("6330 2.0G 28C56T", GOLD, True, None),
        ("2* Intel Xeon Gold 6330(28C/2.0GHz)", GOLD, True, 2),
        (f"{GOLD} × 2", GOLD, True, 2),  # noqa: RUF001
        ("Xeon", GOLD, True, None),
        ("Gold 6338", GOLD, False, None),
        ("2 x E5-2680v4", BROADWELL, True, 2),
        ("E5-2680 V3", BROADWELL, False, None),
        ("AMD EPYC 7543 32核*2", EPYC, True, 2),
        ("EPYC 7543P", EPYC, False, None),
        ("鲲鹏920 5250*2", "Kunpeng-920", True, 2),
        ("海光7285*2", "Hygon C86 7285 32-core Processor", True, 2),
    ],
)
def test_a_processor_is_known_by_its_model(said, reported, same, count):
    assert same_processor(said, reported) is same
    assert processors_said(said) == count


@pytest.mark.parametrize(
    ("said", "reported", "same"),
    [
        ("Rocky 9", "Rocky Linux 9.5 (Blue Onyx)", True),
        ("Rocky 9.4", "Rocky Linux 9.5 (Blue Onyx)", False),
        ("CentOS7.9", "CentOS Linux 7 (Core)", True),
        ("CentOS 7.9 64位", "CentOS Linux 7 (Core)", True),
        ("Ubuntu 22.04", "Ubuntu 22.04.3 LTS", True),
        ("Ubuntu20.04", "Ubuntu 22.04.3 LTS", False),
        ("红帽8.6", "Red Hat Enterprise Linux 8.6 (Ootpa)", True),
        ("Debian 12", "Debian GNU/Linux 12 (bookworm)", True),
        ("SLES 15 SP5", "SUSE Linux Enterprise Server 15 SP4", False),
        ("麒麟V10", "Kylin Linux Advanced Server V10 (Tercel)", True),
        ("Win2019", "Microsoft Windows Server 2019 Datacenter", True),
        ("CentOS 9", "Rocky Linux 9.5 (Blue Onyx)", False),
        ("Linux", "Rocky Linux 9.5 (Blue Onyx)", None),
    ],
)
def test_a_system_is_known_by_its_family_and_as_much_of_its_version_as_is_said(
    said, reported, same
):
    assert same_system(said, reported) is same
