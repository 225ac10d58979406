"""What people see: the page at /, and the API's documentation at /docs. Plain files, no build."""
