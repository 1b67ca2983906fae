"""The HTML report: pages, figures, and the checklist of what to publish."""
