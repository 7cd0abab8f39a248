"""OpenSSH signatures of texts: ``ssh-keygen -Y`` of the system, and what it says in our words.

The program is OpenSSH's own (ssh-keygen(1), since 8.1; on Debian the package openssh-client): the keys
are those that people have anyway, also in an agent or on a hardware token. Nothing here knows what is
signed.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from scheduler.errors import GaungError
from scheduler.i18n import N_

#: Seconds; somebody may have to type a passphrase or touch a token to sign.
PATIENCE = 120
#: Seconds for everything that asks nobody.
QUICK = 20


class SignatureError(GaungError):
    """A signature that does not count, and why."""


def sign(document: bytes, key: Path, namespace: str) -> str:
    """The armoured signature of ``document`` by a private key, or by the agent if ``key`` is a public one.

    ssh-keygen asks for a passphrase on the terminal by itself. Raises SignatureError.
    """
    with tempfile.TemporaryDirectory(prefix="gaung-sign-") as folder:
        file = Path(folder) / "document"
        file.write_bytes(document)
        done = _run(["-Y", "sign", "-f", str(key), "-n", namespace, str(file)], b"", PATIENCE)
        if done.returncode:
            raise SignatureError(
                N_("ssh-keygen could not sign with {key}: {why}"),
                hint=N_("Name your key with --key; for a key in an agent or a token name its .pub file."),
                key=key,
                why=_why(done),
            )
        return (file.with_name("document.sig")).read_text(encoding="ascii")


def check(document: bytes, signature: str, namespace: str) -> str:
    """Whose key signed exactly this document (its fingerprint), whoever that is; raise SignatureError."""
    with tempfile.TemporaryDirectory(prefix="gaung-verify-") as folder:
        file = Path(folder) / "document.sig"
        file.write_text(signature, encoding="utf-8")
        done = _run(["-Y", "check-novalidate", "-n", namespace, "-s", str(file)], document, QUICK)
    if done.returncode:
        raise _unfit()
    words = done.stdout.decode(errors="replace").split()
    return next((word for word in words if word.startswith("SHA256:")), "")


def verify(document: bytes, signature: str, allowed: str, principal: str, namespace: str) -> None:
    """Raise SignatureError unless ``signature`` is of this document, by a key allowed for ``principal``.

    ``allowed`` is the text of an allowed-signers file (ssh-keygen(1), ALLOWED SIGNERS).
    """
    with tempfile.TemporaryDirectory(prefix="gaung-verify-") as folder:
        signers, file = Path(folder) / "allowed_signers", Path(folder) / "document.sig"
        signers.write_text(allowed, encoding="utf-8")
        file.write_text(signature, encoding="utf-8")
        common = ["-n", namespace, "-s", str(file)]
        done = _run(["-Y", "verify", "-f", str(signers), "-I", principal, *common], document, QUICK)
        if done.returncode == 0:
            return
        if _run(["-Y", "check-novalidate", *common], document, QUICK).returncode:
            raise _unfit()
        found = _run(["-Y", "find-principals", "-f", str(signers), "-s", str(file)], b"", QUICK)
        others = [one for one in found.stdout.decode(errors="replace").splitlines() if one]
        if not others:
            raise SignatureError(
                N_("The key of this signature is not among the allowed ones."),
                hint=N_("Put the public key of {name} into the configuration (ssh_key), if it is theirs."),
                name=principal,
            )
        raise SignatureError(
            N_("This signature is by the key of {other}, not of {name}."),
            hint=N_("The person named in the exported text must sign it."),
            other=", ".join(others),
            name=principal,
        )


def _unfit() -> SignatureError:
    return SignatureError(
        N_("The signature does not fit: the text or the signature was changed, or is damaged."),
        hint=N_("Have the text written and signed again."),
    )


def _run(arguments: Sequence[str], given: bytes, seconds: float) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(  # noqa: S603 -- arguments of ours, no shell
            ["ssh-keygen", *arguments],  # noqa: S607 -- wherever the system has it
            input=given,
            capture_output=True,
            timeout=seconds,
            check=False,
        )
    except FileNotFoundError:
        raise SignatureError(
            N_("There is no ssh-keygen on this computer."),
            hint=N_("Install OpenSSH (Debian: openssh-client; Windows: the feature OpenSSH client)."),
        ) from None
    except subprocess.TimeoutExpired:
        raise SignatureError(
            N_("ssh-keygen did not answer."), hint=N_("Try again; a token may wait to be touched.")
        ) from None


def _why(done: subprocess.CompletedProcess[bytes]) -> str:
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else f"code {done.returncode}"
