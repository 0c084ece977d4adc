import pytest

from ashen.cli import VERBS, main


def test_help_version_and_recipes(capsys):
    """Breaks if the command does not tell its verbs, its version or its recipes."""
    assert main([]) == main(["--help"]) == 0
    said = capsys.readouterr().out
    assert all(verb in said for verb in VERBS)
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.strip()
    assert main(["recipes"]) == 0
    assert "full" in capsys.readouterr().out


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(verb, capsys):
    """Breaks if a verb's help fails."""
    with pytest.raises(SystemExit) as ended:
        main([verb, "--help"])
    assert not ended.value.code
    said = capsys.readouterr().out
    assert f"ashen {verb}" in said and "{None" not in said
