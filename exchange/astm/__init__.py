"""ASTM: E1381/LIS1-A frames and E1394/LIS2-A2 records of analysers. Pure functions, no I/O."""
