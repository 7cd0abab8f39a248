"""What a help page says beyond what Typer makes of the functions: in the user's language, with the names
of arguments as the documents write them, examples to copy, and who may run the command.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scheduler.i18n import N_, _

#: Typer's headings: it translates these itself, from our catalog (``i18n.make_default``).
_HEADINGS = (N_("Arguments"), N_("Options"), N_("Commands"), N_("required"), N_("default: {default}"))

#: The names of arguments, as both READMEs write them.
_ARGUMENTS: Mapping[str, str] = {
    "account": N_("ACCOUNT"),
    "campaign": N_("CAMPAIGN"),
    "comment": N_("NUMBER"),
    "count": N_("COUNT"),
    "file": N_("FILE"),
    "folder": N_("FOLDER"),
    "month": N_("MONTH"),
    "person": N_("PERSON"),
    "post": N_("ID"),
    "stop": N_("NUMBER"),
    "target": N_("ID"),
    "what": N_("WHAT"),
}
#: What Typer calls the kinds of values.
_KINDS: Mapping[str, str] = {
    "str": N_("text"),
    "list[str]": N_("text"),
    "path": N_("file"),
    "file": N_("file"),
    "int": N_("number"),
    "int range": N_("number"),
    "float range": N_("number"),
    "decimal": N_("number"),
    "datetime": N_("date"),
    "%y-%m-%d": N_("date"),
}

#: Lines to copy, by command; the campaign is that of ``gaung init``. Those with words are translated.
EXAMPLES: Mapping[str, Sequence[str]] = {
    "init": ["gaung init hakordia"],
    "check": ["gaung check", 'gaung check --source "Perkom 1/2026"'],
    "schema": ["gaung schema > campaign.schema.json"],
    "plan": ["gaung plan", "gaung plan hakordia-2026", "gaung plan --costs"],
    "apply": ["gaung apply", "gaung apply hakordia-2026"],
    "approve": [
        "gaung approve hakordia-2026",
        "gaung approve hakordia-2026 --message nilai-01-jujur",
        N_('gaung approve hakordia-2026 --withdraw --reason "the figures have changed"'),
        "gaung approve hakordia-2026 --export hakordia.txt --for budi",
        "gaung approve --import hakordia.txt.sig",
    ],
    "return": [
        N_('gaung return 373301b7 --reason "the date is wrong"'),
        N_('gaung return hakordia-2026 --message nilai-01-jujur --reason "the date is wrong"'),
    ],
    "run": ["gaung run", "gaung run --once"],
    "status": ["gaung status", "gaung status --watch", "gaung status --format json"],
    "nodes": ["gaung nodes"],
    "posts": ["gaung posts --campaign hakordia-2026", "gaung posts --state failed --state unsure"],
    "posts show": ["gaung posts show 373301b7"],
    "review": [
        "gaung review",
        "gaung review --all --publish",
        'gaung review 373301b7 --at "2026-12-10 09:00"',
        N_('gaung review --campaign hakordia-2026 --cancel --reason "out of date"'),
    ],
    "retry": ["gaung retry 373301b7", N_('gaung retry 373301b7 915bcc9f --reason "the server was off"')],
    "cancel": ["gaung cancel 373301b7", N_('gaung cancel --campaign hakordia-2026 --reason "put off"')],
    "resolve": [
        "gaung resolve 373301b7 --posted https://www.instagram.com/p/C0ntoh/",
        "gaung resolve 373301b7 --absent",
    ],
    "calendar": ["gaung calendar", "gaung calendar 2026-12", "gaung calendar --ics hakordia.ics"],
    "windows": ["gaung windows"],
    "stop": [
        N_('gaung stop --reason "the head of the region was arrested"'),
        N_('gaung stop --agency Diskominfo --until 3d --reason "mourning" --letter 400/12/2026'),
    ],
    "stops": ["gaung stops"],
    "resume": ["gaung resume", "gaung resume 1"],
    "takedown": [N_('gaung takedown 373301b7 --reason "the figures were wrong"')],
    "reach": ["gaung reach hakordia-2026", "gaung reach hakordia-2026 --now"],
    "reach enter": ["gaung reach enter 373301b7 --views 1250 --likes 31"],
    "reach import": ["gaung reach import angka.xlsx"],
    "followers": ["gaung followers", "gaung followers --now"],
    "followers enter": ["gaung followers enter latihan-diskominfo 1250 --at 2026-12-01"],
    "inbox": ["gaung inbox", "gaung inbox --state all"],
    "inbox reply": [
        "gaung inbox reply 7 --canned lapor",
        N_('gaung inbox reply 7 --text "Thank you. The counter is open until 15.00."'),
    ],
    "inbox canned": ["gaung inbox canned"],
    "inbox assign": ["gaung inbox assign 7 siti"],
    "inbox close": [N_('gaung inbox close 7 --note "answered by telephone"')],
    "report": [
        "gaung report hakordia-2026",
        "gaung report hakordia-2026 -o hakordia.xlsx",
        "gaung report --month 2026-12 --agency Diskominfo --columns office -o rekap.xlsx",
    ],
    "budget": ["gaung budget", N_('gaung budget x-dinas --allow 12,50 --reason "Hakordia"')],
    "archive": ["gaung archive hakordia-2026 --zip", "gaung archive --due"],
    "hold": [
        N_('gaung hold hakordia-2026 --reason "dispute before the commission" --letter 12/KI/2026'),
        N_('gaung hold hakordia-2026 --lift --reason "the dispute has ended"'),
    ],
    "audit show": ["gaung audit show --campaign hakordia-2026", "gaung audit show --last 20"],
    "audit verify": ["gaung audit verify"],
    "audit export": ["gaung audit export --output jejak.jsonl"],
    "audit anchor": ["gaung audit anchor"],
    "bundle": ["gaung bundle hakordia-2026"],
    "accounts list": ["gaung accounts list"],
    "accounts check": ["gaung accounts check", "gaung accounts check latihan-diskominfo"],
    "accounts login": ["gaung accounts login x-dinas"],
    "accounts logout": ["gaung accounts logout x-dinas"],
    "secrets new-key": ["gaung secrets new-key kunci-2027"],
    "secrets rotate": ["gaung secrets rotate"],
    "doctor": ["gaung doctor"],
    "db upgrade": ["gaung db upgrade"],
    "practice serve": ["gaung practice serve", "gaung practice serve --lose-answer-every 2"],
    "demo": ["gaung demo"],
}


def argument(name: str) -> str:
    """The name of an argument for people."""
    return _(_ARGUMENTS[name]) if name in _ARGUMENTS else name.upper()


class Told:
    """A command or group of Typer whose help page says what Typer's own does not."""

    def get_params(self, context: Any) -> list[Any]:
        found: list[Any] = super().get_params(context)  # type: ignore[misc]
        for one in found:
            if one.param_type_name == "argument":
                one.metavar = argument(one.name)
                one.display_type_rich = lambda ctx: ""  # noqa: ARG005 -- its name says it
            elif not hasattr(one, "kind"):
                one.kind = one.display_type(context)
                one.display_type_rich = lambda ctx, kind=one.kind: _kind(kind)  # noqa: ARG005
        return found

    def get_help_option(self, context: Any) -> Any:
        option = super().get_help_option(context)  # type: ignore[misc]
        if option:
            option.help = _("Show this text and leave.")
        return option

    def format_usage(self, context: Any, formatter: Any) -> None:
        pieces = " ".join(self.collect_usage_pieces(context))  # type: ignore[attr-defined]
        # Typer puts what must be given into braces; elsewhere it stands without.
        pieces = pieces.replace("{", "").replace("}", "")
        formatter.write_usage(context.command_path, pieces, prefix=_("Usage: "))

    def format_epilog(self, context: Any, formatter: Any) -> None:
        """Examples, and who may run it."""
        command = context.command_path.partition(" ")[2]
        if command not in EXAMPLES:
            return
        with formatter.section(_("Examples")):
            for line in EXAMPLES[command]:
                formatter.write(f"{'':{formatter.current_indent}}{_(line)}\n")
        from scheduler.governance.roles import ANY_ROLE, ROLES

        if (roles := ROLES.get(command, ANY_ROLE)) is not None:
            formatter.write_paragraph()
            named = ", ".join(sorted(roles))
            said = _("For people with one of the roles {roles}.", roles=named)
            formatter.write_text(_("For people of the configuration.") if roles == ANY_ROLE else said)


def _kind(shown: str) -> str:
    """ "<str>" in words; a choice as it is."""
    kind = shown.strip("<>").lower()
    return f"<{_(_KINDS[kind])}>" if kind in _KINDS else shown
