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


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(("verb", "steps"), [("fork", "64"), ("finetune", "20000")])
def test_help_after_a_run_shows_its_own_settings(verb, steps, capsys):
    """Breaks if the defaults shown are those of some recipe, not those by which the run would go on."""
    with pytest.raises(SystemExit) as ended:
        main([verb, "done", "--help"])
    assert not ended.value.code
    said = " ".join(capsys.readouterr().out.replace("\u2502", " ").split())
    for option, default in (("--ppo.width INT", "16"), ("--total-steps INT", steps)):
        assert f"(default: {default})" in said.split(option)[1][:400], option
