"""Settings of the documentation. It builds without a network."""

import doctest
import os
import re
import sys
from html import escape
from importlib.metadata import version as installed_version
from pathlib import Path

import pandas as pd
from numpydoc.docscrape_sphinx import SphinxDocString

# The gallery looks up what examples import, also of those that it need not run again.
from sklearn.experimental import enable_halving_search_cv  # noqa: F401

os.environ.setdefault("MPLBACKEND", "Agg")
# An option of pytest's, which runs the pages' examples, and unknown to doctest itself.
doctest.register_optionflag("NUMBER")

sys.path.insert(0, str(Path(__file__).parent))  # for gallery_order

project = "skvae"
author = "The skvae developers"
copyright = author
version = release = installed_version("skvae")

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "matplotlib.sphinxext.plot_directive",
    "sphinx_gallery.gen_gallery",
    "sphinx_copybutton",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "_templates"]
# A name in single backticks links to its page where it has one.
default_role = "obj"
pygments_style = "default"

autosummary_generate = True
autosummary_imported_members = True
autodoc_typehints = "none"
autodoc_mock_imports = ["sdmetrics", "sdv"]
autodoc_member_order = "bysource"
# The templates in _templates/autosummary say which members a page shows.
numpydoc_show_class_members = False
numpydoc_xref_param_type = False
# The page of a class lists its methods beside it, without its name before each.
toc_object_entries_show_parents = "hide"

plot_formats = [("png", 144)]
plot_html_show_formats = False
plot_html_show_source_link = False
plot_include_source = True
plot_rcparams = {"figure.dpi": 100}

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    # All of them run, and the first that fails stops the build.
    "filename_pattern": r"\.py$",
    "ignore_pattern": r"/output/",
    "within_subsection_order": "gallery_order.StoryOrder",
    "abort_on_example_error": True,
    # What a script prints is shown; it prints all there is to see.
    "capture_repr": (),
    "backreferences_dir": "generated/backreferences",
    "doc_module": ("skvae",),
    "reference_url": {"skvae": None},
    "download_all_examples": False,
    "show_signature": False,
    "show_memory": False,
    "write_computation_times": False,
}

# What is copied is the code alone, without prompts and what it prints.
copybutton_prompt_text = r">>> |\.\.\. ?|\$ "
copybutton_prompt_is_regexp = True

html_theme = "pydata_sphinx_theme"
html_title = "skvae"
html_static_path = ["_static"]
html_css_files = ["skvae.css"]
html_show_sourcelink = False
html_copy_source = False
html_context = {"default_mode": "light"}
# A sidebar lists a page's neighbours. These have none, or tables that need the room.
ALONE = ["index", "start", "benchmarks", "reproduction", "glossary", "gallery/*"]
html_sidebars = {page: [] for page in ALONE}
html_theme_options = {
    "show_prev_next": True,
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "header_links_before_dropdown": 7,
    "navbar_end": ["theme-switcher"],
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "default",
    "pygments_dark_style": "monokai",
}

BENCHMARKS = [
    "credit_factors",
    "generation",
    "generation_speed",
    "generation_privacy",
    "generation_latents",
    "imputation",
    "table_speed",
    "thesis_setting",
    "family_disentanglement",
    "relevance",
    "recovered_factors",
    "choosing",
    "metric_rows",
    "metric_speed",
    "metric_agreement",
    "binarised_mnist",
    "multi_stage",
    "multi_stage_images",
    "recession",
    "anomaly_tables",
    "anomaly_images",
    "anomaly_speed",
    "family_speed",
    "epoch_speed",
    "inference_speed",
    "table_stream",
    "search_processes",
    "reproduce/table_b1",
    "reproduce/table_5_1",
    "reproduce/table_5_2",
    "reproduce/table_5_3",
    "reproduce/figure_5_5",
    "reproduce/along_beta",
    "reproduce/attributes",
    "reproduce/dcvae_table_1",
]
_CROSS_REFERENCE = re.compile(r":ref:`(?:([^`<]*?)\s*<)?([^`>]*)>?`")


def plain_cross_references(app, what, name, obj, options, lines):
    """Turn links into scikit-learn's own pages, in what is inherited, into text."""
    if getattr(obj, "__module__", None) and obj.__module__.startswith("sklearn"):
        lines[:] = [
            _CROSS_REFERENCE.sub(lambda match: match[1] or f"``{match[2]}``", line)
            for line in lines
        ]


def as_documented(self, param, desc, fake_autosummary):
    """Show an attribute as the class docstring has it, also where it is a property."""
    return f"**{param.strip()}**", desc


SphinxDocString._process_param = as_documented


def benchmark_results(app):
    """Write what the page of benchmarks includes: results, or that there are none."""
    source = Path(app.srcdir)
    target = source / "generated" / "benchmarks"
    (target / "reproduce").mkdir(parents=True, exist_ok=True)
    for name in BENCHMARKS:
        results = source / f"../benchmarks/results/{name}.md"
        if not results.exists():
            script = name.replace("/", " ") if "/" in name else f"{name}.py"
            text = f"There are no results yet; run ``python benchmarks/{script}``.\n"
        else:
            text = shown_results(results.read_text(encoding="utf-8"))
        page = target / f"{name}.inc"
        if not page.exists() or page.read_text(encoding="utf-8") != text:
            page.write_text(text, encoding="utf-8")


def shown_results(markdown):
    """Return what a benchmark wrote as reST, its tables in HTML."""
    command, *parts, environment = markdown.strip().split("\n\n")
    parts.append(f"{command}. {environment}")
    return "\n\n".join(
        results_table(part) if part.startswith("|") else results_note(part)
        for part in parts
    )


def results_note(text):
    """Return text, its code in Markdown's single backticks, as reST."""
    return f".. rst-class:: results-note\n\n{text.replace('`', '``')}\n"


def results_table(text):
    """Return a table in HTML, with two header rows if names are ``group: column``."""
    names, _, *rows = (
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
    )
    table = pd.DataFrame(rows).replace("nan", "")
    headers = [name.rpartition(": ")[::2] for name in names]
    for place, (group, name) in enumerate(headers):
        is_text = any(re.match(r"[^\d.+-]", cell) for cell in table[place])
        mark = '<span class="text">{}</span>' if is_text else "{}"
        table[place] = [mark.format(escape(cell)) for cell in table[place]]
        headers[place] = (escape(group), mark.format(escape(name)))
    if any(group for group, _ in headers):
        table.columns = pd.MultiIndex.from_tuples(headers)
    else:
        table.columns = [name for _, name in headers]
    html = table.to_html(index=False, border=0, escape=False, classes="results-table")
    lines = ['<div class="results">', *html.splitlines(), "</div>"]
    return ".. raw:: html\n\n" + "".join(f"   {line}\n" for line in lines)


def setup(app):
    # Before numpydoc reads the docstring, at priority 500.
    app.connect("autodoc-process-docstring", plain_cross_references, priority=400)
    app.connect("builder-inited", benchmark_results)
