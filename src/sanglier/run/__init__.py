"""Everything that touches a host: ssh, gathering, applying, journal, lock."""
