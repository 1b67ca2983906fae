"""A small cohort and two models, as the sources of plugins."""

import textwrap

TOY_DATASET = '''
    """A small cohort whose outcome depends on IL-6 as strongly as `signal` says."""
    from cytobench import dataset


    @dataset(kind="simulated")
    def toy(n=90, signal=2.0, sites=3, seed=1):
        """Ninety patients, four analytes, two arms."""
        import numpy as np
        import pandas as pd

        from cytobench import Analyte, Cohort, DatasetCard, LabelOutcome

        draw = np.random.default_rng(seed)
        z = draw.normal(size=(n, 4))
        p = 1 / (1 + np.exp(-signal * z[:, 1]))
        names = ["CRP", "IL-6", "TNF-α", "IL-10"]
        table = pd.DataFrame(np.exp(z), columns=names)
        table["age"] = draw.normal(40, 10, n)
        table["sex"] = draw.choice(["female", "male"], n)
        table["arm"] = draw.choice(["A", "B"], n)
        table["site"] = np.arange(n) % sites
        table["responder"] = (draw.random(n) < p).astype(float)
        table.index = [f"patient-{i}" for i in range(n)]
        return Cohort(
            table,
            [Analyte(name, "mg/L" if name == "CRP" else "pg/mL") for name in names],
            LabelOutcome("responder", "responded"),
            DatasetCard("toy", "Toy cohort", kind="simulated"),
            covariates=["age", "sex"],
            arm="arm",
            site="site",
            truth=pd.DataFrame({"response": p}),
        )
'''
TOY_MODELS = {
    "toy_ridge": '''
        """Ridge logistic regression."""
        from cytobench import Float, model


        @model(space={"C": Float(1e-3, 1e2, log=True)})
        def toy_ridge(C=1.0):
            """Ridge logistic regression."""
            from sklearn.linear_model import LogisticRegression

            return LogisticRegression(C=C, max_iter=1000)
    ''',
    "guess": '''
        """The prevalence."""
        from cytobench import model


        @model(role="floor", inputs=("clinical",))
        def guess():
            """The prevalence."""
            from sklearn.dummy import DummyClassifier

            return DummyClassifier(strategy="prior")
    ''',
}


def write_plugins(folder, models):
    """The toy cohort and some models, as a person would have them in ``folder``."""
    for kind, sources in (("datasets", {"toy": TOY_DATASET}), ("models", models)):
        for name, source in sources.items():
            path = folder / "plugins" / kind / f"{name}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(source).lstrip("\n"), encoding="utf-8")
