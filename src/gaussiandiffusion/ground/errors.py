"""The one exception a user is meant to read."""

LONGEST = 2000  # characters of a sentence


class InputError(ValueError):
    """Bad input, said in one sentence: what was given, what is wrong with it and what to do instead.

    The command line prints the sentence and exits with status 2; from Python it is an ordinary `ValueError`.
    """

    def __init__(self, sentence: str) -> None:
        sentence = " ".join(sentence.splitlines())  # files' own words in it may be anything
        if len(sentence) > LONGEST:
            sentence = f"{sentence[: LONGEST // 2]} ... {sentence[-LONGEST // 2 :]}"  # what is wrong stands at the end
        super().__init__(sentence)
