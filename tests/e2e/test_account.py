"""Coming in, what one may set and see of oneself, and going out, where there are accounts."""

import json
import re

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.axe import is_accessible
from tests.e2e.scripted_engine import says
from tests.e2e.stacks import ScriptedStack
from tests.e2e.visit import Visit, Visits, words

PASSWORD = "seven green bicycles"
KEPT = "[...Object.entries(sessionStorage), ...Object.entries(localStorage)].join()"


def of(view: str, language: str) -> dict[str, str]:
    """Return the words of a view."""
    return words(f"{view}.{language}")


def goes(visit: Visit, fragment: str, title: str) -> None:
    """Follow a link of the page, and wait for the view's title."""
    visit.page.evaluate("(place) => { location.hash = place; }", fragment)
    expect(visit.page.locator("#view h2")).to_have_text(title)


def button(visit: Visit, name: str) -> Locator:
    """Find a button by what is written on it."""
    return visit.page.get_by_role("button", name=name, exact=True)


def chooser(visit: Visit, name: str) -> Locator:
    """Find a list of choices by its label."""
    return visit.page.get_by_role("combobox", name=name, exact=True)


def field(visit: Visit, name: str) -> Locator:
    """Find a field that is seen now by its label."""
    return visit.page.get_by_label(name, exact=True).locator("visible=true")


def comes_in(visit: Visit, link: str) -> None:
    """Make the first administrator's account, with a password that is good at the second try."""
    entry, keys = of("sign-in", "en"), visit.page.keyboard
    visit.page.goto(visit.url + link)
    expect(visit.page.locator("#view h2")).to_have_text(entry["sign-in.invited"])
    is_accessible(visit)
    field(visit, entry["sign-in.name"]).fill("Ada")
    password = visit.page.locator("[autocomplete=new-password]")
    password.fill("short")
    keys.press("Enter")
    expect(password).to_have_attribute("aria-invalid", "true")
    expect(password).to_be_focused()
    is_accessible(visit)
    password.fill(PASSWORD)
    keys.press("Enter")
    expect(visit.page.locator("#welcome")).to_be_visible()
    assert "invitation" not in visit.page.url


def corrects(visit: Visit) -> None:
    """Say that an answer is wrong, and what it should have been."""
    said = of("feedback", "en")
    visit.ask("How many?")
    visit.is_done()
    visit.page.locator(".thumb.down").press("Enter")
    corrected = visit.page.get_by_label(said["feedback.correction"])
    expect(corrected).to_have_value("Seven.")
    expect(visit.page.get_by_label(said["feedback.why.down"])).to_be_focused()
    is_accessible(visit)
    corrected.fill("Eight.")
    button(visit, said["feedback.send"]).press("Enter")
    expect(visit.page.locator(".thumb.down")).to_be_focused()
    visit.page.reload()
    expect(visit.page.locator(".thumb.down")).to_have_attribute("aria-pressed", "true")
    visit.page.locator(".thumb.down").press("Enter")
    expect(visit.page.locator(".thumb.down")).to_have_attribute("aria-pressed", "false")


def makes_what_is_shown_once(visit: Visit) -> None:
    """Make a key and an invitation, and revoke the key."""
    said = of("account", "en")
    goes(visit, "#/account", said["account.title"])
    expect(visit.page.locator(".who")).to_contain_text("Ada")
    expect(visit.page.locator(".quota").first).to_contain_text("599")
    visit.page.locator("summary", has_text=said["account.makeKey"]).press("Enter")
    field(visit, said["account.keyName"]).fill("My program")
    visit.page.keyboard.press("Enter")
    secret = visit.page.get_by_label(said["account.newKey"])
    expect(secret).to_have_value(re.compile("tiza_.{50}"))
    expect(secret).to_be_focused()
    visit.page.locator("summary", has_text=said["account.invite"]).press("Enter")
    button(visit, said["account.makeLink"]).press("Enter")
    expect(visit.page.get_by_label(said["account.link"])).to_have_value(re.compile("#invitation="))
    expect(visit.page.locator(".account tbody tr")).to_have_count(1)
    is_accessible(visit)
    button(visit, said["account.revoke"]).press("Enter")
    dialog = visit.page.get_by_role("dialog")
    is_accessible(visit)
    dialog.get_by_role("button", name=said["account.revoke"]).press("Enter")
    expect(visit.page.get_by_text(said["account.noKeys"])).to_be_visible()


