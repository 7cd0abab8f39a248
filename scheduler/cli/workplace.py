"""Everything a command needs, put together when it needs it: configuration, store, adapters, clock, actor."""

from __future__ import annotations

import logging
import os
import platform
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from scheduler.clock import Clock, SystemClock
from scheduler.errors import GaungError
from scheduler.location import find_file
from scheduler.origin import origin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from campaigns.checks.desk import Out
    from campaigns.files import Loaded
    from campaigns.problems import Problem
    from campaigns.windows import Windows
    from scheduler.accounts import Accounts
    from scheduler.config import Config
    from scheduler.engine.calls import Calls
    from scheduler.engine.retry import Rule
    from scheduler.engine.settings import Settings
    from scheduler.engine.treasury import Treasury
    from scheduler.governance.gate import Gate
    from scheduler.governance.people import Actor
    from scheduler.store.database import Store
    from scheduler.store.media import MediaFolder
    from scheduler.store.tables import CampaignVersion, Content
    from scheduler.vault import Vault


log = logging.getLogger("gaung.audit")


class Workplace:
    """One configuration and what follows from it."""

    def __init__(self, config_file: Path | None) -> None:
        self.config_file = find_file(config_file, os.environ)
        self.clock: Clock = SystemClock()
        self._open: list[Store] = []
        self._anchor_failed = False

    @cached_property
    def config(self) -> Config:
        """The configuration; raises GaungError with every problem in it."""
        from adapters import registry
        from scheduler import config

        return config.load(self.config_file, registry.names())

    def store(self, *, create: bool = False) -> Store:
        """The database; with ``create`` it is made if it is not there."""
        from scheduler.store.database import open_store

        url = self.config.database_url(os.environ)
        store = open_store(url, create=create, acting=origin(os.environ))
        self._open.append(store)
        return store

    def close(self) -> None:
        """Release the databases that were opened; SQLite then puts its files in order."""
        while self._open:
            self._open.pop().close()

    @cached_property
    def accounts(self) -> Accounts:
        """The configured accounts as adapters."""
        from scheduler.accounts import Accounts

        def stored(account_id: str, name: str) -> str:
            return self.vault.secret(account_id, name)  # opened only if a secret is asked of it

        return Accounts(self.config, os.environ, self.clock, stored)

    @cached_property
    def vault(self) -> Vault:
        """The credentials that logins left."""
        from scheduler.secrets import resolve
        from scheduler.vault import Vault

        base = self.config.file.parent
        keys = [resolve(reference, base, os.environ) for reference in self.config.secret_keys]
        return Vault(self.store(), keys)

    @cached_property
    def actor(self) -> Actor:
        """Who runs this command."""
        from scheduler.governance.people import actor

        return actor(self.config, os.environ)

    def person_name(self, person_id: str) -> str:
        """The full name of a person, or the id of one who is not in the configuration any more."""
        person = self.config.people.get(person_id)
        return person.name if person else person_id

    @cached_property
    def gate(self) -> Gate:
        """What decides whether approvals still hold, by the newest configuration."""
        from adapters import registry
        from scheduler import config
        from scheduler.governance.gate import Gate

        return Gate(self.config, lambda file: config.load(file, registry.names()))

    @property
    def anchor(self) -> tuple[Path | None, Path | None]:
        """The anchor file of the audit and the key that signs it, as far as configured."""
        audit = self.config.audit
        file = self.config.path(Path(audit.anchor)) if audit.anchor else None
        return file, self.config.path(Path(audit.signing_key)) if audit.signing_key else None

    def write_anchor_if_due(self, store: Store, now: datetime) -> None:
        """Anchor the audit once a day; that it cannot be written is told in the log, once."""
        file, key = self.anchor
        if file is None:
            return
        from scheduler.governance import anchoring

        try:
            anchoring.write_if_due(store, file, now, key, platform.node())
            self._anchor_failed = False
        except GaungError as error:
            if not self._anchor_failed:
                log.error("audit not anchored", extra={"action": "anchor", "reason": str(error)})
            self._anchor_failed = True

    @cached_property
    def windows(self) -> Windows:
        """The windows as the files say them; raises GaungError with every problem in them."""
        from scheduler.governance import windows

        return windows.of_config(self.config)

    @cached_property
    def media(self) -> MediaFolder:
        """The folder of approved media."""
        from scheduler.store.media import MediaFolder

        return MediaFolder(self.config.path(self.config.state) / "media")

    @cached_property
    def calls(self) -> Calls:
        """The calls of platforms."""
        from scheduler.engine.calls import Calls

        return Calls(self.accounts.adapter, self.media, self.clock.now)

    @cached_property
    def treasury(self) -> Treasury:
        """What publishing costs on the accounts whose platform bills."""
        from scheduler.engine.treasury import Payer, Treasury

        payers = {
            name: Payer(settings.platform, settings.budget, settings.read_budget)
            for name, settings in self.config.accounts.items()
            if self.accounts.adapter_class(settings.platform).bills
        }
        return Treasury(payers, self.config.prices, self.accounts.adapter, self.media)

    def daemon_settings(self) -> Settings:
        """What the daemon takes from the configuration."""
        from scheduler.engine.settings import Settings

        daemon = self.config.daemon
        return Settings(
            workers=daemon.workers,
            lease=daemon.lease,
            horizon=daemon.horizon,
            attempts=daemon.attempts,
            retry_after=daemon.retry_after,
            retry_at_most=daemon.retry_at_most,
            look_after=daemon.look_after,
            reach_ages=self.config.reach.ages,
            replies_ages=self.config.inbox.ages,
            comments_kept=self.config.inbox.keep,
            rules=self.rules(),
            counted=[
                name
                for name, settings in self.config.accounts.items()
                if self.accounts.adapter_class(settings.platform).follower_metric
            ],
            zone=self.config.zone,
            limited=[
                name
                for name, settings in self.config.accounts.items()
                if self.accounts.adapter_class(settings.platform).has_quota
            ],
        )

    def rules(self) -> dict[str, Rule]:
        """What holds for accounts with rules of their own: their settings before those of their platform."""
        from scheduler.config import PlatformSettings
        from scheduler.engine.retry import Rule

        rules = {}
        for name, account in self.config.accounts.items():
            platform = self.config.platforms.get(account.platform, PlatformSettings())
            rule = Rule(
                account.look_after or platform.look_after,
                max(account.min_gap, platform.min_gap),
                account.pass_unsure,
            )
            if rule != Rule():
                rules[name] = rule
        return rules

    def load_campaigns(self) -> tuple[list[Loaded], list[Problem]]:
        """Every campaign of the folder, and every problem: of the files, then of what platforms allow."""
        from adapters import registry
        from campaigns import checking, files
        from scheduler.checking import platform_problems, weighed

        folder = self.config.path(self.config.campaigns)
        loaded, problems = files.load(folder, self.config.audience(registry.names()))
        found: list[Problem] = []
        for campaign in loaded:
            found += platform_problems(campaign, self.accounts.adapter)
            found += checking.objections(campaign, self.windows)
        found += self._objections(loaded)
        return loaded, problems + weighed(found, self.config.checks)

    def objections_today(self, version: CampaignVersion) -> list[Problem]:
        """What an editor objects to at this moment in a campaign in force, which was checked when applied."""
        from scheduler.checking import weighed
        from scheduler.engine import applying

        loaded = applying.restore(version.definition, Path(version.source))
        return weighed(self._objections([loaded]), self.config.checks)

    def objections_to_reply(self, version: CampaignVersion, content: Content, item: str) -> list[Problem]:
        """What platform and editor object to in an answer to a comment of a campaign in force."""
        from scheduler.checking import reply_problems
        from scheduler.engine import applying
        from scheduler.engine.calls import stored_post

        return reply_problems(
            applying.restore(version.definition, Path(version.source)),
            stored_post(content, self.media),
            self.accounts.adapter(content.account_id),
            self.config,
            item=item,
            account=content.account_id,
            now=self.clock.now(),
        )

    def _objections(self, loaded: Sequence[Loaded]) -> list[Problem]:
        from scheduler.checking import editorial_problems

        gaps = {name: rule.min_gap for name, rule in self.rules().items()}
        now, known = self.clock.now(), self._posts_of_others(loaded)
        return editorial_problems(loaded, self.config, self.windows, gaps, known, now)

    def _posts_of_others(self, loaded: Sequence[Loaded]) -> list[Out]:
        """What campaigns without a file have published or planned, as far as repetition goes.

        Files are checked without a database as well, so one that cannot be read is none.
        """
        from campaigns.checks.desk import Out
        from scheduler.errors import StoreError
        from scheduler.states import State
        from scheduler.store import campaigns as stored
        from scheduler.store import listings

        since = self.clock.now() - self.config.checks.repeat_within
        here = {one.campaign.id for one in loaded}
        states = (State.SENT, State.PLANNED)
        try:
            with self.store().read() as session:
                others = {one.campaign_id for one in stored.in_force(session)} - here
                wanted = [
                    listings.PostFilter(one, states=states, since=since, replies=False)
                    for one in sorted(others)
                ]
                posts = [post for one in wanted for post in listings.posts(session, one)]
        except StoreError:
            return []
        return [Out(post.account_id, post.text, post.allowed_at) for post in posts]

    def sound_campaigns(self, only: str = "") -> tuple[list[Loaded], list[Problem]]:
        """Every campaign, or the one named, with warnings; raise ProblemsError if a file of it is wrong."""
        from scheduler.errors import GaungError, ProblemsError
        from scheduler.i18n import N_

        loaded, problems = self.load_campaigns()
        chosen = [campaign for campaign in loaded if only in {"", campaign.campaign.id}]
        if only and chosen:
            # A mistake in another campaign's file does not hold this one up.
            problems = [one for one in problems if one.file == chosen[0].path.name]
        if any(problem.severity == "error" for problem in problems):
            raise ProblemsError(problems)
        if only and not chosen:
            raise GaungError(
                N_("There is no campaign {id} in {folder}."),
                hint=N_("“gaung check” lists the campaigns."),
                id=only,
                folder=self.config.path(self.config.campaigns),
            )
        return chosen, problems
