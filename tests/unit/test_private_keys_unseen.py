"""Nothing of a private key is told, whatever file it lies in."""

from __future__ import annotations

from pathlib import Path

import pytest

from homenode.cli import main

KEY = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYD\nK2VwBCIE\n-----END PRIVATE KEY-----\n"


@pytest.mark.parametrize(
    "text",
    [
        KEY,
        KEY.replace("PRIVATE", "OPENSSH PRIVATE"),
        f"home: {KEY}",
        f"home: x\n{KEY}",
        f"home: {KEY!r}\n",
        f'{{"home": "{KEY.encode("unicode_escape").decode()}"}}\n',
        f'{{"{KEY.encode("unicode_escape").decode()}": x}}\n',
        KEY.partition("K2")[0],
    ],
)
@pytest.mark.parametrize("words", [("check",), ("rules", "check"), ("provision", "--card", ".", "--file")])
def test_of_a_private_key_nothing_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, words: tuple[str, ...]
) -> None:
    file = tmp_path / "some.key"
    file.write_text(text)
    assert main([*words, str(file)])
    told = "".join(capsys.readouterr())
    assert "some.key:" in told
    assert "MC4C" not in told
    assert "K2Vw" not in told


def test_a_key_file_in_place_of_a_home_is_told_as_that(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "operator.key"
    file.write_text(KEY)
    assert main(["check", str(file)])
    assert "found a private key; accepted: a mapping" in "".join(capsys.readouterr())


def test_the_lines_beside_a_key_are_told_as_they_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "home.yaml"
    file.write_text("home: |\n  " + KEY.replace("\n", "\n  ").strip() + "\ntimezne: x\n")
    main(["check", str(file)])
    assert "6 | timezne: x\n" in "".join(capsys.readouterr())
