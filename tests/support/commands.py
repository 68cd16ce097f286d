"""Commands as a user types them."""

from gaussiandiffusion.cli.main import run


def refused(capsys, *argv) -> str:
    """The one line on stderr of a command that must exit with 2."""
    capsys.readouterr()
    assert run([str(argument) for argument in argv]) == 2
    err = capsys.readouterr().err
    (line,) = [line for line in err.replace("\r", "\n").splitlines() if line.startswith("gaussiandiffusion:")]
    assert "Traceback" not in err
    return line
