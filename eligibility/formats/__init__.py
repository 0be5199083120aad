"""Files and JSON read strictly; knows nothing of flights or groups."""
