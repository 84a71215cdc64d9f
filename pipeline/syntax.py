"""Source code as syntax: what remains of a module when comments and docstrings are left out.

Two texts with one digest do the same; so a comment is no reason to train, or to register, again.
"""

import ast
import hashlib


def syntax_digest(source: str) -> str:
    """SHA-256 (hex) of a module's syntax tree without bare strings, comments and positions."""
    tree = _Silent().visit(ast.parse(source))
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()


class _Silent(ast.NodeTransformer):
    """Leaves out statements that are only a string: docstrings of modules, classes, fields."""

    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        """None for a bare string, which removes the statement."""
        value = node.value
        bare = isinstance(value, ast.Constant) and isinstance(value.value, str)
        return None if bare else node
