"""What publishers declare: products, submissions, flights, packages; and its store."""
