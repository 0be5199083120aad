"""Settings, opened stores, and the Service that edges use."""

from eligibility.service.service import Service
from eligibility.service.settings import Settings

__all__ = ["Service", "Settings"]
