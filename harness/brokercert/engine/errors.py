"""Errors by whom they blame.

BrokercertError
├── UsageError     the command line, a configuration or a file is wrong: exit 2
└── HarnessError   our own machinery or script broke: exit 3, never blamed on the client
"""


class BrokercertError(Exception):
    """Base of all errors that a front door turns into a sentence."""


class UsageError(BrokercertError):
    """What was asked for cannot be: says which file or flag, what was expected, and what to do."""


class HarnessError(BrokercertError):
    """The harness itself broke."""
