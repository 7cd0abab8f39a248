"""Where platforms give tokens, on servers of our own: X, Meta (Facebook, Instagram, Threads), Mastodon.

Each also stands for the browser of a person: ``allow`` takes the address that a login shows and returns what
the person would copy. Shapes follow PLATFORMS.md (November 2026), RFC 5849, RFC 6749 and RFC 7636.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from servers.graph_core import refusal
from servers.loopback import Answer
from servers.mastodon_platform import TOKEN as MASTODON_TOKEN
from servers.mastodon_platform import Mastodon
from werkzeug.wrappers import Request

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def query_of(address: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(address).query))


def oauth_error(status: int, error: str, words: str) -> Answer:
    return Answer(status, {"error": error, "error_description": words})


# X


@dataclass
class XLogin:
    """X's logins. ``issued`` is every secret that it gave out; ``refresh`` is the one that counts now."""

    keys: tuple[str, str] = ("kunciAplikasi1", "rahasiaAplikasi1")
    client: tuple[str, str] = ("klienContoh1", "rahasiaKlien1")
    public: bool = False
    name: str = "diskominfo"
    granted: str = ""
    """Scopes that are told instead of those asked for."""
    blank: bool = False
    """The next renewals tell an empty refresh token; the former stays valid then."""
    keep_quiet: bool = False
    """Answers hold no refresh token at all."""
    requests: dict[str, tuple[str, str]] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    issued: list[str] = field(default_factory=list)
    access: str = ""
    refresh: str = ""
    spent: list[str] = field(default_factory=list)
    rounds: int = 0

    def new(self, name: str) -> str:
        self.rounds += 1
        self.issued.append(f"{name}-{self.rounds:04}-abcdefgh")
        return self.issued[-1]

    # The browser

    def allow(self, address: str) -> str:
        """Press “Authorize app”: a PIN, or the address to which the browser is sent."""
        query, place = query_of(address), urlsplit(address)
        if place.path == "/oauth/authorize":
            assert place.netloc in ("api.twitter.com", "api.x.com")
            pin = str(7000000 + len(self.requests))
            self.requests[query["oauth_token"]] = (self.requests[query["oauth_token"]][0], pin)
            return pin
        assert (place.netloc, place.path) == ("twitter.com", "/i/oauth2/authorize")
        assert (query["response_type"], query["code_challenge_method"]) == ("code", "S256")
        assert query["client_id"] == self.client[0]
        code = self.new("kode")
        self.codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'state': query['state'], 'code': code})}"

    # The server

    def __call__(self, request: Request) -> Answer:
        match request.path:
            case "/oauth/request_token":
                return self._request_token(request)
            case "/oauth/access_token":
                return self._access_token(request)
            case "/2/oauth2/token":
                return self._token(request)
            case "/2/users/me":
                if request.headers.get("Authorization") != f"Bearer {self.access}":
                    return Answer(401, {"title": "Unauthorized", "detail": "Unauthorized", "status": 401})
                return Answer(200, {"data": {"id": "2244994945", "name": "Dinas", "username": self.name}})
        return Answer(404, b"")

    def _request_token(self, request: Request) -> Answer:
        sent = signed(request, self.keys, "")
        if sent is None or sent["oauth_callback"] != "oob":
            return Answer(401, {"errors": [{"code": 32, "message": "Could not authenticate you."}]})
        token, secret = self.new("minta"), self.new("rahasiaminta")
        self.requests[token] = (secret, "")
        return form(oauth_token=token, oauth_token_secret=secret, oauth_callback_confirmed="true")

    def _access_token(self, request: Request) -> Answer:
        asked = re.search(r'oauth_token="([^"]+)"', request.headers["Authorization"])
        secret, pin = self.requests.get(unquote(asked[1]) if asked else "", ("", ""))
        sent = signed(request, self.keys, secret)
        if sent is None or not pin or sent["oauth_verifier"] != pin:
            words = b"Error processing your OAuth request: Invalid oauth_verifier parameter"
            return Answer(401, words, {"Content-Type": "text/plain"})
        token, secret = f"2244994945-{self.new('akses')}", self.new("rahasiaakses")
        return form(oauth_token=token, oauth_token_secret=secret, user_id="2244994945", screen_name=self.name)

    def _token(self, request: Request) -> Answer:
        fields, basic = dict(request.form), request.headers.get("Authorization", "")
        proof = "Basic " + base64.b64encode(":".join(self.client).encode()).decode()
        if self.public:
            if basic or fields.get("client_id") != self.client[0]:
                return oauth_error(400, "invalid_request", "Value passed for the client id was invalid.")
        elif basic != proof:
            return oauth_error(401, "unauthorized_client", "Missing valid authorization header")
        if fields["grant_type"] == "refresh_token":
            return self._renew(fields["refresh_token"])
        asked = self.codes.pop(fields["code"], None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(fields["code_verifier"].encode()).digest())
        if (
            asked is None
            or asked["code_challenge"] != challenge.decode().rstrip("=")
            or asked["redirect_uri"] != fields["redirect_uri"]
        ):
            words = "Value passed for the authorization code was invalid."
            return oauth_error(400, "invalid_request", words)
        return self._give(asked["scope"])

    def _renew(self, refresh: str) -> Answer:
        if refresh != self.refresh:
            return oauth_error(400, "invalid_request", "Value passed for the token was invalid.")
        if self.blank:
            answer = self._give("tweet.read")
            self.refresh, self.spent = refresh, []
            return Answer(200, {**self._body(answer), "refresh_token": ""})
        return self._give("tweet.read")

    def _give(self, scope: str) -> Answer:
        self.spent.append(self.refresh)
        self.access, self.refresh = self.new("aksesdua"), self.new("segar")
        body = {"token_type": "bearer", "expires_in": 7200, "access_token": self.access}
        body |= {"scope": self.granted or scope}
        return Answer(200, body if self.keep_quiet else {**body, "refresh_token": self.refresh})

    @staticmethod
    def _body(answer: Answer) -> dict[str, Any]:
        assert isinstance(answer.body, dict)
        return answer.body


