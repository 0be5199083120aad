"""The catalogue: products, submissions, flights and packages; their store; what reads them in."""
