"""The table of commands, in the order of the day's work, and the command line made of it.

Only the command that is wanted is imported; the others are known by name and text alone, so that
``gaung --help`` answers at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from scheduler.cli.helping import Told
from scheduler.cli.output import emit
from scheduler.cli.workplace import Workplace
from scheduler.i18n import N_, _

#: Name -> place of the function in ``scheduler.cli.commands`` and what the command does. A name of two
#: words belongs to the group named by the first; a group without a place only has commands of its own.
COMMANDS: Mapping[str, tuple[str, str]] = {
    "init": (
        "setup:init",
        N_("Make a working folder: configuration, the example campaign and its pictures."),
    ),
    "check": ("planning:check", N_("Check every campaign file and tell all problems at once.")),
    "schema": (
        "planning:schema",
        N_("Write the JSON Schema of campaign files or of the configuration, for editors."),
    ),
    "plan": ("planning:plan", N_("Show what applying the campaign files would change. Writes nothing.")),
    "apply": ("planning:apply", N_("Put the campaign files into force: plan, change and withdraw posts.")),
    "approve": (
        "approving:approve",
        N_("Show what waits for approval, as it will be published, and approve it."),
    ),
    "return": (
        "approving:send_back",
        N_("Send a post or a message back to its drafter, with a reason; approvals of it are void."),
    ),
    "run": ("running:run", N_("Publish what is due: as a daemon, or once for cron and Task Scheduler.")),
    "status": (
        "running:status",
        N_("How everything stands: next, overdue, waiting for a person, daemons."),
    ),
    "nodes": (
        "nodes:nodes",
        N_("List the daemons: where they run, when they were last heard of, what they have in flight."),
    ),
    "posts": ("posts:posts", N_("List posts, or show one with all its attempts.")),
    "posts show": ("posts:show", N_("Show one post: content, attempts, figures, record.")),
    "review": (
        "reviewing:review",
        N_("List the posts that did not go out at their time; decide about them one by one or all at once."),
    ),
    "retry": ("deciding:retry", N_("Plan failed or missed posts again, to go out now.")),
    "cancel": ("deciding:cancel", N_("Take posts out for good; what is published stays.")),
    "resolve": (
        "deciding:resolve",
        N_("Say what became of a post whose outcome is unknown or that was handed to you."),
    ),
    "calendar": (
        "calendar:calendar",
        N_("Show the month: posts, days off and windows; with --ics for other calendars."),
    ),
    "windows": (
        "calendar:windows",
        N_("List the rules by which posts wait, move or are warned of."),
    ),
    "stop": (
        "stopping:stop",
        N_("Stop everything, or an agency, a campaign, a platform, an account, at once."),
    ),
    "stops": ("stopping:stops", N_("List the stops in force.")),
    "resume": (
        "stopping:resume",
        N_("End a stop. What came due meanwhile waits for a person; nothing is caught up by itself."),
    ),
    "takedown": ("removing:takedown", N_("Take a published post down from its platform.")),
    "reach": (
        "figures:reach",
        N_("Show the figures of published posts; with --now ask the platforms first. See also: reach enter."),
    ),
    "reach enter": (
        "entering:enter",
        N_("Record figures of a post that a person read off the platform; the source is “manual”."),
    ),
    "reach import": (
        "importing:import_figures",
        N_("Record the figures of many posts from a CSV or XLSX: all of its rows, or none."),
    ),
    "followers": (
        "following:followers",
        N_("Show how many people follow each account; with --now ask the platforms first."),
    ),
    "followers enter": (
        "following:enter",
        N_("Record how many people follow an account, as a person read it off; the source is “manual”."),
    ),
    "inbox": (
        "inbox:inbox",
        N_("List what people wrote under published posts, with what became of it; personal data is masked."),
    ),
    "inbox reply": (
        "replying:reply",
        N_("Draft an answer to a comment; it goes out when it is approved, like any post."),
    ),
    "inbox canned": ("replying:canned", N_("List the answers that are kept ready, as they would read.")),
    "inbox assign": ("inbox:assign", N_("Give a comment into the care of a person.")),
    "inbox close": ("inbox:close", N_("Close a comment with a note that says what was done.")),
    "report": ("reporting:report", N_("Write a report as a file: table, workbook, page or PDF.")),
    "budget": (
        "budgeting:budget",
        N_("Show what accounts may spend, have spent and will spend in a month; allow more."),
    ),
    "archive": (
        "archiving:archive",
        N_("Write the records of a campaign: texts, media, approvals, answers, figures, audit."),
    ),
    "hold": ("archiving:hold", N_("Order that nothing of a campaign is deleted, or lift that order.")),
    "audit": ("", N_("The record of who did what: show it, verify it, hand it over.")),
    "audit show": ("auditing:show", N_("List what is recorded, oldest first.")),
    "audit verify": (
        "auditing:verify",
        N_("Look whether a row was changed, removed, inserted or moved, and name it."),
    ),
    "audit export": ("auditing:export", N_("Write the record as a file that others can verify.")),
    "audit anchor": ("auditing:anchor", N_("Write the head of the record into the anchor file now.")),
    "bundle": (
        "bundling:bundle",
        N_("Write the evidence of a campaign as one ZIP: report, data, approvals, pictures of the posts."),
    ),
    "accounts": ("", N_("The accounts of the configuration.")),
    "accounts list": ("accounts:list_accounts", N_("List the accounts and what is known of them.")),
    "accounts check": (
        "accounts:check",
        N_("Ask each platform whether the account works; a disabled one is enabled again."),
    ),
    "accounts login": (
        "credentials:login",
        N_("Log in to the platform of an account; what it gives is stored encrypted."),
    ),
    "accounts logout": ("credentials:logout", N_("Delete the stored credentials of an account.")),
    "secrets": ("", N_("The keys that encrypt stored credentials.")),
    "secrets new-key": ("credentials:new_key", N_("Make a key file.")),
    "secrets rotate": ("credentials:rotate", N_("Encrypt stored credentials anew with the first key.")),
    "doctor": ("setup:doctor", N_("Look whether everything that Gaung needs is in order.")),
    "db": ("", N_("The database.")),
    "db upgrade": ("setup:upgrade", N_("Bring the database to the schema of this version.")),
    "practice": ("", N_("A small social network on this computer, for practice.")),
    "practice serve": (
        "practice:serve",
        N_("Run the practice network until Ctrl-C; open its address in a browser."),
    ),
    "demo": ("demo:demo", N_("Watch a campaign from file to CSV in a minute, on this computer only.")),
}
#: Commands that take an argument of their own and have members besides.
TAKES_ARGUMENT = frozenset({"reach"})
#: Wanted by whoever looks at all commands with all their options, as tests do.
EVERYTHING = "*"


def wanted(arguments: Sequence[str]) -> str:
    """Given the arguments, return the name of the command in them, or "" if there is none."""
    value = False
    for position, argument in enumerate(arguments):
        if not value and argument in COMMANDS:
            member = " ".join(arguments[position : position + 2])
            return member if member in COMMANDS else argument
        value = argument in {"--config", "--lang"}  # what follows may be called like a command
    return ""


def build(name: str) -> typer.Typer:
    """Make the command line with one command ready to run, in the language chosen before."""
    app = _typer(
        _(
            "Publishes an agency's campaigns on social media: checked, planned, approved, published"
            " exactly once, measured."
        )
    )
    app.callback()(_global_options)
    for command, (place, text) in COMMANDS.items():
        if " " in command:
            continue
        ready = name in {command, EVERYTHING} or name.startswith(f"{command} ")
        members = {one: COMMANDS[one] for one in COMMANDS if one.startswith(f"{command} ")}
        # "reach CAMPAIGN" takes an argument, which a group cannot: it is a group for its members only.
        if members and (command not in TAKES_ARGUMENT or name in members):
            group = _typer(_(text))
            if place and ready and command not in TAKES_ARGUMENT:
                group.callback(invoke_without_command=True)(_function(place))
            for member, (where, what) in members.items():
                _add(group, member.partition(" ")[2], _function(where) if ready else _not_loaded, _(what))
            app.add_typer(group, name=command, no_args_is_help=not place, short_help=_(text))
        else:
            _add(app, command, _function(place) if ready else _not_loaded, _(text))
    return app


class _Command(Told, TyperCommand):
    def invoke(self, context: Any) -> Any:
        """Run the command, if the role of whoever runs it allows that."""
        from scheduler.governance import roles

        command = context.command_path.partition(" ")[2]
        if roles.ROLES.get(command, roles.ANY_ROLE) is not None:
            roles.may(command, context.obj.actor)
        return super().invoke(context)


class _Group(Told, TyperGroup):
    def list_commands(self, context: Any) -> list[str]:
        """In the order of the day's work; Typer would put the groups last."""
        order = [name.rpartition(" ")[2] for name in COMMANDS]
        return sorted(super().list_commands(context), key=order.index)


