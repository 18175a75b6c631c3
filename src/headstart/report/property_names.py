"""How the measured properties of inputs are called, such as the brightness of photos and the length of messages."""

from __future__ import annotations

from collections.abc import Mapping

from headstart.report.messages import message, translate, translate_stored

_NAMES: Mapping[str, str] = {
    "border": message("colour at the border"),
    "brightness": message("brightness"),
    "camera": message("camera"),
    "capitals": message("share of capital letters"),
    "colour cast": message("colour cast"),
    "contrast": message("contrast"),
    "digits": message("share of digits"),
    "file size": message("file size"),
    "height": message("height"),
    "length": message("length"),
    "mean level": message("mean level"),
    "missing values": message("share of missing values"),
    "punctuation": message("share of punctuation"),
    "recording date": message("recording date"),
    "scale": message("how much the values spread"),
    "script": message("script"),
    "shape": message("width against height"),
    "sharpness": message("sharpness"),
    "width": message("width"),
    "words": message("number of words"),
}


def name_property(name: str) -> str:
    """Return a property in words; a name of something else as it is.

    Parameters
    ----------
    name : str
        A key of `headstart.modalities.input_properties`, with a number where it is one of several figures.

    Examples
    --------
    >>> name_property("words"), name_property("border 2"), name_property("district")
    ('number of words', 'colour at the border (2)', 'district')
    """
    if name in _NAMES:
        return translate_stored(_NAMES[name])
    stem, _, number = name.rpartition(" ")
    if stem in _NAMES and number.isdigit():
        return translate("{name} ({n})", name=translate_stored(_NAMES[stem]), n=int(number))
    return name
