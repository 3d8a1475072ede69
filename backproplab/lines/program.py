"""Lines as one flat list of operations, for values and for slopes; the same list runs on every kind of number."""

import mpmath
import numpy as np

from ..functions.operations import OPERATIONS

MOST_WORK = 250_000  # arguments of all operations in the slopes of one line: what takes a second


class Program:
    """Rows (operation, slot of the result, slots of the arguments), appended by `add` and `add_slope`, run by `run`.

    A subexpression that comes twice is computed once, one of constants only not at all. `names` holds the slot of each name.
    """

    def __init__(self, inputs):
        self.inputs = {name: slot for slot, name in enumerate(inputs)}
        self.names = dict(self.inputs)
        self.constants, self.rows = {}, []
        self._known, self._size = {}, len(self.inputs)
        self._products, self.work = {}, 0

    def _new(self):
        self._size += 1
        return self._size - 1

    def constant(self, value):
        """The slot of a constant."""
        slot = self._known.get(value)
        if slot is None:
            slot = self._known[value] = self._new()
            self.constants[slot] = value
        return slot

    def _row(self, operation, *args):
        if all(arg in self.constants for arg in args):
            with np.errstate(all="ignore"):
                return self.constant(float(OPERATIONS[operation].value(*(self.constants[arg] for arg in args))))
        key = (operation, *args)
        if key not in self._known:
            self._known[key] = self._new()
            self.work += len(args)
            self.rows.append((operation, self._known[key], args))
        return self._known[key]

    def add(self, node):
        """Append a tree, in the order in which it was written; the slot of its value."""
        if node.op == "number":
            return self.constant(node.value)
        if node.op == "name":
            return self.names[node.value]
        if node.op in ("+", "*"):
            return self._fold(zip(node.value, map(self.add, node.args), strict=True))
        return self._row(node.op, *map(self.add, node.args))

    def _fold(self, parts, start=None):
        """Slots joined from left to right: parts are (sign, slot); a first part with - or / starts from nothing."""
        result = start
        for sign, slot in parts:
            if result is None:
                first = {
                    "-": lambda slot: self._row("negative", slot),
                    "/": lambda slot: self._row("/", self.constant(1.0), slot),
                }
                result = first.get(sign, lambda slot: slot)(slot)
            else:
                result = self._row(sign, result, slot)
        return result

    def _times(self, slope, outer):
        """A factor of the chain rule times an inner slope; a factor of exactly 1 costs no row."""
        one = self.constant(1.0)
        return outer if slope == one else slope if outer == one else self._row("*", outer, slope)

    def add_slopes(self, node, names):
        """Append the derivatives of a tree by several names; their slots. ValueError: more work than MOST_WORK."""
        start, slots, self._products = self.work, [], {}
        for name in names:
            slots.append(self.add_slope(node, name))
            if self.work - start > MOST_WORK:
                done = f"{len(slots)} of its {len(names)} slopes" if len(slots) < len(names) else "its slopes"
                raise ValueError(
                    f"{done} alone take {self.work - start} operations and arguments, at most {MOST_WORK}: split it into several lines"
                )
        self._products = {}
        return slots

    def add_slope(self, node, name):
        """Append the derivative of a tree by a name; the slot of its value, None where the tree does not hold the name.

        The chain rule from the inside out, in the form that cancels and overflows least: (u/v)' = u'/v - (u/v) v'/v.
        """
        if node.op == "name":
            return self.constant(1.0) if node.value == name else None
        if name not in node.holders:
            return None
        if node.op == "+":
            slopes = ((node.value[i], self.add_slope(node.args[i], name)) for i in node.holders[name])
            return self._fold(slopes)
        if node.op == "*":
            return self._product_slope(node, name)
        if node.op == "negative":
            return self._row("negative", self.add_slope(node.args[0], name))
        if node.op == "**":
            return self._power_slope(*node.args, name)
        return self._call_slope(node, name)

    def _product_slope(self, node, name):
        parts = []
        for i in node.holders[name]:
            slope = self.add_slope(node.args[i], name)
            if node.value[i] == "*":
                parts.append(("+", self._times(slope, self._others(node, i))))
            else:
                parts.append(("-", self._row("/", self._times(slope, self.add(node)), self.add(node.args[i]))))
        return self._fold(parts)

    def _others(self, node, place):
        """The slot of a product without one of its factors; looked for once in a line, however many names the factor holds."""
        key = id(node), place
        if key not in self._products:
            pairs = enumerate(zip(node.value, node.args, strict=True))
            self._products[key] = self._fold([(sign, self.add(arg)) for k, (sign, arg) in pairs if k != place])
        return self._products[key]

    def _power_slope(self, base, exponent, name):
        u, n, one = self.add(base), self.add(exponent), self.constant(1.0)
        by_base, by_exponent = self.add_slope(base, name), self.add_slope(exponent, name)
        parts = []
        if by_base is not None:
            less = self._row("-", n, one)
            power = u if less == one else self._row("**", u, less)
            parts.append(("+", self._times(by_base, self._row("*", n, power))))
        if by_exponent is not None:
            parts.append(("+", self._times(by_exponent, self._row("**'", u, n))))
        return self._fold(parts)

    def _call_slope(self, node, name):
        slots, parts = [self.add(arg) for arg in node.args], []
        several = OPERATIONS[node.op].several
        for i in node.holders[name]:
            outer = self._row(f"{node.op}'", *([slots[i], *slots] if several else [slots[i]]))
            parts.append(("+", self._times(self.add_slope(node.args[i], name), outer)))
        return self._fold(parts)

    def run(self, values, outputs, change=None):
        """The numbers in the slots `outputs`, from the inputs' numbers by name; nothing is checked.

        `change(value)`, where given, takes each result as it is computed and returns what the next rows work with.
        """
        slots = [None] * self._size
        for slot, value in self.constants.items():
            slots[slot] = value
        for name, slot in self.inputs.items():
            slots[slot] = values[name]
        exact = any(isinstance(value, (mpmath.mpf, mpmath.mpc)) for value in values.values())
        with np.errstate(all="ignore"):
            for operation, result, args in self.rows:
                row = OPERATIONS[operation]
                value = (row.exact if exact else row.value)(*[slots[i] for i in args])
                slots[result] = value if change is None else change(value)
        return [slots[slot] for slot in outputs]
