"""Products and members in memory, kept fresh, so that a warm access query needs no store."""
