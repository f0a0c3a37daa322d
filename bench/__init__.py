"""How fast the platform is, measured against a bare echo on the same stack in the same run (`make bench`)."""
