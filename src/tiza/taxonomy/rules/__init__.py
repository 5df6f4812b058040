"""Every rule of the checker, as data: what it is called, how grave it is, and its words.

The docs page of the rules is made from here. How a rule is found out is elsewhere.
"""

from tiza.taxonomy.rules.content import CONTENT_RULES
from tiza.taxonomy.rules.files import FILE_RULES
from tiza.taxonomy.rules.rule import Rule, Severity
from tiza.taxonomy.rules.structure import STRUCTURE_RULES
from tiza.taxonomy.rules.syntax import SYNTAX_RULES

__all__ = ["GROUPS", "RULES", "Rule", "Severity"]

GROUPS = {
    "files": FILE_RULES,
    "syntax": SYNTAX_RULES,
    "structure": STRUCTURE_RULES,
    "content": CONTENT_RULES,
}
RULES = {rule.id: rule for group in GROUPS.values() for rule in group}
