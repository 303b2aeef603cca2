"""A page run without a browser, and what it says."""

from pathlib import Path

from streamlit.testing.v1 import AppTest

APP = str(Path(__file__).resolve().parents[1] / "app.py")


def run_page(name, link):
    """The page of that name at a link; an exception on it is a failure."""
    at = AppTest.from_file(APP, default_timeout=30)
    if name != "overview":
        at.switch_page(f"app_pages/{name}.py")
    for key, value in link.items():
        at.query_params[key] = value
    at.run()
    assert not at.exception, at.exception[0].value
    return at


def text_of(at):
    """Everything that the page says in words."""
    said = [*at.title, *at.subheader, *at.markdown, *at.caption, *at.info, *at.text]
    return "\n".join(element.value for element in said)


def tiles(at):
    """The figures of the tiles by their label."""
    return {metric.label: metric.value for metric in at.metric}
