"""Columns that name persons or single rows (names, telephone numbers, addresses, ids): never groups."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from headstart.data.grouping.settings import SETTINGS


def _split(words: str) -> frozenset[str]:
    return frozenset(words.split())


_PERSONAL = _split(
    "phone telephone telefono telefone tel mobile cell cellphone msisdn whatsapp simu email mail correo "
    "courriel passport ssn nid address adresse direccion contact signature surname firstname lastname fullname "
    "username dob birthdate birthday prenom apellido jina majina gps الهاتف هاتف الجوال جوال العنوان البريد"
)
_NAMES = _split("name names nom nombre اسم الاسم")
_PERSONS = _split(
    "first last full sur middle maiden user patient person client customer student pupil teacher farmer mother "
    "father child parent enumerator interviewer surveyor nurse doctor author sender reporter staff birth "
    "household hh respondent member speaker annotator labeller beneficiary mkulima mgonjwa mteja mwanafunzi mwalimu "
    "mzazi mama baba mtoto muuguzi agriculteur eleve paciente alumno cliente المريض المزارع الطالب العميل"
)
_BESIDE = _split("of de du del da la le the home work own date ya wa kwanza رقم تاريخ")
_IDS = _split("id ids uid number no nr num code serial barcode index row key")
_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.\w+")
_MAIL_WITHIN = re.compile(r"[\w.+-]+@[\w-]+\.\w{2,}")
_PHONE_WITHIN = re.compile(r"(?<![\w.])(?:\+|0)\d(?:[\s().-]?\d){7,14}(?![\w])")
_PHONE = re.compile(r"(?:\+|00?)\d[\d\s().-]{6,}")


def is_personal(name: str, values: Sequence[str]) -> bool:
    """Return whether a column names persons or ways to reach them, by its name or its values.

    Parameters
    ----------
    name : str
    values : sequence of str
        Those that are filled.

    Examples
    --------
    >>> is_personal("Phone No.", ["1"]), is_personal("village_name", ["Osterfen"]), is_personal("patientName", ["A"])
    (True, False, True)
    >>> is_personal("mother_education", ["none"]), is_personal("date of birth", ["2001-02-03"])
    (False, True)
    >>> is_personal("reach", ["+254 700 123456", "0700-123-457"]), is_personal("contactable", ["yes", "no"])
    (True, False)
    >>> is_personal("Jina la mkulima", ["Asha"]), is_personal("اسم المريض", ["سمير"]), is_personal("Wilaya", ["Kilosa"])
    (True, True, False)
    """
    words = split_words(name)
    telling = words & (_PERSONAL | _PERSONS | _NAMES)
    if telling and words <= telling | _IDS | _BESIDE:
        return True
    n_matching = sum(any(pattern.fullmatch(value) for pattern in (_MAIL, _PHONE)) for value in values)
    return n_matching >= SETTINGS.personal_share * max(len(values), 1)


def count_private_texts(texts: Sequence[str]) -> int:
    """Return how many texts hold an e-mail address or a telephone number of nine digits and more.

    Parameters
    ----------
    texts : sequence of str

    Examples
    --------
    >>> count_private_texts(["Call me: +254 700 123 456", "write to amina@example.org", "in 2024 we had 12 goats"])
    2
    """
    return sum(map(holds_private, texts))


def holds_private(text: str) -> bool:
    """Return whether a text holds an e-mail address or a telephone number.

    Parameters
    ----------
    text : str

    Examples
    --------
    >>> holds_private("Call 0712 345 678"), holds_private("12 goats died on 01.02.2024")
    (True, False)
    """
    if "@" in text and _MAIL_WITHIN.search(text) is not None:
        return True
    return any(sum(map(str.isdigit, match)) >= SETTINGS.phone_digits for match in _PHONE_WITHIN.findall(text))


def is_row_number(name: str, numbers: Sequence[float]) -> bool:
    """Return whether whole numbers that differ in every row count or name the rows.

    Parameters
    ----------
    name : str
    numbers : sequence of float
        Those that are filled.

    Examples
    --------
    >>> is_row_number("n", [3, 1, 2]), is_row_number("case_id", [70, 9, 4000]), is_row_number("grams", [70, 9, 4000])
    (True, True, False)
    """
    if not numbers or len(set(numbers)) < len(numbers) or any(number != int(number) for number in numbers):
        return False
    spread = max(numbers) - min(numbers)
    has_long_numbers = min(numbers) >= 10 ** (SETTINGS.id_digits - 1)
    return bool(split_words(name) & _IDS) or spread < 2 * len(numbers) or has_long_numbers


def split_words(name: str) -> set[str]:
    """Return the words of a column name, without accents.

    Parameters
    ----------
    name : str

    Examples
    --------
    >>> sorted(split_words("prénomDuPatient_2"))
    ['du', 'patient', 'prenom']
    """
    plain = "".join(
        character for character in unicodedata.normalize("NFKD", name) if not unicodedata.combining(character)
    )
    return set(re.findall(r"[^\W\d_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", plain).casefold()))
