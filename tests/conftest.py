"""Settings that have to stand before scipy is imported."""

import os

# scikit-learn's array API checks are skipped without it.
os.environ.setdefault("SCIPY_ARRAY_API", "1")
