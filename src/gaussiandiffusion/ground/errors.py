"""The one exception a user is meant to read."""


class InputError(ValueError):
    """Bad input, said in one sentence: what was given, what is wrong with it and what to do instead.

    The command line prints the sentence and exits with status 2; from Python it is an ordinary `ValueError`.
    """
