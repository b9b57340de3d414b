"""Why a document is returned: sentences prepared for registrars, by what the document is."""

from collections.abc import Mapping

from shared.i18n import LANGUAGES, Catalogues, mark

# A letter quotes the reason as it is, and whoever reads it may read either language: both.
BETWEEN_LANGUAGES = " / "

UNREADABLE = mark("It cannot be read. Take the picture again, in good light, with all corners.")
EXPIRED = mark("The document has expired. Upload a valid one.")

REASONS: Mapping[str, Mapping[str, str]] = {
    "photo": {
        "blurred": mark("The photo is blurred. Upload a sharp one."),
        "face-hidden": mark("The face is partly hidden. Face the camera, without hat or mask."),
        "not-recent": mark("The photo is not recent. Upload one of the last 6 months."),
        "no-portrait": mark("This is no 2-inch portrait of one person. Upload such a photo."),
        "not-colour": mark("Upload a photo in colour."),
    },
    "id_front": {
        "unreadable": UNREADABLE,
        "wrong-side": mark("This is not the front. Upload the front of the document."),
        "data-differ": mark("Name, number or birth date differ from the form. Upload your own."),
        "not-accepted": mark("A document has to show photo, number and birth date. Upload such."),
        "expired": EXPIRED,
    },
    "special_needs": {
        "unreadable": UNREADABLE,
        "not-shown": mark("This paper does not show the special need. Upload one that does."),
        "expired": EXPIRED,
    },
}


def write(document: str, *, prepared: str, words: str, catalogues: Catalogues) -> str:
    """Write the reason that its candidate reads: the prepared sentence, one's own words, or both.

    Nothing when neither was given.
    """
    sentence = REASONS.get(document, {}).get(prepared)
    if sentence is None:
        return words
    said = BETWEEN_LANGUAGES.join(catalogues.gettext(tag, sentence) for tag in LANGUAGES)
    return f"{said} {words}".strip()