def goes_and_comes_back(visit: Visit) -> None:
    """Sign out, leaving nothing; mistake the password; come back to where the way was."""
    entry = of("sign-in", "en")
    with visit.page.expect_event("load"):
        button(visit, of("account", "en")["account.signOut"]).press("Enter")
    expect(visit.page.locator("#view h2")).to_have_text(entry["sign-in.title"])
    assert "How many?" not in visit.page.evaluate(KEPT)
    is_accessible(visit)
    field(visit, entry["sign-in.name"]).fill("ada")
    field(visit, entry["sign-in.password"]).fill("not the password")
    visit.page.keyboard.press("Enter")
    expect(visit.page.get_by_role("alert")).to_contain_text("wrong")
    field(visit, entry["sign-in.password"]).fill(PASSWORD)
    visit.page.keyboard.press("Enter")
    expect(visit.page.locator(".places a[data-place=stats]")).to_be_visible()


def test_admin_begins_with_a_link_when_nobody_administers_this_yet(
    school: tuple[ScriptedStack, str], visits: Visits
) -> None:
    """By keyboard: come in, correct an answer, make and revoke a key, invite, go, come back."""
    stack, token = school
    link = f"#invitation={token}"
    visit = visits.new(stack.url)
    comes_in(visit, link)
    stack.engine.will(says("Seven."))
    corrects(visit)
    makes_what_is_shown_once(visit)
    goes_and_comes_back(visit)


def test_student_comes_and_goes_when_the_class_was_invited(
    school: tuple[ScriptedStack, str], visits: Visits
) -> None:
    """In Spanish: join, rate without correcting, see one's own alone, and be forgotten."""
    stack, token = school
    link = f"#invitation={token}"
    said, entry, opinion = of("account", "es"), of("sign-in", "es"), of("feedback", "es")
    admin = visits.new(stack.url).context.request
    ada = {"name": "Ada", "password": PASSWORD}
    if not admin.post(f"{stack.url}api/auth/sign-in", data=ada).ok:
        token = link.partition("=")[2]
        assert admin.post(f"{stack.url}api/auth/join", data={"token": token, **ada}).ok
    made = admin.post(f"{stack.url}api/invitations", data={"uses": 2}).json()

    visit = visits.new(stack.url, "es", viewport={"width": 390, "height": 844})
    visit.page.goto(stack.url + "#/account")
    expect(visit.page.locator("#view h2")).to_have_text(entry["sign-in.title"])
    is_accessible(visit)
    goes(visit, "#" + made["link"].partition("#")[2], entry["sign-in.invited"])
    is_accessible(visit)
    field(visit, entry["sign-in.name"]).fill("Luis")
    field(visit, entry["sign-in.password"]).fill(PASSWORD)
    button(visit, entry["sign-in.join"]).click()
    expect(visit.page.locator(".who")).to_contain_text("Luis")
    visit.page.evaluate("location.hash = '#/'")

    stack.engine.will(says("Siete."))
    visit.ask("¿Cuántos?")
    visit.is_done()
    visit.page.locator(".thumb.down").click()
    expect(visit.page.get_by_label(opinion["feedback.why.down"])).to_be_visible()
    expect(visit.page.get_by_label(opinion["feedback.correction"])).to_have_count(0)
    is_accessible(visit)
    button(visit, opinion["feedback.skip"]).click()

    goes(visit, "#/account", said["account.title"])
    expect(visit.page.locator(".counts")).to_contain_text("1 respuesta valorada")
    expect(visit.page.get_by_text(said["account.invitations"], exact=True)).to_have_count(0)
    is_accessible(visit)
    with visit.page.expect_download() as download:
        visit.page.get_by_role("link", name=said["account.export"]).click()
    exported = json.loads(download.value.path().read_text("utf-8"))
    assert exported["conversations"][0]["messages"][0]["content"] == "¿Cuántos?"
    button(visit, said["account.delete"]).click()
    button(visit, said["account.deleteGo"]).click()
    expect(visit.page.locator("#view h2")).to_have_text(entry["sign-in.title"])
    accounts = admin.get(f"{stack.url}api/users").json()
    assert [each["name"] for each in accounts] == ["Ada"]


