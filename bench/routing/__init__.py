"""What routers do with a backlog: how fast one drains it, with how much memory, and what a second one adds."""
