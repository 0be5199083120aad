"""Cases of a scenario file: defaults filled in, every text understood."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from eligibility.access.asker import Asker
from eligibility.access.model import Device
from eligibility.errors import Fault, InvalidInput
from eligibility.formats.suggestions import meant
from eligibility.formats.yaml_file import Lines, line_of
from eligibility.simulation.inputs.devices import NamedDevice, preset, written_out
from eligibility.simulation.scenarios.document import (
    CaseDocument,
    DeviceDocument,
    ExpectDocument,
    QueryDocument,
    ScenarioDocument,
)
from eligibility.simulation.scenarios.faults import listed
from eligibility.simulation.scenarios.given import account_faults
from eligibility.simulation.scenarios.model import Scenario
from eligibility.windows.releases import facts

_REQUIRED = {
    "product": "is required, here or in `defaults`",
    "account": "is required, here or in `defaults`; null = nobody signed in",
    "device": "is required, here or in `defaults`",
}
_ASKED = ("installed_version", "owned", "market", "promotional_code", "manual_check")
_Read = TypeVar("_Read")


class CaseReader:
    """Reads the cases of one file; what is wrong is added to its faults, by dotted place."""

    def __init__(
        self, path: Path, written: ScenarioDocument, lines: Lines, faults: list[Fault]
    ) -> None:
        self._path, self._written, self._lines, self._faults = path, written, lines, faults
        self._devices = {
            name: self._try(f"devices.{name}", lambda one=one: _device(one), None)  # type: ignore[misc]
            for name, one in written.devices.items()
        }

    def read(self, number: int) -> Scenario | None:
        """The case of that number; None where it cannot be read."""
        case = self._written.cases[number]
        faults_before = len(self._faults)
        told = _told(self._written.defaults) | _told(case)
        places = {
            name: f"cases.{number}.{name}" if name in _told(case) else f"defaults.{name}"
            for name in told
        }
        self._faults += [
            Fault(f"cases.{number}.{name}", "MISSING_FIELD", detail)
            for name, detail in _REQUIRED.items()
            if told.get(name) is None and not (name == "account" and name in told)
        ]
        if not case.expect.model_fields_set:
            detail = "expects nothing; name at least one field of the decision"
            self._faults.append(Fault(f"cases.{number}.expect", "EXPECTS_NOTHING", detail))
        if len(self._faults) > faults_before:
            return None
        askers, devices = self._askers(told, places), self._devices_of(told, places["device"])
        groups = self._groups(told, case, places)
        if len(self._faults) > faults_before:
            return None
        return Scenario(
            file=self._path,
            line=line_of(self._lines, f"cases.{number}"),
            sentence=case.case,
            product_id=told["product"],
            askers=askers,
            devices=devices,
            expect=_flat(case.expect),
            change=told.get("change", {}),
            groups=groups,
            now=told.get("now"),
            rollout_applies_to=told.get("rollout_applies_to"),
            lines={name: line_of(self._lines, place) for name, place in places.items()},
        )

    def _try(self, loc: str, read: Callable[[], _Read], otherwise: _Read) -> _Read:
        try:
            return read()
        except InvalidInput as error:
            for fault in error.faults:
                field = fault.loc.removeprefix("device.")
                place = loc if field == fault.loc else f"{loc}.{field}"
                self._faults.append(Fault(place, fault.code, fault.detail))
            return otherwise

    # --- who asks ---

    def _askers(self, told: Mapping[str, Any], places: Mapping[str, str]) -> tuple[Asker, ...]:
        loc, given = places["account"], told["account"]
        if isinstance(given, tuple):
            faults = [*account_faults(loc, tuple(one for one in given if one is not None))]
            self._faults += faults
            if faults:
                return ()
            if told.get("aliases"):
                detail = "belong to one account, and several ask here"
                self._faults.append(Fault(places["aliases"], "ALIASES_OF_MANY", detail))
        several = given if isinstance(given, tuple) else (given,)
        return tuple(filter(None, (self._asker(one, told, places) for one in several)))

    def _asker(
        self, address: str | None, told: Mapping[str, Any], places: Mapping[str, str]
    ) -> Asker | None:
        account = None
        if address is not None:
            account = {"id": address, "kind": told.get("kind", "microsoft")}
            account["aliases"] = list(told.get("aliases", ()))
        asked = {name: told[name] for name in _ASKED if name in told}
        try:
            return Asker.parse(account=account, **asked)
        except InvalidInput as error:
            for fault in error.faults:
                name = {"account.id": "account", "account.aliases": "aliases"}.get(fault.loc)
                place = places[name or fault.loc]
                self._faults.append(Fault(place, fault.code, fault.detail))
            return None

    def _groups(
        self, told: Mapping[str, Any], case: CaseDocument, places: Mapping[str, str]
    ) -> frozenset[str] | None:
        if told["account"] is None and case.in_:
            detail = "says groups, and nobody is signed in"
            self._faults.append(Fault(places["in"], "GROUPS_OF_NOBODY", detail))
        return frozenset(told["in"]) if "in" in told else None

    # --- on what ---

    def _devices_of(self, told: Mapping[str, Any], loc: str) -> tuple[NamedDevice, ...]:
        given = told["device"]
        if isinstance(given, tuple):
            found = [d for n, one in enumerate(given) for d in self._device(one, f"{loc}.{n}")]
        else:
            found = [*self._device(given, loc)]
        return tuple({one.device: one for one in found}.values())

    def _device(self, given: str | DeviceDocument, loc: str) -> Iterator[NamedDevice]:
        if isinstance(given, DeviceDocument):
            device = self._try(loc, lambda: _device(given), None)
            if device is not None:
                yield NamedDevice(_name(given), device)
        elif given in self._devices:
            named = self._devices[given]
            if named is not None:
                yield NamedDevice(given, named)
        elif given in facts().presets:
            yield from preset(given)
        elif 1 <= given.count("/") <= 2:
            written = self._try(loc, lambda: written_out(given, loc), None)
            if written is not None:
                yield written
        else:
            known = [*self._devices, *facts().presets]
            near = meant(given, known) or f"; {listed(known)} are"
            detail = f"`{given[:60]}` is no preset and no device of this file{near}"
            self._faults.append(Fault(loc, "UNKNOWN_DEVICES", detail))


def _told(told: QueryDocument) -> dict[str, Any]:
    """The fields that were written, by their names in the file."""
    fields = QueryDocument.model_fields
    return {
        fields[name].alias or name: getattr(told, name)
        for name in fields
        if name in told.model_fields_set
    }


def _device(fields: DeviceDocument) -> Device:
    return Device.parse(fields.family, fields.os_version, fields.architecture)


def _name(fields: DeviceDocument) -> str:
    return " ".join(filter(None, (fields.family, fields.os_version, fields.architecture)))


def _flat(expect: ExpectDocument) -> dict[str, Any]:
    """What is expected as plain values; fields of the remedy by `remedy.field`."""
    flat = expect.model_dump(mode="json", exclude_unset=True)
    remedy = flat.pop("remedy", {})
    return flat | {f"remedy.{name}": value for name, value in remedy.items()}