def form(**fields: str) -> Answer:
    return Answer(200, urlencode(fields).encode(), FORM)


def signed(request: Request, keys: tuple[str, str], secret: str) -> dict[str, str] | None:
    """The parameters of an OAuth 1.0a header if its signature is right (RFC 5849, section 3.4)."""
    header = request.headers.get("Authorization", "")
    sent = {unquote(k): unquote(v) for k, v in re.findall(r'([\w%]+)="([^"]*)"', header)}
    if sent.get("oauth_consumer_key") != keys[0]:
        return None
    signature = sent.pop("oauth_signature", "")
    normal = "&".join(f"{quote(k, safe='~')}={quote(v, safe='~')}" for k, v in sorted(sent.items()))
    key = f"{quote(keys[1], safe='~')}&{quote(secret, safe='~')}".encode()
    for host in ("https://api.x.com", "https://api.twitter.com"):
        base = "&".join(quote(part, safe="~") for part in (request.method, host + request.path, normal))
        mine = base64.b64encode(hmac.new(key, base.encode(), hashlib.sha1).digest()).decode()
        if hmac.compare_digest(mine, signature):
            return sent
    return None


# Meta


@dataclass
class MetaLogin:
    """Graph, Instagram and Threads as far as logins need them; ``day_old``: tokens may be renewed."""

    app: tuple[str, str] = ("445566778899", "rahasiaAplikasiMeta1")
    user_token: str = "EAABtokenPendekPengguna1"
    name: str = "diskominfo.contoh"
    pages: list[dict[str, Any]] = field(
        default_factory=lambda: [
            {
                "id": "108000000000001",
                "name": "Diskominfo Contoh",
                "access_token": "EAABtokenHalaman1satu",
                "instagram_business_account": {"id": "17841400000000001", "username": "diskominfo.contoh"},
            },
            {"id": "108000000000002", "name": "Hanya Dibaca"},
            {"id": "108000000000003", "name": "Kecamatan", "access_token": "EAABtokenHalaman3tiga"},
            {
                "id": "108000000000004",
                "name": "Dinas Lain",
                "access_token": "EAABtokenHalaman4empat",
                "instagram_business_account": {"id": "17841400000000004", "username": "dinas.lain"},
            },
        ]
    )
    page_size: int = 2
    page_token_ends: int = 0
    lists: bool = False
    """The answer for a code is a list of one, as Instagram's is."""
    day_old: bool = True
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    short: set[str] = field(default_factory=set)
    long: set[str] = field(default_factory=set)
    issued: list[str] = field(default_factory=list)
    expires_in: int | None = 5_184_000

    def new(self, name: str) -> str:
        self.issued.append(f"{name}{len(self.issued):04}rahasia")
        return self.issued[-1]

    # The browser

    def allow(self, address: str) -> str:
        """Allow everything; the address to which the browser is sent, with Meta's "#_" at its end."""
        query, place = query_of(address), urlsplit(address)
        assert (place.netloc, place.path) in (
            ("www.instagram.com", "/oauth/authorize"),
            ("threads.net", "/oauth/authorize"),
        )
        assert (query["client_id"], query["response_type"]) == (self.app[0], "code")
        code = self.new("AQkode")
        self.codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}#_"

    # The server

    def __call__(self, request: Request) -> Answer:
        path = request.path.removeprefix("/v26.0")
        given = request.values.get("access_token") or request.headers.get("Authorization", "")[7:]
        if request.method == "POST" and path == "/oauth/access_token":
            return self._for_code(dict(request.form))
        if path == "/oauth/access_token":
            return self._exchange_user_token(request, given)
        if path == "/access_token":
            return self._exchange(request, given)
        if path == "/refresh_access_token":
            return self._renew(request, given)
        if path == "/debug_token":
            if given != "|".join(self.app):
                return invalid_token()
            return Answer(200, {"data": {"is_valid": True, "expires_at": self.page_token_ends}})
        if given not in self.long:
            return invalid_token()
        if path == "/me/accounts":
            return self._pages(request)
        if path in ("/me", "/v1.0/me"):
            return Answer(200, {"id": "26000000000000001", "user_id": "1784", "username": self.name})
        return refusal(404, 2500, None, "Unknown path components")

    def _exchange_user_token(self, request: Request, given: str) -> Answer:
        values = request.values
        if (values["client_id"], values["client_secret"]) != self.app:
            return refusal(400, 1, None, "Error validating client secret.")
        if values["grant_type"] != "fb_exchange_token" or values["fb_exchange_token"] != self.user_token:
            return invalid_token()
        token = self.new("EAABpanjang")
        self.long.add(token)
        return Answer(200, {"access_token": token, "token_type": "bearer", "expires_in": 5183944})

    def _pages(self, request: Request) -> Answer:
        start = int(request.values.get("after") or 0)
        some = self.pages[start : start + self.page_size]
        body: dict[str, Any] = {"data": some}
        if start + len(some) < len(self.pages):
            cursors = {"before": str(start), "after": str(start + len(some))}
            body["paging"] = {"cursors": cursors, "next": "https://graph.facebook.com/next?access_token=x"}
        return Answer(200, body)

    def _for_code(self, fields: dict[str, str]) -> Answer:
        asked = self.codes.pop(fields["code"], None)
        right = (fields["client_id"], fields["client_secret"]) == self.app
        if not right or asked is None or asked["redirect_uri"] != fields["redirect_uri"]:
            if not self.lists:
                return refusal(400, 100, 36009, "This authorization code has been used.")
            words = "Invalid authorization code"
            return Answer(400, {"error_type": "OAuthException", "code": 400, "error_message": words})
        token = self.new("IGpendek")
        self.short.add(token)
        one = {"access_token": token, "user_id": "17841400000000001", "permissions": asked["scope"]}
        return Answer(200, {"data": [one]} if self.lists else one)

    def _exchange(self, request: Request, given: str) -> Answer:
        right = request.values["client_secret"] == self.app[1]
        if request.values["grant_type"] not in ("ig_exchange_token", "th_exchange_token") or not right:
            return refusal(400, 101, None, "Error validating application.")
        return self._long() if given in self.short else invalid_token()

    def _renew(self, request: Request, given: str) -> Answer:
        assert request.values["grant_type"] in ("ig_refresh_token", "th_refresh_token")
        if given not in self.long:
            return invalid_token()
        if not self.day_old:
            return refusal(400, 100, None, "Token must be at least 24 hours old.")
        return self._long()

    def _long(self) -> Answer:
        token = self.new("IGpanjang")
        self.long.add(token)
        body: dict[str, Any] = {"access_token": token, "token_type": "bearer"}
        return Answer(200, body if self.expires_in is None else {**body, "expires_in": self.expires_in})


