"""The gallery in a browser: looks, order, accepting what was seen, redo, menu, 1,000 cells."""

from collections.abc import Callable

import pytest
from playwright.sync_api import CDPSession, Locator, Page, Response, expect

from tests.e2e.conftest import Site
from tests.e2e.shell import ask
from tests.e2e.test_pages import assert_accessible, assert_fits, keep_screenshot

pytestmark = [pytest.mark.e2e, pytest.mark.processes, pytest.mark.real_model]

OpenCase = Callable[..., Page]


@pytest.fixture
def open_case(site: Site, page_as: Callable[..., Page]) -> OpenCase:
    """Open the review of a new case of so many drawn cells."""

    def open_new(cells: int, **size: int) -> Page:
        made = ask(site, "gallery_case", f"make({cells}, per_field=100)")
        page = page_as("pathologist", **size)
        page.emulate_media(reduced_motion="reduce")
        page.goto(f"/cases/{made['case']}/review/")
        expect(page.locator("#review[data-editable][data-ready]")).to_be_visible()
        expect(page.locator("#group-neutrophil .cell").first).to_have_attribute("role", "option")
        return page

    return open_new


def group(page: Page, name: str) -> Locator:
    return page.locator(f"#group-{name}")


def order_of(page: Page, name: str) -> list[str]:
    tiles = group(page, name).locator(".cell").all()
    return [str(tile.get_attribute("data-cell")) for tile in tiles]


def width_of(tile: Locator) -> float:
    return float(tile.evaluate("element => element.getBoundingClientRect().width"))


def live(page: Page) -> Locator:
    return page.locator("[data-hook=live]")


def states(page: Page, name: str) -> list[str]:
    script = "tiles => tiles.map((tile) => tile.dataset.state)"
    found: list[str] = group(page, name).locator(".cell").evaluate_all(script)
    return found


def not_looked_at(page: Page) -> int:
    """How many neutrophils are still to be looked at, once nothing more on the screen is."""
    page.wait_for_function(
        """() => [...document.querySelectorAll("#group-neutrophil [data-unseen]")].every((tile) => {
            const { top, bottom } = tile.parentElement.getBoundingClientRect();
            return (top + bottom) / 2 > innerHeight;
        })"""
    )
    return page.locator("#group-neutrophil [data-unseen]").count()


def hold(page: Page, tile: Locator, *, to: Locator | None = None) -> None:
    """Press a finger on a tile for long, and move it on to something else before lifting it."""
    touch = page.context.new_cdp_session(page)
    x, y = middle_of(tile)
    send_touch(touch, "touchStart", (x, y))
    expect(tile).to_have_attribute("data-held", "")
    if to is not None:
        for share in (0.2, 0.5, 0.8, 1.0):
            end = middle_of(to)
            place = (x + share * (end[0] - x), y + share * (end[1] - y))
            send_touch(touch, "touchMove", place)
    send_touch(touch, "touchEnd", None)


def send_touch(touch: CDPSession, kind: str, place: tuple[float, float] | None) -> None:
    points = [{"x": place[0], "y": place[1]}] if place else []
    touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def middle_of(element: Locator) -> tuple[float, float]:
    box = element.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_the_look_of_pictures_is_set_remembered_and_reset(open_case: OpenCase) -> None:
    page = open_case(24)
    tile = page.locator("#group-neutrophil .cell").first
    before = width_of(tile)
    page.get_by_label("Size of the tiles").fill("160")
    assert width_of(tile) > 1.4 * before
    page.get_by_role("button", name="View").click()
    page.get_by_label("Brightness").focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    page.get_by_label("Sharpness").fill("50")
    looks = "element => getComputedStyle(element).filter"
    assert "brightness(1.2)" in tile.locator("img").evaluate(looks)
    assert "brightness(1.2)" in page.locator(".stage-picture image").evaluate(looks)
    assert "#sharpen" in tile.locator("img").evaluate(looks)
    assert_accessible(page)
    page.keyboard.press("Escape")
    page.reload()
    expect(page.get_by_label("Size of the tiles")).to_have_value("160")
    adjusted = page.get_by_role("button", name="Adjusted")
    expect(adjusted).to_be_visible()
    adjusted.click()
    expect(adjusted).to_be_hidden()
    assert tile.locator("img").evaluate(looks) == "none"
    expect(live(page)).to_contain_text("as they were taken")


