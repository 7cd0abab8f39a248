"""Personal data that does not belong into a post: identity numbers, phone numbers, private e-mail.

The values themselves are not repeated in full: what is told ends up in logs and reports (UU PDP 27/2022).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from campaigns.checks.desk import Desk, Finding
from campaigns.problems import N_

SIXTEEN = re.compile(r"(?<!\d)\d(?:[ .-]?\d){15}(?![ .-]?\d)")
#: Mobile numbers, and those of landlines with their area code.
PHONE = re.compile(
    r"(?<![\w/])(?:\+62|62|0)[ .-]?(?:8\d|[2-79]\d)(?:[ .-]?\d){6,10}(?!\w)|\(0\d{2,3}\) ?\d{5,8}"
)
EMAIL = re.compile(r"[\w.+-]+@((?:[\w-]+\.)+[a-z]{2,})", re.IGNORECASE)
#: Where private persons have their mailboxes.
_PRIVATE = frozenset(
    {
        *("gmail.com", "googlemail.com", "yahoo.com", "yahoo.co.id", "ymail.com", "rocketmail.com"),
        *("hotmail.com", "outlook.com", "live.com", "icloud.com", "me.com", "proton.me"),
        *("protonmail.com", "aol.com", "gmx.com", "mail.com"),
    }
)
#: The first two digits of a NIK: the 38 provinces, by Kepmendagri 300.2.2-2138 of 25 April 2025 (codes and
#: data of administrative regions), in which 93 to 96 are Papua Selatan, Tengah, Pegunungan and Barat Daya;
#: as two transcriptions of it have them alike (cahyadsn/wilayah, fityannugroho/idn-area-data; 2026).
_PROVINCES = frozenset(
    {
        *(*range(11, 20), 21, *range(31, 37), *range(51, 54), *range(61, 66), *range(71, 77)),
        *(81, 82, *range(91, 97)),
    }
)
#: Of the two digits after it, regencies have 01 to 69 and cities 71 to 99 (Permendagri 58/2021).
_NO_REGENCY = (0, 70)


def identity_numbers(desk: Desk) -> Iterator[Finding]:
    """Numbers with the structure of a NIK: region, date of birth, serial number."""
    for item, place, text in desk.texts():
        for found in SIXTEEN.findall(text):
            digits = re.sub(r"\D", "", found)
            if is_nik(digits):
                yield Finding(
                    N_("This looks like somebody's NIK: {start}… ({count} digits)."),
                    {"start": digits[:4], "count": len(digits)},
                    item,
                    place,
                    N_("Take it out: a published identity number cannot be called back."),
                )


def is_nik(digits: str) -> bool:
    """Given sixteen digits, return whether they have the structure of a NIK.

    Province, regency and district (two digits each), day (40 more for women), month and year of birth, and
    a serial number that is not 0000.
    """
    province, regency, district = int(digits[:2]), int(digits[2:4]), int(digits[4:6])
    day, month, year = int(digits[6:8]), int(digits[8:10]), int(digits[10:12])
    if province not in _PROVINCES or regency in _NO_REGENCY or not district or digits[12:] == "0000":
        return False
    day = day - 40 if day > 40 else day
    try:
        date(2000 + year, month, day)  # a century does not matter: only 29 February could tell
    except ValueError:
        return (day, month) == (29, 2) and year % 4 == 0
    return True


def phone_numbers(desk: Desk) -> Iterator[Finding]:
    """Phone numbers that are not among the office's contacts."""
    known = {_number(contact) for contact in desk.settings.contacts}
    for item, place, text in desk.texts():
        if place.endswith("link"):
            continue
        for found in PHONE.findall(text):
            number = _number(found)
            if number not in known:
                yield Finding(
                    N_("A phone number that is none of the office's contacts: {start}…"),
                    {"start": number[:4]},
                    item,
                    place,
                    N_("If it is an official one, add it under [checks] contacts in the configuration."),
                )


def _number(text: str) -> str:
    digits = re.sub(r"\D", "", text)
    return f"0{digits[2:]}" if digits.startswith("62") else digits


def personal_emails(desk: Desk) -> Iterator[Finding]:
    """E-mail addresses at providers of private mailboxes."""
    known = {contact.casefold() for contact in desk.settings.contacts}
    for item, place, text in desk.texts():
        for found in EMAIL.finditer(text):
            domain = found.group(1).casefold()
            if domain in _PRIVATE and found.group().casefold() not in known:
                yield Finding(
                    N_("A personal e-mail address at {domain}."),
                    {"domain": domain},
                    item,
                    place,
                    N_("Give the address of an office, or add it under [checks] contacts."),
                )
