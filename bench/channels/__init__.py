"""How a platform does on channels, which are simulated by the program that measures."""
