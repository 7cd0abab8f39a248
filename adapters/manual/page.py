"""The checklist of the manual kit: one HTML page, readable on a phone, printable on A4, without scripts.

It knows what the steps are called on each kind of account; it writes no file and copies nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from adapters.contract import N_

Translate = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One text of the kit (the post, a further part, the first comment) and the media that go with it."""

    text: str
    text_file: str
    media: tuple[tuple[str, str, str], ...] = ()
    """File name in the kit, MIME type, alt text."""
    role: str = "post"


@dataclass(frozen=True, slots=True)
class Page:
    """Everything that the checklist says. ``account`` and ``prepared`` are ready to be shown."""

    kind: str
    account: str
    prepared: str
    post_id: str
    sheets: Sequence[Sheet]
    post_kind: str = "post"


_TITLES = {
    "whatsapp": N_("WhatsApp channel"),
    "tiktok": N_("TikTok"),
    "other": N_("Post to publish by hand"),
}
_OPEN = {
    "whatsapp": N_("Open WhatsApp, tab “Updates”, and the channel {account}."),
    "tiktok": N_("Open TikTok with the account {account} and tap “+”."),
    "other": N_("Open the account {account}."),
}
_LINK = {
    "whatsapp": N_("Hold the update, choose “Copy link”."),
    "tiktok": N_("Open the post, choose “Share”, then “Copy link”."),
    "other": N_("Open the published post and copy its address."),
}
_POST_KINDS = {
    "reel": N_("Publish it as a short vertical video (reel)."),
    "story": N_("Publish it as a story or status: it is gone after 24 hours."),
}
_ROLES = {
    "post": N_("Post"),
    "part": N_("Continuation, part {number}"),
    "comment": N_("First comment"),
}

# Here and not in the page itself: before Python 3.12, Babel does not look into f-strings.
_PREPARED = N_("Prepared {time} · post {id}")
_STEPS = N_("Steps")
_PUBLISHED_BY = N_("Published by")
_NAME = N_("Name")
_WHEN = N_("Date and time")
_ADDRESS = N_("Address of the post")
_ALTERNATIVE_TEXT = N_("Alternative text")


def checklist(page: Page, translate: Translate = str) -> str:
    """Return the page; every text but the post's own goes through ``translate``."""

    def say(template: str, **values: object) -> str:
        return escape(translate(template).format(**values))

    # The texts are English unless somebody translates them, and then Indonesian.
    language = "en" if translate(_TITLES["other"]) == _TITLES["other"] else "id"
    title = say(_TITLES[page.kind])
    command = f"gaung resolve {page.post_id} --posted https://…"
    steps = "\n".join(
        f'<li><span class="box" aria-hidden="true"></span>{one}</li>' for one in _steps(page, say)
    )
    sheets = "\n".join(_sheet(sheet, number, say) for number, sheet in enumerate(page.sheets, 1))
    return f"""<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · {escape(page.account)}</title>
<style>{_CSS}</style>
</head>
<body>
<header>
<p class="kind">{title}</p>
<h1>{escape(page.account)}</h1>
<p class="facts">{say(_PREPARED, time=page.prepared, id=page.post_id)}</p>
</header>
<main>
<section class="steps">
<h2>{say(_STEPS)}</h2>
<ol>
{steps}
</ol>
<p class="command"><code>{escape(command)}</code></p>
</section>
{sheets}
<section class="sign">
<h2>{say(_PUBLISHED_BY)}</h2>
<dl>
<div><dt>{say(_NAME)}</dt><dd></dd></div>
<div><dt>{say(_WHEN)}</dt><dd></dd></div>
<div><dt>{say(_ADDRESS)}</dt><dd></dd></div>
</dl>
</section>
</main>
</body>
</html>
"""


def _steps(page: Page, say: Callable[..., str]) -> list[str]:
    first, rest = page.sheets[0], page.sheets[1:]
    steps = [say(_OPEN[page.kind], account=page.account)]
    if page.post_kind in _POST_KINDS:
        steps.append(say(_POST_KINDS[page.post_kind]))
    if first.media:
        steps.append(
            say(N_("Add the files in this order: {files}."), files=", ".join(m[0] for m in first.media))
        )
    if first.text:
        steps.append(say(N_("Paste the whole text of {file}, and change nothing."), file=first.text_file))
    if any(m[2] for m in first.media):
        steps.append(say(N_("Where the app has a field for it, paste each file's alternative text.")))
    steps.append(say(N_("Compare with the page before you send: text, links, order of the files.")))
    steps.append(say(N_("Publish once. If you are not sure whether it went out, look before you try again.")))
    for number, sheet in enumerate(rest, 2):
        where = N_("Write the first comment under it from {file}.")
        if sheet.role == "part":
            where = N_("Reply to the part before with {file} (part {number}), files included.")
        steps.append(say(where, file=sheet.text_file, number=number))
    steps.append(say(_LINK[page.kind]))
    steps.append(say(N_("Report the address, so that the post counts as published:")))
    return steps


