"""The two big grids: headings stay in sight, and cells are drawn and found wherever the grid is scrolled to."""

import pytest

from tests.e2e.browser import app_server, settled
from tests.guardrail_store import write_guarded_store

pytestmark = pytest.mark.e2e

LINKS = {"heatmap": "/heatmap?services=All", "guardrails": "/guardrails?set=Core+and+extended"}
CELL, ROW = 13, 18  # the least cell, in CSS pixels: the grids are wider than this window
SMALL = {"width": 860, "height": 420}
# The first pixel of a canvas, and how many of its pixels are of another colour.
INK = """canvas => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height)
  const pixels = new Uint32Array(data.buffer)
  return [data[0], pixels.filter((pixel) => pixel !== pixels[0]).length]
}"""


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    store = write_guarded_store(tmp_path_factory.mktemp("grids"))
    with app_server(store.folder, tmp_path_factory.mktemp("server") / "log") as server:
        yield server


@pytest.fixture(params=["light", "dark"])
def small_page(request, browser, address):
    context = browser.new_context(viewport=SMALL, base_url=address, color_scheme=request.param)
    page = context.new_page()
    page.scheme = request.param
    yield page
    context.close()


def open_grid(page, link):
    page.goto(link)
    settled(page)
    page.locator(".matrix[data-ready]").wait_for()
    return page.locator(".matrix .scroll")


def box(page, part):
    return page.locator(part).bounding_box()


def scroll_under_the_headings(page, rows=2):
    """Until the bar of the app has pushed the headings over so many rows."""
    bar, head = box(page, "[data-testid=stHeader]"), box(page, ".matrix .head")
    pixels = head["y"] - bar["height"] + rows * ROW
    page.locator("[data-testid=stMain]").evaluate("(main, pixels) => { main.scrollTop = pixels }", pixels)
    page.wait_for_timeout(100)  # a frame or two


def tip_at(page, x, *ys):
    """What is told at the first of these heights at which there is a cell; headings of rows are none."""
    for y in ys:
        page.mouse.move(x, y)
        if told := page.locator(".matrix .tip").inner_text():
            return told.split("\n")
    return []


@pytest.mark.parametrize("name", list(LINKS))
def test_the_headings_stay_in_sight_and_keep_their_colours(small_page, name):
    grid = open_grid(small_page, LINKS[name])
    scroll_under_the_headings(small_page)
    bar, head = box(small_page, "[data-testid=stHeader]"), box(small_page, ".matrix .head")
    assert head["y"] == pytest.approx(bar["y"] + bar["height"], abs=1)
    assert grid.bounding_box()["y"] == pytest.approx(head["y"] + head["height"] - 2 * ROW, abs=2)
    first, inked = small_page.locator(".matrix .head").evaluate(INK)
    assert (first > 128) == (small_page.scheme == "light")
    assert inked > 500


@pytest.mark.parametrize("name", list(LINKS))
def test_a_heading_in_sight_tells_the_column_below_it(small_page, name):
    grid = open_grid(small_page, LINKS[name])
    scroll_under_the_headings(small_page)
    assert grid.evaluate("grid => { grid.scrollLeft = 40; return grid.scrollLeft }") == 40
    names, head = box(small_page, ".matrix .names"), box(small_page, ".matrix .head")
    assert names["x"] == pytest.approx(head["x"], abs=1)  # the names of the rows have not moved
    x, foot = names["x"] + names["width"] + 2 * CELL + 6, head["y"] + head["height"]
    heading = tip_at(small_page, x, foot - 7)
    cell = tip_at(small_page, x, *(foot + 4 + step * ROW for step in range(4)))
    assert heading[0] == cell[1]  # column, and what it is; row, column, state


def test_the_last_column_is_drawn_and_found_where_it_is_scrolled_to(small_page):
    grid = open_grid(small_page, LINKS["heatmap"])
    grid.focus()
    small_page.keyboard.press("End")
    last = small_page.locator(".matrix .status").inner_text().split(" · ")[1]
    _first, inked = small_page.locator(".matrix .cells").evaluate(INK)
    assert inked > 1000
    small_page.keyboard.press("Enter")
    small_page.wait_for_url(f"**service={last}**")
    settled(small_page)
    assert grid.evaluate("grid => grid.scrollLeft") > 1000  # a run does not take the reader back


def test_the_row_under_the_keyboard_is_brought_out_from_under_the_headings(small_page):
    grid = open_grid(small_page, LINKS["guardrails"])
    grid.focus()
    row = small_page.locator(".matrix .place")
    for key, times in (("ArrowDown", 40), ("ArrowUp", 12)):
        for _step in range(times):
            small_page.keyboard.press(key)
        head = box(small_page, ".matrix .head")
        y = row.evaluate("place => place.getBoundingClientRect().top")
        assert head["y"] + head["height"] - 1 <= y <= SMALL["height"] - ROW
