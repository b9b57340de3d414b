"""One thing has one name, on pages and in the log, and no text speaks of one programme only."""

import pytest
from babel.messages.pofile import read_po

from services.enrollment import app
from shared.i18n import locale_of

# What a registrar would take for something else, or not find: by what pages call it.
OTHER_NAMES = {
    "梯次": ("場次", "考試梯次"),
    "考生資訊表": ("報名確認單",),
    "密碼": ("密碼編號",),
    "權杖": ("金鑰",),
    "系列": ("多梯次",),  # the name of a series, which the catalogue gives
}


@pytest.mark.parametrize("name", OTHER_NAMES)
def test_a_thing_has_one_name_in_every_sentence(name: str) -> None:
    with (app.HERE / "locales" / f"{locale_of('zh-Hant-TW')}.po").open("rb") as file:
        sentences = [str(message.string) for message in read_po(file) if message.id]
    assert any(name in sentence for sentence in sentences)
    strange = [s for s in sentences if any(other in s for other in OTHER_NAMES[name])]
    assert strange == []
