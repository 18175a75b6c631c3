"""Token classification from data to a bundle: the flow of `headstart.spans`, beside that of rows with one label."""
