"""How far a transcript is from what was said.

The word error rate is the fewest words to change, add or drop that make one text of the other,
divided by the words that were said. Case and punctuation are no words' business.
"""

from __future__ import annotations

import re


def words(text: str) -> list[str]:
    """Return the words in lower case, without punctuation: `It's so.` -> ["it's", "so"]."""
    return re.findall(r"[\w']+", text.lower())


def word_error_rate(said: str, heard: str) -> float:
    """Return the rate; above 1 where far more was heard than said."""
    wanted, found = words(said), words(heard)
    # distances[i]: from the first i wanted words to the words found so far.
    distances = list(range(len(wanted) + 1))
    for count, word in enumerate(found, 1):
        replaced = [
            before + (word != other) for before, other in zip(distances, wanted, strict=False)
        ]
        fresh = [count]
        for place, dropped in enumerate(distances[1:]):
            fresh.append(min(replaced[place], dropped + 1, fresh[-1] + 1))
        distances = fresh
    return distances[-1] / len(wanted)
