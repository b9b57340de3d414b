"""Why a document is returned: sentences prepared for registrars, in the languages of candidates."""

from collections.abc import Mapping

from services.enrollment.programmes import Titles

# A letter quotes the reason as it is, and we do not know which language its reader reads: both.
BETWEEN_LANGUAGES = " / "

# By the kind of document, in the order in which they are offered.
REASONS: Mapping[str, Mapping[str, Titles]] = {
    "photo": {
        "blurred": {
            "zh-Hant-TW": "照片模糊不清，請上傳清晰的照片。",
            "en": "The photo is blurred. Please upload a sharp one.",
        },
        "face-hidden": {
            "zh-Hant-TW": "看不清楚臉部（帽子、口罩、頭髮或陰影遮住），請上傳正面脫帽的照片。",
            "en": "Your face is partly hidden. Please upload a photo facing the camera, without a hat.",
        },
        "not-recent": {
            "zh-Hant-TW": "照片與證件上的本人差異過大，請上傳最近 6 個月內的照片。",
            "en": "The photo differs much from your document. Please upload one from the last 6 months.",
        },
        "no-portrait": {
            "zh-Hant-TW": "這不是符合規定的大頭照（例如生活照、多人合照或翻拍證件），請上傳 2 吋大頭照。",
            "en": "This is no portrait as described. Please upload a 2-inch photo of yourself alone.",
        },
        "not-colour": {
            "zh-Hant-TW": "請上傳彩色照片。",
            "en": "Please upload a photo in colour.",
        },
    },
    "id_front": {
        "unreadable": {
            "zh-Hant-TW": "證件文字無法辨識，請重新拍攝：光線充足、不反光、四角完整。",
            "en": "The text cannot be read. Please take the picture again, in good light, with all four corners.",
        },
        "wrong-side": {
            "zh-Hant-TW": "請上傳證件正面。",
            "en": "Please upload the front of the document.",
        },
        "data-differ": {
            "zh-Hant-TW": "證件上的姓名、證號或出生日期與報名資料不符，請上傳您本人的證件。",
            "en": "Name, number or birth date differ from your form. Please upload your own document.",
        },
        "not-accepted": {
            "zh-Hant-TW": "這不是可接受的證件，請上傳有照片、證號與出生日期的證件。",
            "en": "This document is not accepted. It has to show a photo, the number and the birth date.",
        },
        "expired": {
            "zh-Hant-TW": "證件已過期，請上傳有效的證件。",
            "en": "The document has expired. Please upload a valid one.",
        },
    },
    "special_needs": {
        "unreadable": {
            "zh-Hant-TW": "文件文字無法辨識，請重新拍攝或掃描。",
            "en": "The text cannot be read. Please photograph or scan the paper again.",
        },
        "not-shown": {
            "zh-Hant-TW": "這份文件未能證明所申請的特殊需求。",
            "en": "This paper does not show the special need that you ask arrangements for.",
        },
        "expired": {
            "zh-Hant-TW": "證明文件已逾有效期限，請上傳有效的文件。",
            "en": "The paper has expired. Please upload a valid one.",
        },
    },
}


def write(document: str, *, prepared: str, words: str) -> str:
    """Write the reason that its candidate reads: the prepared sentence, one's own words, or both.

    Nothing when neither was given.
    """
    titles = REASONS.get(document, {}).get(prepared, {})
    return " ".join(filter(None, [BETWEEN_LANGUAGES.join(titles.values()), words]))
