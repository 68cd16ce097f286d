"""What a machine gives, beside what it could."""
