"""How the documentation becomes a site: Sphinx, MyST and furo; ``make docs``.

The source folder is the repository, so that a link to a published board or a measurement leads
there in a checkout and on the site alike.
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import scipy.stats  # noqa: E402, F401  # before torch is mocked: it looks at what torch is
import sklearn.base  # noqa: E402, F401

import cytobench  # noqa: E402

project = "cytobench"
author = "The cytobench developers"
copyright = author  # noqa: A001
version = release = cytobench.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
root_doc = "docs/index"
include_patterns = [
    "docs/**",
    "benchmarks/results/*.md",
    "leaderboards/*/*.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
]
# Folders that need not be walked through.
exclude_patterns = [".*", "build", "dist", "runs", "mlartifacts", "tests", "plugins", "cytobench"]

myst_heading_anchors = 3
myst_enable_extensions = ["smartquotes"]
suppress_warnings = ["myst.header"]  # a published board begins with its own levels

autodoc_mock_imports = ["torch"]  # the pages are the same whether it is installed or not
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_type_aliases = {"Floats": "Floats", "ArrayLike": "ArrayLike"}
autodoc_preserve_defaults = True
# Put there by scikit-learn's metadata routing, for every estimator alike.
autodoc_default_options = {"exclude-members": "set_fit_request, set_score_request"}
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True

html_theme = "furo"
html_title = f"cytobench {version}"
html_extra_path = ["_extra"]
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_show_search_summary = False  # summaries are fetched, which no browser does from disk
html_theme_options = {
    "footer_icons": [],
    "announcement": "Compares methods. No medical device.",
}
