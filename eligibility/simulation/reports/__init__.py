"""Write a simulation as a table, CSV, JSON, an HTML page or a Parquet file."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO

from eligibility.simulation.reports import csv_report, html, json_report, parquet, table
from eligibility.simulation.reports.report import SimulationReport

__all__ = ["FORMATS", "Format", "ReportFormat", "SimulationReport"]


class Format(StrEnum):
    """The formats of a report."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    HTML = "html"
    PARQUET = "parquet"


@dataclass(frozen=True, slots=True)
class ReportFormat:
    """How to write a format. check: raises MissingPackage. text: whether the format is text."""

    write: Callable[[SimulationReport, BinaryIO], None]
    check: Callable[[], None] = lambda: None
    text: bool = True


FORMATS: Mapping[Format, ReportFormat] = {
    Format.TABLE: ReportFormat(table.write),
    Format.CSV: ReportFormat(csv_report.write),
    Format.JSON: ReportFormat(json_report.write),
    Format.HTML: ReportFormat(html.write),
    Format.PARQUET: ReportFormat(parquet.write, parquet.check, text=False),
}
