"""A bundle in other forms: the portable graph, OpenVINO and INT8, the page that needs no server."""