def test_sorting_keeps_what_is_chosen_and_says_so(open_case: OpenCase) -> None:
    page = open_case(40)
    doubt_first = order_of(page, "neutrophil")
    chosen = page.locator(f"#cell-{doubt_first[3]}")
    chosen.click()
    height = "element => element.getBoundingClientRect().top"
    place = chosen.evaluate(height)
    page.get_by_label("Sort").select_option("probability")
    expect(live(page)).to_contain_text("Sorted by probability")
    assert order_of(page, "neutrophil") == doubt_first[::-1]
    expect(chosen).to_have_attribute("aria-selected", "true")
    assert abs(place - chosen.evaluate(height)) < 2
    page.get_by_label("Sort").select_option("similar")
    expect(live(page)).to_contain_text("likeness")
    assert order_of(page, "neutrophil")[0] == doubt_first[3]
    page.get_by_label("Sort").select_option("doubt")
    assert order_of(page, "neutrophil") == doubt_first


def test_only_cells_that_were_on_the_screen_are_accepted_with_their_class(
    open_case: OpenCase,
) -> None:
    page = open_case(200)
    neutrophils = group(page, "neutrophil")
    unseen = neutrophils.locator("[data-unseen]")
    accept = neutrophils.get_by_role("button", name="Accept")
    expect(accept).to_be_enabled()
    left = not_looked_at(page)
    total = neutrophils.locator(".cell").count()
    assert 0 < left < total
    expect(accept).to_contain_text(f"Accept {total - left} of {total} seen")
    neutrophils.locator(".cell").first.focus()
    page.keyboard.press("Shift+A")
    expect(live(page)).to_contain_text(f"{left} left out: not on screen yet")
    assert states(page, "neutrophil").count("human") == total - left
    assert group(page, "unresolved").locator(".cell[data-state=referred]").count() > 0
    neutrophils.locator(".cell").last.scroll_into_view_if_needed()
    expect(neutrophils.locator(".cell").last).not_to_have_attribute("data-unseen", "")
    assert unseen.count() < left


def test_accepting_a_selection_leaves_out_what_was_not_on_the_screen(open_case: OpenCase) -> None:
    page = open_case(200)
    page.locator("#group-neutrophil .cell").first.click()
    left = not_looked_at(page)
    page.keyboard.press("Control+a")
    page.keyboard.press("a")
    expect(live(page)).to_contain_text(f"{left} left out: not on screen yet")
    assert states(page, "neutrophil").count("machine") == left


def test_undo_and_redo_by_keys_and_buttons(open_case: OpenCase) -> None:
    page = open_case(24)
    lymphocytes = group(page, "lymphocyte").locator(".cell")
    before = lymphocytes.count()
    redo = page.get_by_role("button", name="Redo")
    page.locator("#group-neutrophil .cell").first.click()
    page.keyboard.press("2")
    expect(lymphocytes).to_have_count(before + 1)
    for back, again in (("u", "Shift+U"), ("Control+z", "Control+y"), ("u", "Control+Shift+Z")):
        page.keyboard.press(back)
        expect(lymphocytes).to_have_count(before)
        expect(redo).to_be_enabled()
        page.keyboard.press(again)
        expect(lymphocytes).to_have_count(before + 1)
    expect(live(page)).to_contain_text("Redone for 1 cell")
    page.get_by_role("button", name="Undo").click()
    expect(lymphocytes).to_have_count(before)
    redo.click()
    expect(lymphocytes).to_have_count(before + 1)
    expect(redo).to_be_disabled()


def test_the_menu_works_by_keyboard(open_case: OpenCase) -> None:
    page = open_case(24)
    tile = page.locator("#group-neutrophil .cell").first
    cell = str(tile.get_attribute("data-cell"))
    tile.focus()
    page.keyboard.press("Shift+F10")
    menu = page.get_by_role("menu")
    expect(menu.get_by_role("menuitem", name="Accept machine")).to_be_focused()
    assert_accessible(page)
    keep_screenshot(page, "gallery-menu")
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    expect(tile).to_be_focused()
    page.keyboard.press("Shift+F10")
    page.keyboard.type("b")
    expect(menu.get_by_role("menuitem", name="Basophil")).to_be_focused()
    page.keyboard.press("Enter")
    expect(group(page, "basophil").locator(f"#cell-{cell}")).to_be_visible()
    group(page, "basophil").locator(".cell").click(button="right")
    menu.get_by_role("menuitem", name="Undo").click()
    expect(group(page, "basophil")).to_be_hidden()


