"""The long form of a list: nodes of a bounded size, cut and joined where quicklist.c would do it."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import accumulate, islice
from marshal import dumps, loads
from sys import maxsize

from .listpack import EMPTY_SIZE, entries_size, entry_size

_SIZE_LIMITS = (4096, 8192, 16384, 32768, 65536)
_SAFE_SIZE = 8192  # a node limited by count still does not get larger
_OVERHEAD = 8  # what quicklist.c reckons for an entry besides its data
_FILL_MAX = (1 << 15) - 1
_WORTH_PACKING = 32  # elements; with fewer a bytes object each costs little more than its data
_MARSHAL = 2  # the version without references, which are of no use here


def size_limit_of(fill: int) -> int:
    """The size in bytes *fill* (list-max-listpack-size) stands for, ``maxsize`` if it is a count."""
    return maxsize if fill >= 0 else _SIZE_LIMITS[min(-fill, len(_SIZE_LIMITS)) - 1]


def node_limits(fill: int) -> tuple[int, int]:
    """The largest size and count of a node or listpack under *fill* (quicklistNodeExceedsLimit)."""
    found = _LIMITS.get(fill)
    if found is None:
        found = (_SAFE_SIZE, fill or 1) if fill >= 0 else (size_limit_of(fill), maxsize)
    return found


_LIMITS: dict[int, tuple[int, int]] = {}
_LIMITS.update((fill, node_limits(fill)) for fill in range(-5, 129))


class Node:
    """Consecutive elements of a list.

    ``items`` is a deque, or bytes while the node is packed: nodes in the interior of a long list are
    kept as one object, at 5 bytes an element besides the data instead of 41.
    """

    __slots__ = ("count", "items", "plain", "size")

    def __init__(self, items: Iterable[bytes], size: int, *, plain: bool = False) -> None:
        self.items: deque[bytes] | bytes = deque(items)
        self.count = len(self.items)
        self.size = size
        """Bytes of the listpack Redis would have here, or of the one element of a plain node."""
        self.plain = plain

    def view(self) -> deque[bytes] | list[bytes]:
        """The elements, to look at.  40 ns each if the node is packed."""
        items = self.items
        if items.__class__ is bytes:
            return loads(items)  # type: ignore[no-any-return]
        return items  # type: ignore[return-value]

    def open(self) -> deque[bytes]:
        """The elements, to change; the node stays unpacked."""
        items = self.items
        if items.__class__ is bytes:
            items = self.items = deque(loads(items))
        return items  # type: ignore[return-value]

    def pack(self) -> None:
        """Turn the elements into one object, if there are enough of them."""
        items = self.items
        if items.__class__ is deque and len(items) >= _WORTH_PACKING:
            self.items = dumps(list(items), _MARSHAL)

    def may_hold(self, value: bytes) -> bool:
        """False if *value* is certainly not among the elements; fast on a packed node."""
        return value in self.items

    def copy(self) -> Node:
        other = Node((), self.size, plain=self.plain)
        items = self.items
        other.items = items if items.__class__ is bytes else items.copy()  # type: ignore[union-attr]
        other.count = self.count
        return other


class Quicklist:
    """A sequence of nodes.  Its cuts are observable: a list of one small node becomes a listpack again.

    ``large`` arguments: the size from which an element gets a (plain) node of its own.
    Elements at the ends O(1), elsewhere O(log nodes + elements of a node).
    """

    __slots__ = ("_opened", "_room", "_starts", "count", "count_limit", "fill", "nodes", "size_limit")

    def __init__(self, fill: int) -> None:
        self.fill = fill = max(-5, min(fill, _FILL_MAX))
        self.size_limit, self.count_limit = node_limits(fill)
        self._room = self.size_limit - _OVERHEAD  # what a node and a new value may amount to
        self.nodes: deque[Node] = deque()  # the first and the last one are never packed
        self.count = 0
        self._starts: list[int] | None = None  # where the nodes after the first start, counted from the second
        self._opened: Node | None = None  # the interior node that was unpacked last

    # --- the ends --------------------------------------------------------------------------------

    def push_head(self, value: bytes, large: int) -> None:
        """Put *value* in front.  O(1)"""
        nodes, size = self.nodes, len(value)
        self.count += 1
        if nodes:
            node = nodes[0]
            if node.size + size <= self._room and node.count < self.count_limit and size < large and not node.plain:
                node.items.appendleft(value)  # type: ignore[union-attr]
                node.count += 1
                node.size += size + 2 if size < 64 and value >= b":" else entry_size(value)
                return
        nodes.appendleft(_new_node(value, large))
        self._starts = None
        if len(nodes) > 4:
            nodes[2].pack()

    def push_tail(self, value: bytes, large: int) -> None:
        """Append *value*.  O(1)"""
        nodes, size = self.nodes, len(value)
        self.count += 1
        if nodes:
            node = nodes[-1]
            if node.size + size <= self._room and node.count < self.count_limit and size < large and not node.plain:
                node.items.append(value)  # type: ignore[union-attr]
                node.count += 1
                node.size += size + 2 if size < 64 and value >= b":" else entry_size(value)
                return
        nodes.append(_new_node(value, large))
        self._starts = None
        if len(nodes) > 4:
            nodes[-3].pack()

    def pop_head(self) -> bytes:
        """Remove and return the first element of a list that has one.  O(1)"""
        node = self.nodes[0]
        value: bytes = node.items.popleft()  # type: ignore[union-attr]
        self.count -= 1
        node.count -= 1
        if node.count:
            size = len(value)
            node.size -= size + 2 if size < 64 and value >= b":" else entry_size(value)
        else:
            self.nodes.popleft()
            self._nodes_gone()
        return value

    def pop_tail(self) -> bytes:
        """Remove and return the last element of a list that has one.  O(1)"""
        node = self.nodes[-1]
        value: bytes = node.items.pop()  # type: ignore[union-attr]
        self.count -= 1
        node.count -= 1
        if node.count:
            size = len(value)
            node.size -= size + 2 if size < 64 and value >= b":" else entry_size(value)
        else:
            self.nodes.pop()
            self._nodes_gone()
        return value

    def drop_head(self, count: int) -> None:
        """Remove the first *count* elements, at most all.  O(nodes gone + elements of a node)"""
        nodes = self.nodes
        self.count -= count
        while count and count >= nodes[0].count:
            count -= nodes.popleft().count
        self._nodes_gone()
        if count:
            items = nodes[0].open()
            _shrink(nodes[0], [items.popleft() for _ in range(count)])

    def drop_tail(self, count: int) -> None:
        """Remove the last *count* elements, at most all.  O(nodes gone + elements of a node)"""
        nodes = self.nodes
        self.count -= count
        while count and count >= nodes[-1].count:
            count -= nodes.pop().count
        self._nodes_gone()
        if count:
            items = nodes[-1].open()
            _shrink(nodes[-1], [items.pop() for _ in range(count)])

    # --- anywhere --------------------------------------------------------------------------------

    def get(self, index: int) -> bytes:
        """The element at *index*, which exists and is not negative."""
        at, offset = self._find(index)
        return self.nodes[at].view()[offset]

    def slice(self, start: int, stop: int) -> list[bytes]:
        """The elements from *start* up to *stop*; 0 <= start < stop <= count.  O(elements of the nodes touched)"""
        at, offset = self._find(start)
        left = stop - start
        items = list(islice(self.nodes[at].view(), offset, offset + left))
        left -= len(items)
        while left:
            at += 1
            node = self.nodes[at]
            if node.count <= left:
                items += node.view()
                left -= node.count
            else:
                items += islice(node.view(), left)
                left = 0
        return items

    def set(self, index: int, value: bytes, large: int) -> None:
        """Replace the element at *index*, which exists (quicklistReplaceEntry)."""
        at, offset = self._find(index)
        node, size = self.nodes[at], len(value)
        if not node.plain and size < large:
            items = self._open(node)
            node.size += entry_size(value) - entry_size(items[offset])
            items[offset] = value
        elif node.plain and size >= large:
            node.open()[0] = value
            node.size = size
        else:
            # The new element goes behind the old one, whose node then ends with it.
            self.insert(at, offset, value, large, after=True)
            self.count -= 1
            if node.count == 1:
                del self.nodes[at]
                self._nodes_gone()
            else:
                _shrink(node, [node.open().pop()])

    def insert(self, at: int, offset: int, value: bytes, large: int, *, after: bool) -> None:
        """Insert beside the element at *offset* of node *at* (_quicklistInsert).  O(elements of a node)"""
        nodes = self.nodes
        node, size = nodes[at], len(value)
        self.count += 1
        self._starts = None
        at_end = offset == (node.count - 1 if after else 0)
        beside = at + 1 if after else at  # where a node next to this one is inserted
        if size >= large:
            if not node.plain and not at_end:
                nodes.insert(beside, self._split(node, offset, after=after))
                if not after:
                    beside += 1
            nodes.insert(beside, _new_node(value, large))
        elif self._allows(node, size):
            self._open(node).insert(offset + 1 if after else offset, value)
            _grow(node, value)
        elif at_end:
            neighbour = at + 1 if after else at - 1
            if 0 <= neighbour < len(nodes) and self._allows(nodes[neighbour], size):
                items = self._open(nodes[neighbour])
                if after:
                    items.appendleft(value)
                else:
                    items.append(value)
                _grow(nodes[neighbour], value)
            else:
                nodes.insert(beside, _new_node(value, large))
        else:
            part = self._split(node, offset, after=after)
            if after:
                part.open().appendleft(value)
            else:
                part.open().append(value)
            _grow(part, value)
            nodes.insert(beside, part)
            self._merge_around(at if after else at + 1)
            for nearby in range(max(at - 2, 2), min(at + 4, len(nodes) - 2)):
                nodes[nearby].pack()

    def remove(self, value: bytes, most: int, *, from_tail: bool) -> int:
        """Remove up to *most* elements equal to *value*, seen from one end; how many there were.  O(n)"""
        left = most
        positions = range(len(self.nodes))
        gone: list[int] = []
        for at in reversed(positions) if from_tail else positions:
            node = self.nodes[at]
            if not node.may_hold(value):
                continue
            items = without(list(node.view()), value, left, from_tail=from_tail)
            found = node.count - len(items)
            if not found:
                continue
            left -= found
            if items:
                packed = node.items.__class__ is bytes
                node.items = deque(items)
                node.count = len(items)
                node.size -= found * entry_size(value)
                if packed:
                    node.pack()
            else:
                gone.append(at)
            if not left:
                break
        for at in sorted(gone, reverse=True):
            del self.nodes[at]
        self._nodes_gone()
        self.count -= most - left
        return most - left

    def find(self, value: bytes) -> tuple[int, int] | None:
        """Node and offset of the first element equal to *value*.  O(n)"""
        for at, node in enumerate(self.nodes):
            if node.may_hold(value):
                items = node.view()
                if value in items:
                    return at, items.index(value)
        return None

    # --- the whole -------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[bytes]:
        for node in self.nodes:
            yield from node.view()

    def append_node(self, items: list[bytes], *, plain: bool) -> None:
        """Append a node as it was saved (quicklistAppendListpack, quicklistAppendPlainNode)."""
        size = len(items[0]) if plain else EMPTY_SIZE + entries_size(items)
        self.nodes.append(Node(items, size, plain=plain))
        self.count += len(items)
        self._starts = None
        if len(self.nodes) > 4:
            self.nodes[-3].pack()

    def copy(self) -> Quicklist:
        other = Quicklist(self.fill)
        other.nodes.extend([node.copy() for node in self.nodes])
        other.count = self.count
        return other

    def _find(self, index: int) -> tuple[int, int]:
        """Which node holds the element at *index*, and where in it."""
        nodes = self.nodes
        first = nodes[0].count
        if index < first:
            return 0, index
        before_last = self.count - nodes[-1].count
        if index >= before_last:
            return len(nodes) - 1, index - before_last
        starts = self._starts
        if starts is None:
            counts = [node.count for node in islice(nodes, 1, len(nodes) - 1)]
            starts = self._starts = list(accumulate(counts, initial=0))
        index -= first
        at = bisect_right(starts, index) - 1
        return at + 1, index - starts[at]

    def _open(self, node: Node) -> deque[bytes]:
        """The elements of a node that will be changed; the one opened before is packed again."""
        before = self._opened
        if before is not node:
            nodes = self.nodes
            if before is not None and len(nodes) > 4 and before not in (nodes[0], nodes[1], nodes[-1], nodes[-2]):
                before.pack()
            self._opened = node
        return node.open()

    def _nodes_gone(self) -> None:
        """Nodes have been removed, perhaps at an end."""
        self._starts = None
        if self.nodes:
            self.nodes[0].open()
            self.nodes[-1].open()

    def _allows(self, node: Node, size: int) -> bool:
        """True if *node* has room for a value of *size* bytes (_quicklistNodeAllowInsert)."""
        return not node.plain and node.size + size <= self._room and node.count < self.count_limit

    def _split(self, node: Node, offset: int, *, after: bool) -> Node:
        """Take what is behind (or before) *offset* out of *node*; the node for it (_quicklistSplitNode)."""
        items = list(node.view())
        at = offset + 1 if after else offset
        head, tail = items[:at], items[at:]
        kept, taken = (head, tail) if after else (tail, head)
        taken_size = entries_size(taken)
        node.items = deque(kept)
        node.count = len(kept)
        node.size -= taken_size
        return Node(taken, EMPTY_SIZE + taken_size)

    def _merge_around(self, at: int) -> None:
        """Join small neighbours after node *at* was split (_quicklistMergeNodes)."""
        if self._merge(at - 2):
            at -= 1
        self._merge(at + 1)
        if self._merge(at - 1):
            at -= 1
        self._merge(at)

    def _merge(self, at: int) -> bool:
        """Join node *at* and the next, if both exist and fit into one."""
        nodes = self.nodes
        if at < 0 or at + 1 >= len(nodes):
            return False
        left, right = nodes[at], nodes[at + 1]
        size, count = left.size + right.size - EMPTY_SIZE, left.count + right.count
        if left.plain or right.plain or size > self.size_limit or count > self.count_limit:
            return False
        left.open().extend(right.view())
        left.size, left.count = size, count
        del nodes[at + 1]
        return True

    def _check(self) -> None:
        """Assert every invariant; for tests."""
        for node in islice(self.nodes, 0, None, max(1, len(self.nodes) - 1)):
            assert node.items.__class__ is deque
        assert self.count == sum(node.count for node in self.nodes)
        for node in self.nodes:
            items = node.view()
            assert node.count == len(items) > 0
            if node.plain:
                assert node.count == 1
                assert node.size == len(items[0])
            else:
                assert node.size == EMPTY_SIZE + entries_size(items)
        if self._starts is not None:
            counts = [node.count for node in self.nodes][1:-1]
            assert self._starts == list(accumulate(counts, initial=0))


def without(items: list[bytes], value: bytes, most: int, *, from_tail: bool) -> list[bytes]:
    """*items* without the first (or last) *most* that equal *value*.  O(n)"""
    kept = [item for item in items if item != value]
    if len(items) - len(kept) <= most:
        return kept
    if from_tail:
        items = items[::-1]
    at = -1
    for _ in range(most):
        at = items.index(value, at + 1)
    kept = [item for item in items[: at + 1] if item != value] + items[at + 1 :]
    return kept[::-1] if from_tail else kept


def _new_node(value: bytes, large: int) -> Node:
    if len(value) >= large:
        return Node((value,), len(value), plain=True)
    return Node((value,), EMPTY_SIZE + entry_size(value))


def _grow(node: Node, value: bytes) -> None:
    node.count += 1
    node.size += entry_size(value)


def _shrink(node: Node, removed: list[bytes]) -> None:
    node.count -= len(removed)
    node.size -= entries_size(removed)
