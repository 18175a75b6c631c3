"""Coding frames: codes in levels, such as "water > pump > broken". Records and their arithmetic; no file is read here.

The name of a class is its whole path, so a frame can be told from the names of classes alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from headstart.spellings import fold_label

SEPARATOR = " > "
"""Between the levels of a path."""
INSIDE = " › "
"""Stands for the separator within the name of a level."""
MOST_LEVELS = 8
MOST_NAME_CHARACTERS = 200

Path = tuple[str, ...]
"""Names of the levels, the widest first."""


def join_path(path: Sequence[str]) -> str:
    """Return the name of a path.

    Parameters
    ----------
    path : sequence of str

    Examples
    --------
    >>> join_path(["water", "pump  broken"])
    'water > pump broken'
    """
    return SEPARATOR.join(tidy_level(name) for name in path)


def tidy_level(name: str) -> str:
    """Return the name of one level in one line and without the separator of levels.

    Parameters
    ----------
    name : str
    """
    return f" {' '.join(name.split())} ".replace(SEPARATOR, INSIDE).strip()


def split_path(name: str) -> Path:
    """Return the levels of the name of a class.

    Parameters
    ----------
    name : str

    Examples
    --------
    >>> split_path("water > pump"), split_path("other")
    (('water', 'pump'), ('other',))
    """
    return tuple(name.split(SEPARATOR))


@dataclass(frozen=True)
class FrameCode:
    """A code of a frame: its path, what people write for it in tables, and what it means; the last two may be empty."""

    path: Path
    id: str = ""
    description: str = ""

    @property
    def name(self) -> str:
        """The path as the name of a class."""
        return join_path(self.path)


@dataclass(frozen=True)
class CodingFrame:
    """Codes, each with its path.

    Parameters
    ----------
    codes : tuple of FrameCode
        Each path once.
    levels : tuple of str
        Names of the levels, the widest first; as many as the longest path has.
    """

    codes: tuple[FrameCode, ...]
    levels: tuple[str, ...] = ()

    @classmethod
    def from_names(cls, names: Iterable[str], levels: Sequence[str] = ()) -> CodingFrame:
        """Return the frame of classes whose names are paths.

        Parameters
        ----------
        names : iterable of str
        levels : sequence of str
            Names of the levels, if they are known.

        Examples
        --------
        >>> CodingFrame.from_names(["water > pump", "other"]).levels
        ('level 1', 'level 2')
        """
        codes = tuple(FrameCode(split_path(name)) for name in dict.fromkeys(names))
        return cls(codes, name_levels(codes, levels))

    @property
    def depth(self) -> int:
        """The number of levels."""
        return len(self.levels)

    @cached_property
    def by_name(self) -> Mapping[str, FrameCode]:
        """The codes by the name of their path."""
        return {code.name: code for code in self.codes}

    @cached_property
    def _by_written(self) -> Mapping[str, set[str]]:
        """Return names of paths by what people may write for them: the id, the whole path, or the last level."""
        written: dict[str, set[str]] = {}
        for code in self.codes:
            for at in range(1, len(code.path) + 1):
                name = join_path(code.path[:at])
                for text in (name, "/".join(code.path[:at]), code.path[at - 1]):
                    written.setdefault(fold_label(text), set()).add(name)
        for code in self.codes:
            if code.id:
                written[fold_label(code.id)] = {code.name}
        for name in {join_path(code.path[:at]) for code in self.codes for at in range(1, len(code.path) + 1)}:
            written[fold_label(name)] = {name}
        return written

    def find_paths(self, written: str) -> tuple[str, ...]:
        """Return the names of the paths that a written label may mean: none, one, or several of the same last level.

        Parameters
        ----------
        written : str
            An id, a path, or the name of the last level; letter case and blanks do not count.

        Examples
        --------
        >>> frame = CodingFrame((FrameCode(("water", "other"), "W9"), FrameCode(("food", "other"), "F9")))
        >>> frame.find_paths("w9"), frame.find_paths("Other"), frame.find_paths("water"), frame.find_paths("x")
        (('water > other',), ('food > other', 'water > other'), ('water',), ())
        """
        return tuple(sorted(self._by_written.get(fold_label(written), ())))

    def describe(self, name: str) -> str:
        """Return what a class means; "" where the frame does not say.

        Parameters
        ----------
        name : str
        """
        code = self.by_name.get(name)
        return code.description if code else ""


def name_levels(codes: Iterable[FrameCode], levels: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the names of as many levels as the longest path has; those that have no name are numbered.

    Parameters
    ----------
    codes : iterable of FrameCode
    levels : sequence of str
    """
    depth = max((len(code.path) for code in codes), default=0)
    return tuple(levels[at] if at < len(levels) else f"level {at + 1}" for at in range(depth))


@lru_cache(maxsize=8)
def count_levels(classes: tuple[str, ...]) -> int:
    """Return how many levels the longest path among classes has; 0 where they are no paths.

    Parameters
    ----------
    classes : tuple of str
    """
    return max(len(split_path(name)) for name in classes) if looks_like_paths(classes) else 0


def join_label_levels(labels: Sequence[str], depth: int) -> tuple[str, ...]:
    """Return the labels of a row at each level, parents of given labels included.

    Parameters
    ----------
    labels : sequence of str
        Paths.
    depth : int
        Levels of the frame.

    Examples
    --------
    >>> join_label_levels(["aid > water", "storm"], 2)
    ('aid;storm', 'aid > water')
    """
    paths = [split_path(name) for name in labels]
    levels = [dict.fromkeys(join_path(path[:at]) for path in paths if len(path) >= at) for at in range(1, depth + 1)]
    return tuple(";".join(names) for names in levels)


def looks_like_paths(names: Iterable[str]) -> bool:
    """Return whether names are paths: most have several levels, and two stand under the same parent.

    Parameters
    ----------
    names : iterable of str

    Examples
    --------
    >>> looks_like_paths(["water > pump", "water > price", "other"]), looks_like_paths(["income > 50", "income < 50"])
    (True, False)
    """
    paths = [split_path(name) for name in set(names)]
    deep = [path for path in paths if len(path) > 1 and all(map(str.strip, path))]
    return 2 * len(deep) > len(paths) and max(Counter(path[:-1] for path in deep).values(), default=0) > 1
