"""The endpoints of the AuthZEN Authorization API 1.0."""
