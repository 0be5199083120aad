"""The settings, the opened stores, and the Service that puts the lower rooms together."""

from eligibility.service.service import Service
from eligibility.service.settings import Settings

__all__ = ["Service", "Settings"]
