"""Texts that break programs: numbers beyond numbers, invisible letters, markup, commands."""

from __future__ import annotations

from hypothesis import strategies as st

NUMBERS = (
    "1e308", "-1e308", "1e309", "1" + "0" * 400, "9" * 25, str(2**63), str(-(2**63) - 1),
    "NaN", "inf", "-inf", "Infinity", "1e-400", "0x1F", "1_000", "1,5", "1.234,5", "1 000", "½",
    "٣", "１２", "--1", "+-2", "1e", ".", "-", "1.2.3", "<", "<<1", "<0,5", ">", "≥2", "*", "*3.1",
    "OOR <", "OOR >", "ND", "9999-12-31T23:59:60", "10000-01-01", "0000-00-00", "1677-01-01",
)  # fmt: skip
COMMANDS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("http://x","y")',
            "=cmd|' /C calc'!A0", "＝1+1")  # fmt: skip
MARKUP = (
    "<script>alert('x')</script>", "<img src=x onerror=alert(1)>", "&lt;", '"><b>', "]]>",
    "[red]", "[/]", "[/red]", "[link=http://x]y[/link]", "[", "[]", "\\[", "|", "`", "```",
    "![x](http://x/y)", "[x](javascript:alert(1))", "# x", "- x", "<!-- -->", "$x$", "\\",
    "{{7*7}}",
    "{%", "${oc.env:HOME}", "${", "%s", "{0}", "\n# x", "\n```\n<b>",
)  # fmt: skip
CONTROLS = ("\x1b[31m", "\x1b[2J", "\x1b]0;x\x07", "\x1b]8;;http://x\x1b\\y", "\x9b31m", "\x85",
            "\x07",
            "\x08", "\x00", "\x7f", "\x0b", "\x0c", "\x1c", "\x1f", "\r", "\n", "\r\n",
            "\t")  # fmt: skip
NAMES = (
    "é", "e\u0301", "\u202egnp.exe", "\u2066x\u2069", "a\u200bb", "\u200d", "\ufeffx", "🧪", "👩‍🔬",
    "İ", "ı",
    "I", "i", "ſ", "ß", "ŉ", "K", "Ω", "µ", "μ", "TNF-α", "\ud800", "\ufffe", "\U0010ffff",
    "\u2028",
    "\u2029", "\u00a0", "\u3000", " ", "", "CON", "NUL", "..", "../x", "/etc/passwd", "~", "C:\\x",
    "a/b",
    "a\\b", "index", "a" * 300, "__below", "IL-6__below", "\x00place0", "None", "null", "true",
    "yes",
    "__class__", "__proto__",
)  # fmt: skip
ALL = (*NUMBERS, *COMMANDS, *MARKUP, *CONTROLS, *NAMES)

known = st.sampled_from(ALL)
any_text = st.text(st.characters(), max_size=12)
"""Any character that there is, lone surrogates with them."""
hostile = st.one_of(
    known, st.builds(lambda a, b: a + b, known, known), any_text, st.just("x" * 40_000)
)
unicode_text = hostile.filter(lambda text: not any("\ud800" <= c <= "\udfff" for c in text))
"""What can be written to a file as UTF-8."""
numbers = st.one_of(
    st.integers(),
    st.integers(-(10**6), 10**6),
    st.floats(),
    st.sampled_from([10**400, -(10**400), 2**63, 2**64, 1e308, -1e308, 5e-324, -0.0]),
)
values = st.recursive(
    st.none() | st.booleans() | numbers | hostile,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(hostile, inner, max_size=3),
    max_leaves=6,
)
"""Any plain data."""
