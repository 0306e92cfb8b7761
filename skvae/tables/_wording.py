"""How messages to the user list names."""


def listed(names, most=10) -> str:
    """Return names for a message: all of them, or the first of many."""
    names = list(names)
    if not names:
        return "none"
    shown = [repr(name) for name in names[:most]]
    return ", ".join([*shown, "..."] if len(names) > most else shown)
