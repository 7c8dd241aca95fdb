"""Twelve goals of our own, one for each common kind of blueprint, with what a person would choose for them.

They were written before the words and rules of `remit.plan.routing`, and before any scenario of somebody else was read.
"""

GOALS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("dashboard", "Show our sales team how revenue and orders develop, with charts, key figures and a sortable table of orders",
     ("theming-components", "designing-layouts", "creating-dashboards", "visualizing-data", "building-tables")),
    ("crud-api", "A small REST service in FastAPI to create, read, update and delete customer records in Postgres, with login",
     ("implementing-api-patterns", "using-relational-databases", "securing-authentication")),
    ("rag-pipeline", "Let employees ask questions about our PDF handbooks and get answers with citations, using embeddings and a"
     " vector database",
     ("ingesting-data", "using-vector-databases", "ai-data-engineering")),
    ("k8s", "Move our containers to a Kubernetes cluster with ingress, health checks and autoscaling",
     ("operating-kubernetes", "writing-dockerfiles", "configuring-nginx")),
    ("security", "Harden our servers and the sign-in, keep secrets in a vault and be ready for a SOC 2 audit",
     ("security-hardening", "securing-authentication", "secret-management", "implementing-compliance")),
    ("api-first", "Design a public API from an OpenAPI contract first, with versioning and generated clients",
     ("designing-apis", "securing-authentication", "testing-strategies")),
    ("data-pipeline", "Stream click events through Kafka, transform them and load them into a warehouse every few minutes",
     ("using-relational-databases", "streaming-data", "optimizing-sql")),
    ("ml-pipeline", "Train a churn model, track the experiments, register the best model and serve it",
     ("implementing-mlops", "ai-data-engineering", "model-serving")),
    ("ci-cd", "Build, test and release every push automatically with GitHub Actions and roll back when a deployment fails",
     ("building-ci-pipelines", "testing-strategies", "implementing-gitops")),
    ("cloud", "Describe our AWS network, servers and databases as Terraform code with separate staging and production",
     ("writing-infrastructure-code", "deploying-on-aws")),
    ("observability", "Collect logs, traces and metrics from twelve services and page someone when error rates rise",
     ("implementing-observability", "creating-dashboards")),
    ("cost", "Find out which teams spend how much in the cloud and cut the monthly bill",
     ("resource-tagging", "implementing-observability", "creating-dashboards")),
)  # fmt: skip
"""the blueprint, the goal, the skills"""