def _sheet(sheet: Sheet, number: int, say: Callable[..., str]) -> str:
    text = ""
    if sheet.text:
        hint = say(N_("File {file} · {length} characters"), file=sheet.text_file, length=len(sheet.text))
        text = f'<p class="facts">{hint}</p>\n<pre>{escape(sheet.text)}</pre>'
    media = "\n".join(_figure(*item, say) for item in sheet.media)
    heading = say(_ROLES[sheet.role], number=number)
    return (
        f'<section class="sheet">\n<h2>{heading}</h2>\n{text}\n<div class="media">{media}</div>\n</section>'
    )


def _figure(name: str, mime: str, alt: str, say: Callable[..., str]) -> str:
    source, words = escape(name, quote=True), escape(alt, quote=True)
    shown = f'<img src="{source}" alt="{words}">'
    if not mime.startswith("image/"):
        shown = f'<video src="{source}" controls preload="metadata"></video>'
    told = f'<span class="alt">{say(_ALTERNATIVE_TEXT)}</span> {words}' if alt else ""
    return f"<figure>{shown}<figcaption><b>{escape(name)}</b>{told}</figcaption></figure>"


_CSS = """
:root { --ink: #14242b; --soft: #51646d; --line: #d3dde1; --ground: #eef2f3;
  --paper: #fff; --accent: #0b6663; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 48rem; padding: 1.5rem 1rem 3rem; background: var(--ground);
  color: var(--ink); font: 16px/1.55 system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  overflow-wrap: anywhere; }
h1, h2, p, ol, dl, dd, figure, pre { margin: 0; padding: 0; }
header { border-left: .35rem solid var(--accent); padding: .1rem 0 .1rem .9rem; margin-bottom: 1.25rem; }
h1 { font-size: 1.7rem; line-height: 1.2; letter-spacing: -.02em; }
h2 { font-size: 1.05rem; margin-bottom: .6rem; }
.kind { color: var(--accent); font-weight: 700; }
.facts { color: var(--soft); font-size: .9rem; }
section { background: var(--paper); border: 1px solid var(--line); border-radius: 14px;
  padding: 1.1rem 1.25rem; margin-bottom: 1rem; break-inside: avoid; }
ol { list-style: none; counter-reset: step; }
li { counter-increment: step; display: flex; gap: .7rem; padding: .4rem 0;
  border-top: 1px solid var(--line); }
li:first-child { border-top: 0; }
li::before { content: counter(step); min-width: 1.2rem; color: var(--soft);
  font-variant-numeric: tabular-nums; }
.box { flex: none; width: 1.05rem; height: 1.05rem; margin-top: .25rem; border: 2px solid var(--ink);
  border-radius: 4px; }
.command { margin-top: .4rem; }
code, pre { font-family: ui-monospace, Consolas, "Noto Sans Mono", monospace; font-size: .95rem; }
code { display: block; padding: .6rem .8rem; background: var(--ground); border-radius: 8px;
  user-select: all; }
pre { white-space: pre-wrap; font-family: inherit; font-size: 1.02rem; margin-top: .5rem; padding: .8rem 1rem;
  background: var(--ground); border-radius: 8px; user-select: all; -webkit-user-select: all; }
.media { display: grid; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); gap: 1rem; }
.media:not(:empty) { margin-top: 1rem; }
.media img, .media video { display: block; width: 100%; max-height: 20rem; object-fit: contain;
  background: var(--ground); border-radius: 8px; }
figcaption { margin-top: .4rem; font-size: .9rem; }
.alt { display: block; color: var(--soft); font-size: .8rem; }
.sign dl div { display: flex; gap: 1rem; align-items: end; padding-top: .7rem; }
.sign dt { flex: none; width: 11rem; color: var(--soft); }
.sign dd { flex: 1; border-bottom: 1px solid var(--ink); height: 1.4rem; }
@page { size: A4; margin: 16mm; }
@media print {
  body { max-width: none; padding: 0; background: none; font-size: 11pt; }
  section { border-radius: 0; border-width: 0 0 1px; padding: .6rem 0; }
  pre, code { background: none; border: 1px solid var(--line); }
  .media img { max-height: 9cm; background: none; }
}
"""

__all__ = ["Page", "Sheet", "Translate", "checklist"]
