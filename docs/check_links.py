"""Check that every link inside the built site leads somewhere.

``python docs/check_links.py docs/_build/html`` prints the links to pages, pictures and
places in pages that there are not, and exits with 1 if there is one.
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """The links of a page, and the places that links may lead to."""

    def __init__(self, path):
        super().__init__()
        self.links, self.places = [], set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.places |= {attributes.get("id"), attributes.get("name")} - {None}
        for name in ("href", "src"):
            if attributes.get(name):
                self.links.append(attributes[name])


def broken_links(site):
    """Yield page and link of each that leads nowhere.

    Parameters
    ----------
    site : Path
        The folder of the built site.
    """
    # Themes keep templates of theirs among what is static.
    found = [path for path in site.rglob("*.html") if "_static" not in path.parts]
    pages = {path.resolve(): Page(path) for path in sorted(found)}
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = path
            if parts.path:
                target = (path.parent / unquote(parts.path)).resolve()
            place = unquote(parts.fragment)
            is_lost = place and target in pages and place not in pages[target].places
            if not target.exists() or is_lost:
                yield path.relative_to(site.resolve()), link


def main():
    broken = list(broken_links(Path(sys.argv[1])))
    for page, link in broken:
        print(f"{page}: {link}")
    sys.exit(bool(broken))


if __name__ == "__main__":
    main()
