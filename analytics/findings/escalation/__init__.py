"""Ways to more permissions: which each identity holds, and where they lead."""
