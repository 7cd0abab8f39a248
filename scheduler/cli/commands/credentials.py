"""``accounts login``, ``accounts logout``, ``secrets``: credentials that Gaung keeps, encrypted."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scheduler.cli.output import say
from scheduler.cli.workplace import Workplace
from scheduler.errors import GaungError
from scheduler.i18n import N_, _, ngettext


class _Keyboard:
    """The person at the keyboard, as a login talks with them."""

    def tell(self, message: str, **values: object) -> None:
        say(_(message, **values))

    def ask(self, message: str, *, hidden: bool = False, **values: object) -> str:
        answer = ""
        while not answer:
            answer = str(typer.prompt(_(message, **values), hide_input=hidden, err=True)).strip()
        return answer


def login(
    context: typer.Context, account: Annotated[str, typer.Argument(help=_("Id of the account."))]
) -> int:
    from adapters import registry
    from adapters.errors import AdapterError

    workplace: Workplace = context.obj
    settings = workplace.config.accounts.get(account)
    if settings is None:
        raise GaungError(
            N_("There is no account {name}."), hint=N_("See “gaung accounts list”."), name=account
        )
    guide = registry.login(settings.platform)
    if guide is None:
        raise GaungError(
            N_("{platform} needs no login; its secrets, if any, stand in the configuration."),
            platform=settings.platform,
        )
    workplace.store(create=True)
    workplace.vault.require_key()
    try:
        given = guide(workplace.accounts.account(account), workplace.clock.now, _Keyboard())
    except AdapterError as error:
        raise GaungError(
            N_("The login of {account} did not succeed: {why}"),
            hint=N_("The former credentials were kept; try again."),
            account=account,
            why=error.reason,
        ) from None
    workplace.vault.keep(
        account, given.secrets, given.expires_at, now=workplace.clock.now(), actor=workplace.actor.id
    )
    if shadowed := sorted(set(given.secrets) & set(settings.secrets)):
        say(
            _(
                "The configuration still names {names}; remove that, or the new ones are not used.",
                names=", ".join(shadowed),
            )
        )
    try:
        identity = workplace.accounts.adapter(account).verify()
    except AdapterError as error:
        say(_("The credentials are stored, but the account does not work yet: {why}", why=_(error.reason)))
        return 1
    say(_("{account} is logged in as {name}.", account=account, name=identity.name or identity.remote_id))
    if identity.missing_permissions:
        missing = ", ".join(identity.missing_permissions)
        say(_("Permissions are missing: {missing}", missing=missing))
        return 3
    return 0


def logout(
    context: typer.Context, account: Annotated[str, typer.Argument(help=_("Id of the account."))]
) -> None:
    from scheduler.store import credentials

    workplace: Workplace = context.obj
    with workplace.store().write() as session:
        gone = credentials.forget(session, account, now=workplace.clock.now(), actor=workplace.actor.id)
    say(
        _(
            "The stored credentials of {account} were deleted here. Revoke them on the platform as well.",
            account=account,
        )
        if gone
        else _("There are no stored credentials of {account}.", account=account)
    )


def new_key(
    context: typer.Context,  # noqa: ARG001
    file: Annotated[Path, typer.Argument(help=_("The file to make; only its owner may read it."))],
) -> None:
    import os

    from cryptography.fernet import Fernet

    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise GaungError(
            N_("The file {file} is there already; a key is never written over."),
            hint=N_("Choose another name, like {file}-2."),
            file=file,
        ) from None
    except OSError as error:
        raise GaungError(
            N_("The key file {file} cannot be made: {why}"), file=file, why=error.strerror or error
        ) from None
    with os.fdopen(handle, "wb") as stream:
        stream.write(Fernet.generate_key() + b"\n")
    say(
        _(
            'A new key is in {file}. Put it first in the configuration: secret_keys = ["file:{file}"].'
            " Keep a copy in a safe place: without it, stored credentials cannot be opened.",
            file=file,
        )
    )


def rotate(context: typer.Context) -> None:
    workplace: Workplace = context.obj
    count = workplace.vault.rotate(now=workplace.clock.now(), actor=workplace.actor.id)
    if not count:
        say(_("No credentials are stored, so none had to be encrypted anew."))
        return
    say(
        ngettext(
            "The credentials of {count} account are encrypted with the first key now.",
            "The credentials of {count} accounts are encrypted with the first key now.",
            count,
        )
    )
