"""Coming in by the school's own page, where there is one."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.api.accounts.openid_provider import CLIENT_ID, CLIENT_SECRET
from tests.conftest import free_port
from tests.e2e.axe import is_accessible
from tests.e2e.provider import School
from tests.e2e.stacks import ScriptedStack
from tests.e2e.visit import Visits, words


@pytest.fixture(scope="module")
def school() -> Iterator[School]:
    """Run the school's provider."""
    school = School()
    yield school
    school.close()


@pytest.fixture(scope="module")
def stack(
    chromium: str, school: School, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ScriptedStack]:
    """Serve the page to whom the school knows."""
    port = free_port()
    stack = ScriptedStack(
        tmp_path_factory.mktemp("school"),
        port=port,
        auth_mode="oidc",
        oidc_issuer=school.url,
        oidc_client_id=CLIENT_ID,
        oidc_client_secret=CLIENT_SECRET,
        public_url=f"http://127.0.0.1:{port}",
    )
    yield stack
    stack.close()


@pytest.mark.parametrize("language", ["en", "es"])
def test_student_comes_in_by_the_school_when_the_button_is_pressed(
    language: str, stack: ScriptedStack, school: School, visits: Visits
) -> None:
    """To the school's page and back: a name, no password to change, and the way out."""
    entry, said = words(f"sign-in.{language}"), words(f"account.{language}")
    visit = visits.new(stack.url, language)
    visit.page.goto(f"{stack.url}#/account")
    expect(visit.page.locator("#view h2")).to_have_text(entry["sign-in.title"])
    is_accessible(visit)
    visit.page.get_by_text(entry["sign-in.withPassword"]).press("Enter")
    expect(visit.page.get_by_label(entry["sign-in.password"], exact=True)).to_be_visible()
    is_accessible(visit)
    visit.page.get_by_role("link", name=entry["sign-in.school"], exact=True).press("Enter")

    expect(visit.page.locator("#welcome")).to_be_visible()
    visit.page.goto(f"{stack.url}#/account")
    expect(visit.page.locator(".who")).to_contain_text("Eva")
    expect(visit.page.get_by_text(said["account.changePassword"])).to_have_count(0)
    visit.page.get_by_role("button", name=said["account.signOut"], exact=True).press("Enter")
    expect(visit.page.locator("#view h2")).to_have_text(entry["sign-in.title"])
    there = [url for url in visit.watch.foreign if url.startswith(school.url)]
    assert len(there) == 1
    visit.watch.foreign.remove(there[0])


def test_reader_stays_when_a_proxy_asks_who_is_there_and_nobody_signs_in(
    scripted: ScriptedStack, visits: Visits
) -> None:
    """Without accounts a 401 is not ours: it is told, and leads nowhere."""
    visit = visits.open(scripted.url)
    visit.page.route("**/api/stats", lambda route: route.fulfill(status=401, body="<html>"))
    visit.page.evaluate("location.hash = '#/stats'")
    expect(visit.page.locator(".stats .said")).to_have_text(words("en")["failure.internal"])
    assert visit.page.url.endswith("#/stats")
