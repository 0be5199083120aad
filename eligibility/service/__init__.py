"""The settings, the stores, and the Service, which combines all other parts of the program."""

from eligibility.service.service import Service
from eligibility.service.settings import Settings

__all__ = ["Service", "Settings"]
