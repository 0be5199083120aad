"""Read the cases of a scenario file: apply the defaults, and parse accounts and devices."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from eligibility.access.asker import TERMS, Asker
from eligibility.access.model import Device
from eligibility.errors import Fault, InvalidInput
from eligibility.formats.suggestions import meant
from eligibility.formats.yaml_file import Lines, line_of
from eligibility.simulation.inputs.devices import NamedDevice, preset, written_out
from eligibility.simulation.scenarios.catalog_source import account_faults
from eligibility.simulation.scenarios.document import (
    DeviceDocument,
    ExpectDocument,
    QueryDocument,
    ScenarioDocument,
)
from eligibility.simulation.scenarios.faults import listed
from eligibility.simulation.scenarios.model import Scenario
from eligibility.windows.releases import facts

_REQUIRED = {
    "product": "is required, here or in `defaults`",
    "account": "is required, here or in `defaults`; null = nobody signed in",
    "device": "is required, here or in `defaults`",
}
_Read = TypeVar("_Read")


class CaseReader:
    """Reads the cases of a file, and adds their faults to those of the file."""

    def __init__(
        self, path: Path, document: ScenarioDocument, lines: Lines, faults: list[Fault]
    ) -> None:
        self._path, self._document, self._lines, self._faults = path, document, lines, faults
        self._devices = {
            name: self._try(f"devices.{name}", lambda fields=fields: _device(fields), None)  # type: ignore[misc]
            for name, fields in document.devices.items()
        }

    def read(self, number: int) -> Scenario | None:
        """Read the case at an index. Returns: None if it has faults."""
        case = self._document.cases[number]
        faults_before = len(self._faults)
        fields = _fields_of(self._document.defaults) | _fields_of(case)
        places = {
            name: f"cases.{number}.{name}" if name in _fields_of(case) else f"defaults.{name}"
            for name in fields
        } | {name: f"cases.{number}.{name}" for name in ("expect.source", "expect.remedy")}
        self._faults += [
            Fault(f"cases.{number}.{name}", "MISSING_FIELD", detail)
            for name, detail in _REQUIRED.items()
            if fields.get(name) is None and not (name == "account" and name in fields)
        ]
        if not case.expect.model_fields_set:
            detail = "expects nothing; name at least one field of the decision"
            self._faults.append(Fault(f"cases.{number}.expect", "EXPECTS_NOTHING", detail))
        if len(self._faults) > faults_before:
            return None
        askers, devices = self._askers(fields, places), self._devices_of(fields, places["device"])
        if fields["account"] is None and case.in_:
            detail = "names groups, but nobody is signed in"
            self._faults.append(Fault(places["in"], "GROUPS_OF_NOBODY", detail))
        if len(self._faults) > faults_before:
            return None
        return Scenario(
            file=self._path,
            line=line_of(self._lines, f"cases.{number}"),
            sentence=case.case,
            product_id=fields["product"],
            askers=askers,
            devices=devices,
            expect=_flat(case.expect),
            change=fields.get("change", {}),
            groups=frozenset(fields["in"]) if "in" in fields else None,
            now=fields.get("now"),
            rollout_applies_to=fields.get("rollout_applies_to"),
            lines={name: line_of(self._lines, field_loc) for name, field_loc in places.items()},
        )

    def _try(self, loc: str, read: Callable[[], _Read], otherwise: _Read) -> _Read:
        try:
            return read()
        except InvalidInput as error:
            for fault in error.faults:
                field = fault.loc.removeprefix("device.")
                field_loc = loc if field == fault.loc else f"{loc}.{field}"
                self._faults.append(Fault(field_loc, fault.code, fault.detail))
            return otherwise

    def _askers(self, fields: Mapping[str, Any], places: Mapping[str, str]) -> tuple[Asker, ...]:
        loc, accounts = places["account"], fields["account"]
        if isinstance(accounts, tuple):
            addresses = tuple(address for address in accounts if address is not None)
            if faults := [*account_faults(loc, addresses)]:
                self._faults += faults
                return ()
            if fields.get("aliases"):
                detail = "belong to one account, but the case names several"
                self._faults.append(Fault(places["aliases"], "ALIASES_OF_MANY", detail))
        listed = accounts if isinstance(accounts, tuple) else (accounts,)
        return tuple(filter(None, (self._asker(account, fields, places) for account in listed)))

    def _asker(
        self, address: str | None, fields: Mapping[str, Any], places: Mapping[str, str]
    ) -> Asker | None:
        account = None
        if address is not None:
            account = {"id": address, "kind": fields.get("kind", "microsoft")}
            account["aliases"] = list(fields.get("aliases", ()))
        terms = {name: fields[name] for name in TERMS if name in fields}
        try:
            return Asker.parse(account=account, **terms)
        except InvalidInput as error:
            for fault in error.faults:
                name = {"account.id": "account", "account.aliases": "aliases"}.get(fault.loc)
                field_loc = places[name or fault.loc]
                self._faults.append(Fault(field_loc, fault.code, fault.detail))
            return None

    def _devices_of(self, fields: Mapping[str, Any], loc: str) -> tuple[NamedDevice, ...]:
        devices = fields["device"]
        if isinstance(devices, tuple):
            named = [d for n, item in enumerate(devices) for d in self._device(item, f"{loc}.{n}")]
        else:
            named = [*self._device(devices, loc)]
        return tuple({item.device: item for item in named}.values())

    def _device(self, device: str | DeviceDocument, loc: str) -> Iterator[NamedDevice]:
        if isinstance(device, DeviceDocument):
            if (read := self._try(loc, lambda: _device(device), None)) is not None:
                parts = (device.family, device.os_version, device.architecture)
                yield NamedDevice(" ".join(filter(None, parts)), read)
        elif device in self._devices:
            if (known_device := self._devices[device]) is not None:
                yield NamedDevice(device, known_device)
        elif device in facts().presets:
            yield from preset(device)
        elif 1 <= device.count("/") <= 2:
            if (named := self._try(loc, lambda: written_out(device, loc), None)) is not None:
                yield named
        else:
            known = [*self._devices, *facts().presets]
            near = meant(device, known) or f"; the known ones are {listed(known)}"
            detail = f"`{device[:60]}` is neither a preset nor a device of this file{near}"
            self._faults.append(Fault(loc, "UNKNOWN_DEVICES", detail))


def _fields_of(query: QueryDocument) -> dict[str, Any]:
    """Return the fields that are set in the file, by their names in the file."""
    fields = QueryDocument.model_fields
    return {
        fields[name].alias or name: getattr(query, name)
        for name in fields
        if name in query.model_fields_set
    }


def _device(fields: DeviceDocument) -> Device:
    return Device.parse(fields.family, fields.os_version, fields.architecture)


def _flat(expect: ExpectDocument) -> dict[str, Any]:
    """Return the expected fields as plain values; remedy fields are named `remedy.field`."""
    flat = expect.model_dump(mode="json", exclude_unset=True)
    remedy = flat.pop("remedy", {})
    return flat | {f"remedy.{name}": value for name, value in remedy.items()}
