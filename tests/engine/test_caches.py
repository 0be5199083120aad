"""What the engine remembers is bounded, and what was used lately stays."""

import pytest

from eligibility.access.model import Device
from eligibility.catalog.validation import read_product
from eligibility.engine import device_classes
from eligibility.rules.requirements import load_requirements

MOST = 8


def test_devices_used_lately_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_classes, "MOST_DEVICES", MOST)
    body = {"name": "App", "submission": {"audience": "public", "packages": []}}
    classes = device_classes.DeviceClasses(read_product(body), load_requirements())
    used = Device("Windows.Desktop", "10.0.22631.0")
    number = classes.of(used)
    for build in range(100):
        classes.of(Device("Windows.Desktop", f"10.0.22631.{build + 1}"))
        assert classes.of(used) == number
    assert classes.lately(used) is not None
    assert classes.lately(Device("Windows.Desktop", "10.0.22631.1")) is None