def invalid_token() -> Answer:
    return refusal(400, 190, None, "Invalid OAuth access token - Cannot parse access token")


# Mastodon


@dataclass
class MastodonLogin(Mastodon):
    """A Mastodon server with its registration of apps."""

    apps: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)

    def allow(self, address: str) -> str:
        """Press “Authorize”: the code that the server then shows."""
        query, place = query_of(address), urlsplit(address)
        assert place.path == "/oauth/authorize"
        assert query["scope"] == self.apps[query["client_id"]][1]["scopes"]
        code = f"kodeMastodon{len(self.codes)}"
        self.codes[code] = query["client_id"]
        return code

    def __call__(self, request: Request) -> Answer:
        if request.path == "/api/v1/apps":
            assert request.form["redirect_uris"] == "urn:ietf:wg:oauth:2.0:oob"
            number = f"aplikasi{len(self.apps)}"
            self.apps[number] = f"rahasia-{number}", dict(request.form)
            return Answer(200, {"client_id": number, "client_secret": f"rahasia-{number}"})
        if request.path == "/oauth/token":
            fields = request.form
            if self.apps.get(fields["client_id"], ("", {}))[0] != fields["client_secret"]:
                return oauth_error(
                    401, "invalid_client", "Client authentication failed due to unknown client"
                )
            if self.codes.pop(fields["code"], "") != fields["client_id"]:
                return oauth_error(400, "invalid_grant", "The provided authorization grant is invalid")
            return Answer(
                200, {"access_token": MASTODON_TOKEN, "token_type": "Bearer", "scope": fields["scope"]}
            )
        return super().__call__(request)


__all__ = ["MastodonLogin", "MetaLogin", "XLogin", "query_of"]
