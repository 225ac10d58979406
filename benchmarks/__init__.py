"""What the service costs, stage by stage and over HTTP, and how to measure it again."""
