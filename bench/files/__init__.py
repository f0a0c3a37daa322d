"""How fast and in how much memory files go up and down (`make bench ARGS=files`, `make endurance-files`)."""
