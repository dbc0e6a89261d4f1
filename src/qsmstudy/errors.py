"""The one error that users see without a traceback."""


class StudyError(ValueError):
    """Input that the study cannot use.

    The message names the thing, the rule, the value found and the remedy.
    """