def _typer(text: str) -> typer.Typer:
    return typer.Typer(
        cls=_Group,
        help=text,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        options_metavar=_("[OPTIONS]"),
        subcommand_metavar=_("COMMAND [ARGUMENTS]..."),
    )


def _add(app: typer.Typer, name: str, function: Callable[..., Any], text: str) -> None:
    # Without short_help, Typer cuts the text off in the list of commands.
    app.command(name, cls=_Command, help=text, short_help=text, options_metavar=_("[OPTIONS]"))(function)


def _function(place: str) -> Callable[..., Any]:
    module, _colon, name = place.partition(":")
    function: Callable[..., Any] = getattr(import_module(f"scheduler.cli.commands.{module}"), name)
    return function


def _not_loaded() -> None:
    """Stand for a command that is not the one wanted."""
    raise NotImplementedError


def _show_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        emit(f"gaung {version('gaung')}")
        raise typer.Exit


def _global_options(
    context: typer.Context,
    config: Annotated[
        Path | None,
        # Not readable: said in our words, where it is read.
        typer.Option(
            help=_("The configuration file; without it config.toml here or in a folder above."),
            readable=False,
        ),
    ] = None,
    lang: Annotated[str | None, typer.Option(help=_("Language: id or en."))] = None,  # noqa: ARG001
    version: Annotated[  # noqa: ARG001 -- its callback does it
        bool,
        typer.Option(
            "--version", help=_("Show the version and leave."), is_eager=True, callback=_show_version
        ),
    ] = False,
) -> None:
    context.obj = Workplace(config)
    context.call_on_close(context.obj.close)
