"""The language of a model, if its name says it."""

import re
from typing import NamedTuple


class Language(NamedTuple):
    """One language.

    Attributes:
        code: ISO 639-1, "en".
        name: in English, in lower case, as OpenAI writes it.
    """

    code: str
    name: str


_TABLE = """
af afrikaans ar arabic az azerbaijani be belarusian bg bulgarian bs bosnian ca catalan cs czech
cy welsh da danish de german el greek en english es spanish et estonian fa persian fi finnish
fr french gl galician he hebrew hi hindi hr croatian hu hungarian hy armenian id indonesian
is icelandic it italian ja japanese kk kazakh kn kannada ko korean lt lithuanian lv latvian
mi maori mk macedonian mr marathi ms malay ne nepali nl dutch no norwegian pl polish pt portuguese
ro romanian ru russian sk slovak sl slovenian sr serbian sv swedish sw swahili ta tamil th thai
tl tagalog tr turkish uk ukrainian ur urdu vi vietnamese zh chinese
"""
_WORDS = _TABLE.split()
_BY_NAME = {
    name: Language(code, name) for code, name in zip(_WORDS[::2], _WORDS[1::2], strict=True)
}


def language_of(model_name: str) -> Language | None:
    """The first language among the words of a model's name, "english-phonemes"; None without."""
    words = re.split(r"[^a-z]+", model_name.lower())
    return next((_BY_NAME[word] for word in words if word in _BY_NAME), None)
