"""skvae inside other tools. Each module needs the tool, and nothing else imports it."""
