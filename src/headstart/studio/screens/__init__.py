"""One module a screen: routes that parse, call `flow` or a project, and fill a template."""
