"""What a monitoring system reads: requests served, and how the laboratory's work stands."""
