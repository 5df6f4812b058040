"""What an admin does about other people in the page, and what those then can do."""

import re

from playwright.sync_api import Locator, expect

from tests.e2e.axe import is_accessible
from tests.e2e.stacks import ScriptedStack
from tests.e2e.visit import Visit, Visits, words

PASSWORD, ANOTHER = "seven green bicycles", "nine slow elephants"
SAID, ENTRY = words("account.en"), words("sign-in.en")


def joins(visit: Visit, token: str, name: str) -> None:
    """Make an account, as a program would."""
    body = {"token": token, "name": name, "password": PASSWORD}
    assert visit.context.request.post(f"{visit.url}api/auth/join", data=body).ok


def enters(visit: Visit, name: str, password: str) -> None:
    """Sign in by name and password."""
    visit.page.goto(f"{visit.url}#/sign-in")
    visit.page.get_by_label(ENTRY["sign-in.name"], exact=True).fill(name)
    visit.page.get_by_label(ENTRY["sign-in.password"], exact=True).fill(password)
    visit.page.keyboard.press("Enter")


def press(place: Locator, name: str) -> None:
    """Press a button by what is written on it."""
    place.get_by_role("button", name=SAID[f"account.{name}"], exact=True).press("Enter")


def test_person_comes_back_with_another_password_when_the_admin_gave_a_link(
    school: tuple[ScriptedStack, str], visits: Visits
) -> None:
    """An admin changes a role, resets a password, shuts out and lets in, takes a link back."""
    stack, link = school
    admin, student = visits.new(stack.url), visits.new(stack.url)
    joins(admin, link, "Ada")
    made = admin.context.request.post(f"{stack.url}api/invitations", data={"uses": 2}).json()
    joins(student, made["link"].partition("#invitation=")[2], "Luis")
    admin.page.goto(f"{stack.url}#/account")
    table = admin.page.get_by_role("group", name=SAID["account.accounts"])
    row = table.get_by_role("row").filter(has_text="Luis")
    own = table.get_by_role("row").filter(has_text="Ada")
    expect(own.get_by_role("button")).to_have_count(0)
    role = row.get_by_role("combobox")
    role.select_option("teacher")
    expect(admin.announcements).to_contain_text(SAID["account.changed"])
    assert student.context.request.get(f"{stack.url}api/me").json()["role"] == "teacher"

    press(row, "reset")
    secret = admin.page.get_by_label(SAID["account.link"])
    expect(secret).to_have_value(re.compile("#password="))
    expect(secret).to_be_focused()
    is_accessible(admin)
    student.page.goto(secret.input_value())
    expect(student.page.locator("#view h2")).to_have_text(ENTRY["sign-in.newPassword"])
    is_accessible(student)
    student.page.locator("[autocomplete=new-password]").fill(ANOTHER)
    student.page.keyboard.press("Enter")
    expect(student.page.locator("#welcome")).to_be_visible()
    assert "password" not in student.page.url

    press(row, "shutOut")
    expect(row).to_have_class("out")
    student.page.reload()
    enters(student, "Luis", ANOTHER)
    expect(student.page.get_by_role("alert")).to_be_visible()
    press(row, "letIn")
    expect(row).to_have_class("in")
    enters(student, "Luis", PASSWORD)
    expect(student.page.get_by_role("alert")).to_be_visible()
    student.page.get_by_label(ENTRY["sign-in.password"], exact=True).fill(ANOTHER)
    student.page.keyboard.press("Enter")
    expect(student.page.locator("#welcome")).to_be_visible()
    press(admin.page.locator(".account .item"), "takeBack")
    expect(admin.page.get_by_text(SAID["account.noLinks"])).to_be_visible()


def test_role_stays_when_the_service_does_not_take_the_change(
    school: tuple[ScriptedStack, str], visits: Visits
) -> None:
    """What was refused, or never arrived, is said beside it and shown as it was."""
    stack, link = school
    visit = visits.new(stack.url)
    ada = {"name": "Ada", "password": PASSWORD}
    if not visit.context.request.post(f"{stack.url}api/auth/sign-in", data=ada).ok:
        joins(visit, link, "Ada")
    body = {"uses": 1, "label": "7b"}
    made = visit.context.request.post(f"{stack.url}api/invitations", data=body).json()
    joins(visits.new(stack.url), made["link"].partition("#invitation=")[2], "Marta")
    visit.page.goto(f"{stack.url}#/account")
    row = visit.page.get_by_role("row").filter(has_text="Marta")
    role = row.get_by_role("combobox")
    expect(role).to_have_value("student")
    visit.context.set_offline(True)
    role.select_option("admin")
    expect(row.get_by_role("alert")).to_have_text(words("en")["failure.offline"])
    expect(role).to_have_value("student")
    visit.context.set_offline(False)
    role.select_option("teacher")
    expect(row.get_by_role("alert")).to_have_count(0)
    expect(visit.announcements).to_contain_text(SAID["account.changed"])
    expect(role).to_have_value("teacher")
