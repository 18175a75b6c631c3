"""In which language texts are written: by their script, and by the profiles of the library py3langid; offline.

py3langid 0.4 (Lui and Baldwin 2012, "langid.py"; BSD-3) knows 139 languages, Amharic, Hausa, Igbo, Luganda, Nigerian
Pidgin, Oromo, Somali, Swahili, Yoruba and Zulu among them. It comes with `headstart[adapt]`; without it no language is
told, only the script.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import import_module
from importlib.util import find_spec

from headstart.modalities.scripts import name_script


@dataclass(frozen=True, kw_only=True)
class LanguageDetectionSettings:
    """Numbers that decide when a language is told.

    Parameters
    ----------
    least_probability : float
        A text whose best language is less probable (0-1) has none: cannot tell.
    least_letters : int
        Texts with fewer letters do not show that a language occurs.
    least_texts, least_share : int, float
        So many longer texts, and so great a share (0-1) of these, show that a language occurs (a script: of all texts).
    most_characters : int
        Characters of a text that are read.
    """

    least_probability: float = 0.8
    least_letters: int = 25
    least_texts: int = 5
    least_share: float = 0.02
    most_characters: int = 500


SETTINGS = LanguageDetectionSettings()
_ADDRESSES = re.compile(r"(?:https?://|www\.|[@#])\S+")


def detect_languages(texts: Sequence[str]) -> list[str]:
    """Return the English name of the language of each text; "" where it cannot be told.

    Parameters
    ----------
    texts : sequence of str

    Notes
    -----
    A language occurs if enough texts of 25 letters and more are in it with a probability of 0.8; shorter texts never
    bring in a language of their own. Measured on African languages in docs/explanation/groups.md.

    Examples
    --------
    >>> swahili = ["Wazee hawawezi kusimama kwenye foleni ya mgao"] * 6
    >>> detect_languages([*swahili, "maji", "12"])[-3:]
    ['Swahili', '', '']
    """
    if not knows_languages():
        return [""] * len(texts)
    guesses = [guess_language(text) for text in texts]
    is_long = [sum(map(str.isalpha, text)) >= SETTINGS.least_letters for text in texts]
    occurring = _list_frequent(name for name, is_sure in zip(guesses, is_long, strict=True) if is_sure)
    return [name if name in occurring else "" for name in guesses]


def detect_scripts(texts: Sequence[str]) -> list[str]:
    """Return the script of most letters of each text, such as "Latin"; "" without letters, and for rare scripts.

    Parameters
    ----------
    texts : sequence of str

    Examples
    --------
    >>> detect_scripts([*["ሰላም ok"] * 5, "ok", "12"])[-3:]
    ['Ethiopic', '', '']
    """
    counts = [Counter(filter(None, map(name_script, text[: SETTINGS.most_characters]))) for text in texts]
    names = [count.most_common(1)[0][0] if count else "" for count in counts]
    occurring = _list_frequent(names)
    return [name if name in occurring else "" for name in names]


def _list_frequent(names: Iterable[str]) -> set[str]:
    """Return the names that enough of the texts have."""
    listed = list(names)
    least = max(SETTINGS.least_texts, SETTINGS.least_share * len(listed))
    return {name for name, n in Counter(listed).items() if name and n >= least}


def knows_languages() -> bool:
    """Return whether the library that tells languages is installed."""
    return find_spec("py3langid") is not None


@lru_cache(maxsize=32_768)
def guess_language(text: str) -> str:
    """Return the language of one text by itself; "" below the least probability.

    Parameters
    ----------
    text : str
    """
    words = _ADDRESSES.sub(" ", text[: SETTINGS.most_characters]).strip()
    if not any(map(str.isalpha, words)):
        return ""
    code, probability = _load_identifier()(words)
    return LANGUAGE_NAMES.get(code, "") if probability >= SETTINGS.least_probability else ""


@cache
def _load_identifier() -> Callable[[str], tuple[str, float]]:
    langid = import_module("py3langid.langid")
    classify: Callable[[str], tuple[str, float]] = langid.LanguageIdentifier.from_model_file(
        langid.MODEL_FILE, norm_probs=True
    ).classify
    return classify


_NAMES = """
ace Acehnese;af Afrikaans;am Amharic;an Aragonese;ar Arabic;ary Moroccan Arabic;arz Egyptian Arabic;as Assamese
az Azerbaijani;ba Bashkir;bcl Bikol;be Belarusian;bg Bulgarian;bn Bengali;br Breton;bs Bosnian;ca Catalan
crh Crimean Tatar;cs Czech;cy Welsh;da Danish;de German;dz Dzongkha;el Greek;en English;eo Esperanto;es Spanish
et Estonian;eu Basque;ext Extremaduran;fa Persian;fi Finnish;fo Faroese;fr French;fuv Fulfulde;fy Frisian;ga Irish
gcf Antillean Creole;gcr Guianese Creole;gd Scottish Gaelic;gl Galician;gom Konkani;grc Ancient Greek;gu Gujarati
gug Guarani;guw Gun;ha Hausa;hbo Ancient Hebrew;he Hebrew;hi Hindi;hr Croatian;ht Haitian Creole;hu Hungarian
hy Armenian;id Indonesian;ig Igbo;is Icelandic;it Italian;ja Japanese;jv Javanese;ka Georgian;kab Kabyle;kik Kikuyu
kk Kazakh;km Khmer;kn Kannada;ko Korean;ku Kurdish;ky Kyrgyz;la Latin;lb Luxembourgish;lg Luganda;lij Ligurian
ln Lingala;lo Lao;lt Lithuanian;ltg Latgalian;lv Latvian;mg Malagasy;mk Macedonian;ml Malayalam;mn Mongolian
mr Marathi;ms Malay;mt Maltese;my Burmese;ne Nepali;nl Dutch;nn Norwegian;no Norwegian;nso Northern Sotho;oc Occitan
om Oromo;or Odia;pa Punjabi;pcm Nigerian Pidgin;pl Polish;ps Pashto;pt Portuguese;qu Quechua;ro Romanian;ru Russian
rw Kinyarwanda;sa Sanskrit;sdh Southern Kurdish;se Northern Sami;si Sinhala;sk Slovak;sl Slovenian;sn Shona;so Somali
sq Albanian;sr Serbian;st Sesotho;sv Swedish;sw Swahili;ta Tamil;te Telugu;tg Tajik;th Thai;tk Turkmen;tl Tagalog
tr Turkish;tt Tatar;ug Uyghur;uk Ukrainian;ur Urdu;uz Uzbek;uzs Southern Uzbek;vec Venetian;vi Vietnamese;vo Volapük
wa Walloon;wuu Wu Chinese;xh Xhosa;yo Yoruba;yue Cantonese;zh Chinese;zu Zulu
"""
_LINES = _NAMES.strip().splitlines()
LANGUAGE_NAMES: dict[str, str] = dict(item.split(" ", 1) for line in _LINES for item in line.split(";"))
"""English names by ISO 639 code, for every language that the library can tell."""
