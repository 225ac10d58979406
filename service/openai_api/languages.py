"""The language of a model, if it or its name says it."""

import re
from typing import NamedTuple

from otoscope.spec import ModelSpec


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
_BY_CODE = {each.code: each for each in _BY_NAME.values()}


def language_of(spec: ModelSpec) -> Language | None:
    """A model's language, or the first among the words of its name, "english-phonemes"; or None."""
    if spec.language:
        return _BY_CODE.get(spec.language, Language(spec.language, spec.language))
    words = re.split(r"[^a-z]+", spec.name.lower())
    return next((_BY_NAME[word] for word in words if word in _BY_NAME), None)
