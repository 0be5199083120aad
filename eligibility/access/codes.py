"""Codes of a query and of a decision. Codes are never renamed."""

from enum import StrEnum


class Consistency(StrEnum):
    """How fresh an answer must be. strong: it includes every write acknowledged before the query."""

    EVENTUAL = "eventual"
    STRONG = "strong"


class AccountKind(StrEnum):
    """Who issued the account. Only a Microsoft account can be a member of a group (KUG)."""

    MICROSOFT = "microsoft"
    WORK_OR_SCHOOL = "work_or_school"


class Reason(StrEnum):
    """Reason for one half of a decision (submission or package). Codes are never renamed."""

    # submission
    PUBLIC_AUDIENCE = "PUBLIC_AUDIENCE"
    AUDIENCE_MEMBER = "AUDIENCE_MEMBER"
    NOT_SIGNED_IN = "NOT_SIGNED_IN"
    WRONG_ACCOUNT_KIND = "WRONG_ACCOUNT_KIND"
    NOT_IN_AUDIENCE = "NOT_IN_AUDIENCE"
    OS_BELOW_AUDIENCE_MINIMUM = "OS_BELOW_AUDIENCE_MINIMUM"
    DEVICE_FAMILY_UNSUPPORTED = "DEVICE_FAMILY_UNSUPPORTED"
    # package: blockers
    SUBMISSION_DENIED = "SUBMISSION_DENIED"
    PRODUCT_UNAVAILABLE = "PRODUCT_UNAVAILABLE"
    ACQUISITION_STOPPED = "ACQUISITION_STOPPED"
    MARKET_NOT_OFFERED = "MARKET_NOT_OFFERED"
    DEVICE_FAMILY_NOT_OFFERED = "DEVICE_FAMILY_NOT_OFFERED"
    NO_PACKAGE_FOR_FAMILY = "NO_PACKAGE_FOR_FAMILY"
    OS_BELOW_PACKAGE_MINIMUM = "OS_BELOW_PACKAGE_MINIMUM"
    ARCHITECTURE_MISMATCH = "ARCHITECTURE_MISMATCH"
    # package: source of a granted package
    FLIGHT_MEMBER = "FLIGHT_MEMBER"
    NON_FLIGHTED_SUBMISSION = "NON_FLIGHTED_SUBMISSION"
    # package: side of a gradual rollout, listed after the source
    ROLLOUT_HALTED = "ROLLOUT_HALTED"
    ROLLOUT_OS_BELOW_MINIMUM = "ROLLOUT_OS_BELOW_MINIMUM"
    ROLLOUT_MANUAL_CHECK = "ROLLOUT_MANUAL_CHECK"
    ROLLOUT_NEW_INSTALL = "ROLLOUT_NEW_INSTALL"
    ROLLOUT_NOT_SIGNED_IN = "ROLLOUT_NOT_SIGNED_IN"
    ROLLOUT_INCLUDED = "ROLLOUT_INCLUDED"
    ROLLOUT_EXCLUDED = "ROLLOUT_EXCLUDED"


class Action(StrEnum):
    """Actions that would change a decision, easiest first. Suggestions are listed in this order.

    The remedies of a decision name the actions that rules/remedies.py knows. The trials of
    explain/least_change.py use all but WAIT_UNTIL_PUBLIC.
    """

    SIGN_IN = "SIGN_IN"
    USE_MICROSOFT_ACCOUNT = "USE_MICROSOFT_ACCOUNT"
    CHECK_FOR_UPDATES = "CHECK_FOR_UPDATES"
    JOIN_GROUP = "JOIN_GROUP"
    LEAVE_GROUP = "LEAVE_GROUP"
    UPDATE_OS = "UPDATE_OS"
    REINSTALL = "REINSTALL"
    USE_OFFERED_MARKET = "USE_OFFERED_MARKET"
    USE_PROMOTIONAL_CODE = "USE_PROMOTIONAL_CODE"
    WAIT = "WAIT"
    WAIT_UNTIL_PUBLIC = "WAIT_UNTIL_PUBLIC"
    USE_ANOTHER_DEVICE = "USE_ANOTHER_DEVICE"
    USE_ACCOUNT_THAT_OWNS = "USE_ACCOUNT_THAT_OWNS"
    ADD_AUDIENCE_GROUP = "ADD_AUDIENCE_GROUP"
    ADD_FLIGHT_GROUP = "ADD_FLIGHT_GROUP"
    PUBLISH_FLIGHT = "PUBLISH_FLIGHT"
    FINALIZE_ROLLOUT = "FINALIZE_ROLLOUT"
    OFFER_MARKET = "OFFER_MARKET"
    OFFER_FAMILY = "OFFER_FAMILY"
    ALLOW_ACQUISITION = "ALLOW_ACQUISITION"
    MAKE_AVAILABLE = "MAKE_AVAILABLE"
    FIT_PACKAGE = "FIT_PACKAGE"
    ADD_PACKAGE = "ADD_PACKAGE"
    MAKE_PUBLIC = "MAKE_PUBLIC"
