"""A program's statements as text, to look for a solution where none should be."""

import ast


def statements(source):
    """Return Python statements without comments, docstrings, quotes' kinds and indentation."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return unindented(ast.unparse(tree))


def unindented(text):
    return "\n".join(line.strip() for line in text.splitlines() if line.strip())
