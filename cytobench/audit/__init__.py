"""The leakage audit: invariances of a procedure, and probes of a cohort."""
