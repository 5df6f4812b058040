"""What of a text tells its subject: the stems of its words, and pairs of neighbours."""

from itertools import pairwise

from tiza.taxonomy.words import ENGLISH, FILLERS, SPANISH, plain, tokens

STEM = 6  # letters of a word that count: planet, planets; fotosíntesis, fotosintético
EMPTY_WORDS = """
i we us me my our he she am any does up down out give gives show want need like one two first each
yo nos mi tu te si no ha hay hace hacer dan da das dice cual cuales cuanto cuanta quien quienes cada
ser les entre hasta ante
"""
EMPTY = {plain(word) for word in ENGLISH | SPANISH | FILLERS | set(EMPTY_WORDS.split())}


def features(text: str) -> list[str]:
    """Return the stems of the words that tell something, and each pair of neighbours."""
    words = (plain(word) for word in tokens(text))
    stems = [word[:STEM] for word in words if word not in EMPTY and len(word) > 1]
    return [*stems, *(" ".join(pair) for pair in pairwise(stems))]
