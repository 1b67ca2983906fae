"""A page as a tree, for tests that ask what a reader would find in it."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"meta", "img", "br", "hr", "link", "input", "wbr"}


class Node:
    """An element: its tag, attributes and children, texts among them."""

    def __init__(self, tag, attributes, parent=None):
        self.tag, self.attributes, self.parent = tag, attributes, parent
        self.children = []

    def __getitem__(self, name):
        return self.attributes[name]

    def get(self, name, default=None):
        return self.attributes.get(name, default)

    @property
    def classes(self):
        return (self.get("class") or "").split()

    @property
    def text(self):
        """The words of the element, without runs of blanks."""
        return " ".join(self._raw().split())

    def _raw(self):
        return "".join(c if isinstance(c, str) else c._raw() for c in self.children)

    def every(self, tag=None, cls=None):
        """Descendants of a tag and class, in the order of the page."""
        found = []
        for child in self.children:
            if isinstance(child, Node):
                if (tag is None or child.tag == tag) and (cls is None or cls in child.classes):
                    found.append(child)
                found += child.every(tag, cls)
        return found

    def one(self, tag=None, cls=None):
        found = self.every(tag, cls)
        assert len(found) == 1, f"{len(found)} of <{tag} class={cls}>"
        return found[0]

    def by_id(self, name):
        found = [node for node in self.every() if node.get("id") == name]
        assert len(found) == 1, f"{len(found)} elements are called {name!r}"
        return found[0]


def parse(text):
    """The tree of a page; an element that is closed wrongly is a failure."""
    root = Node("", {})
    reader = _Reader(root)
    reader.feed(text)
    reader.close()
    assert reader.here is root, f"not closed: {reader.here.tag}"
    return root


class _Reader(HTMLParser):
    def __init__(self, root):
        super().__init__()
        self.here = root

    def handle_starttag(self, tag, attrs):
        assert len(dict(attrs)) == len(attrs), f"an attribute twice in {tag}"
        node = Node(tag, dict(attrs), self.here)
        self.here.children.append(node)
        if tag not in VOID:
            self.here = node

    def handle_startendtag(self, tag, attrs):
        self.here.children.append(Node(tag, dict(attrs), self.here))

    def handle_endtag(self, tag):
        assert self.here.tag == tag, f"</{tag}> closes <{self.here.tag}>"
        self.here = self.here.parent

    def handle_data(self, data):
        self.here.children.append(data)
