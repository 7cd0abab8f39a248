"""References to secrets: from the environment, from files that only their owner reads, from systemd."""

from __future__ import annotations

from pathlib import Path

import pytest

from scheduler.secrets import SecretError, resolve

SECRET = "1234567890:AAF-rahasia"


def kept(path: Path, content: str = f"{SECRET}\n", mode: int = 0o600) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    path.chmod(mode)
    return path


def test_a_secret_comes_from_the_environment_that_is_given(tmp_path: Path) -> None:
    assert resolve("env:TOKEN", tmp_path, {"TOKEN": f" {SECRET}\n"}) == SECRET


@pytest.mark.parametrize("environment", [{}, {"TOKEN": ""}, {"TOKEN": " \n"}])
def test_a_variable_that_is_empty_or_not_set_is_refused(tmp_path: Path, environment: dict[str, str]) -> None:
    with pytest.raises(SecretError) as refused:
        resolve("env:TOKEN", tmp_path, environment)
    assert refused.value.values["reference"] == "env:TOKEN"
    assert refused.value.hint


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700])
def test_a_file_that_only_its_owner_may_read_is_read(tmp_path: Path, mode: int) -> None:
    kept(tmp_path / "token.txt", mode=mode)
    assert resolve("file:token.txt", tmp_path, {}) == SECRET


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o660, 0o644, 0o602, 0o610, 0o601])
def test_a_file_that_others_may_use_in_any_way_is_refused(tmp_path: Path, mode: int) -> None:
    path = kept(tmp_path / "token.txt", mode=mode)
    with pytest.raises(SecretError) as refused:
        resolve("file:token.txt", tmp_path, {})
    assert refused.value.values == {"path": path, "mode": f"{mode:o}"}
    assert "chmod 600" in refused.value.hint
    assert SECRET not in str(refused.value)


def test_relative_paths_start_from_the_folder_of_the_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept(tmp_path / "kantor" / "rahasia" / "token.txt")
    monkeypatch.chdir(tmp_path)
    assert resolve("file:rahasia/token.txt", tmp_path / "kantor", {}) == SECRET
    with pytest.raises(SecretError):
        resolve("file:rahasia/token.txt", tmp_path, {})


def test_absolute_paths_and_the_home_folder_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = kept(tmp_path / "token.txt")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert resolve(f"file:{path}", tmp_path / "lain", {}) == SECRET
    assert resolve("file:~/token.txt", tmp_path / "lain", {}) == SECRET


@pytest.mark.parametrize("content", ["", "\n", "  \n\n"])
def test_an_empty_file_is_refused(tmp_path: Path, content: str) -> None:
    kept(tmp_path / "token.txt", content)
    with pytest.raises(SecretError) as refused:
        resolve("file:token.txt", tmp_path, {})
    assert refused.value.values["reference"] == "file:token.txt"


def test_a_file_that_is_not_there_is_told_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(SecretError, match="No such file"):
        resolve("file:token.txt", tmp_path, {})
    (tmp_path / "folder").mkdir(mode=0o700)
    with pytest.raises(SecretError):
        resolve("file:folder", tmp_path, {})


def test_a_file_that_is_no_text_is_refused_without_its_content(tmp_path: Path) -> None:
    path = kept(tmp_path / "token.bin")
    path.write_bytes(b"\xff\xfe\x00rahasia")
    with pytest.raises(SecretError) as refused:
        resolve("file:token.bin", tmp_path, {})
    assert "rahasia" not in str(refused.value)


def test_a_credential_of_systemd_is_read_from_its_folder(tmp_path: Path) -> None:
    kept(tmp_path / "credentials" / "x-token", mode=0o400)
    environment = {"CREDENTIALS_DIRECTORY": str(tmp_path / "credentials")}
    assert resolve("systemd:x-token", tmp_path / "lain", environment) == SECRET
    with pytest.raises(SecretError):
        resolve("systemd:lain", tmp_path, environment)


def test_a_credential_of_systemd_outside_a_service_is_told(tmp_path: Path) -> None:
    with pytest.raises(SecretError) as refused:
        resolve("systemd:x-token", tmp_path, {})
    assert "LoadCredential=" in refused.value.hint


@pytest.mark.parametrize(
    "reference", [SECRET, "", "env:", "vault:token", "ENV:TOKEN", "https://contoh.go.id"]
)
def test_what_is_no_reference_is_refused_and_never_repeated(tmp_path: Path, reference: str) -> None:
    with pytest.raises(SecretError) as refused:
        resolve(reference, tmp_path, {"TOKEN": SECRET})
    if reference and reference != "env:":
        assert reference not in str(refused.value)
        assert reference not in refused.value.hint
