"""What codes are called: of ways to pay, and of sittings, areas and dialects in long lists."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.enrollment import programmes, sittings
from services.enrollment.programmes import Choice, Programme, Titles
from services.enrollment.sittings import Sitting
from shared.db import Tx
from shared.i18n import LANGUAGES, mark

METHOD_NAMES = {
    "convenience_store": mark("convenience store"),
    "atm": mark("ATM or bank transfer"),
    "card": mark("credit card (Visa, Mastercard, JCB)"),
    "line_pay": mark("LINE Pay"),
}


@dataclass(frozen=True, slots=True)
class Names:
    """All sittings in the order of their exams, and their programmes."""

    sittings: Mapping[str, Sitting]
    programmes: Mapping[str, Programme]

    def sitting(self, code: str) -> Titles:
        return self.sittings[code].titles if code in self.sittings else _unknown(code)

    def area(self, sitting: str, code: str) -> Titles:
        return _find(self._programme(sitting).areas if sitting in self.sittings else (), code)

    def dialect(self, sitting: str, code: str) -> Titles:
        return _find(self._programme(sitting).dialects if sitting in self.sittings else (), code)

    def areas(self) -> Mapping[str, Titles]:
        """All areas of all programmes, to choose from."""
        return {
            choice.code: choice.titles
            for programme in self.programmes.values()
            for choice in programme.areas
        }

    def _programme(self, sitting: str) -> Programme:
        return self.programmes[self.sittings[sitting].programme]


async def load(tx: Tx) -> Names:
    return Names(
        {sitting.code: sitting for sitting in await sittings.list_(tx)},
        {programme.code: programme for programme in await programmes.list_(tx)},
    )


def _find(choices: Sequence[Choice], code: str) -> Titles:
    return next((one.titles for one in choices if one.code == code), _unknown(code))


def _unknown(code: str) -> Titles:
    # What is not in the catalogue any more is better shown by its code than not at all.
    return dict.fromkeys(LANGUAGES, code)
