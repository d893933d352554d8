"""Errors that are the user's to mend."""


class UserError(Exception):
    """Names the thing at fault, the reason and the way out in one sentence; shown without a traceback."""
