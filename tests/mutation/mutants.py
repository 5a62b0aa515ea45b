"""The small faults: one changed operator, condition, number or missing statement each."""

from __future__ import annotations

import ast
import copy
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PRAGMA = "# no mutant:"
"""On a line whose faults nobody could notice; the reason follows."""

_COMPARE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Add,
}
_NO_CODE = ("annotation", "returns", "decorator_list", "bases", "type_comment")
_CALLS = {"min": "max", "max": "min", "any": "all", "all": "any"}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One fault.

    Attributes:
        module: Dotted name of the module it is in.
        path: Its file.
        line, last_line: Lines of the code that is replaced, 1-based.
        before, after: That code, on one line.
        source: The whole module with the fault.
    """

    module: str
    path: Path
    line: int
    last_line: int
    before: str
    after: str
    source: str

    @property
    def order(self) -> str:
        """Sorting by this draws the same sample every time, all over the code."""
        return hashlib.sha256(f"{self.module}:{self.before}:{self.after}:{self.line}".encode()).hexdigest()


def mutants_of(module: str, path: Path, source: str) -> list[Mutant]:
    """All faults of a module, in the order of its lines."""
    lines = source.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line.encode()))
    data = source.encode()
    found = []
    for node, replacement in _faults(ast.parse(source)):
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        first, last = node.lineno, node.end_lineno
        if any(PRAGMA in line for line in lines[first - 1 : last]):
            continue
        begin = starts[first - 1] + node.col_offset
        end = starts[last - 1] + node.end_col_offset
        text = data[:begin] + replacement.encode() + data[end:]
        before = " ".join(data[begin:end].decode().split())
        found.append(Mutant(module, path, first, last, before, replacement, text.decode()))
    return sorted(found, key=lambda mutant: (mutant.line, mutant.before, mutant.after))


Fault = tuple[ast.expr | ast.stmt, str]


def _faults(tree: ast.Module) -> Iterator[Fault]:
    for node, in_function in _code(tree, False):
        if isinstance(node, ast.stmt):
            yield from _of_statement(node)
        elif isinstance(node, ast.expr):
            yield from _of_expression(node)
            if isinstance(node, ast.Constant):
                yield from _of_constant(node, in_function)


def _code(node: ast.AST, in_function: bool) -> Iterator[tuple[ast.AST, bool]]:
    """Not annotations, decorators, docstrings, assertions, f-strings, errors' messages."""
    for field, value in ast.iter_fields(node):
        if field in _NO_CODE or (field == "keywords" and isinstance(node, ast.ClassDef)):
            continue
        if not in_function and isinstance(node, ast.Call) and field in ("args", "keywords"):
            continue  # a row of a table: a test that says it again would prove nothing
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST):
                continue
            if isinstance(child, ast.keyword) and child.arg == "strict":
                continue  # of zip: an assertion too
            if isinstance(child, ast.Assert | ast.Import | ast.ImportFrom | ast.JoinedStr) or _is_typing(
                child
            ):
                continue
            if isinstance(node, ast.AnnAssign) and isinstance(child, ast.Constant) and not child.value:
                continue  # a field that is empty unless given
            yield child, in_function
            if not isinstance(child, ast.Raise):
                inside = in_function or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
                yield from _code(child, inside)


def _is_typing(node: ast.AST) -> bool:
    if isinstance(node, ast.If):
        return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    if isinstance(node, ast.Assign):
        return isinstance(node.targets[0], ast.Name) and node.targets[0].id == "__all__"
    return (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("cast", "TypeVar")
    )


def _of_statement(node: ast.stmt) -> Iterator[Fault]:
    """Statements that can be left out without a name missing afterwards."""
    if isinstance(node, ast.Expr):
        if isinstance(node.value, ast.Call | ast.Await):
            yield node, "pass"
    elif isinstance(node, ast.AugAssign | ast.Delete | ast.Raise | ast.Continue | ast.Break):
        yield node, "pass"
    elif isinstance(node, ast.Assign):
        if all(isinstance(target, ast.Attribute | ast.Subscript) for target in node.targets):
            yield node, "pass"
    elif isinstance(node, ast.If | ast.While) and _is_plain(node.test):
        yield node.test, f"(not {ast.unparse(node.test)})"


def _of_expression(node: ast.expr) -> Iterator[Fault]:
    if isinstance(node, ast.Compare):
        for index, operator in enumerate(node.ops):
            changed = copy.copy(node)
            changed.ops = [*node.ops]
            changed.ops[index] = _COMPARE[type(operator)]()
            yield node, f"({ast.unparse(changed)})"
    elif isinstance(node, ast.BoolOp):
        changed_bool = copy.copy(node)
        changed_bool.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield node, f"({ast.unparse(changed_bool)})"
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node, f"({ast.unparse(node.operand)})"
    elif isinstance(node, ast.BinOp):
        other = _ARITHMETIC.get(type(node.op))
        if other is not None and not _is_text(node.left) and not _is_text(node.right):
            changed_op = copy.copy(node)
            changed_op.op = other()
            yield node, f"({ast.unparse(changed_op)})"
    elif isinstance(node, ast.IfExp) and _is_plain(node.test):
        yield node.test, f"(not {ast.unparse(node.test)})"
    elif isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
        for test in (test for part in node.generators for test in part.ifs if _is_plain(test)):
            yield test, f"(not {ast.unparse(test)})"
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _CALLS:
        yield node.func, _CALLS[node.func.id]


def _of_constant(node: ast.Constant, in_function: bool) -> Iterator[Fault]:
    """Off by one in a function; far off outside, where limits stand of which one more or less is no fault."""
    if isinstance(node.value, bool):
        yield node, str(not node.value)
    elif isinstance(node.value, int | float):
        yield node, repr(node.value + 1 if in_function else node.value * 2 + 1)


def _is_plain(test: ast.expr) -> bool:
    """A condition that no other fault turns around."""
    return isinstance(test, ast.Name | ast.Attribute | ast.Call | ast.Subscript | ast.NamedExpr)


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))
