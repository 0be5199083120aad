"""Products, submissions, flights and packages that publishers declare, and their store."""
