"""Text from real PDFs, and a named error for each that has none."""

import pytest

from tests.generate.pdfs import encrypted, pdf
from tiza.errors import DocumentUnreadable
from tiza.generate import pdf as module
from tiza.generate.pdf import mended, pages, without_edges

TEXT = pdf([["The bridge of Arden is old.", "It has three arches."], ["The mill is new."]])


def test_lines_come_page_by_page_when_a_pdf_has_text() -> None:
    """Nothing is lost, accents neither."""
    assert pages(TEXT, "a.pdf") == [
        ["The bridge of Arden is old.", "It has three arches."],
        ["The mill is new."],
    ]
    assert pages(pdf([["¿Dónde está el molino? Año 1900"]]), "a.pdf") == [
        ["¿Dónde está el molino? Año 1900"]
    ]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (encrypted(TEXT, "secret"), "password"),
        (pdf([[], []]), "pictures"),
        (b"%PDF-1.7\n" + bytes(range(256)) * 20, "cannot be read as a PDF"),
        (TEXT[:200], "cannot be read as a PDF"),
        (b"", "cannot be read as a PDF"),
        (pdf([["x"]] * (module.MOST_PAGES + 1)), f"more than {module.MOST_PAGES} pages"),
    ],
    ids=["encrypted", "scanned", "damaged", "cut off", "empty", "too long"],
)
def test_error_says_what_is_wrong_when_a_pdf_gives_no_text(data: bytes, says: str) -> None:
    """Each with advice, and never a traceback of the library."""
    with pytest.raises(DocumentUnreadable, match=f"^a.pdf: .*{says}"):
        pages(data, "a.pdf")


def test_pdf_is_read_when_its_password_is_empty() -> None:
    """Many PDFs only forbid to change them; anybody may read those."""
    assert pages(encrypted(pdf([["Free."]]), ""), "a.pdf") == [["Free."]]


def test_reading_ends_when_a_pdf_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hostile file cannot keep anybody waiting."""
    monkeypatch.setattr(module, "SECONDS", 0.01)

    with pytest.raises(DocumentUnreadable, match=r"within 0\.01 s"):
        pages(TEXT, "a.pdf")


def test_headers_and_footers_are_dropped_when_most_pages_have_them() -> None:
    """Whatever their page numbers; what stands in the text, or on few pages, stays."""
    names = ["Arden", "Borel", "Calma", "Dovre"]
    document = [
        [
            "Handbook of towns",
            f"{name} has a mill.",
            "The end.",
            f"{name} ends.",
            f"Page {number} of 4",
        ]
        for number, name in enumerate(names, 1)
    ]
    document[0][0] = "Title"

    assert without_edges(document) == [
        ["Title", "Arden has a mill.", "The end.", "Arden ends."],
        ["Borel has a mill.", "The end.", "Borel ends."],
        ["Calma has a mill.", "The end.", "Calma ends."],
        ["Dovre has a mill.", "The end.", "Dovre ends."],
    ]
    assert without_edges(document[:2]) == document[:2]


def test_words_are_mended_when_a_hyphen_divides_them() -> None:
    """Between lines and between pages; a name with a hyphen and a list's dash stay."""
    assert mended(
        [["The never-end-", "ing way of wa-"], ["ter. Marie-", "Claire", "- and so"]]
    ) == [
        ["The never-ending", "way of water."],
        ["Marie-", "Claire", "- and so"],
    ]
