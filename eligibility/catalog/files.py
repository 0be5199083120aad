"""Read a catalogue from YAML files (one fault refuses all files), and write a catalogue to files.

Each file declares groups and products of one publisher; a publisher may have several files:

    publisher: contoso
    groups:
      beta: {name: Beta testers, emails: [ada@example.com]}
    products:
      9NBLGGH4R315: {name: Contoso Reader, submission: {...}, flights: [...]}

A group without `emails` must exist already; its members stay as they are. A group may also have a
consent note, which is stored with it: `consent: {confirmed_by: ..., at: ..., text: ...}`. A list
`accept` names choices that somebody accepted (see acceptance.py).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Discriminator, StrictStr, Tag, ValidationError

from eligibility.catalog.acceptance import read_acceptances
from eligibility.catalog.field_types import CatalogMoment, Name
from eligibility.catalog.model import Product
from eligibility.catalog.validation import read_product
from eligibility.errors import Fault, Faults, InvalidFile
from eligibility.formats.pydantic_faults import LIST, TEXT, pydantic_faults, text_or_list
from eligibility.formats.yaml_file import Lines, line_of, load
from groups import emails
from groups.errors import GroupsError, InvalidEmails
from groups.model import Consent, check_consent, check_group_id, check_publisher
from groups.text_encoding import NotText, decode


class ConsentDeclaration(BaseModel):
    """A consent note in a file: somebody confirmed that the members agreed to be in the group."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    confirmed_by: StrictStr
    at: CatalogMoment
    text: StrictStr = ""

    @classmethod
    def of(cls, consent: Consent) -> "ConsentDeclaration":
        """Convert a stored consent note to a declaration."""
        return cls(confirmed_by=consent.confirmed_by, at=consent.at, text=consent.text)

    @property
    def note(self) -> Consent:
        """Convert the declaration to a consent note for the group store."""
        return Consent(confirmed_by=self.confirmed_by, at=self.at, text=self.text)


