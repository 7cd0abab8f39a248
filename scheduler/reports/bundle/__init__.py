"""The evidence bundle: one ZIP with the report in several formats and a picture of each post as published."""
