"""What tests of pages lean on must see a page that is spoilt."""

import pytest
from driven import hurdles, pause, visited

PAGE = "<!doctype html><html lang='en'><title>page</title><main class='bp-page'><h1>page</h1>{}</main></html>"


@pytest.mark.parametrize("spoilt", [
    "<script>throw new Error('no')</script>", "<script>console.error('no')</script>", "<script>fetch('http:' + '//host.invalid/')</script>", "<script>new Image().src = 'http:' + '//host.invalid/'</script>",
    "<a href='http://host.invalid/'>no</a>",
])  # fmt: skip
def test_a_spoilt_page_is_seen(browser, tmp_path, spoilt):
    path = tmp_path / "page.html"
    path.write_text(PAGE.format(""), encoding="utf-8")
    with visited(browser, path) as page:
        assert page.title() == "page"
    path.write_text(PAGE.format(spoilt), encoding="utf-8")
    with pytest.raises(AssertionError), visited(browser, path) as page:
        pause(page, 100)


def test_what_keeps_readers_out_is_seen(browser, tmp_path):
    path = tmp_path / "page.html"
    for image, found in (("<img alt='' src='data:,'>", []), ("<img src='data:,'>", ["image-alt"])):
        path.write_text(PAGE.format(image), encoding="utf-8")
        with visited(browser, path) as page:
            assert [rule for rule, _ in hurdles(page)] == found
