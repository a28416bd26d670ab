"""What people who keep records do: rules, and disposals by them."""
