"""Time zones of states and provinces in countries that have several, from the tz database's zone1970.tab and its comments (2025b)."""

from __future__ import annotations

_E, _C, _M, _P = "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles"

_US_SINGLE: dict[str, str] = {
    _E: "CT DC DE GA MA MD ME NC NH NJ NY OH PA RI SC VA VT WV",
    _C: "AL AR IA IL LA MN MO MS OK WI",
    _M: "CO MT NM UT WY",
    _P: "CA WA",
}
_US: dict[str, tuple[str, ...]] = {
    **{state: (zone,) for zone, states in _US_SINGLE.items() for state in states.split()},
    "AK": ("America/Adak", "America/Anchorage"),
    "AZ": (_M, "America/Phoenix"),
    "FL": (_C, _E),
    "HI": ("Pacific/Honolulu",),
    "ID": ("America/Boise", _P),
    "IN": (_C, "America/Indiana/Indianapolis"),
    "KS": (_C, _M),
    "KY": (_C, _E),
    "MI": ("America/Detroit", "America/Menominee"),
    "ND": (_C, _M),
    "NE": (_C, _M),
    "NV": (_M, _P),
    "OR": ("America/Boise", _P),
    "SD": (_C, _M),
    "TN": (_C, _E),
    "TX": (_C, _M),
}
_CA: dict[str, tuple[str, ...]] = {
    "AB": ("America/Edmonton",),
    "BC": ("America/Edmonton", "America/Vancouver"),
    "MB": ("America/Winnipeg",),
    "NB": ("America/Moncton",),
    "NL": ("America/Goose_Bay", "America/St_Johns"),
    "NS": ("America/Halifax",),
    "NT": ("America/Edmonton",),
    "NU": ("America/Iqaluit", "America/Rankin_Inlet"),
    "ON": ("America/Toronto", "America/Winnipeg"),
    "PE": ("America/Halifax",),
    "QC": ("America/Halifax", "America/Toronto"),
    "SK": ("America/Edmonton", "America/Regina"),
    "YT": ("America/Whitehorse",),
}
_AU: dict[str, tuple[str, ...]] = {
    "ACT": ("Australia/Sydney",),
    "NSW": ("Australia/Adelaide", "Australia/Lord_Howe", "Australia/Sydney"),
    "NT": ("Australia/Darwin",),
    "QLD": ("Australia/Brisbane",),
    "SA": ("Australia/Adelaide",),
    "TAS": ("Australia/Hobart",),
    "VIC": ("Australia/Melbourne",),
    "WA": ("Australia/Eucla", "Australia/Perth"),
}
SUBDIVISIONS: dict[str, dict[str, tuple[str, ...]]] = {"US": _US, "CA": _CA, "AU": _AU}
"""By ISO 3166-1 country, then ISO 3166-2 subdivision without the country."""
