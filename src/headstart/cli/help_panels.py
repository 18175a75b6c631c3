"""How help is laid out: which panel a command or an option stands in, and one example of each command."""

from __future__ import annotations

from collections.abc import Iterable

START = """Adapt a ready-made model to your own images, texts or time series, and learn whether it helped.

\b
1. Try it:           headstart demo -o demo
2. Check your data:  headstart check DATA
3. Make a model:     headstart adapt DATA -o out
4. Look at it:       out/report.html, in a browser
"""
COMMAND_PANELS = {
    "Start here": ("studio", "demo", "check", "project", "adapt"),
    "Use a model": ("predict", "explain", "set-care", "serve", "report", "redact", "connect"),
    "At another place, and with more labels": ("evaluate", "compare", "label", "label-next", "codes"),
    "Search, and find what is alike": ("embed", "search", "similar"),
    "Carry a model to other machines": ("export", "verify"),
    "Ready-made models": ("bases", "adapt-language", "evaluate-language", "pretrain"),
    "Housekeeping": ("doctor", "cache", "forget"),
}
MORE = "More"
EXAMPLES = {
    "adapt": "headstart adapt messages.csv -o out --time 5m",
    "adapt-language": "headstart adapt-language texts/ -o my-base",
    "bases": "headstart bases --for messages.csv",
    "cache": "headstart cache --prune",
    "check": "headstart check messages.csv",
    "codes": "headstart codes diff frame-2025.xlsx frame-2026.xlsx --data coded.csv",
    "compare": "headstart compare out-old out-new fresh.csv",
    "connect": "headstart connect kobo out --asset aSAvYreNzVEkrWg5Gdcvg --question comment -o codes.csv",
    "demo": "headstart demo -o demo",
    "doctor": "headstart doctor",
    "embed": "headstart embed messages.csv -o vectors",
    "evaluate": "headstart evaluate out fresh.csv",
    "evaluate-language": "headstart evaluate-language default texts.txt",
    "explain": "headstart explain out photo.jpg -o explained.html",
    "export": "headstart export out --to web",
    "forget": "headstart forget out --id patient-17",
    "label": "headstart label messages.csv --classes water,health,food -o my-project",
    "label-next": "headstart label-next out unlabelled.csv -o to_label.csv",
    "predict": "headstart predict out new.csv -o answers.csv",
    "pretrain": "headstart pretrain -o my-base",
    "project": "headstart project new maize",
    "redact": "headstart redact messages.csv --types phone,mail -o redacted.jsonl",
    "report": "headstart report out --language fr",
    "search": 'headstart search vectors "no water since Monday"',
    "serve": "headstart serve out",
    "set-care": "headstart set-care out --at-most-wrong 5",
    "studio": "headstart studio",
    "similar": "headstart similar messages.csv -o groups.csv",
    "verify": "headstart verify out",
}
OPTION_PANELS = {
    "What is in the data": (
        "text", "label", "id", "values", "channels", "time_column", "axes", "sheet", "encoding", "group", "modality",
        "merge_labels", "unlabelled", "task", "order", "compare", "frame", "level_mark",
    ),
    "Time and effort": ("time", "strategy", "base", "precision", "max_memory", "runtime"),
    "Rows to learn from and to test on": ("test", "also", "labels_per_class", "duplicates", "seed", "balance"),
    "When it answers": ("coverage", "cost", "refer_cost", "reserved", "require", "answer_below"),
    "Fairness": ("audit", "swaps", "mitigate"),
    "What is written": ("output", "language", "keep_torch", "keep_vocabulary", "json_output", "quiet", "verbose"),
}  # fmt: skip


def sort_commands(names: Iterable[str]) -> list[str]:
    """Return commands in the order of their panels.

    Parameters
    ----------
    names : iterable of str
        As on the command line.
    """
    order = [name for panel in COMMAND_PANELS.values() for name in panel]
    return sorted(names, key=lambda name: order.index(name) if name in order else len(order))


def find_command_panel(name: str) -> str:
    """Return the panel that a command stands in.

    Parameters
    ----------
    name : str
        As on the command line.
    """
    return next((panel for panel, names in COMMAND_PANELS.items() if name in names), MORE)


def find_option_panel(name: str) -> str | None:
    """Return the panel that an option stands in; None: that of all options.

    Parameters
    ----------
    name : str
        Of its field.
    """
    return next((panel for panel, names in OPTION_PANELS.items() if name in names), None)


def write_epilog(name: str) -> str | None:
    """Return the example of a command, for the end of its help.

    Parameters
    ----------
    name : str
        As on the command line.
    """
    return f"Example: {EXAMPLES[name]}" if name in EXAMPLES else None
