"""Records: what is kept of one published post, and the archive of a campaign made of such records."""