def test_a_long_press_opens_the_menu_and_drags_on_a_class(open_case: OpenCase) -> None:
    page = open_case(24, width=390, height=844)
    tile = group(page, "lymphocyte").locator(".cell").first
    cell = str(tile.get_attribute("data-cell"))
    tile.scroll_into_view_if_needed()
    hold(page, tile)
    expect(page.get_by_role("menu")).to_be_visible()
    expect(tile).to_have_attribute("aria-selected", "true")
    expect(group(page, "lymphocyte").locator(f"#cell-{cell}")).to_have_count(1)
    page.keyboard.press("Escape")
    hold(page, tile, to=page.locator(".classes [data-class=monocyte]"))
    expect(group(page, "monocyte").locator(f"#cell-{cell}")).to_have_count(1)


def test_help_lists_the_keys(open_case: OpenCase) -> None:
    page = open_case(24)
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keys")
    for key in ("Shift + A", "Shift + U", "Shift + F10", "Home"):
        expect(keys.locator("dt", has_text=key).first).to_be_visible()
    assert_accessible(page)


def test_the_count_of_what_is_left_never_scrolls_away(open_case: OpenCase) -> None:
    page = open_case(100, width=390, height=844)
    assert_fits(page)
    left = page.locator("[data-hook=left-words]")
    expect(left).to_contain_text("left to decide")
    page.evaluate("scrollTo(0, document.querySelector('#group-lymphocyte').offsetTop)")
    expect(left).to_be_in_viewport()
    keep_screenshot(page, "gallery-phone")
    assert_accessible(page)


@pytest.mark.parametrize("mode", ["Compare", "Why", "Fields"])
def test_what_is_asked_for_on_a_phone_comes_up_under_the_stage(
    open_case: OpenCase, mode: str
) -> None:
    page = open_case(24, width=390, height=844)
    switch = page.get_by_role("group", name="Show", exact=True)
    switch.get_by_role("button", name=mode).click()
    page.wait_for_load_state("networkidle")
    panel = page.locator("[data-panel][data-shown]").first
    expect(panel).to_be_in_viewport()
    assert_fits(page)


def test_every_module_comes_once_and_is_kept_for_good(open_case: OpenCase) -> None:
    page = open_case(24)
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108 - it is marked
    page.reload(wait_until="networkidle")
    modules = [one for one in answers if "/static/js/" in one.url]
    assert len(modules) > 20
    assert len({one.url for one in modules}) == len(modules)
    assert all("immutable" in one.headers["cache-control"] for one in modules)


JUMPS = """() => {
  window.jumps = { all: 0, tiles: 0 };
  const isTile = ({ node }) => node?.parentElement?.closest(".gallery-groups");
  new PerformanceObserver((list) => {
    for (const { value, sources } of list.getEntries()) {
      window.jumps.all += value;
      if (sources.some(isTile)) window.jumps.tiles += value;
    }
  }).observe({ type: "layout-shift", buffered: true });
}"""


def test_a_thousand_cells_scroll_without_a_jump(open_case: OpenCase) -> None:
    page = open_case(1000)
    expect(page.locator(".cell")).to_have_count(1000)
    page.evaluate(JUMPS)
    height = page.evaluate("document.documentElement.scrollHeight")
    for share in (0.2, 0.4, 0.6, 0.8, 1.0):
        page.mouse.wheel(0, height / 5)
        page.evaluate(f"scrollTo(0, {share} * document.documentElement.scrollHeight)")
        page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollHeight") == height
    jumps: dict[str, float] = page.evaluate("window.jumps")
    assert jumps["tiles"] < 0.001
    assert jumps["all"] < 0.05  # 0.1 is still called good
    last = page.locator(".cell-group:not([hidden]) .cell img").last
    expect(last).to_be_in_viewport()
    is_loaded = "image => image.complete && image.naturalWidth > 0"
    page.wait_for_function(is_loaded, arg=last.element_handle())
    page.keyboard.press("ArrowDown")
    expect(page.locator(".cell[aria-selected=true]")).to_be_in_viewport()
