"""The manual kit: folders from which a person publishes (``adapter``) and their checklist (``page``)."""
