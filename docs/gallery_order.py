"""The order of the stories in the gallery: from the first question to the odd one."""

STORIES = [
    "discover_credit_factors",
    "what_beta_does",
    "choose_credit_model",
    "pipeline_and_halving",
    "optuna_study",
    "generate_credit",
    "condition_credit",
    "recession_credit",
    "credit_anomalies",
    "explore_images",
    "mix_images",
    "paper_reconstructions",
]


class StoryOrder:
    """Sort key of example files; those without a place come last, by name."""

    def __init__(self, src_dir):
        self.src_dir = src_dir

    def __call__(self, filename):
        name = filename.removesuffix(".py")
        return STORIES.index(name) if name in STORIES else len(STORIES), name

    def __repr__(self):
        return "StoryOrder"