class GroupDeclaration(BaseModel):
    """A group as a file declares it. emails, consent: None = leave the stored ones unchanged."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: Name
    emails: Annotated[
        Annotated[tuple[StrictStr, ...], Tag(LIST)] | Annotated[StrictStr | None, Tag(TEXT)],
        Discriminator(text_or_list),
    ] = None
    consent: ConsentDeclaration | None = None

    @property
    def members(self) -> tuple[str, ...] | None:
        """Return the addresses of the members in canonical form and without duplicates."""
        return None if self.emails is None else emails.parse(self.emails)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")
    publisher: StrictStr
    groups: dict[str, GroupDeclaration] = {}
    products: dict[str, Any] = {}
    accept: tuple[StrictStr, ...] = ()


@dataclass(slots=True)
class Declaration:
    """All groups and products that a directory's files declare for one publisher.

    accepted: choices that somebody accepted, as CODE:PRODUCT (see acceptance.py).
    """

    publisher: str
    groups: dict[str, GroupDeclaration] = field(default_factory=dict)
    products: dict[str, Product] = field(default_factory=dict)
    accepted: set[str] = field(default_factory=set)


def read_directory(directory: Path) -> tuple[Declaration, ...]:
    """Read one file, or every *.yaml and *.yml file of a directory.

    Returns: one declaration for each publisher, sorted by publisher.
    Raises: InvalidFile with every fault of every file, each with its line number.
    """
    paths = _yaml_files(directory)
    faults = Faults()
    declared: dict[str, Declaration] = {}
    for path in paths:
        with faults.collect():
            _read_file(path, declared)
    if faults:
        raise InvalidFile(faults)
    return tuple(declared[publisher] for publisher in sorted(declared))


def _yaml_files(directory: Path) -> list[Path]:
    if directory.is_file():
        return [directory]
    if not directory.is_dir():
        raise InvalidFile([Fault(str(directory), "NO_SUCH_FILE", "no such directory or file")])
    paths = sorted(path for path in directory.iterdir() if path.suffix in (".yaml", ".yml"))
    if not paths:
        raise InvalidFile([Fault(str(directory), "NO_CATALOG", "contains no *.yaml or *.yml file")])
    return paths


def read_text(path: Path) -> str:
    """Read a text file in any encoding that can be recognized. Raises: InvalidFile."""
    try:
        return decode(path.read_bytes()).replace("\r\n", "\n").replace("\r", "\n")
    except NotText as error:
        raise InvalidFile([Fault(str(path), "NOT_TEXT", str(error))]) from None
    except OSError as error:
        raise InvalidFile([Fault(str(path), "UNREADABLE", error.strerror or str(error))]) from None


def _read_file(path: Path, declared: dict[str, Declaration]) -> None:
    body, lines = load(read_text(path), str(path))
    try:
        read = _File.model_validate(body)
    except ValidationError as error:
        raise InvalidFile(_at_lines(path, lines, pydantic_faults(error))) from None
    faults = Faults([*_check_names(read), *_read_products(read)])
    declaration = declared.setdefault(read.publisher, Declaration(read.publisher))
    with faults.collect():
        declaration.accepted |= read_acceptances(read.accept, "accept")
    faults += _merge(declaration.groups, read.groups, "groups")
    faults += _merge(declaration.products, read.products, "products")
    if faults:
        raise InvalidFile(_at_lines(path, lines, faults))


def _at_lines(path: Path, lines: Lines, faults: Iterable[Fault]) -> list[Fault]:
    return [
        Fault(f"{path}:{line_of(lines, f.loc)}", f.code, f"{f.loc or 'the file'}: {f.detail}")
        for f in faults
    ]


def _check_names(read: _File) -> list[Fault]:
    faults = Faults()
    try:
        check_publisher(read.publisher)
    except GroupsError as error:
        faults.append(Fault("publisher", error.code, str(error)))
    for group_id, group in read.groups.items():
        try:
            check_group_id(group_id)
            _ = group.members
        except InvalidEmails as error:
            faults += [Fault(f"groups.{group_id}.emails", f.code, f.detail) for f in error.faults]
        except GroupsError as error:
            faults.append(Fault(f"groups.{group_id}", error.code, str(error)))
        with faults.collect(f"groups.{group_id}.consent"):
            if group.consent is not None:
                check_consent(group.consent.note)
    return faults


def _read_products(read: _File) -> list[Fault]:
    """Replace each product body in `read.products` by a Product; return the faults found."""
    faults = Faults()
    for product_id, body in read.products.items():
        with faults.collect(f"products.{product_id}"):
            read.products[product_id] = read_product(body)
    return faults


def _merge(into: dict[str, Any], more: Mapping[str, Any], what: str) -> list[Fault]:
    twice = into.keys() & more.keys()
    into.update(more)
    return [
        Fault(f"{what}.{name}", "DECLARED_TWICE", f"`{name}` is also declared by another file")
        for name in sorted(twice)
    ]


def write_directory(directory: Path, declaration: Declaration) -> tuple[Path, ...]:
    """Write files that read_directory reads as an equal declaration. Returns: their paths."""
    directory.mkdir(parents=True, exist_ok=True)
    paths = []
    for part, body in (
        ("groups", {g: _group_body(d) for g, d in sorted(declaration.groups.items())}),
        ("products", {p: product_body(d) for p, d in sorted(declaration.products.items())}),
    ):
        if body:
            path = directory / f"{declaration.publisher}.{part}.yaml"
            content: dict[str, Any] = {"publisher": declaration.publisher, part: body}
            if part == "products" and declaration.accepted:
                content["accept"] = sorted(declaration.accepted)
            form: dict[str, Any] = {"sort_keys": False, "allow_unicode": True, "width": 100}
            path.write_text(yaml.dump(content, Dumper=_Dumper, **form), "utf-8")
            paths.append(path)
    return tuple(paths)


def _group_body(group: GroupDeclaration) -> dict[str, Any]:
    body: dict[str, Any] = {"name": group.name}
    if group.consent is not None:
        body["consent"] = group.consent.model_dump(mode="json", exclude_defaults=True)
    return body if group.members is None else body | {"emails": list(group.members)}


def product_body(product: Product) -> dict[str, Any]:
    """Convert a product to JSON values; leave out fields that have their default value."""
    return product.model_dump(mode="json", exclude_defaults=True)


class _Dumper(yaml.SafeDumper):
    """Writes YAML without aliases (`*id001`): a value used twice is written in full twice."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML calls it with `data`
        return True
