"""YAML changed line by line: what is not changed keeps its comments, order and spelling to the byte.

Works on block style ("- item" lines and "key: value" lines), as params.yaml and dvc.yaml are written; an empty list may be
`[]`. The parser says which lines hold what.
"""

import yaml

Keys = tuple[str, ...]


class YamlLines:
    """A YAML text and the edits made to it.

    Attributes:
        text: the text as it is now.

    Raises:
        yaml.YAMLError: it is not YAML.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.value()

    def value(self) -> object:
        """What the text says, as plain values."""
        return yaml.safe_load(self.text)

    def append(self, keys: Keys, item: object) -> None:
        """Add an item at the end of the list that the keys lead to."""
        self.insert(keys, len(self._items(keys)), item)

    def insert(self, keys: Keys, place: int, item: object) -> None:
        """Add an item to a list, before the one that is at `place` now."""
        items = self._items(keys)
        key, node = self._entry(keys)
        if not items:
            line = key.start_mark.line
            indent = key.start_mark.column + 2
            lines = self._lines()
            before = lines[line][: key.end_mark.column]
            after = lines[line][node.end_mark.column :] if node.end_mark.line == line else "\n"
            self._replace(line, line + 1, [f"{before}:{after.rstrip()}\n", *_item_lines(item, indent)])
            return
        indent = items[0].start_mark.column - 2
        at = items[place].start_mark.line if place < len(items) else _last_line(items[-1]) + 1
        self._replace(at, at, _item_lines(item, indent))

    def set_item(self, keys: Keys, place: int, item: object) -> None:
        """Replace an item of a list; a comment beside it stays."""
        node = self._items(keys)[place]
        lines = _item_lines(item, node.start_mark.column - 2)
        if isinstance(node, yaml.ScalarNode) and node.end_mark.line == node.start_mark.line:
            beside = self._lines()[node.start_mark.line][node.end_mark.column :].rstrip()
            lines[0] = f"{lines[0].rstrip()}{beside}\n"
        self._replace(node.start_mark.line, _last_line(node) + 1, lines)

    def remove_item(self, keys: Keys, place: int) -> None:
        """Take an item out of a list; one that becomes empty is written `[]`."""
        items = self._items(keys)
        node = items[place]
        self._replace(node.start_mark.line, _last_line(node) + 1, [])
        if len(items) == 1:
            key, _ = self._entry(keys)
            line = self._lines()[key.start_mark.line]
            before, beside = line[: key.end_mark.column], line[key.end_mark.column + 1 :].rstrip()
            self._replace(key.start_mark.line, key.start_mark.line + 1, [f"{before}: []{beside}\n"])

    def set_value(self, keys: Keys, value: object) -> None:
        """Replace what a key holds, by a value on one line; a comment beside a scalar stays."""
        key, node = self._entry(keys)
        text = yaml.safe_dump(
            value, default_flow_style=True, allow_unicode=True, sort_keys=False, width=1_000_000
        ).removesuffix("...\n")
        first, last = key.start_mark.line, _last_line(node)
        line = self._lines()[first]
        beside = line[node.end_mark.column :].rstrip() if node.end_mark.line == first else ""
        self._replace(first, last + 1, [f"{line[: key.end_mark.column]}: {text.strip()}{beside}\n"])

    def remove_key(self, keys: Keys) -> None:
        """Take a key with all it holds out of its mapping, with the comment right above it."""
        key, node = self._entry(keys)
        lines = self._lines()
        first, last = key.start_mark.line, max(_last_line(node), key.start_mark.line)
        while first > 0 and lines[first - 1].lstrip().startswith("#"):
            first -= 1
        if first > 0 and not lines[first - 1].strip() and last + 1 < len(lines) and not lines[last + 1].strip():
            first -= 1
        self._replace(first, last + 1, [])

    def _entry(self, keys: Keys) -> tuple[yaml.Node, yaml.Node]:
        """The nodes of a key and of its value."""
        node = yaml.compose(self.text, Loader=yaml.SafeLoader)
        for name in keys:
            key, node = next((key, value) for key, value in node.value if key.value == name)
        return key, node

    def _items(self, keys: Keys) -> list[yaml.Node]:
        _, node = self._entry(keys)
        return node.value if isinstance(node, yaml.SequenceNode) else []

    def _lines(self) -> list[str]:
        return self.text.splitlines(keepends=True)

    def _replace(self, first: int, end: int, new: list[str]) -> None:
        lines = self._lines()
        if lines and not lines[-1].endswith("\n"):
            lines[-1] += "\n"
        lines[first:end] = new
        self.text = "".join(lines)


def _last_line(node: yaml.Node) -> int:
    """The last line that a node's own text is on (a block's end mark lies behind comments that follow it)."""
    if isinstance(node, yaml.ScalarNode) or node.flow_style:
        last = node.end_mark
        return last.line - 1 if last.column == 0 and last.line > node.start_mark.line else last.line
    children = [part for pair in node.value for part in (pair if isinstance(pair, tuple) else (pair,))]
    return max(map(_last_line, children), default=node.start_mark.line)


def _item_lines(item: object, indent: int) -> list[str]:
    text = yaml.safe_dump([item], sort_keys=False, allow_unicode=True, width=1_000_000)
    return [" " * indent + line for line in text.splitlines(keepends=True)]