def test_answers_come_as_the_reader_wishes_when_they_were_set(
    scripted: ScriptedStack, visits: Visits
) -> None:
    """Without accounts too: language, theme, size, and what a question asks for besides."""
    said = of("account", "en")
    visit = visits.open(scripted.url)
    goes(visit, "#/account", said["account.title"])
    for name in ("account.theme.contrast", "account.percent", "account.language.es"):
        label = said[name].replace("{percent}", "150")
        visit.page.get_by_role("radio", name=label, exact=True).check()
        is_accessible(visit)
    expect(visit.page.locator("html")).to_have_css("font-size", "24px")
    said = of("account", "es")
    for label, value in (("length", "150"), ("temperature", "0.3"), ("answerLanguage", "en")):
        chooser(visit, said[f"account.{label}"]).select_option(value)
    chooser(visit, said["account.model"]).select_option("samples_0")
    visit.page.goto(scripted.url)
    visit.ask("¿Por qué?")
    visit.is_done()

    sent = json.loads(visit.watch.questions()[-1].post_data or "")
    del sent["message"], sent["stream"]
    wishes = {"max_tokens": 150, "temperature": 0.3, "language": "en", "model": "samples_0"}
    assert sent == wishes
    expect(visit.prose).to_have_attribute("lang", "en")
    goes(visit, "#/account", said["account.title"])
    button(visit, said["account.delete"]).click()
    with visit.page.expect_event("load"):
        button(visit, said["account.deleteGo"]).click()
    expect(visit.page.locator("#welcome")).to_be_visible()
    goes(visit, "#/account", said["account.title"])
    expect(visit.page.get_by_text(said["account.stored.nothing"])).to_be_visible()
    expect(chooser(visit, said["account.length"])).to_have_value("")


@pytest.mark.parametrize("language", ["en", "es"])
def test_counters_are_renewed_while_somebody_looks(
    language: str, scripted: ScriptedStack, visits: Visits
) -> None:
    """Every few seconds, never while the page is hidden or another view is open."""
    said = of("stats", language)
    visit = visits.new(scripted.url, language)
    visit.page.clock.install()
    visit.open()
    visit.ask("Why?")
    visit.is_done()
    goes(visit, "#/stats", said["stats.title"])
    expect(visit.page.locator(".part").first).to_contain_text(said["stats.code.ok"])
    is_accessible(visit)
    with visit.page.expect_response("**/api/stats"):
        visit.page.clock.run_for(4000)
    expect(visit.page.locator(".spark .line").last).to_have_attribute("d", re.compile("^M"))

    visit.page.evaluate("Object.defineProperty(document, 'hidden', {value: true, writable: true})")
    visit.looks_again()
    asked = len(visit.watch.asked("/api/stats"))
    visit.page.clock.run_for(20_000)
    visit.page.evaluate("document.hidden = false")
    with visit.page.expect_response("**/api/stats"):
        visit.looks_again()
    goes(visit, "#/account", of("account", language)["account.title"])
    visit.page.clock.run_for(20_000)
    assert len(visit.watch.asked("/api/stats")) == asked + 1
