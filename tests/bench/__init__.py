"""How fast it is: each figure as a ratio against a yardstick run in the same minute."""
